"""Tables of the registry.

Both engines hold the same values in the same way: instants are microseconds since 1970-01-01 UTC, documents are canonical
JSON in text, and text that PostgreSQL could not hold (NUL, lone surrogates) is refused on SQLite too.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator

from driftline.errors import InputError, UsageError, printable

__all__ = ["Flag", "Instant", "Json", "Words", "canonical", "metadata"]

MOST_TEXT = 1 << 24


def _checked(value: str) -> str:
    if len(value) > MOST_TEXT:
        raise UsageError(
            f"{len(value):,} characters are too many for the registry",
            code="E-TEXT",
            fix="keep such texts in files",
        )
    if "\0" in value:
        raise UsageError(f"{printable(value, 60)!r} holds a NUL character", code="E-TEXT", fix="leave it out")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError(
            f"{printable(value, 60)!r} holds half of a surrogate pair", code="E-TEXT", fix="leave it out"
        ) from None
    return value


def canonical(value: Any) -> str:
    """Return a document as text in its one canonical form: keys in order, no white space, ASCII only.

    Raises
    ------
    ValueError
        If a number in it is not finite.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True)


class Words(TypeDecorator[str]):
    """Text that both engines can hold, and sort, by its code points."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """Leave the language of PostgreSQL's host out of it."""
        return dialect.type_descriptor(
            postgresql.TEXT(collation="C") if dialect.name == "postgresql" else sa.Text()
        )

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Refuse what one of the engines would refuse, or change."""
        return None if value is None else _checked(value)


class Json(TypeDecorator[Any]):
    """A document, as canonical JSON in text: keys in order, no white space."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        """Write the document."""
        if value is None:
            return None
        try:
            text = canonical(value)
        except (TypeError, ValueError, RecursionError) as error:
            raise UsageError(
                f"a document cannot be stored: {printable(error, 100)}",
                code="E-VALUE",
                fix="use texts, finite numbers, true, false, null, lists and objects",
            ) from None
        return _checked(text)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        """Read the document."""
        try:
            return None if value is None else json.loads(value)
        except ValueError:
            raise InputError(
                "holds a document that is damaged",
                code="E-REGISTRY",
                file="the registry's database",
                fix="look at it with `driftline fsck`, or restore a backup",
            ) from None


class Flag(TypeDecorator[bool]):
    """True or false, as a whole number: strict tables of SQLite have no booleans."""

    impl = sa.Integer
    cache_ok = True

    def process_bind_param(self, value: bool | None, dialect: sa.Dialect) -> int | None:
        """Write it."""
        return None if value is None else int(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> bool | None:
        """Read it."""
        return None if value is None else bool(value)


Instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""Microseconds since 1970-01-01 UTC; also durations, in microseconds."""

Real: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
"""A number in double precision."""

_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
metadata = sa.MetaData(naming_convention=_NAMING)


def _table(name: str, *parts: sa.schema.SchemaItem) -> sa.Table:
    return sa.Table(name, metadata, *parts, sqlite_strict=True)


def _column(name: str, kind: Any, *args: Any, null: bool = False, **given: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, *args, nullable=null, **given)


def _sequence(name: str = "seq") -> sa.Column[Any]:
    return sa.Column(name, Instant, primary_key=True, autoincrement=True)


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
