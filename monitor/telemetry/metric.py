"""Metric: every metric there is, with its labels and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["METRICS", "Metric"]

_MONITOR = ("schedule", "endpoint")
_MEASURED = ("schedule", "endpoint", "model", "feature", "check", "metric")


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric.

    Attributes
    ----------
    name : str
        As it is told and asked for.
    kind : {"gauge", "counter", "info"}
    labels : tuple of str
    says : str
        Its help.
    """

    name: str
    kind: Literal["gauge", "counter", "info"]
    labels: tuple[str, ...]
    says: str


def _gauge(name: str, labels: tuple[str, ...], says: str) -> Metric:
    return Metric(f"driftline_{name}", "gauge", labels, says)


METRICS: Final = (
    Metric("driftline_info", "info", ("version",), "The version of driftline that tells this."),
    # What was measured.
    _gauge("measurement", _MEASURED, "What a check measured in the newest window."),
    _gauge("measurement_bound", _MEASURED, "What the measurement is held against."),
    _gauge(
        "feature_violated",
        _MEASURED,
        "1 where the measurement violates its bound, 0 where it does not; none where it could not be judged.",
    ),
    _gauge(
        "measurements_dropped", _MONITOR, "Measurements of the newest window left out to limit the series."
    ),
    _gauge("violations", (*_MONITOR, "severity"), "Violated checks in the newest window."),
    _gauge("undetermined", _MONITOR, "Checks in the newest window that could not be judged."),
    _gauge("checks", _MONITOR, "Checks in the newest window."),
    _gauge(
        "rows",
        (*_MONITOR, "kind"),
        "Rows of the newest window: captured, and used for checking; 0 where there were no data.",
    ),
    _gauge("window_end_timestamp_seconds", _MONITOR, "End of the newest window that was judged, Unix time."),
    # How the monitors do.
    Metric(
        "driftline_executions_total",
        "counter",
        (*_MONITOR, "status"),
        "Executions that have ended, by how they ended.",
    ),
    _gauge("execution_duration_seconds", _MONITOR, "How long the newest execution that judged data took."),
    _gauge(
        "last_run_timestamp_seconds",
        _MONITOR,
        "When the newest execution ended, whatever came of it, Unix time.",
    ),
    _gauge(
        "last_success_age_seconds",
        _MONITOR,
        "Time since an execution completed or found no data, or since the schedule was started.",
    ),
    _gauge("schedule_period_seconds", _MONITOR, "Time between the fires of the schedule."),
    _gauge("schedule_delay_seconds", _MONITOR, "How long the schedule waits for late data."),
    _gauge("schedule_lag_seconds", _MONITOR, "For how long an execution has been due that was not begun."),
    _gauge(
        "schedule_status", (*_MONITOR, "status"), "1 for the status that the schedule has, 0 for the others."
    ),
    _gauge("executions_pending", (), "Executions that wait."),
    _gauge("executions_running", (), "Executions in progress."),
    # What people are told.
    _gauge(
        "alerts_open",
        ("model", "endpoint", "severity", "state"),
        "Alerts that are not resolved: open, acknowledged, snoozed.",
    ),
    _gauge("alert_rule_firing", (*_MONITOR, "rule"), "1 where the alert rule is InAlert, 0 where it is OK."),
    _gauge("outbox_waiting", ("target",), "Notifications on their way."),
    _gauge("outbox_dead", ("target",), "Notifications that could not be delivered and are no longer tried."),
    _gauge(
        "outbox_oldest_seconds",
        ("target",),
        "Age of the oldest notification on its way, 0 where there is none.",
    ),
    # The processes.
    _gauge("schedulers", (), "Schedulers heard of within a minute."),
    _gauge("scheduler_seen_age_seconds", (), "Time since a scheduler was last heard of."),
)
"""All metrics, in the order in which they are told."""
