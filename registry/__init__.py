"""What exists and what happened: models, endpoints, baselines, schedules, executions, alerts, lineage, audit, outbox."""
