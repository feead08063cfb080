"""The point rule: what the managed bias monitor does, any metric farther from 0 than in the baseline is a violation.

There is no allowance for chance, and 0 is taken for parity also of disparate impact, whose parity is 1. The default mode of
the monitor judges by intervals instead.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from driftline.reports.outcome import Status

if TYPE_CHECKING:
    from driftline.baselines.analysis import Analysis, FacetResult, MetricValue, Stage

__all__ = ["Comparison", "compare", "point_rule", "spelled"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A metric of the current data beside the baseline's.

    Attributes
    ----------
    stage : str
        ``pre_training_bias_metrics`` or ``post_training_bias_metrics``.
    facet : str
        Name of the facet column.
    facet_value : str
        As the current analysis spells it; as the baseline does where the current analysis lacks it.
    metric : str
        Code.
    baseline, current : float or None
        May be infinite; None where there is no value.
    status : Status
        Undetermined where either side has no value.
    reason : str
        Of a violation SageMaker's wording.
    """

    stage: str
    facet: str
    facet_value: str
    metric: str
    baseline: float | None
    current: float | None
    status: Status
    reason: str

    def violation(self) -> dict[str, str]:
        """Return the entry of ``constraint_violations.json``."""
        return {
            "facet": self.facet,
            "facet_value": self.facet_value,
            "metric_name": self.metric,
            "constraint_check_type": "bias_drift_check",
            "description": self.reason,
        }


def spelled(value: float) -> str:
    """Spell a value as SageMaker's descriptions do: the shortest digits, ``Infinity``, ``-Infinity``."""
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)


def point_rule(baseline: Analysis, current: Analysis) -> list[Comparison]:
    """Return the violations, in the order of the file; see :func:`compare`."""
    return [one for one in compare(baseline, current) if one.status is Status.VIOLATED]


def compare(baseline: Analysis, current: Analysis) -> tuple[Comparison, ...]:
    """Compare all metrics of two analyses.

    A metric is violated if and only if ``abs(current) > abs(baseline)``. Infinity is beyond everything finite, and not
    beyond itself.

    Parameters
    ----------
    baseline, current : Analysis

    Returns
    -------
    tuple of Comparison
        First the metrics of the predictions, then those of the labels. What only one side has is there, too, as
        undetermined.

    Notes
    -----
    Facet values are matched by their text. The text of an interval, ``(45, 90]``, ends in the largest value of its own data
    set, so intervals are matched by the threshold.
    """
    found: list[Comparison] = []
    for key in dict.fromkeys([*current.stages, *baseline.stages]):
        found.extend(_stages(key, baseline.stages.get(key), current.stages.get(key)))
    return tuple(found)


def _stages(key: str, baseline: Stage | None, current: Stage | None) -> list[Comparison]:
    before, after = _results(baseline), _results(current)
    found = []
    for place in dict.fromkeys([*after, *before]):
        left, right = before.get(place), after.get(place)
        shown = right or left
        assert shown is not None
        names = [one.name for side in (right, left) if side is not None for one in side.metrics]
        for name in dict.fromkeys(names):
            metrics = [None if side is None else side.metric(name) for side in (left, right)]
            found.append(_one(key, place[0], shown.value_or_threshold, name, metrics[0], metrics[1]))
    return found


_INTERVAL: Final = re.compile(r"\((\S+), \S+\]")


def _results(stage: Stage | None) -> dict[tuple[str, str], FacetResult]:
    """Return the results by facet and by what facet values are matched by."""
    if stage is None:
        return {}
    return {
        (name, _key(one.value_or_threshold)): one for name, results in stage.facets.items() for one in results
    }


def _key(text: str) -> str:
    interval = _INTERVAL.fullmatch(text)
    if interval is None:
        return text
    try:
        return f"above {float(interval[1])}"
    except ValueError:
        return text


def _one(
    stage: str, facet: str, value: str, name: str, before: MetricValue | None, after: MetricValue | None
) -> Comparison:
    left, right = (None if side is None else side.value for side in (before, after))
    if left is None or right is None:
        status, reason = Status.UNDETERMINED, f"not compared: {' and '.join(_missing(before, after))}"
    elif abs(right) > abs(left):
        status = Status.VIOLATED
        reason = (
            f"Metric value {spelled(right)} doesn't meet the baseline constraint requirement {spelled(left)}"
        )
    else:
        status = Status.PASSED
        reason = f"Metric value {spelled(right)} meets the baseline constraint requirement {spelled(left)}"
    return Comparison(stage, facet, value, name, left, right, status, reason)


def _missing(before: MetricValue | None, after: MetricValue | None) -> list[str]:
    found = []
    for side, one in (("the baseline", before), ("the current data", after)):
        if one is None:
            found.append(f"{side} does not have it" if side == "the baseline" else f"{side} do not have it")
        elif one.value is None:
            found.append(f"no value in {side}" + (f" ({one.error})" if one.error else ""))
    return found
