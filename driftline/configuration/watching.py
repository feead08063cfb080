"""What is done about it: monitors and their alerts, targets, and the scheduler."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from driftline.configuration.inventory import kind_of, mode_of
from driftline.configuration.problem import spelled
from driftline.configuration.specs import (
    DEFAULT_ALERT,
    AlertSpec,
    HeartbeatSpec,
    MonitorSpec,
    SchedulerSpec,
    TargetSpec,
)
from driftline.errors import DriftlineError, printable
from driftline.monitor.alert import MOST, alert_states

if TYPE_CHECKING:
    from driftline.configuration.table import Table

    Path = tuple[str | int, ...]

__all__ = ["monitor", "scheduler", "target"]

SEVERITIES = ("warning", "critical")
OVERRIDES = ("alpha", "checks", "columns")
TARGETS = ("webhook", "alertmanager", "apprise", "log")

LABELLED = ("model-quality", "bias")
"""Kinds that need the truth, unless the file says that the captures have it."""

_YEAR = timedelta(days=366)
_EVENT = re.compile(r"[a-z0-9_.*?\[\]!-]{1,128}")
_PATTERN = re.compile(r"[A-Za-z0-9*?\[\]._-]{1,63}")
_SCHEDULE = 'for example schedule = "cron(0 * ? * * *)", every hour'


def monitor(name: str, table: Table) -> MonitorSpec:
    """Read ``[monitors.<name>]``."""
    table.known(
        "endpoint",
        "baseline",
        "kind",
        "schedule",
        "timezone",
        "start_offset",
        "end_offset",
        "delay",
        "jitter",
        "catch_up",
        "variant",
        "inputs",
        "compat",
        "by",
        "preprocessor",
        *OVERRIDES,
        "enabled",
        "emit_metrics",
        "revise",
        "revise_for",
        "max_runtime",
        "alert_after_failures",
        "alert_on_no_data",
        "quarantine_after",
        "description",
        "tags",
        "alert",
        "alerts",
    )
    for key in ("endpoint", "baseline"):
        if key not in table:
            table.missing(key, f'name one of [{key}s]: {key} = "…"')
    if "revise_for" in table and table.values.get("revise") is False:
        table.add("revise_for", "stands beside revise = false", "remove one of them")
    compat = mode_of(table)
    kind = kind_of(table, "by")
    schedule, timezone = _schedule(name, table)
    start, end = _offsets(table, schedule)
    return MonitorSpec(
        name=name,
        endpoint=table.name("endpoint", "an endpoint") or "",
        baseline=table.name("baseline", "a baseline") or "",
        schedule=schedule,
        kind=kind,
        timezone=timezone,
        start_offset=start,
        end_offset=end,
        delay=table.duration("delay", high=_YEAR),
        jitter=table.duration("jitter", high=timedelta(hours=1)),
        catch_up=table.choice("catch_up", ("all", "latest", "skip"), "all"),
        variant=table.name("variant", "a variant"),
        inputs=table.choice(
            "inputs", ("captured", "labelled"), "labelled" if kind in LABELLED else "captured"
        ),
        compat=compat,
        by=table.text("by"),
        preprocessor=table.place("preprocessor"),
        enabled=table.boolean("enabled", default=True),
        emit_metrics=table.boolean("emit_metrics", default=True),
        revise=table.boolean("revise", default=True),
        revise_for=table.duration("revise_for", timedelta(days=7), high=_YEAR),
        max_runtime=table.duration(
            "max_runtime", timedelta(hours=1), low=timedelta(seconds=1), high=timedelta(days=7)
        ),
        alert_after_failures=table.integer("alert_after_failures", 3, low=1, high=1000),
        alert_on_no_data=table.integer("alert_on_no_data", 0, low=0, high=1000),
        quarantine_after=table.integer("quarantine_after", 10, low=1, high=1000),
        description=table.text("description"),
        tags=table.tags(),
        overrides=_overrides(table, compat, kind),
        alerts=_alerts(table),
    )


def _schedule(name: str, table: Table) -> tuple[str, str]:
    """Read when it runs; daily at an hour that the name decides, where nothing is said, as with SageMaker."""
    from driftline.monitor.expression import Expression, default_expression

    timezone = "UTC" if "timezone" not in table else table.text("timezone", limit=100)
    if timezone is not None:
        try:
            timezone = Expression.parse("@daily", timezone).timezone
        except DriftlineError as error:
            table.problems.take((*table.path, "timezone"), error)
            timezone = None
    if "schedule" not in table:
        if timezone not in (None, "UTC"):
            table.add("timezone", "stands without a schedule", 'say schedule = "0 6 * * *", or leave it out')
        return default_expression(name).text, timezone or "UTC"
    text = table.text("schedule", fix=_SCHEDULE)
    if text is None or timezone is None:
        return "", "UTC"
    try:
        return Expression.parse(text, timezone).text, timezone
    except DriftlineError as error:
        table.problems.take((*table.path, "schedule"), error)
        return "", timezone


def _offsets(table: Table, schedule: str) -> tuple[timedelta | None, timedelta | None]:
    """Read the ends of the window, which lie before the scheduled time."""
    found: dict[str, timedelta | None] = {}
    for key in ("start_offset", "end_offset"):
        value = table.duration(key, low=-_YEAR, high=_YEAR) if key in table else None
        if value is not None and value > timedelta(0):
            written = printable(str(table.values[key]), 40)
            table.add(
                key, f"expected an offset back in time, found {written}", f'write "-{written.lstrip("+")}"'
            )
            value = None
        found[key] = value
    start, end = found["start_offset"], found["end_offset"]
    if schedule == "NOW":
        for key in found:
            if key not in table:
                table.missing(key, 'NOW needs a window: start_offset = "-PT1H", end_offset = "PT0S"')
    elif "end_offset" in table and "start_offset" not in table:
        table.missing("start_offset", "end_offset needs it")
    if start is not None and start >= (end or timedelta(0)):
        table.add(
            "start_offset", "the window ends before it begins", "let the start lie further back than the end"
        )
    return start, end


def _overrides(table: Table, compat: str | None, kind: str) -> dict[str, Any]:
    """Return ``alpha``, ``checks`` and ``columns`` as they are, after the reader of overrides has seen them."""
    from driftline.monitor.overrides import read_overrides

    given = {key: table.values[key] for key in OVERRIDES if key in table}
    if given and compat is not None:
        for key in given:
            table.add(
                key,
                "SageMaker mode takes its thresholds from constraints.json alone",
                f"leave out compat or {key}",
            )
        return {}
    for key, value in given.items():
        # One by one, so that a mistake in one of them does not hide those in the others.
        for part in _parts(key, value):
            try:
                read_overrides(part, file=table.problems.file, recipe=kind)
            except DriftlineError as error:
                place = _path_of(error.field or key, part, error.message)
                table.problems.take((*table.path, *place), error)
    return given


def _parts(key: str, value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict) and value:
        return [{key: {name: inner}} for name, inner in value.items()]
    return [{key: value}]


def _path_of(field: str, value: Any, message: str) -> Path:
    """Return the path whose parts, with dots between them, are `field`; keys may hold dots themselves.

    What is said of an unknown key is said of the table that it stands in, and names the key.
    """
    if not isinstance(value, dict):
        return (field,) if field else ()
    if not field:
        return next(((key,) for key in value if repr(key) in message), ())
    for key, inner in value.items():
        if field == key:
            return (key, *_path_of("", inner, message))
        if field.startswith(f"{key}."):
            return (key, *_path_of(field[len(key) + 1 :], inner, message))
    return (field,)


def _alerts(table: Table) -> tuple[AlertSpec, ...]:
    if "alert" in table and "alerts" in table:
        table.add("alert", "stands beside alerts", f"make it one of [[{spelled((*table.path, 'alerts'))}]]")
    if "alerts" in table:
        rows = table.rows("alerts")
        if isinstance(table.values["alerts"], list) and not rows:
            table.add(
                "alerts", "the array is empty", "leave the key out: every monitor has at least one alert"
            )
        for row in rows:
            if "name" not in row:
                row.missing("name", 'write name = "…"')
        alerts = tuple(_alert(row, named=True) for row in rows)
        table.alike(
            (one.name, (*row.path, "name")) for one, row in zip(alerts, rows, strict=True) if "name" in row
        )
        return alerts
    one = table.table("alert")
    return (AlertSpec(),) if one is None else (_alert(one, named=False),)


def _alert(table: Table, *, named: bool) -> AlertSpec:
    table.known(
        *(("name",) if named else ()),
        "datapoints_to_alert",
        "evaluation_period",
        "count_failed_runs",
        "min_severity",
        "keep_firing",
        "dashboard_indicator",
    )
    m = table.integer("datapoints_to_alert", 1, low=1, high=MOST)
    n = table.integer("evaluation_period", 1, low=1, high=MOST) if "evaluation_period" in table else m
    try:
        alert_states((), datapoints_to_alert=m, evaluation_period=n)
    except DriftlineError as error:
        table.problems.take((*table.path, error.field or "datapoints_to_alert"), error)
    return AlertSpec(
        name=(table.name("name", "an alert") if named else None) or DEFAULT_ALERT,
        datapoints_to_alert=m,
        evaluation_period=n,
        count_failed_runs=table.boolean("count_failed_runs", default=False),
        min_severity=table.choice("min_severity", SEVERITIES, "warning"),
        keep_firing=table.integer("keep_firing", 0, low=0, high=MOST),
        dashboard_indicator=table.boolean("dashboard_indicator", default=True),
    )


def target(name: str, table: Table) -> TargetSpec:
    """Read ``[targets.<name>]``."""
    table.known(
        "kind",
        "url",
        "url_env",
        "url_file",
        "secret_env",
        "secret_file",
        "events",
        "severity",
        "models",
        "endpoints",
        "allow_private",
        "allow_http",
        "enabled",
    )
    if "kind" not in table:
        table.missing("kind", f"use one of {', '.join(TARGETS)}")
    kind = table.choice("kind", TARGETS, "")
    if kind == "log":
        for key in ("url", "url_env", "url_file", "allow_private", "allow_http"):
            if key in table:
                table.add(key, "a log has no address", f"remove {key}")
        url: str | None = None
    else:
        url = _url(table, kind)
    _secret(table, kind)
    events = table.texts("events", alone=True)
    for number, event in enumerate(events):
        if not _EVENT.fullmatch(event):
            table.problems.add(
                (*table.path, "events", number),
                f"{printable(repr(event), 80)} is no type of event",
                'write it like "alert.opened" or "execution.*"',
            )
    return TargetSpec(
        name=name,
        kind=kind,
        url=url,
        url_env=table.variable("url_env"),
        url_file=table.place("url_file"),
        secret_env=table.variable("secret_env"),
        secret_file=table.place("secret_file"),
        events=events,
        severity=table.choice("severity", SEVERITIES, "warning"),
        models=_patterns(table, "models"),
        endpoints=_patterns(table, "endpoints"),
        allow_private=table.boolean("allow_private", default=False),
        allow_http=table.boolean("allow_http", default=False),
        enabled=table.boolean("enabled", default=True),
    )


def _secret(table: Table, kind: str) -> None:
    """Note what is wrong with the keys of a target: webhooks are signed, an Alertmanager may ask for a token."""
    given = [key for key in ("secret_env", "secret_file") if key in table]
    if kind in ("apprise", "log"):
        for key in given:
            table.add(key, f"a target of kind {kind} has no key of its own", f"remove {key}")
    elif len(given) == 2:
        table.add("secret_file", "stands beside secret_env", "keep one of them")
    elif kind == "webhook" and not given:
        table.missing("secret_env", "webhooks are signed: say secret_env or secret_file")


def _patterns(table: Table, key: str) -> tuple[str, ...]:
    found = table.texts(key, alone=True)
    for number, one in enumerate(found):
        if not _PATTERN.fullmatch(one):
            message = f"{printable(repr(one), 80)} is neither a name nor a pattern of names"
            table.problems.add((*table.path, key, number), message, 'write it like "churn" or "churn-*"')
    return found


def _url(table: Table, kind: str) -> str | None:
    """Read where to send; the address itself is looked at when something is sent. Addresses are never shown."""
    given = [key for key in ("url", "url_env", "url_file") if key in table]
    if not given:
        table.missing("url_env", "say where to send: url, url_env or url_file")
    for key in given[1:]:
        table.add(key, f"says again where to send, as {given[0]} does", "keep one of them")
    url = table.text("url")
    if url is None:
        return None
    if kind == "apprise":
        table.add("url", "addresses of apprise hold credentials", 'use url_env = "…" or url_file = "…"')
        return None
    try:
        parts = urlsplit(url)
        host, user, _ = parts.hostname, parts.username, parts.port
    except ValueError:
        host = user = None
        parts = urlsplit("")
    if parts.scheme not in ("https", "http") or not host or not url.isprintable() or " " in url:
        table.add("url", "expected a URL", 'write it like "https://host/path"')
    elif user is not None:
        table.add("url", "the URL holds credentials", "use url_env or url_file")
    elif parts.scheme == "http" and table.values.get("allow_http") is not True:
        table.add("url", "http sends in the clear", "use https, or say allow_http = true")
    return url


def scheduler(table: Table | None) -> SchedulerSpec:
    """Read ``[scheduler]``."""
    if table is None:
        return SchedulerSpec()
    table.known("poll", "lease", "workers", "stale_after", "heartbeat")
    heartbeat = None
    inner = table.table("heartbeat")
    if inner is not None:
        inner.known("url", "url_env", "url_file", "every", "allow_private", "allow_http")
        heartbeat = HeartbeatSpec(
            url=_url(inner, "webhook"),
            url_env=inner.variable("url_env"),
            url_file=inner.place("url_file"),
            every=inner.duration(
                "every", timedelta(minutes=5), low=timedelta(seconds=10), high=timedelta(days=1)
            ),
            allow_private=inner.boolean("allow_private", default=False),
            allow_http=inner.boolean("allow_http", default=False),
        )
    return SchedulerSpec(
        poll=table.duration("poll", timedelta(seconds=5), low=timedelta(seconds=1), high=timedelta(hours=1)),
        lease=table.duration(
            "lease", timedelta(seconds=60), low=timedelta(seconds=5), high=timedelta(hours=1)
        ),
        workers=table.integer("workers", 1, low=1, high=64),
        stale_after=table.integer("stale_after", 2, low=1, high=MOST),
        heartbeat=heartbeat,
    )
