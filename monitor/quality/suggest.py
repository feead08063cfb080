"""Suggest: the documents that the numbers of one side come to, statistics and constraints."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final

from driftline.baselines.metrics import QUALITY
from driftline.baselines.quality_documents import (
    OPERATORS,
    SAGEMAKER,
    Metric,
    QualityConstraints,
    QualityStatistics,
    Threshold,
)
from driftline.monitor.quality.settings import Tolerance

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from driftline.monitor.quality.figures import Figure, Figures
    from driftline.monitor.quality.fold import Folded
    from driftline.monitor.quality.settings import Settings

__all__ = ["DERIVED", "JUDGED", "OWN", "constraints_of", "statistics_of", "tolerance_of"]

OWN: Final = ("au_prc", "log_loss", "brier", "calibration_error")
"""Metrics that only driftline has."""

JUDGED: Final[Mapping[str, tuple[str, ...]]] = {
    "regression": ("mae", "rmse", "r2"),
    "binary": ("accuracy", "recall", "precision", "false_positive_rate", "auc", "brier", "calibration_error"),
    "multiclass": ("accuracy", "weighted_precision", "weighted_f1", "brier"),
}
"""Metrics that are judged in the default mode unless somebody decides otherwise: each fact once."""

DERIVED: Final[Mapping[str, str]] = {
    "mse": "the square of rmse",
    "true_positive_rate": "recall by another name",
    "false_negative_rate": "1 - recall",
    "true_negative_rate": "1 - false_positive_rate",
    "f0_5": "made of precision and recall",
    "f1": "made of precision and recall",
    "f2": "made of precision and recall",
    "weighted_recall": "accuracy by another name",
    "weighted_f0_5": "made of the same as weighted_f1",
    "weighted_f2": "made of the same as weighted_f1",
    "log_loss": "told by brier, which a single row cannot move so far",
    "au_prc": "told by auc, which the share of positives does not move",
}
"""Why a metric is shown and not judged."""

_SHARE: Final = 0.02
_ERROR: Final = 5.0


def statistics_of(
    folded: Folded, figures: Figures, now: datetime, *, compat: bool = False
) -> QualityStatistics:
    """Return ``statistics.json`` of one side.

    Parameters
    ----------
    folded : Folded
    figures : Figures
    now : datetime
        Time of the evaluation.
    compat : bool
        Leave out what only driftline has.
    """
    wanted = SAGEMAKER[folded.problem]
    metrics = {n: _metric(figures.metrics[n], compat=compat) for n in wanted if n in figures.metrics}
    metrics |= {name: _metric(one) for name, one in figures.constant.items()}
    own = {name: _metric(figures.metrics[name]) for name in OWN if name in figures.metrics}
    own |= {name: _metric(one) for name, one in figures.majority.items()}
    confusion: dict[str, dict[str, int]] = {}
    if folded.confusion is not None:
        labels, counts = folded.labels, folded.confusion.counts.tolist()
        confusion = {a: dict(zip(labels, row, strict=True)) for a, row in zip(labels, counts, strict=True)}
    curves = {}
    if folded.scores is not None:
        roc, prc = folded.scores.roc_curve(), folded.scores.precision_recall_curve()
        if roc is not None:
            curves["receiver_operating_characteristic_curve"] = (tuple(roc.x.tolist()), tuple(roc.y.tolist()))
        if prc is not None:
            curves["precision_recall_curve"] = (tuple(prc.y.tolist()), tuple(prc.x.tolist()))
    return QualityStatistics(
        folded.problem,
        folded.n_judged,
        metrics,
        {} if compat else own,
        confusion,
        curves,
        now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        {} if compat else folded.coverage,
    )


def _metric(one: Figure, *, compat: bool = False) -> Metric:
    if compat:
        return Metric(one.value, one.deviation)
    return Metric(one.value, one.deviation, one.standard_error, one.interval)


def constraints_of(
    problem: str, figures: Figures, settings: Settings, *, compat: bool = False
) -> QualityConstraints:
    """Return ``constraints.json``: the value of every metric, and by how much it may get worse.

    Parameters
    ----------
    problem : str
    figures : Figures
    settings : Settings
    compat : bool
        SageMaker's metrics without a tolerance.
    """

    def threshold(name: str) -> Threshold:
        value = figures.metrics[name].value
        operator = OPERATORS[0] if QUALITY[name].worse == "higher" else OPERATORS[1]
        if compat or value is None:
            return Threshold(value, operator)
        return Threshold(value, operator, tolerance_of(name, value, settings)[0])

    return QualityConstraints(
        problem,
        {name: threshold(name) for name in SAGEMAKER[problem] if name in figures.metrics},
        {} if compat else {name: threshold(name) for name in OWN if name in figures.metrics},
        settings.alpha,
    )


def tolerance_of(name: str, value: float, settings: Settings) -> tuple[float, str]:
    """Return how much worse than `value` a metric may be, and how that was chosen.

    Notes
    -----
    Unless the settings say otherwise: errors and losses may grow by 5 % (``mse`` by 10 %, being a square). R² may lose 5 %
    of what it leaves unexplained, or 0.02 where that is more. Shares may move by 0.02, yet by no more than half of the
    rarer side: where 1 % of the negatives raise a false alarm, 0.02 would allow three times as many.
    """
    given = settings.tolerance.get(name)
    if given is not None:
        return given.of(value), f"{given.told} by the settings"
    if name == "r2":
        return max(
            _SHARE, (1.0 - value) * _ERROR / 100
        ), f"the greater of {_SHARE:g} and {_ERROR:g} % of 1 - R²"
    if name == "calibration_error":
        return _SHARE, f"{_SHARE:g}"
    if QUALITY[name].unit == "share":
        rarer = min(value, 1.0 - value) / 2
        # A perfect or hopeless baseline still has room for a row in a thousand.
        amount = min(_SHARE, max(rarer, 0.001))
        told = f"{_SHARE:g}" if amount == _SHARE else "half of the rarer side"
        return amount, told
    relative = Tolerance(2 * _ERROR if name == "mse" else _ERROR, is_relative=True)
    return relative.of(value), f"{relative.told} of the baseline's value"
