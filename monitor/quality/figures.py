"""Figures: every metric of one side, with what chance can have done to it.

Shares, F-scores and weighted metrics are resampled from the counts of the confusion matrix, areas and losses from bins of
scores, so that a thousand replicates of five million rows cost as much as of five thousand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from driftline.kernels.calibration import calibration_error
from driftline.kernels.confusion import (
    BINARY,
    MULTICLASS,
    binary_metrics,
    constant_counts,
    majority,
    multiclass_metrics,
    shares,
)
from driftline.kernels.ranking import auc_interval
from driftline.kernels.resample import Replicates, bootstrap, sagemaker_deviations
from driftline.kernels.score_bins import score_deviations, score_replicates

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from driftline.baselines.quality_documents import QualityStatistics
    from driftline.kernels.moments import Moments
    from driftline.kernels.scores import ScoreState
    from driftline.monitor.quality.fold import Folded, Slice
    from driftline.monitor.quality.settings import Settings

__all__ = [
    "CONSTANT",
    "MAJORITY",
    "Figure",
    "Figures",
    "TopFigure",
    "figures_of",
    "recalled",
    "slice_figures",
    "top_figures",
]

CONSTANT: Final = "_best_constant_classifier"
MAJORITY: Final = "_majority_classifier"

_PLAUSIBLE: Final = 4
"""Cells of a matrix up to which replicates are drawn around what is plausible, not around what was seen."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric of one side.

    Attributes
    ----------
    value : float or None
    n : int
        Rows it is of: the denominator of a share.
    standard_error : float or None
    interval : tuple of float, or None
        95 %.
    deviation : float or None
        SageMaker's standard deviation.
    hits : int or None
        Rows that count, of a metric that is a plain share.
    least : int or None
        The rarer kind of rows that a metric needs, such as positives for AUC.
    why_not : str
        Why there is no value, as a clause.
    sketch_error : float
        Largest error that summarising the scores can have put into `value`.
    p_unchanged : float or None
        Probability of a value at least this bad if nothing had changed, of a metric with a test of its own.
    """

    value: float | None
    n: int
    standard_error: float | None = None
    interval: tuple[float, float] | None = None
    deviation: float | None = None
    hits: int | None = None
    least: int | None = None
    why_not: str = ""
    sketch_error: float = 0.0
    p_unchanged: float | None = None

    def __post_init__(self) -> None:
        # Draws around 0 % and 100 % lie on one side of them; people must find the value inside its interval.
        if self.interval is not None and self.value is not None and not math.isnan(self.value):
            low, high = self.interval
            object.__setattr__(self, "interval", (min(low, self.value), max(high, self.value)))


@dataclass(frozen=True, slots=True)
class Figures:
    """The metrics of one side.

    Attributes
    ----------
    metrics : mapping of str to Figure
        By their keys, those of SageMaker first and in its order.
    constant : mapping of str to Figure
        Of the classifier that always says the positive class, or the last one; keys with their suffix.
    majority : mapping of str to Figure
        Of the classifier that always says the most frequent class.
    """

    metrics: Mapping[str, Figure]
    constant: Mapping[str, Figure] = field(default_factory=dict)
    majority: Mapping[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TopFigure:
    """What stands among the highest scores.

    Attributes
    ----------
    asked : float
        A count of rows, or a share below 1.
    k : int
        Rows looked at.
    precision, recall : Figure
    lift : float or None
    n_tied : int
        Rows of the last score, of which only some fit.
    """

    asked: float
    k: int
    precision: Figure
    recall: Figure
    lift: float | None
    n_tied: int

    @property
    def name(self) -> str:
        """``100 highest scores``, or ``highest 5 %``."""
        return f"highest {self.asked * 100:g} %" if self.asked < 1 else f"{int(self.asked):,} highest scores"


def figures_of(folded: Folded, settings: Settings, *, seed: int, compat: bool = False) -> Figures:
    """Compute every metric of one side.

    Parameters
    ----------
    folded : Folded
    settings : Settings
    seed : int
        Of the replicates.
    compat : bool
        SageMaker's convention: a ratio without denominator is 0, and only its standard deviation is computed.

    Returns
    -------
    Figures
    """
    if folded.residuals is not None:
        return Figures(_of_residuals(folded, seed))
    assert folded.confusion is not None
    counts = folded.confusion.counts
    is_binary = folded.problem == "binary"
    names = BINARY if is_binary else MULTICLASS
    if not counts.sum():
        why = "no row has both a label and a prediction"
        metrics = dict.fromkeys(names, Figure(None, 0, why_not=why))
        if is_binary:
            metrics |= dict.fromkeys(("auc",), Figure(None, 0, why_not=why))
        return Figures(metrics)
    metrics = _of_counts(counts, settings.replicates, seed, is_binary=is_binary, compat=compat)
    last = 1 if is_binary else counts.shape[0] - 1
    constant = _always(counts, last, CONSTANT, seed, is_binary=is_binary)
    usual = _always(counts, int(majority(counts)), MAJORITY, seed, is_binary=is_binary)
    if folded.scores is not None:
        metrics = _with_scores(metrics, folded.scores, settings, seed, compat=compat)
    for name, losses in (("log_loss", folded.log_loss), ("brier", folded.brier)):
        if losses is not None:
            metrics[name] = _mean(losses)
    return Figures(metrics, constant, usual)


def _of_counts(
    counts: NDArray[np.int64], replicates: int, seed: int, *, is_binary: bool, compat: bool
) -> dict[str, Figure]:
    function: Callable[..., dict[str, NDArray[np.float64]]] = (
        binary_metrics if is_binary else multiclass_metrics
    )
    zero = 0.0 if compat else math.nan
    itself = {name: float(value) for name, value in function(counts, zero=zero).items()}
    found = _resampled(counts, function, replicates, seed)
    spread = sagemaker_deviations(counts, lambda drawn: function(drawn, zero=zero), seed)
    plain = shares(counts)
    n = int(counts.sum())
    rarest = int(counts.sum(axis=1).min()) if is_binary else n
    result = {}
    for name, value in itself.items():
        hits, of = plain.get(name, (None, n))
        known = not math.isnan(value)
        one = found.get(name)
        result[name] = Figure(
            value if known else None,
            of,
            None if one is None else one.standard_error,
            None if one is None else one.percentile(),
            _finite(spread.get(name)),
            hits,
            of if hits is not None else _denominator(name, counts, rarest),
            "" if known else _why_not(name),
        )
    return result


def _resampled(
    counts: NDArray[np.int64],
    function: Callable[..., dict[str, NDArray[np.float64]]],
    replicates: int,
    seed: int,
) -> dict[str, Replicates]:
    return bootstrap(counts, function, replicates, seed, plausible=counts.size <= _PLAUSIBLE)


def _denominator(name: str, counts: NDArray[np.int64], rarest: int) -> int:
    """Return the rows on which an F-score rests: the positives."""
    if counts.shape == (2, 2) and name in ("f0_5", "f1", "f2"):
        return int(counts[1].sum())
    return rarest


def _why_not(name: str) -> str:
    if name in ("recall", "true_positive_rate", "false_negative_rate"):
        return "no row is actually positive"
    if name in ("true_negative_rate", "false_positive_rate"):
        return "no row is actually negative"
    if name == "precision":
        return "no row is predicted as positive"
    return "no row is positive, neither actually nor as predicted"


def _always(
    counts: NDArray[np.int64], label: int, suffix: str, seed: int, *, is_binary: bool
) -> dict[str, Figure]:
    function: Callable[..., dict[str, NDArray[np.float64]]] = (
        binary_metrics if is_binary else multiclass_metrics
    )
    fixed = constant_counts(counts, label)

    def always(drawn: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        return function(constant_counts(drawn, label), zero=0.0)

    spread = sagemaker_deviations(counts, always, seed)
    names = ("recall", "precision", "accuracy", "f0_5", "f1", "f2") if is_binary else MULTICLASS
    itself = function(fixed, zero=0.0)
    n = int(counts.sum())
    return {
        f"{name}{suffix}": Figure(float(itself[name]), n, deviation=_finite(spread.get(name)))
        for name in names
    }


def _with_scores(
    metrics: dict[str, Figure], scores: ScoreState, settings: Settings, seed: int, *, compat: bool
) -> dict[str, Figure]:
    replicates = score_replicates(scores, 100 if compat else settings.replicates, seed)
    spread = score_deviations(scores, seed)
    p, n = scores.n_positive, scores.n_negative
    found = {}
    for name in ("auc", "au_prc", "log_loss", "brier"):
        one = replicates[name]
        value = one.estimate
        error = one.standard_error
        interval = one.percentile()
        if name == "auc" and value is not None:
            interval = auc_interval(value, p, n)
        rare = min(p, n) if name == "auc" else p if name == "au_prc" else p + n
        why = "" if value is not None else "it needs scored rows of both classes"
        if value is None and name in ("log_loss", "brier"):
            why = "no row has both a label and a probability"
        sketch = float(getattr(scores.bound, name, 0.0))
        found[name] = Figure(
            value, p + n, error, interval, _finite(spread.get(name)), None, rare, why, sketch
        )
    found["calibration_error"] = _calibration(scores, p + n)
    return metrics | found


def _calibration(scores: ScoreState, n: int) -> Figure:
    found = calibration_error(scores)
    if found is None:
        return Figure(None, n, least=n, why_not="no row has both a label and a probability")
    return Figure(found.debiased, n, found.standard_error, (found.low, found.high), None, None, n)


def _mean(losses: Moments) -> Figure:
    """Return the mean of the rows' losses."""
    if losses.mean is None or losses.std_dev is None:
        return Figure(None, 0, why_not="no row has both a label and probabilities")
    error = losses.std_dev / math.sqrt(losses.n - 1) if losses.n > 1 else None
    reach = 1.959963984540054 * (error or 0.0)
    interval = None if error is None else (max(0.0, losses.mean - reach), losses.mean + reach)
    return Figure(losses.mean, losses.n, error, interval, None, None, losses.n)


def _of_residuals(folded: Folded, seed: int) -> dict[str, Figure]:
    state = folded.residuals
    assert state is not None
    values, errors = state.finalize(), state.standard_errors()
    intervals, spread = state.intervals(), state.sagemaker_deviations(seed)
    found = {}
    for name in ("mae", "mse", "rmse", "r2"):
        value = values[name]
        why = ""
        if value is None:
            why = (
                "the truth is the same in all rows" if name == "r2" and state.n else "no row has both numbers"
            )
        found[name] = Figure(
            value, state.n, errors[name], intervals[name], _finite(spread.get(name)), None, state.n, why
        )
    return found


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def recalled(folded: Folded, statistics: QualityStatistics) -> dict[str, Figure] | None:
    """Return the metrics of a baseline as its documents have them, so that nothing is drawn a second time.

    Returns
    -------
    dict of str to Figure, or None
        None where the documents are SageMaker's and do not say how sure they are.
    """
    found: dict[str, Figure] = {}
    names = [*BINARY, "auc"] if folded.problem == "binary" else [*MULTICLASS, "mae", "mse", "rmse", "r2"]
    plain: Mapping[str, tuple[int, int]] = {}
    n, rarest, n_scored = statistics.n_rows, statistics.n_rows, 0
    if folded.confusion is not None:
        counts = folded.confusion.counts
        plain = shares(counts)
        rarest = int(counts.sum(axis=1).min()) if folded.problem == "binary" else n
    if folded.scores is not None:
        n_scored = folded.scores.n_positive + folded.scores.n_negative
    for name in [*names, "au_prc", "log_loss", "brier", "calibration_error"]:
        one = statistics.metric(name)
        if one is None:
            continue
        if one.value is not None and one.standard_error is None:
            return None
        hits, of = plain.get(name, (None, n))
        least = (
            of
            if hits is not None or folded.confusion is None
            else _denominator(name, folded.confusion.counts, rarest)
        )
        if folded.scores is not None and name in ("auc", "au_prc", "log_loss", "brier", "calibration_error"):
            p, q = folded.scores.n_positive, folded.scores.n_negative
            of, least = n_scored, min(p, q) if name == "auc" else p if name == "au_prc" else n_scored
        why = "" if one.value is not None else _why_not(name)
        found[name] = Figure(
            one.value, of, one.standard_error, one.interval, one.standard_deviation, hits, least, why
        )
    return found


def slice_figures(one: Slice, problem: str, settings: Settings, *, seed: int) -> dict[str, Figure]:
    """Compute the metrics of a slice that are judged.

    They are accuracy, recall, precision and false positive rate of two classes, accuracy of many, mean absolute error and
    root mean squared error of numbers.
    """
    if problem == "regression":
        return _slice_errors(one)
    assert one.confusion is not None
    counts = one.confusion.counts
    if problem == "multiclass":
        # All of them are actually "right": what is predicted right is the accuracy.
        right, n = int(counts[1, 1]), int(counts[1].sum())
        counts = np.array([[right, 0], [n - right, 0]], np.int64)
    names = (
        ("accuracy",)
        if problem == "multiclass"
        else ("accuracy", "recall", "precision", "false_positive_rate")
    )
    if not counts.sum():
        return dict.fromkeys(names, Figure(None, 0, why_not="no row has both a label and a prediction"))
    found = _of_counts(counts, settings.replicates, seed, is_binary=True, compat=False)
    return {name: found[name] for name in names}


def _slice_errors(one: Slice) -> dict[str, Figure]:
    assert one.absolute is not None
    assert one.squares is not None
    why = "" if one.absolute.n else "no row has both numbers"
    mae = _mean(one.absolute) if one.absolute.n else Figure(None, 0, why_not=why)
    mse = _mean(one.squares)
    if mse.value is None:
        return {"mae": mae, "rmse": Figure(None, 0, why_not=why)}
    root = math.sqrt(mse.value)
    error = None if mse.standard_error is None or not root else mse.standard_error / (2.0 * root)
    interval = None if mse.interval is None else (math.sqrt(mse.interval[0]), math.sqrt(mse.interval[1]))
    return {"mae": mae, "rmse": Figure(root, mse.n, error, interval, None, None, mse.n)}


def top_figures(scores: ScoreState, asked: tuple[float, ...], *, of: int | None = None) -> list[TopFigure]:
    """Compute precision and recall among the highest scores.

    Parameters
    ----------
    scores : ScoreState
    asked : tuple of float
        Counts, or shares below 1.
    of : int, optional
        Rows of the window that a count is meant for: another side is looked at to the same depth, as a share of its rows.

    Returns
    -------
    list of TopFigure
        Empty for a side without labelled rows.
    """
    n = scores.n_positive + scores.n_negative
    if not n:
        return []
    depth = [_depth(one, n, of or n) for one in asked]
    found = []
    for one, top in zip(asked, scores.top_k(depth), strict=True):
        k = min(top.k, n)
        if top.precision is None:
            continue
        hits = round(top.precision * k)
        found.append(
            TopFigure(
                one,
                k,
                _share(top.precision, hits, k),
                _share(top.recall, hits, scores.n_positive)
                if top.recall is not None
                else Figure(None, 0, why_not="no row is actually positive"),
                top.lift,
                top.n_tied,
            )
        )
    return found


def _depth(asked: float, n: int, of: int) -> int:
    share = asked if asked < 1 else asked / of
    return max(1, min(n, round(share * n)))


def _share(value: float | None, hits: int, of: int) -> Figure:
    """Return a share with Wilson's interval."""
    if value is None or not of:
        return Figure(None, of)
    z = 1.959963984540054
    centre = (value + z * z / (2 * of)) / (1 + z * z / of)
    reach = z / (1 + z * z / of) * math.sqrt(value * (1 - value) / of + z * z / (4 * of * of))
    error = math.sqrt(max(value * (1 - value), 0.0) / of)
    return Figure(value, of, error, (max(0.0, centre - reach), min(1.0, centre + reach)), None, hits, of)
