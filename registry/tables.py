"""Tables of the registry; see :mod:`driftline.registry.columns` for how they hold values."""

from __future__ import annotations

import sqlalchemy as sa

from driftline.registry.columns import Flag, Instant, Json, Real, Words, canonical, metadata
from driftline.registry.columns import column as _column
from driftline.registry.columns import sequence as _sequence
from driftline.registry.columns import table as _table

__all__ = ["Flag", "Instant", "Json", "Real", "Words", "canonical", "metadata"]

# --- what is there -------------------------------------------------------------------------------------------------

models = _table(
    "models",
    _column("name", Words, primary_key=True),
    _column("owner", Words, null=True),
    _column("description", Words, null=True),
    _column("risk_rating", Words, null=True),
    _column("tags", Json),
    _column("created", Instant),
    _column("modified", Instant),
    _column("archived", Instant, null=True),
)

model_versions = _table(
    "model_versions",
    _column("model", Words, sa.ForeignKey("models.name"), primary_key=True),
    _column("version", Words, primary_key=True),
    _column("description", Words, null=True),
    _column("aliases", Json),  # such as champion, Production
    _column("artifacts", Json),  # [{"name", "uri", "digest", "size"}]
    _column(
        "training", Json
    ),  # how it was trained: {"job", "data": […], "code", "image", "parameters", "metrics"}
    _column("origin", Json, null=True),  # where it was imported from
    _column("tags", Json),
    _column("created", Instant),
    _column("modified", Instant),
)

endpoints = _table(
    "endpoints",
    _column("name", Words, primary_key=True),
    _column("kind", Words),  # endpoint, batch
    _column("status", Words),  # InService, OutOfService, … (SageMaker's words)
    _column("captures", Words, null=True),  # folder or URL where it is not the workspace's own
    _column("description", Words, null=True),
    _column("tags", Json),
    _column("created", Instant),
    _column("modified", Instant),
    _column("archived", Instant, null=True),
)

deployments = _table(
    "deployments",  # which model an endpoint served, from when to when; `until` is null for now
    _column("id", Words, primary_key=True),
    _column("endpoint", Words, sa.ForeignKey("endpoints.name")),
    _column("variant", Words),
    _column("model", Words),
    _column("version", Words),
    _column("weight", Real, null=True),
    _column("since", Instant),
    _column("until", Instant, null=True),
    sa.ForeignKeyConstraint(["model", "version"], ["model_versions.model", "model_versions.version"]),
    sa.Index(None, "endpoint", "variant", "since"),
    sa.Index(None, "model", "version"),
)

baselines = _table(
    "baselines",
    _column("name", Words, primary_key=True),
    _column("version", sa.Integer, primary_key=True),
    _column("kind", Words),  # data-quality, …
    _column("state", Words),  # proposed, current, superseded, rejected
    _column("model", Words, null=True),
    _column("path", Words),  # below the workspace's root
    _column("digest", Words),  # of its files
    _column("spec", Json),  # what it was made from, as declared
    _column("diff", Json, null=True),  # against the version that was current when it was proposed
    _column("proposed", Instant),
    _column("proposed_by", Words),
    _column("decided", Instant, null=True),
    _column("decided_by", Words, null=True),
    _column("reason", Words, null=True),
)

targets = _table(
    "targets",  # where notifications go
    _column("name", Words, primary_key=True),
    _column("kind", Words),
    _column("config", Json),
    _column("enabled", Flag),
    _column("created", Instant),
    _column("modified", Instant),
    _column("archived", Instant, null=True),
)

# --- what runs ------------------------------------------------------------------------------------------------------

schedules = _table(
    "schedules",
    _column("name", Words, primary_key=True),
    _column("endpoint", Words, sa.ForeignKey("endpoints.name")),
    _column("kind", Words),  # data-quality, model-quality, bias, attribution
    _column("status", Words),  # Pending, Scheduled, Stopped, Failed
    _column("failure_reason", Words, null=True),
    _column("baseline", Words, null=True),  # its name; a run takes the version that is current then
    _column("config", Json),  # the monitor as declared
    _column("config_digest", Words),
    _column("revision", sa.Integer),  # of the configuration
    _column("since", Instant),  # fires after this count; moved by start
    _column("cursor", Instant),  # last fire that has its execution
    _column("next_due", Instant, null=True),  # when the next fire should run; null where none ever will
    _column("watched", Instant, null=True),  # up to when late data have been looked for
    _column("failures", sa.Integer),  # runs in a row that failed
    _column("created", Instant),
    _column("modified", Instant),
    _column("archived", Instant, null=True),
    sa.Index(None, "next_due"),
    sa.Index(None, "endpoint"),
)

executions = _table(
    "executions",
    _column("id", Words, primary_key=True),
    _column("schedule", Words, sa.ForeignKey("schedules.name")),
    _column("window_start", Instant),
    _column("window_end", Instant),
    _column("revision", sa.Integer),  # 1, and more for late data and for runs by hand
    _column("cause", Words),  # schedule, catch-up, manual, late-data
    _column("supersedes", Words, null=True),  # the execution of the revision before
    _column("scheduled", Instant),  # the fire
    _column("status", Words),
    _column("message", Words, null=True),  # exit message
    _column("failure_reason", Words, null=True),
    _column("error_code", Words, null=True),
    _column("endpoint", Words),
    _column("kind", Words),
    _column("model", Words, null=True),  # what the endpoint served in the window
    _column("model_version", Words, null=True),
    _column("config", Json),  # as it was when the execution was made
    _column("config_digest", Words),
    _column("baseline", Words, null=True),
    _column("baseline_version", sa.Integer, null=True),
    _column("created", Instant),
    _column("modified", Instant),
    _column("started", Instant, null=True),
    _column("ended", Instant, null=True),
    _column("attempts", sa.Integer),
    _column("not_before", Instant),
    _column("judged", Flag, null=True),  # whether there was enough data to judge
    _column("input_digest", Words, null=True),  # of what was read
    _column("report", Words, null=True),  # folder below the workspace's root
    _column("report_digest", Words, null=True),
    _column("result", Json, null=True),  # counts, violations by incident, gauges: what pages and metrics need
    # The lease. `token` only ever grows; `beat_epoch` names the clock that `lease_until` is on.
    _column("owner", Words, null=True),
    _column("token", Instant),
    _column("lease_epoch", Words, null=True),
    _column("lease_until", Instant, null=True),
    sa.UniqueConstraint("schedule", "window_start", "window_end", "revision"),
    sa.Index(None, "status", "not_before"),
    sa.Index(None, "schedule", "scheduled"),
    sa.Index(None, "schedule", "endpoint", "status"),
    sa.Index(None, "schedule", "window_end", "window_start", "revision"),  # newest first
    sa.Index(None, "model", "ended"),
    sa.Index(None, "endpoint", "ended"),
)

schedulers = _table(
    "schedulers",  # processes that run what is due
    _column("id", Words, primary_key=True),
    _column("host", Words),
    _column("pid", sa.Integer),
    _column("started", Instant),
    _column("seen", Instant),
    _column("stopped", Instant, null=True),
)

leases = _table(
    "leases",  # chores that one process at a time does: outbox, dead-man, sweeping
    _column("name", Words, primary_key=True),
    _column("owner", Words),
    _column("token", Instant),
    _column("epoch", Words),
    _column("until", Instant),
)

# --- what was said --------------------------------------------------------------------------------------------------

alert_rules = _table(
    "alert_rules",  # SageMaker's monitoring alerts: m failures of the last n runs
    _column("schedule", Words, sa.ForeignKey("schedules.name"), primary_key=True),
    _column("name", Words, primary_key=True),
    _column("datapoints_to_alert", sa.Integer),
    _column("evaluation_period", sa.Integer),
    _column("count_failed_runs", Flag),
    _column("dashboard_indicator", Flag),
    _column(
        "keep_firing", sa.Integer
    ),  # clean runs in a row before an alert is resolved, after the rule is OK
    _column("min_severity", Words),
    _column("status", Words),  # OK, InAlert
    _column("failing", sa.Integer),  # failures among the last runs, when the rule was last looked at
    _column("since", Instant, null=True),  # of the status
    _column("restarted", Instant),  # runs ended before this do not count
    _column("created", Instant),
    _column("modified", Instant),
    _column("archived", Instant, null=True),
)

alert_history = _table(
    "alert_history",  # OK ↔ InAlert
    _sequence(),
    _column("schedule", Words),
    _column("rule", Words),
    _column("moment", Instant),
    _column("status", Words),
    _column("reason", Words),  # run, criteria changed, restarted
    _column("execution", Words, null=True),
    _column("detail", Json),  # runs looked at, counts
    sa.Index(None, "schedule", "rule", "moment"),
)

alerts = _table(
    "alerts",  # what people handle: one for one cause, however many windows and columns it has
    _column("id", Words, primary_key=True),
    _column("kind", Words),  # violations, silent (a monitor that stopped reporting), failing
    _column("schedule", Words),
    _column("rule", Words, null=True),
    _column("endpoint", Words, null=True),
    _column("model", Words, null=True),
    _column("model_version", Words, null=True),
    _column("state", Words),  # open, acknowledged, snoozed, resolved
    _column("severity", Words),  # warning, critical
    _column("title", Words),
    _column(
        "causes", Json
    ),  # incidents of the reports: [{"fingerprint", "kind", "title", "columns", "first", "last", …}]
    _column("opened", Instant),
    _column("modified", Instant),
    _column("resolved", Instant, null=True),
    _column("snoozed_until", Instant, null=True),
    _column("acknowledged_by", Words, null=True),
    _column("first_execution", Words, null=True),
    _column("last_execution", Words, null=True),
    _column("n_windows", sa.Integer),
    _column("clean_runs", sa.Integer),  # in a row, while the rule is OK and the alert still open
    sa.Index(None, "state", "opened"),
    sa.Index(None, "schedule", "opened"),
    sa.Index(None, "model", "opened"),
)

alert_log = _table(
    "alert_log",  # what happened to an alert, who and why
    _sequence(),
    _column("alert", Words, sa.ForeignKey("alerts.id")),
    _column("moment", Instant),
    _column("who", Words),
    _column(
        "what", Words
    ),  # opened, escalated, cause added, acknowledged, snoozed, woken, commented, resolved, …
    _column("reason", Words, null=True),
    _column("execution", Words, null=True),
    _column("detail", Json),
    sa.Index(None, "alert", "seq"),
)

events = _table(
    "events",  # the outbox: every change of state, in order
    _sequence(),
    _column("id", Words, unique=True),
    _column("type", Words),  # io.driftline.alert.opened.v1
    _column("subject", Words),  # alerts/01J…
    _column("moment", Instant),
    _column("data", Json),
    sa.Index(None, "moment"),
    sa.Index(None, "subject", "seq"),
)

deliveries = _table(
    "deliveries",  # an event on its way to a target
    _column("event", Words, sa.ForeignKey("events.id"), primary_key=True),
    _column("target", Words, primary_key=True),
    _column("state", Words),  # waiting, sent, dead
    _column("attempts", sa.Integer),
    _column("created", Instant),
    _column("next_try", Instant),
    _column("ended", Instant, null=True),
    _column("error", Words, null=True),
    _column("owner", Words, null=True),
    _column("token", Instant),
    _column("lease_epoch", Words, null=True),
    _column("lease_until", Instant, null=True),
    sa.Index(None, "state", "next_try"),
    sa.Index(None, "target", "state"),
)

# --- where it came from ---------------------------------------------------------------------------------------------

nodes = _table(
    "nodes",
    _column("id", Words, primary_key=True),
    _column(
        "kind", Words
    ),  # DataSet, TrainingJob, Model, Endpoint, CaptureWindow, Baseline, Execution, Report, Alert, …
    _column("name", Words),  # models/churn/3, endpoints/churn-prod, executions/01J…
    _column("uri", Words, null=True),
    _column("digest", Words, null=True),
    _column("properties", Json),
    _column("created", Instant),
    sa.Index(None, "kind", "name"),
    sa.Index(None, "uri"),
    sa.Index(None, "digest"),
)

edges = _table(
    "edges",
    _column("source", Words, sa.ForeignKey("nodes.id"), primary_key=True),
    _column("target", Words, sa.ForeignKey("nodes.id"), primary_key=True),
    _column(
        "relation", Words, primary_key=True
    ),  # ContributedTo, AssociatedWith, DerivedFrom, Produced, SameAs
    _column("created", Instant),
    sa.Index(None, "target"),
)

# --- model cards ----------------------------------------------------------------------------------------------------

cards = _table(
    "cards",
    _column("id", Words, primary_key=True),
    _column("name", Words),
    _column("arn", Words),
    _column("status", Words),  # of the newest version: Draft, PendingReview, Approved, Archived
    _column("version", sa.Integer),  # the newest
    _column("approved_version", sa.Integer, null=True),  # the newest that is approved
    _column("content_hash", Words),  # of the newest version
    _column("model_id", Words, null=True),  # model_overview.model_id of the newest version
    _column(
        "model_key", Words, null=True
    ),  # sha256 of model_id: PostgreSQL has no index for texts of any length
    _column("model", Words, null=True),  # the registry's model that it is about
    _column("risk_rating", Words, null=True),  # High, Medium, Low, Unknown
    _column("owner", Words, null=True),  # model_overview.model_owner
    _column("package_group", Words, null=True),
    _column("tags", Json),
    _column(
        "policy", Json
    ),  # what becomes of the monitors' reports: {"evaluations": "evidence", "every": "P1D"}
    _column("cloned_from", Json, null=True),  # {"name", "version", "content_hash"}
    _column("records", sa.Integer),  # how many the chain has
    _column("head", Words),  # hash of the chain's newest record
    _column("created", Instant),
    _column("created_by", Words),
    _column("modified", Instant),
    _column("modified_by", Words),
    _column("deleted", Instant, null=True),  # then only the chain is left
    sa.Index(
        "uq_cards_name",
        "name",
        unique=True,
        sqlite_where=sa.text("deleted IS NULL"),
        postgresql_where=sa.text("deleted IS NULL"),
    ),
    sa.Index(
        "uq_cards_model_key",
        "model_key",
        unique=True,
        sqlite_where=sa.text("deleted IS NULL"),
        postgresql_where=sa.text("deleted IS NULL"),
    ),
    sa.Index(None, "created"),
    sa.Index(None, "modified"),
    sa.Index(None, "model"),
    sa.Index(None, "status", "modified"),
    sa.Index(None, "package_group", "modified"),
)

card_versions = _table(
    "card_versions",  # what a version says is never changed; triggers see to it
    _column("card", Words, sa.ForeignKey("cards.id"), primary_key=True),
    _column("version", sa.Integer, primary_key=True),
    _column("content", Words),  # JSON as SageMaker has it, keys in SageMaker's order
    _column("extensions", Json),  # what SageMaker has no place for
    _column(
        "provenance", Json
    ),  # {"training_details.training_job_details.training_arn": {"source", "moment"}}
    _column("content_hash", Words),  # sha256 of the canonical JSON (RFC 8785) of {"content", "extensions"}
    _column("status", Words),  # the one it has, or had when the next version came
    _column("author", Words),
    _column("created", Instant),
    _column("reason", Words),
    _column("status_moment", Instant),
    _column("status_by", Words),
    _column("approved", Instant, null=True),
    _column("approved_by", Words, null=True),
    sa.Index(None, "card", "status"),
)

card_records = _table(
    "card_records",  # the chain of hashes of one card; rows are never changed nor removed, triggers see to it
    _column("card", Words, sa.ForeignKey("cards.id"), primary_key=True),
    _column("seq", sa.Integer, primary_key=True),  # from 1, without a gap
    _column("kind", Words),  # created, revised, status, tagged, policy, model, evidence, exported, deleted
    _column("version", sa.Integer),
    _column("content_hash", Words),
    _column("status", Words),
    _column("previous_status", Words, null=True),
    _column("who", Words),
    _column("moment", Instant),
    _column("reason", Words),
    _column("detail", Json),
    _column("previous", Words),  # hash of the record before
    _column("hash", Words),
)

card_evidence = _table(
    "card_evidence",  # monitors' reports and baselines, beside the text
    _column("card", Words, sa.ForeignKey("cards.id"), primary_key=True),
    _column("source", Words, primary_key=True),  # executions/ID or baselines/NAME/VERSION
    _column("schedule", Words, null=True),
    _column("kind", Words),  # data-quality, model-quality, bias, attribution
    _column("status", Words),  # passed, violated, undetermined, baseline
    _column("window_start", Instant, null=True),
    _column("window_end", Instant, null=True),
    _column("path", Words),  # of the report or the baseline, below the workspace's root
    _column("digest", Words),
    _column("summary", Words),  # one sentence
    _column("record", sa.Integer),  # seq of its record in the chain
    _column("moment", Instant),
    sa.Index(None, "card", "moment"),
    sa.Index(None, "card", "schedule", "window_end", "moment"),
)

card_exports = _table(
    "card_exports",
    _column("card", Words, sa.ForeignKey("cards.id"), primary_key=True),
    _column("name", Words, primary_key=True),  # of the export job
    _column("arn", Words, unique=True),
    _column("version", sa.Integer),
    _column("format", Words),  # pdf, html, md, json
    _column("output", Words),  # folder or URL that was asked for
    _column("status", Words),  # InProgress, Completed, Failed
    _column("artifact", Words, null=True),  # the file
    _column("digest", Words, null=True),
    _column("failure_reason", Words, null=True),
    _column("who", Words),
    _column("created", Instant),
    _column("modified", Instant),
    sa.Index(None, "card", "created"),
)

# --- who, and what they did -----------------------------------------------------------------------------------------

users = _table(
    "users",
    _column("name", Words, primary_key=True),
    _column("full_name", Words, null=True),
    _column("email", Words, null=True),
    _column("roles", Json),
    _column("password", Words, null=True),  # argon2 hash
    _column("created", Instant),
    _column("modified", Instant),
    _column("disabled", Instant, null=True),
)

tokens = _table(
    "tokens",
    _column("id", Words, primary_key=True),  # also the prefix of the token itself
    _column("user", Words, sa.ForeignKey("users.name")),
    _column("label", Words, null=True),
    _column("secret", Words),  # sha256 of the secret part
    _column("scopes", Json),
    _column("created", Instant),
    _column("expires", Instant, null=True),
    _column("revoked", Instant, null=True),
    _column("used", Instant, null=True),
    sa.Index(None, "user"),
)

audit = _table(
    "audit",  # a chain of hashes; rows are never changed nor removed
    _column("seq", Instant, primary_key=True, autoincrement=False),
    _column("moment", Instant),
    _column("who", Words),
    _column("action", Words),  # schedule.created
    _column("subject", Words),  # schedules/churn-quality
    _column("reason", Words),
    _column("body", Words, null=True),  # sha256 of what changed, in audit_bodies
    _column("previous", Words),
    _column("hash", Words),
    sa.Index(None, "subject", "seq"),
)

audit_bodies = _table(
    "audit_bodies",  # apart from the chain, so that personal data can be erased from here
    _column("digest", Words, primary_key=True),
    _column("body", Words),
)

audit_head = _table(
    "audit_head",
    _column("id", sa.Integer, primary_key=True, autoincrement=False),
    _column("seq", Instant),
    _column("hash", Words),
)

settings = _table(
    "settings",
    _column("name", Words, primary_key=True),
    _column("value", Json),
    _column("modified", Instant),
)
