"""The text that ``driftline init`` writes: everything explained, nothing switched on."""

from __future__ import annotations

from typing import Final

__all__ = ["TEMPLATE"]

TEMPLATE: Final = """\
# driftline.toml: which models there are, where they answer, and how they are watched.
#
# Lines that begin with "# " explain; take the "#" away from lines that begin with it directly to switch them on.
# Then run: driftline apply driftline.toml
# Durations are ISO 8601 or short: "PT30M" or "30m", "P7D" or "7d". Paths start at the folder of this file.

# Where things are kept. All of this may be left out.
#[workspace]
#captures = "captures"                      # folder, or URL of an object store
#database = "sqlite"                        # or "postgresql://host/name"; with a password: database_env = "…"

# Models and their versions. What you say of the training is shown with every alert.
#[models.churn]
#owner = "growth"
#description = "Who leaves within a month"
#risk_rating = "medium"                     # low, medium, high or unknown
#tags = { team = "growth" }

#[[models.churn.versions]]
#version = "3"
#artifact = "models/churn-3.bin"            # path or URI
#created = 2026-11-01T08:00:00Z

#[models.churn.versions.trained]
#data = "train.csv"
#job = "train-churn-42"
#code = "https://git.example.com/churn/commit/1f2e3d"
#parameters = { max_depth = 5, eta = 0.2 }
#metrics = { auc = 0.91 }

# Endpoints and batch jobs: which model answers where. Captures carry the same names.
#[endpoints.churn-prod]
#model = "churn"
#version = "3"
#kind = "endpoint"                          # or "batch"

# Baselines: made from data, or taken from a folder that holds driftline's or SageMaker's files.
#[baselines.churn]
#data = "train.csv"                         # or folder = "baseline/"
#model = "churn"

# Monitors: on which schedule an endpoint is held to a baseline.
#[monitors.churn-quality]
#endpoint = "churn-prod"
#baseline = "churn"
#schedule = "cron(0 * ? * * *)"             # every hour; or five fields, "*/15 * * * *", or "NOW"
#timezone = "UTC"                           # of schedules with five fields
#delay = "PT10M"                            # wait so long for late captures
#catch_up = "all"                           # after a stop: all, latest or skip
#emit_metrics = true

# Thresholds to change: the same keys as in the file that driftline check --config reads.
#[monitors.churn-quality.checks.ks]
#bound = 0.15

# When it becomes an alarm: 2 of the last 3 runs found violations.
#[monitors.churn-quality.alert]
#datapoints_to_alert = 2
#evaluation_period = 3
#min_severity = "warning"                   # or "critical": other violations do not count
#keep_firing = 1                            # clean runs to wait for before it is resolved

# Targets: who is told. Secrets and addresses that hold one stay in the environment or in files.
#[targets.ops]
#kind = "webhook"                           # webhook, alertmanager, apprise or log
#url_env = "OPS_WEBHOOK"                    # or url = "https://…", or url_file = "…"
#secret_env = "OPS_SECRET"                  # signs what is sent
#events = ["alert.*", "execution.failed"]
#severity = "warning"
#endpoints = ["churn-*"]

# The scheduler: driftline scheduler
#[scheduler]
#poll = "PT5S"
#lease = "PT60S"
#workers = 1
#stale_after = 2                            # windows without a run until a monitor counts as silent

#[scheduler.heartbeat]
#url_env = "HEARTBEAT_URL"
#every = "PT5M"
"""
