"""Exposition: the facts of the registry in the text formats of Prometheus and OpenMetrics.

Nothing is counted in a process: every number is read when it is asked for. So any process tells the same, a scheduler, the
dashboard or the command line, and none of them forgets when it is started anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from driftline import __version__
from driftline.monitor.telemetry.cardinality import Cardinality, chosen, label
from driftline.monitor.telemetry.facts import Facts, Judged, Monitor, facts, judged
from driftline.monitor.telemetry.metric import METRICS
from driftline.registry.executions import ENDED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric as Family

    from driftline.registry.store import Tx

__all__ = ["OPENMETRICS", "PROMETHEUS", "metrics_text"]

PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"
"""Content type of the text format."""

OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
"""Content type of OpenMetrics."""

_STATUSES = ("Pending", "Scheduled", "Stopped", "Failed")
_JUDGED = ("passed", "violated")
_ROWS = ("captured", "used")


def metrics_text(tx: Tx, *, limits: Cardinality | None = None, openmetrics: bool = False) -> bytes:
    """Return all metrics as text.

    Parameters
    ----------
    tx : Tx
        Reading is enough.
    limits : Cardinality, optional
        How many series measurements may have.
    openmetrics : bool, default False
        As :data:`OPENMETRICS` rather than :data:`PROMETHEUS`.

    Notes
    -----
    Twelve queries, however many schedules there are. Of each active schedule with ``emit_metrics`` the measurements of
    the newest window that was judged are told. Where there are more than the limits allow, those that are violated come
    first, the others by name, and ``driftline_measurements_dropped`` says how many are left out.
    """
    from prometheus_client.exposition import generate_latest
    from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

    told = _Told()
    known = facts(tx)
    for monitor in known.monitors.values():
        _tell_monitor(told, monitor, known.now)
    most = (limits or Cardinality()).measurements(sum(one.emits for one in known.monitors.values()))
    for one in judged(tx):
        _tell_judged(told, one, known.monitors[one.schedule], most)
    _tell_alerts(told, known)
    _tell_processes(told, known)
    if not openmetrics:
        return generate_latest(told)
    text: bytes = generate_openmetrics(told)  # type: ignore[no-untyped-call]
    return text


class _Told:
    """The samples, by metric; a collector for the client library of Prometheus."""

    def __init__(self) -> None:
        self._samples: dict[str, dict[tuple[str, ...], float]] = {metric.name: {} for metric in METRICS}

    def add(self, name: str, *labels: str, value: float) -> None:
        self._samples[f"driftline_{name}"][labels] = value

    def collect(self) -> Iterator[Family]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

        for metric in METRICS:
            samples = sorted(self._samples[metric.name].items())
            if metric.kind == "info":
                about = InfoMetricFamily(metric.name.removesuffix("_info"), metric.says)
                for labels, _ in samples:
                    about.add_metric([], dict(zip(metric.labels, labels, strict=True)))
                yield about
                continue
            make = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            unit = "seconds" if metric.name.endswith("_seconds") else ""
            family = make(metric.name, metric.says, labels=metric.labels, unit=unit)
            for labels, value in samples:
                family.add_metric(labels, value)
            yield family


def _tell_monitor(told: _Told, monitor: Monitor, now: int) -> None:
    names = monitor.name, monitor.endpoint
    for status in _STATUSES:
        told.add("schedule_status", *names, status, value=float(monitor.status == status))
    # What has not happened yet is told as 0, so that its first time is seen as a rise.
    for status in ENDED:
        told.add("executions_total", *names, status, value=0.0)
    for (endpoint, status), count in monitor.counts.items():
        told.add("executions_total", monitor.name, endpoint, status, value=count)
    if monitor.ran is not None:
        told.add("last_run_timestamp_seconds", *names, value=monitor.ran / 1e6)
    if not monitor.is_active:
        return
    for kind in _ROWS if monitor.found_nothing else ():
        told.add("rows", *names, kind, value=0)
    told.add("schedule_lag_seconds", *names, value=monitor.lag(now) / 1e6)
    told.add("schedule_delay_seconds", *names, value=monitor.delay / 1e6)
    if monitor.period is not None:
        told.add("schedule_period_seconds", *names, value=monitor.period / 1e6)
        # A schedule that fires once is not late when it does not fire again.
        told.add("last_success_age_seconds", *names, value=monitor.age(now) / 1e6)


def _tell_judged(told: _Told, one: Judged, monitor: Monitor, most: int) -> None:
    names = one.schedule, one.endpoint
    told.add("window_end_timestamp_seconds", *names, value=one.window_end / 1e6)
    if one.seconds is not None:
        told.add("execution_duration_seconds", *names, value=one.seconds)
    rows = one.result.get("rows") or {}
    for kind in () if monitor.found_nothing else _ROWS:
        told.add("rows", *names, kind, value=rows.get(kind) or 0)
    counts = one.result.get("counts") or {}
    told.add("checks", *names, value=sum(counts.values()))
    told.add("undetermined", *names, value=counts.get("undetermined", 0))
    violations = one.result.get("violations") or {one.result.get("severity"): counts.get("violated", 0)}
    for severity in ("warning", "critical"):
        told.add("violations", *names, severity, value=violations.get(severity, 0))
    if not monitor.emits:
        return
    chosen_ones, n_dropped = chosen(one.result.get("measurements") or (), most)
    told.add("measurements_dropped", *names, value=n_dropped)
    for (feature, check, metric), measurement in chosen_ones:
        labels = *names, label(one.model), feature, check, metric
        for name, key in (("measurement", "value"), ("measurement_bound", "bound")):
            if measurement.get(key) is not None:
                told.add(name, *labels, value=measurement[key])
        if measurement.get("status") in _JUDGED:
            told.add("feature_violated", *labels, value=float(measurement["status"] == "violated"))


def _tell_alerts(told: _Told, known: Facts) -> None:
    counts: dict[tuple[str, str, str, str], int] = {}
    for model, endpoint, severity, state, n in known.alerts:
        key = model or "", endpoint or "", severity, state
        counts[key] = counts.get(key, 0) + n
    for labels, n in counts.items():
        told.add("alerts_open", *labels, value=n)
    for schedule, endpoint, rule, status in known.rules:
        told.add("alert_rule_firing", schedule, endpoint, rule, value=float(status == "InAlert"))


def _tell_processes(told: _Told, known: Facts) -> None:
    told.add("info", __version__, value=1.0)
    told.add("executions_pending", value=known.unfinished.get("Pending", 0))
    told.add(
        "executions_running",
        value=known.unfinished.get("InProgress", 0) + known.unfinished.get("Stopping", 0),
    )
    for one in known.deliveries:
        told.add("outbox_waiting", one.target, value=one.waiting)
        told.add("outbox_dead", one.target, value=one.dead)
        told.add("outbox_oldest_seconds", one.target, value=(one.oldest_waiting or 0) / 1e6)
    told.add("schedulers", value=known.n_schedulers)
    if known.scheduler_age is not None:
        told.add("scheduler_seen_age_seconds", value=known.scheduler_age / 1e6)
