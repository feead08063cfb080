"""Metrics of bias as functions of counts: one call for a table, or for a thousand bootstrap replicates of it.

A table counts rows by side (0: the others, "a"; 1: the group that may be disadvantaged, "d"), group value, label and
prediction, as :meth:`driftline.kernels.fairness.FairnessState.table` gives it. Every metric uses each row that has what it
needs: labels, predictions, or both.

There are two sets of definitions. The default ones are complete: distributions cover every outcome, 0/0 is not defined
(NaN), x/0 is infinite. Under ``compat`` they are those of SageMaker Clarify: outcomes that one side lacks are left out of
KL, JS, LP, TVD and KS without renormalising, 0/0 is 0, and two equal infinities differ by 0.

References
----------
Formulas, signs and names: Amazon SageMaker AI developer guide, "Pre-training Bias Metrics" and "Post-training Data and
Model Bias Metrics". Generalized entropy: Speicher et al., "A Unified Approach to Quantifying Algorithmic Unfairness"
(KDD 2018), eq. 2 with alpha = 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from numpy.typing import NDArray

    Counts = NDArray[np.int64]
    Values = NDArray[np.float64]

__all__ = [
    "DESCRIPTIONS",
    "POST_TRAINING",
    "PRE_TRAINING",
    "Basics",
    "basics",
    "bootstrap",
    "denominators",
    "metric",
    "metrics",
    "performance",
    "sizes",
    "why_undefined",
]

PRE_TRAINING: Final = ("CDDL", "CI", "DPL", "JS", "KL", "KS", "LP", "TVD")
"""Metrics of the labels, in SageMaker's order."""

POST_TRAINING: Final = ("AD", "CDDPL", "DAR", "DCA", "DCR", "DI", "DPPL", "DRR", "FT", "GE", "RD", "SD", "TE")
"""Metrics of the predictions, in SageMaker's order; FT is no function of the counts."""

DESCRIPTIONS: Final[Mapping[str, str]] = {
    "AD": "Accuracy Difference (AD)",
    "CDDL": "Conditional Demographic Disparity in Labels (CDDL)",
    "CDDPL": "Conditional Demographic Disparity in Predicted Labels (CDDPL)",
    "CI": "Class Imbalance (CI)",
    "DAR": "Difference in Acceptance Rates (DAR)",
    "DCA": "Difference in Conditional Acceptance (DCA)",
    "DCR": "Difference in Conditional Rejection (DCR)",
    "DI": "Disparate Impact (DI)",
    "DPL": "Difference in Positive Proportions in Labels (DPL)",
    "DPPL": "Difference in Positive Proportions in Predicted Labels (DPPL)",
    "DRR": "Difference in Rejection Rates (DRR)",
    "FT": "Flip Test (FT)",
    "GE": "Generalized Entropy (GE)",
    "JS": "Jensen-Shannon Divergence (JS)",
    "KL": "Kullback-Liebler Divergence (KL)",  # SageMaker's spelling
    "KS": "Kolmogorov-Smirnov Distance (KS)",
    "LP": "L-p Norm (LP)",
    "RD": "Recall Difference (RD)",
    "SD": "Specificity Difference (SD)",
    "TE": "Treatment Equality (TE)",
    "TVD": "Total Variation Distance (TVD)",
}
"""SageMaker's description of each metric, by its code."""

A: Final = 0
D: Final = 1

_CHUNK: Final = 1 << 22
"""Most counts that the bootstrap holds at a time."""


def _divide(over: NDArray[Any], under: NDArray[Any], compat: bool) -> Values:
    with np.errstate(divide="ignore", invalid="ignore"):
        result = np.true_divide(over, under)
    return np.where((over == 0) & (under == 0), 0.0, result) if compat else result


def _minus(left: Values, right: Values, compat: bool) -> Values:
    with np.errstate(invalid="ignore"):
        result = left - right
    return np.where(np.isinf(left) & (left == right), 0.0, result) if compat else result


# Sums over axes of two or three are written out: NumPy's reductions take ten times as long on so short an axis.


def _labels(table: Counts) -> Counts:
    """Rows with a label, by side, group value and label: (..., 2, G + 1, 2)."""
    known = table[..., :2, :]
    counts: Counts = known[..., 0] + known[..., 1]
    counts += known[..., 2]
    return counts


def _predictions(table: Counts) -> Counts:
    """Rows with a prediction, by side, group value and prediction: (..., 2, G + 1, 2)."""
    known = table[..., :2]
    counts: Counts = known[..., 0, :] + known[..., 1, :]
    counts += known[..., 2, :]
    return counts


def _both(table: Counts) -> Counts:
    """Rows with label and prediction, by side, label and prediction: (..., 2, 2, 2)."""
    counts: Counts = _ungrouped(table)[..., 0, :2, :2]
    return counts


def _ungrouped(table: Counts) -> Counts:
    """Return the table without group values: (..., 2, 1, 3, 3)."""
    counts: Counts = table if table.shape[-3] == 1 else table.sum(axis=-3, keepdims=True)
    return counts


def _all(table: Counts) -> Counts:
    """Rows by side: (..., 2)."""
    counts: Counts = _ungrouped(table).reshape(*table.shape[:-3], 9).sum(axis=-1)
    return counts


class _Rate(NamedTuple):
    """A ratio of sums of the cells TN, FP, FN, TP of one side; the masks are in this order."""

    over: tuple[int, int, int, int]
    under: tuple[int, int, int, int]
    words: str
    """What the rows of the denominator are called."""
    first: int
    """Side from which the other is taken: A for a - d."""
    family: str
    """SageMaker's prefix to the error of an empty side."""


_RATES: Final[Mapping[str, _Rate]] = {
    "AD": _Rate((1, 0, 0, 1), (1, 1, 1, 1), "rows", A, ""),
    "DCA": _Rate((0, 0, 1, 1), (0, 1, 0, 1), "positive predictions", A, "DCO: "),
    "DCR": _Rate((1, 1, 0, 0), (1, 0, 1, 0), "negative predictions", D, "DCO: "),
    "DAR": _Rate((0, 0, 0, 1), (0, 1, 0, 1), "positive predictions", A, "DLR: "),
    "DRR": _Rate((1, 0, 0, 0), (1, 0, 1, 0), "negative predictions", D, "DLR: "),
    "RD": _Rate((0, 0, 0, 1), (0, 0, 1, 1), "positive labels", A, "DLA: "),
    "SD": _Rate((1, 0, 0, 0), (1, 1, 0, 0), "negative labels", D, "DLA: "),
    "TE": _Rate((0, 0, 1, 0), (0, 1, 0, 0), "false positives", D, ""),
}


def _rate_difference(rate: _Rate) -> Callable[[Counts, bool], Values]:
    def measure(table: Counts, compat: bool) -> Values:
        both = _both(table)
        cells = both.reshape(*both.shape[:-2], 4)
        rates = _divide(cells @ np.array(rate.over), cells @ np.array(rate.under), compat)
        result = _minus(rates[..., rate.first], rates[..., 1 - rate.first], compat)
        return np.where(cells.sum(axis=-1).min(axis=-1) == 0, np.nan, result)

    return measure


def _shares(outcomes: Counts) -> Values:
    """Share of each outcome within each side, (..., 2, 2); NaN for a side without rows."""
    by_side = outcomes.sum(axis=-2)
    return _divide(by_side, by_side.sum(axis=-1, keepdims=True), compat=False)


def _proportion_difference(outcomes: Counts) -> Values:
    positive = _shares(outcomes)[..., 1]
    return positive[..., A] - positive[..., D]


def _impact(table: Counts, compat: bool) -> Values:
    positive = _shares(_predictions(table))[..., 1]
    result = _divide(positive[..., D], positive[..., A], compat)
    return np.where(np.isnan(positive).any(axis=-1), np.nan, result)


def _imbalance(table: Counts, compat: bool) -> Values:
    del compat
    n = _all(table)
    result = _divide(n[..., A] - n[..., D], n.sum(axis=-1), compat=False)
    return np.where(n.min(axis=-1) == 0, np.nan, result)


def _divergence(measure: Callable[[Values, Values], Values]) -> Callable[[Counts, bool], Values]:
    """Make a metric of a distance of distributions, which adds up what it gives for every outcome."""

    def metric_of(table: Counts, compat: bool) -> Values:
        shares = _shares(_labels(table))
        p, q = shares[..., A, :], shares[..., D, :]
        if not compat:
            return np.where(np.isnan(shares).any(axis=(-2, -1)), np.nan, measure(p, q))
        # An outcome that one side lacks counts as one on which both agree with probability 0.
        common = (p > 0) & (q > 0)
        result = measure(np.where(common, p, 0.0), np.where(common, q, 0.0))
        return np.where(common.any(axis=-1), result, np.nan)

    return metric_of


def _relative_entropy(p: Values, q: Values) -> Values:
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = p * np.log(p / q)
    result: Values = np.where(p > 0, terms, 0.0).sum(axis=-1)
    return result


def _jensen_shannon(p: Values, q: Values) -> Values:
    middle = (p + q) / 2
    return (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2


def _euclidean(p: Values, q: Values) -> Values:
    result: Values = np.sqrt(((p - q) ** 2).sum(axis=-1))
    return result


def _variation(p: Values, q: Values) -> Values:
    result: Values = np.abs(p - q).sum(axis=-1) / 2
    return result


def _largest(p: Values, q: Values) -> Values:
    result: Values = np.abs(p - q).max(axis=-1)
    return result


def _conditional_disparity(outcomes: Counts, compat: bool) -> Values:
    """Share of the group among the rejected minus its share among the accepted, averaged over the group values.

    A ratio whose denominator is 0 counts as 0 within a group value, in both sets of definitions.
    """
    by_side = outcomes.sum(axis=-2)
    undefined = (by_side.sum(axis=-2) == 0).any(axis=-1)
    if not compat:
        undefined = undefined | (by_side.sum(axis=-1) == 0).any(axis=-1)
    if outcomes.shape[-2] == 1:
        return np.full(undefined.shape, np.nan)
    grouped = outcomes[..., 1:, :]
    of_d = grouped[..., D, :, :]
    of_all = grouped[..., A, :, :] + of_d
    weights = of_all[..., 0] + of_all[..., 1]
    # 0 over 1 where there is nothing: the share counts as 0.
    shares = of_d / np.maximum(of_all, 1)
    disparity = shares[..., 0] - shares[..., 1]
    result = _divide((weights * disparity).sum(axis=-1), weights.sum(axis=-1), compat)
    return np.where(undefined, np.nan, result)


def _entropy(table: Counts, compat: bool) -> Values:
    del compat
    both = _both(table).sum(axis=-3)
    n = both.sum(axis=(-2, -1))
    twice = both[..., 0, 1]
    once = both[..., 0, 0] + both[..., 1, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (2 * twice + once) / n
        result: Values = ((4 * twice + once) / mean**2 - n) / (2 * n)
    return np.where((n == 0) | (2 * twice + once == 0), np.nan, result)


_METRICS: Final[Mapping[str, Callable[[Counts, bool], Values]]] = {
    **{name: _rate_difference(rate) for name, rate in _RATES.items()},
    "CDDL": lambda table, compat: _conditional_disparity(_labels(table), compat),
    "CDDPL": lambda table, compat: _conditional_disparity(_predictions(table), compat),
    "CI": _imbalance,
    "DI": _impact,
    "DPL": lambda table, _compat: _proportion_difference(_labels(table)),
    "DPPL": lambda table, _compat: _proportion_difference(_predictions(table)),
    "GE": _entropy,
    "JS": _divergence(_jensen_shannon),
    "KL": _divergence(_relative_entropy),
    "KS": _divergence(_largest),
    "LP": _divergence(_euclidean),
    "TVD": _divergence(_variation),
}
COUNTED: Final = tuple(sorted(_METRICS))
"""Metrics that are functions of the counts: all but FT."""


def metric(name: str, table: Counts, *, compat: bool = False) -> Values:
    """Measure how unequal the two sides of a table are.

    Parameters
    ----------
    name : str
        Code of the metric, such as ``"DPL"``; any of :data:`PRE_TRAINING` and :data:`POST_TRAINING` except FT.
    table : ndarray of int64, shape (..., 2, G + 1, 3, 3)
        Counts; leading axes are replicates.
    compat : bool, default False
        Use SageMaker Clarify's definitions.

    Returns
    -------
    ndarray of float64, shape (...)
        NaN where the metric is not defined; see :func:`why_undefined`. May be infinite.

    Raises
    ------
    KeyError
        For another name.
    """
    return np.asarray(_METRICS[name](table, compat), np.float64)


def metrics(
    table: Counts, names: Collection[str] | None = None, *, compat: bool = False
) -> dict[str, Values]:
    """Measure several metrics, all but FT unless `names` says which; see :func:`metric`."""
    flat = _ungrouped(table)
    wanted = COUNTED if names is None else names
    return {name: metric(name, table if name in _GROUPED else flat, compat=compat) for name in wanted}


_GROUPED: Final = ("CDDL", "CDDPL")
"""Metrics that see the group values."""


def sizes(table: Counts) -> tuple[int, int]:
    """Return the rows of the others and of the group."""
    n = _all(table)
    return int(n[A]), int(n[D])


_SIDES: Final = ("the others", "the group")


def denominators(name: str, table: Counts) -> dict[str, int]:
    """Return the rows by which the ratios of a metric divide, by what they are called.

    Parameters
    ----------
    name : str
        Code of a metric, as in :func:`metric`.
    table : ndarray of int64, shape (2, G + 1, 3, 3)

    Returns
    -------
    dict of str to int
        For example ``{"positive labels of the others": 240, "positive labels of the group": 94}``. A metric whose
        denominator is 0 is not defined or infinite.

    Raises
    ------
    KeyError
        For another name.
    """
    if name in _RATES:
        both = _both(table)
        counts = both.reshape(2, 4) @ np.array(_RATES[name].under)
        return {f"{_RATES[name].words} of {_SIDES[side]}": int(counts[side]) for side in (A, D)}
    if name == "GE":
        return {"rows with label and prediction": int(_both(table).sum())}
    if name == "CI":
        return {f"rows of {_SIDES[side]}": int(_all(table)[side]) for side in (A, D)}
    is_label = name in PRE_TRAINING
    what = "labels" if is_label else "predictions"
    outcomes = _labels(table) if is_label else _predictions(table)
    if name in _GROUPED:
        negative, positive = outcomes[..., 1:, :].sum(axis=(-3, -2))
        return {f"positive {what}": int(positive), f"negative {what}": int(negative)}
    by_side = outcomes.sum(axis=(-2, -1))
    result = {f"{what} of {_SIDES[side]}": int(by_side[side]) for side in (A, D)}
    if name == "DI":
        result[f"positive {what} of the others"] = int(outcomes[A, :, 1].sum())
    elif name not in _METRICS:
        raise KeyError(name)
    return result


def why_undefined(name: str, table: Counts, *, compat: bool = False) -> str | None:
    """Say why a metric of a table is not a finite number; None where it is.

    Parameters
    ----------
    name : str
        Code of a metric, as in :func:`metric`.
    table : ndarray of int64, shape (2, G + 1, 3, 3)
    compat : bool, default False
        Return the text of SageMaker Clarify's error, and None for infinities, which it reports as values.

    Returns
    -------
    str or None
    """
    value = float(metric(name, table, compat=compat))
    if np.isfinite(value) or (compat and not np.isnan(value)):
        return None
    return _clarify_error(name, table) if compat else _reason(name, table, value)


def _reason(name: str, table: Counts, value: float) -> str:
    if name == "GE":
        if _both(table).sum() == 0:
            return "no row has both a label and a prediction"
        return "every prediction is a false negative, so there is no benefit to share out"
    if name in _GROUPED and table.shape[-3] == 1:
        return "there is no group variable, or it has no value in any row"
    if name == "KL" and np.isinf(value):
        shares = _shares(_labels(table))
        which = "positive" if shares[D, 1] == 0 else "negative"
        return f"infinite, because the group has no {which} labels and the others have some"
    missing = [words for words, count in denominators(name, table).items() if count == 0]
    if missing:
        verdict = "infinite" if np.isinf(value) else "not defined"
        return f"{verdict}, because there are no {' and no '.join(missing)}"
    short = [_SIDES[side] for side in (A, D) if _needed(name, table)[side] == 0]
    return f"not defined, because {' and '.join(short)} have no rows that it needs"


def _needed(name: str, table: Counts) -> Counts:
    """Rows by side that a metric can use."""
    if name == "CI":
        return _all(table)
    if name in _RATES:
        needed: Counts = _both(table).sum(axis=(-2, -1))
        return needed
    outcomes = _labels(table) if name in PRE_TRAINING else _predictions(table)
    by_side: Counts = outcomes.sum(axis=(-2, -1))
    return by_side


def _clarify_error(name: str, table: Counts) -> str:
    if name == "GE":
        return (
            "All predicted labels are false negatives. "
            "There should be at least one prediction that is not false negative."
        )
    if name in _GROUPED:
        outcomes = _labels(table) if name == "CDDL" else _predictions(table)
        if outcomes.shape[-2] == 1:
            return "Group variable is empty or not provided"
        return f"No {'positive' if outcomes[..., 1].sum() == 0 else 'negative'} labels in set"
    if name in ("KL", "JS", "LP", "TVD", "KS"):
        return "No instance of common facet found, dataset may be too small"
    n_a, n_d = (int(n) for n in _needed(name, table))
    if name == "CI":
        side = "negated facet" if n_a == 0 else "facet"
        return f"CI: {side} set is empty. Check that x[{'~' if n_a == 0 else ''}facet] has non-zero length."
    if name in ("DPL", "DPPL"):
        return f"{'Negative facet' if n_a == 0 else 'Facet'} set is empty."
    if name == "DI":
        return f"{'Negated facet' if n_a == 0 else 'Facet'} set is empty"
    return f"{_RATES[name].family}{'Facet' if n_d == 0 else 'Negated Facet'} set is empty"


def bootstrap(
    table: Counts, names: Collection[str] | None = None, *, n_replicates: int = 1000, seed: int = 0
) -> dict[str, Values]:
    """Measure metrics on resampled rows.

    Drawing n rows with replacement is one multinomial draw over the cells, so the cost does not depend on the rows.

    Parameters
    ----------
    table : ndarray of int64, shape (2, G + 1, 3, 3)
    names : collection of str, optional
        Codes of metrics; all but FT unless given.
    n_replicates : int, default 1000
    seed : int, default 0

    Returns
    -------
    dict of str to ndarray of float64, shape (n_replicates,)
        In the default definitions; NaN and infinity where a replicate has no finite value.
    """
    wanted = COUNTED if names is None else tuple(names)
    n = int(table.sum())
    flat = table.reshape(-1)
    used = np.flatnonzero(flat)
    results = {name: np.full(n_replicates, np.nan) for name in wanted}
    if n == 0:
        return results
    rng = np.random.Generator(np.random.PCG64(seed))
    shares = flat[used] / n
    step = max(1, _CHUNK // flat.shape[0])
    # Draws come one replicate after the other, so the size of a chunk does not show in the result.
    for start in range(0, n_replicates, step):
        some = min(step, n_replicates - start)
        drawn = np.zeros((some, flat.shape[0]), np.int64)
        drawn[:, used] = rng.multinomial(n, shares, size=some)
        for name, values in metrics(drawn.reshape(some, *table.shape), wanted).items():
            results[name][start : start + some] = values
    return results


@dataclass(frozen=True, slots=True)
class Basics:
    """Basic statistics of the group.

    Attributes
    ----------
    proportion : float
        Share of the rows that belong to the group.
    label_distribution : tuple of two floats
        Share of positive labels in the group, and the rest.
    confusion : tuple of four floats
        Shares of TP, FP, FN and TN in the group; zeros without predictions.
    """

    proportion: float
    label_distribution: tuple[float, float]
    confusion: tuple[float, float, float, float]


def basics(table: Counts) -> Basics:
    """Return the basic statistics of the group, with 0/0 = 0, as SageMaker Clarify does.

    Parameters
    ----------
    table : ndarray of int64, shape (2, G + 1, 3, 3)
    """
    n = _all(table)
    labels = _labels(table)[D].sum(axis=0)
    positive = float(_divide(labels[1], labels.sum(), compat=True))
    tn, fp, fn, tp = (int(count) for count in _both(table)[D].reshape(4))
    total = tn + fp + fn + tp
    shares = [count / total if total else 0.0 for count in (tp, fp, fn, tn)]
    return Basics(
        float(_divide(n[D], n.sum(), compat=True)),
        (positive, 1 - positive),
        (shares[0], shares[1], shares[2], shares[3]),
    )


def performance(table: Counts) -> dict[str, Values]:
    """Return how well the model predicts over all rows that have label and prediction.

    Parameters
    ----------
    table : ndarray of int64, shape (..., 2, G + 1, 3, 3)

    Returns
    -------
    dict of str to ndarray of float64, shape (...)
        SageMaker Clarify's ten numbers by its names, in its order, with its division (0/0 = 0).
    """
    both = _both(table).sum(axis=-3)
    tn, fp, fn, tp = both[..., 0, 0], both[..., 0, 1], both[..., 1, 0], both[..., 1, 1]
    n = tn + fp + fn + tp
    recall, precision = _divide(tp, tp + fn, compat=True), _divide(tp, tp + fp, compat=True)
    return {
        "Accuracy": _divide(tp + tn, n, compat=True),
        "Proportion of Positive Predictions in Labels": _divide(tp + fp, n, compat=True),
        "Proportion of Negative Predictions in Labels": _divide(tn + fn, n, compat=True),
        "True Positive Rate / Recall": recall,
        "True Negative Rate / Specificity": _divide(tn, tn + fp, compat=True),
        "Acceptance Rate / Precision": precision,
        "Rejection Rate": _divide(tn, tn + fn, compat=True),
        "Conditional Acceptance": _divide(tp + fn, tp + fp, compat=True),
        "Conditional Rejection": _divide(tn + fp, tn + fn, compat=True),
        "F1 Score": 2 * _divide(precision * recall, precision + recall, compat=True),
    }
