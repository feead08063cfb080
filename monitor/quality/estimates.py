"""Estimates: what a window without labels is expected to be like, and what became of earlier expectations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from driftline.kernels.calibration import Calibration, fit_calibration
from driftline.kernels.estimation import estimate
from driftline.monitor.quality.words import title_of
from driftline.reports.exhibit import Exhibit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from driftline.kernels.estimation import Estimate, Estimated
    from driftline.monitor.quality.figures import Figure
    from driftline.monitor.quality.fold import Folded
    from driftline.monitor.quality.settings import Settings

__all__ = [
    "ESTIMATED",
    "Pair",
    "Score",
    "calibration_of",
    "estimate_exhibit",
    "estimate_of",
    "score_estimates",
]

ESTIMATED: Final = ("accuracy", "recall", "precision", "false_positive_rate", "f1", "auc", "brier")
"""Metrics that are estimated; the others follow from them."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What was expected of a metric, and what it turned out to be.

    Attributes
    ----------
    window : str
        Name of the window.
    estimated : float
    estimated_interval : tuple of float
    realised : float
    realised_interval : tuple of float, or None
    """

    window: str
    estimated: float
    estimated_interval: tuple[float, float]
    realised: float
    realised_interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """How good estimates were.

    Attributes
    ----------
    n : int
        Windows.
    coverage : float or None
        Share of them whose realised value lay in the estimated interval: 0.95 where intervals are honest.
    mean_error : float or None
        Mean of estimated minus realised: above 0 where estimates promise too much of a metric that should be high.
    mean_absolute_error : float or None
    overlap : float or None
        Share of the windows with a realised interval in which the two intervals meet.
    """

    n: int
    coverage: float | None
    mean_error: float | None
    mean_absolute_error: float | None
    overlap: float | None


def score_estimates(pairs: Iterable[Pair]) -> Score:
    """Hold earlier estimates against what was realised later.

    Parameters
    ----------
    pairs : iterable of Pair
        Of one metric, a window each.

    Returns
    -------
    Score

    Examples
    --------
    >>> score = score_estimates([Pair("1", 0.8, (0.7, 0.9), 0.75), Pair("2", 0.8, (0.75, 0.85), 0.6)])
    >>> score.coverage, round(score.mean_error, 3)
    (0.5, 0.125)
    """
    given = list(pairs)
    if not given:
        return Score(0, None, None, None, None)
    inside = [pair.estimated_interval[0] <= pair.realised <= pair.estimated_interval[1] for pair in given]
    errors = [pair.estimated - pair.realised for pair in given]
    meeting = [
        pair.realised_interval[0] <= pair.estimated_interval[1]
        and pair.estimated_interval[0] <= pair.realised_interval[1]
        for pair in given
        if pair.realised_interval is not None
    ]
    n = len(given)
    return Score(
        n,
        sum(inside) / n,
        sum(errors) / n,
        sum(map(abs, errors)) / n,
        sum(meeting) / len(meeting) if meeting else None,
    )


def calibration_of(folded: Folded, settings: Settings) -> Calibration | None:
    """Fit the calibration of the baseline; None where the problem is not one of two classes with a probability."""
    if folded.scores is None or not (folded.scores.n_positive and folded.scores.n_negative):
        return None
    return fit_calibration(folded.scores, seed=settings.seed)


def estimate_of(current: Folded, calibration: Calibration | None, settings: Settings) -> Estimate | None:
    """Estimate the metrics of the rows whose label has not come; None where there are none, or no calibration."""
    if calibration is None or current.scores is None or not current.scores.n_unlabelled:
        return None
    return estimate(current.scores, calibration, n_replicates=settings.replicates, seed=settings.seed)


def estimate_exhibit(
    found: Estimate,
    realised: Mapping[str, Figure],
    baseline: Mapping[str, Figure],
    bounds: Mapping[str, float],
) -> Exhibit:
    """Show what is expected of the unlabelled rows, beside what is known of the others."""
    rows: list[tuple[str | float | None, ...]] = []
    for name in ESTIMATED:
        one: Estimated | None = found.metrics.get(name)
        if one is None:
            continue
        now, then = realised.get(name), baseline.get(name)
        low, high = (None, None) if now is None or now.interval is None else now.interval
        rows.append(
            (
                title_of(name),
                None if then is None else then.value,
                one.value,
                one.low,
                one.high,
                None if now is None else now.value,
                low,
                high,
                bounds.get(name),
            )
        )
    positives = found.metrics["positives"]
    rows.append(
        ("Share of positives", None, positives.value, positives.low, positives.high, None, None, None, None)
    )
    outside = f" {found.n_outside:,} scores lie beyond those of the baseline." if found.n_outside else ""
    return Exhibit(
        "estimate",
        "table",
        "Estimate without labels",
        f"What the {found.n:,} rows without a label are expected to come to, if a score still means what it meant in the "
        "baseline. A change of that meaning cannot be seen without labels. It is no measurement and is not judged as one."
        + outside,
        (
            "metric",
            "baseline",
            "estimated",
            "low",
            "high",
            "realised on labelled rows",
            "low of realised",
            "high of realised",
            "bound",
        ),
        tuple(rows),
        ("text", *("number",) * 8),
    )
