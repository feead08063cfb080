"""Alert rule: when a series of runs becomes an alarm, m failures among the last n.

Pure: no database, no clock. What is counted are *data points*, one a window: see :func:`data_points`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from driftline.errors import UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "ALLOWANCE",
    "MOST",
    "AlertStatus",
    "DataPoint",
    "Run",
    "alert_states",
    "at_least",
    "check_numbers",
    "clean_runs",
    "data_points",
    "is_silent",
    "most_severe",
    "state_of",
]

MOST: Final = 100
"""The greatest m, n and keep_firing."""

ALLOWANCE: Final = 20 * 60 * 1_000_000
"""Microseconds by which a run may be late: schedules of SageMaker begin up to 20 minutes after their time."""

SEVERITIES: Final = ("warning", "critical")

_JUDGED: Final = ("Completed", "CompletedWithViolations")
_SCHEDULED: Final = ("schedule", "catch-up")


class AlertStatus(StrEnum):
    """State of an alert rule, in SageMaker's words."""

    OK = "OK"
    IN_ALERT = "InAlert"


@dataclass(frozen=True, slots=True)
class Run:
    """What a rule needs to know of an execution.

    Attributes
    ----------
    execution : str
        Its id.
    window_start, window_end : int
        Microseconds since 1970-01-01 UTC, as all instants.
    revision : int
    cause : str
        schedule, catch-up, manual or late-data.
    status : str
    ended : int or None
    severity : str or None
        The highest of its violations; None where that is not known.
    """

    execution: str
    window_start: int
    window_end: int
    revision: int = 1
    cause: str = "schedule"
    status: str = "Completed"
    ended: int | None = 0
    severity: str | None = None


@dataclass(frozen=True, slots=True)
class DataPoint:
    """What a rule counts: one a window.

    Attributes
    ----------
    execution : str
        The execution that speaks for the window.
    window_start, window_end : int
    is_failing : bool
    """

    execution: str
    window_start: int
    window_end: int
    is_failing: bool


def check_numbers(datapoints_to_alert: object, evaluation_period: object, keep_firing: object = 1) -> None:
    """Refuse numbers that make no rule.

    Raises
    ------
    UsageError
        ``E-ALERT``: a number is no whole number from 1 to 100 (from 0, `keep_firing`), or m is greater than n: such a rule
        could never fire.
    """
    for name, value, least in (
        ("datapoints_to_alert", datapoints_to_alert, 1),
        ("evaluation_period", evaluation_period, 1),
        ("keep_firing", keep_firing, 0),
    ):
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= MOST:
            raise UsageError(
                f"expected {least} to {MOST}, found {printable(value, 60)}", code="E-ALERT", field=name
            )
    assert isinstance(datapoints_to_alert, int)
    assert isinstance(evaluation_period, int)
    if datapoints_to_alert > evaluation_period:
        raise UsageError(
            f"{datapoints_to_alert} failures among {evaluation_period} runs can never happen",
            code="E-ALERT",
            field="datapoints_to_alert",
            fix="lower it, or look at more runs",
        )


def alert_states(
    failures: Iterable[bool], *, datapoints_to_alert: int, evaluation_period: int
) -> list[AlertStatus]:
    """Return the state of an alert after each of a series of runs.

    Parameters
    ----------
    failures : iterable of bool
        Oldest first: whether each run failed, that is, found violations.
    datapoints_to_alert : int
        Failures that raise the alert (m), 1 to 100.
    evaluation_period : int
        Runs looked at (n), 1 to 100; fewer where there have not been so many yet.

    Returns
    -------
    list of AlertStatus
        As long as `failures`.

    Raises
    ------
    UsageError
        If a number is out of range, or m is greater than n: such an alert could never fire.

    Examples
    --------
    >>> [s.value for s in alert_states([True, True, False], datapoints_to_alert=2, evaluation_period=3)]
    ['OK', 'InAlert', 'InAlert']
    """
    check_numbers(datapoints_to_alert, evaluation_period)
    states = []
    window: list[bool] = []
    for failed in failures:
        window = [*window, failed][-evaluation_period:]
        states.append(state_of(window, datapoints_to_alert, evaluation_period))
    return states


def state_of(failures: Sequence[bool], m: int, n: int) -> AlertStatus:
    """Return the state of a rule after a series of runs, oldest first: InAlert where m of the last n failed."""
    return AlertStatus.IN_ALERT if sum(failures[-n:]) >= m else AlertStatus.OK


def clean_runs(failures: Sequence[bool], m: int, n: int) -> int:
    """Count the runs at the end of a series that were clean, and after which the rule was OK.

    Parameters
    ----------
    failures : sequence of bool
        Oldest first; n + k runs are enough to count up to k.

    Examples
    --------
    >>> clean_runs([True, True, False, False, False], 2, 3)  # the first clean run left the rule InAlert
    2
    """
    count = 0
    while count < len(failures):
        end = len(failures) - count
        if failures[end - 1] or state_of(failures[max(0, end - n) : end], m, n) is not AlertStatus.OK:
            break
        count += 1
    return count


def data_points(
    runs: Iterable[Run],
    *,
    count_failed_runs: bool = False,
    min_severity: str = "warning",
    restarted: int | None = None,
) -> list[DataPoint]:
    """Return what a rule counts, oldest window first.

    Parameters
    ----------
    runs : iterable of Run
        All executions of a schedule, in any order.
    count_failed_runs : bool
        Whether a window that only ever failed counts, as a failure.
    min_severity : str
        Violations less severe than this are none for the rule; of unknown severity, they count.
    restarted : int, optional
        Runs that ended at this instant or before do not count.

    Returns
    -------
    list of DataPoint

    Notes
    -----
    A window counts where the schedule ran or should have run (by its time or catching up), not where only somebody ran it
    by hand. The newest revision that judged data speaks for it (Completed: clean; CompletedWithViolations: failing): a
    revision that failed, was stopped or found no data takes back nothing that was found before. Runs that are stopped,
    skipped, without data or still running are no data points; nor, as the caller sees to, are those that had too few data
    to judge.
    """
    windows: dict[tuple[int, int], list[Run]] = {}
    for run in runs:
        windows.setdefault((run.window_end, run.window_start), []).append(run)
    points = []
    for (end, start), revisions in sorted(windows.items()):
        if not any(run.cause in _SCHEDULED for run in revisions):
            continue
        ended = [
            run for run in revisions if run.ended is not None and (restarted is None or run.ended > restarted)
        ]
        ended.sort(key=lambda run: run.revision)
        judged = [run for run in ended if run.status in _JUDGED]
        failed = [run for run in ended if run.status == "Failed"]
        if judged:
            newest = judged[-1]
            violated = newest.status == "CompletedWithViolations"
            points.append(
                DataPoint(newest.execution, start, end, violated and at_least(newest.severity, min_severity))
            )
        elif failed and count_failed_runs:
            points.append(DataPoint(failed[-1].execution, start, end, is_failing=True))
    return points


def at_least(severity: str | None, least: str) -> bool:
    """Tell whether a severity is `least` or more; an unknown one is."""
    return severity not in SEVERITIES or SEVERITIES.index(severity) >= SEVERITIES.index(least)


def most_severe(severities: Iterable[str | None]) -> str:
    """Return the highest of severities; ``warning`` where none is known."""
    return "critical" if "critical" in severities else "warning"


def is_silent(now: int, last_finished: int | None, since: int, period: int, periods: int = 2) -> bool:
    """Tell whether a monitor has stopped reporting: no run finished for longer than two periods and 20 minutes.

    Parameters
    ----------
    now : int
    last_finished : int or None
        When a run of its last finished.
    since : int
        When it was last started.
    period : int
        Microseconds between its runs.
    periods : int
        How many of them.
    """
    return now - max(since, last_finished or since) > periods * period + ALLOWANCE
