"""Alert: when a series of runs becomes an alarm, m failures among the last n."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from driftline.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["AlertStatus", "alert_states"]

MOST = 100


class AlertStatus(StrEnum):
    """State of an alert, in SageMaker's words."""

    OK = "OK"
    IN_ALERT = "InAlert"


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
    for name, value in (
        ("datapoints_to_alert", datapoints_to_alert),
        ("evaluation_period", evaluation_period),
    ):
        if not 1 <= value <= MOST:
            raise UsageError(f"expected 1 to {MOST}, found {value}", code="E-ALERT", field=name)
    if datapoints_to_alert > evaluation_period:
        raise UsageError(
            f"{datapoints_to_alert} failures among {evaluation_period} runs can never happen",
            code="E-ALERT",
            field="datapoints_to_alert",
            fix="lower it, or look at more runs",
        )
    states = []
    window: list[bool] = []
    for failed in failures:
        window = [*window, failed][-evaluation_period:]
        alarmed = sum(window) >= datapoints_to_alert
        states.append(AlertStatus.IN_ALERT if alarmed else AlertStatus.OK)
    return states
