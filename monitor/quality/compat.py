"""SageMaker mode: the rule, the numbers and the words of SageMaker Model Monitor, exactly.

A metric is violated where it is beyond the baseline's value, by however little. Thresholds stand at that very
value, so that about half of the metrics alarm by chance; it is what the managed job does. Values that differ by rounding
alone are equal: sums of another order differ in the last digits, and the thresholds of the managed job are its sums.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from driftline.baselines.constraint import Constraint
from driftline.baselines.metrics import QUALITY
from driftline.baselines.sagemaker_style import java_double
from driftline.reports.outcome import Measurement, Outcome, Status

if TYPE_CHECKING:
    from driftline.baselines.quality_documents import QualityConstraints
    from driftline.monitor.quality.figures import Figures

__all__ = ["outcomes_of", "sentence"]

_ROUNDING: Final = 1e-12


def sentence(name: str, value: float, deviation: float | None, operator: str, threshold: float) -> str:
    """Say it as SageMaker does.

    Examples
    --------
    >>> sentence("r2", -53.790146743270654, 4.829550001308316, "LessThanThreshold", -7.7419149776821)
    "Metric r2 with -53.790146743270654 +/- 4.829550001308316 was LessThanThreshold '-7.7419149776821'"
    """
    spread = "NaN" if deviation is None else java_double(deviation)
    return f"Metric {name} with {java_double(value)} +/- {spread} was {operator} '{java_double(threshold)}'"


def outcomes_of(constraints: QualityConstraints, figures: Figures) -> list[Outcome]:
    """Hold every metric to its threshold.

    Parameters
    ----------
    constraints : QualityConstraints
        SageMaker's metrics of it; tolerances are driftline's and do not count.
    figures : Figures
        Of the window, computed for this mode.
    """
    found = []
    for name, entry in constraints.metrics.items():
        figure = figures.metrics.get(name)
        value = None if figure is None else figure.value
        deviation = None if figure is None else figure.deviation
        constraint = Constraint(
            name,
            None,
            entry.threshold,
            evidence=False,
            why="SageMaker: the value of the baseline, without tolerance",
        )
        unit = QUALITY[name].unit
        note = None
        status = Status.UNDETERMINED
        if entry.threshold is None:
            reason = f"Metric {name} has no threshold: the baseline could not compute it"
        elif value is None:
            why = "the data has no column that it needs" if figure is None else figure.why_not
            reason = f"Metric {name} is not computable: {why}"
            note = why
        elif entry.sign * (value - entry.threshold) > _ROUNDING * max(1.0, abs(entry.threshold)):
            status = Status.VIOLATED
            reason = sentence(name, value, deviation, entry.operator, entry.threshold)
        else:
            status = Status.PASSED
            spread = "NaN" if deviation is None else java_double(deviation)
            reason = (
                f"Metric {name} with {java_double(value)} +/- {spread} was not {entry.operator} "
                f"'{java_double(entry.threshold)}'"
            )
        n = 0 if figure is None else figure.n
        measurement = Measurement(name, value, unit, n, note=note, baseline=entry.threshold)
        found.append(Outcome(constraint, measurement, status, reason))
    return found
