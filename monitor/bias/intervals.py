"""Intervals: how sure a metric of bias is, what is allowed, and how surprising the difference is.

Every metric is looked at on a scale on which it is nearly normal and parity is 0:

=============== ================================== =======================================================
scale           metrics                            the number that is looked at
=============== ================================== =======================================================
itself          CI, DPL, DPPL, RD, SD, … FT, GE    the metric
logarithm       DI                                 log of the ratio, with half a row added to every count
signed          TVD, KS, LP                        DPL, or DPL times the square root of two: with a binary label
                                                   they are its size, and are judged exactly as it is
signed root     KL, JS                             the square root, with the sign of DPL: smooth through parity
=============== ================================== =======================================================

On that scale, with t the metric, b the baseline's, s and s0 their standard errors (row bootstrap over the counts, or
Jeffreys' posterior where that is wider: the bootstrap of a group without events believes that there never will be one):

* the interval is ``t - bias ± z·s`` with z of the level asked for;
* the allowed range is symmetric about parity: ``|b| + max(tolerance, z·s0)`` to either side. The baseline is a sample, too,
  so it is given its own sampling error; and where it is large, the tolerance keeps trivial changes from alarming;
* the p-value is that of ``|t| - |b|`` being so large by chance if nothing had changed, with the errors of both samples;
  the current one's is at least the baseline's, scaled to its size.

An alarm needs both: an interval outside of the range, so that the change matters; and a small p-value, corrected for the
number of metrics and groups, so that it is a change. The range alone would not do: where the baseline is small and the
window large, one metric in forty would be outside for ever, because of the baseline's own chance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from driftline.kernels import fairness_metrics
from driftline.kernels.resample import Replicates, bootstrap
from driftline.kernels.special import normal_quantile, normal_sf

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    Tables = NDArray[Any]

__all__ = [
    "GROSS",
    "TOLERANCE",
    "Allowed",
    "Estimate",
    "Needs",
    "allowed_by_baseline",
    "allowed_by_range",
    "detectable",
    "estimates",
    "excess",
    "interval",
    "p_value",
    "unscaled",
]

FOLDED: Final = ("TVD", "KS", "LP")
ROOTS: Final = ("KL", "JS")
CONDITIONAL: Final = ("CDDL", "CDDPL")
ONE_SIDED: Final = (*FOLDED, *ROOTS, "GE")
"""Metrics that are never negative."""

TOLERANCE: Final[Mapping[str, float]] = {
    "CI": 0.1,
    "DI": 1.05,
    "KL": 0.001,
    "JS": 0.00025,
    "LP": 0.02 * math.sqrt(2.0),
    "DCA": 0.05,
    "DCR": 0.05,
    "TE": 0.1,
    "FT": 0.05,
}
"""How much farther from parity than the baseline is trivial, where it is not 0.02; a ratio for DI.

KL and JS: what they are where the shares differ by 0.02 around a quarter.
"""

_TOLERANCE: Final = 0.02

GROSS: Final[Mapping[str, float]] = dict.fromkeys(
    ("DPL", "TVD", "KS", "DPPL", "RD", "SD", "DAR", "DRR", "AD", "CDDL", "CDDPL", "FT", "GE"), 0.3
)
"""Changes that anybody would call gross; a sample that could not show them says nothing."""

_LEAST_FINITE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric of one side, and how sure it is.

    Attributes
    ----------
    code : str
    value : float or None
        As people know the metric; may be infinite. None where it is not defined.
    scaled : float or None
        On its scale, less the bias of the bootstrap; None where nothing can be said about chance.
    error : float
        Standard error on that scale; 0 where it is not known.
    n_rows : int
        Rows that entered.
    reason : str or None
        Why `scaled` is None, for people.
    sides : tuple of two ints
        Rows of the others and of the group that entered; zeros where they are not known.
    """

    code: str
    value: float | None
    scaled: float | None
    error: float = 0.0
    n_rows: int = 0
    reason: str | None = None
    sides: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a sample must have before a metric of it is judged.

    Attributes
    ----------
    min_rows : int
        Of the group, and of the others.
    min_events : int
        In every denominator.
    replicates : int
    seed : int
    """

    min_rows: int = 30
    min_events: int = 5
    replicates: int = 500
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Allowed:
    """What is allowed.

    Attributes
    ----------
    low, high : float
        As people know the metric; infinite where there is no end.
    scaled_low, scaled_high : float
        On its scale.
    size : float or None
        How far from parity the baseline was, on that scale; None for a range that somebody set.
    tolerance : float
        On that scale.
    error : float
        Standard error of the baseline, on that scale.
    sides : tuple of two ints
        Rows of the baseline's others and group.
    """

    low: float
    high: float
    scaled_low: float
    scaled_high: float
    size: float | None = None
    tolerance: float = 0.0
    error: float = 0.0
    sides: tuple[int, int] = (0, 0)


def scaled(code: str, value: float) -> float:
    """Return a metric on its scale; that of :data:`FOLDED` and :data:`ROOTS` has lost its sign."""
    if code == "DI":
        return math.log(value) if value > 0 else -math.inf
    if code in ROOTS:
        return math.copysign(math.sqrt(abs(value)), value)
    return value


def unscaled(code: str, t: float) -> float:
    """Undo :func:`scaled`."""
    if code == "DI":
        return math.exp(t) if t < 700.0 else math.inf
    if code in ROOTS:
        return math.copysign(t * t, t)
    return t


def _on_scales(tables: Tables, codes: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    found = fairness_metrics.metrics(tables, {*codes, "DPL"} if {*codes} & {*FOLDED, *ROOTS} else codes)
    result = {}
    for code in codes:
        if code == "DI":
            predictions = tables[..., :2].sum(axis=(-3, -2))
            n, positive = predictions.sum(axis=-1), predictions[..., 1]
            share = (positive + 0.5) / (n + 1.0)
            ratio = np.log(share[..., 1] / share[..., 0])
            result[code] = np.where((n > 0).all(axis=-1), ratio, np.nan)
        elif code in FOLDED:
            result[code] = found["DPL"] * (math.sqrt(2.0) if code == "LP" else 1.0)
        elif code in ROOTS:
            result[code] = np.copysign(np.sqrt(np.maximum(found[code], 0.0)), found["DPL"])
        else:
            result[code] = found[code]
    return result


def _metric_function(codes: Sequence[str]) -> Callable[[Tables], Mapping[str, NDArray[np.float64]]]:
    def metrics(tables: Tables) -> Mapping[str, NDArray[np.float64]]:
        return _on_scales(tables, codes)

    return metrics


def rows_needed(code: str, table: Tables) -> tuple[int, int]:
    """Return the rows of the others and of the group that a metric can use."""
    if code == "CI":
        kept = table
    elif code in fairness_metrics.PRE_TRAINING:
        kept = table[..., :2, :]
    elif code in ("DPPL", "DI", "CDDPL", "FT"):
        kept = table[..., :2]
    else:
        kept = table[..., :2, :2]
    n_a, n_d = (int(n) for n in kept.sum(axis=(-3, -2, -1)))
    return n_a, n_d


def estimates(table: Tables, codes: Sequence[str], needs: Needs) -> dict[str, Estimate]:
    """Return metrics with their uncertainty.

    Parameters
    ----------
    table : ndarray of int64, shape (2, G + 1, 3, 3)
        See :meth:`driftline.kernels.fairness.FairnessState.table`.
    codes : sequence of str
        All but FT.
    needs : Needs

    Returns
    -------
    dict of str to Estimate
    """
    values = {code: float(found) for code, found in fairness_metrics.metrics(table, codes).items()}
    short = {code: _too_few(code, table, needs) for code in codes}
    judged = [code for code in codes if short[code] is None and math.isfinite(values[code])]
    replicates, plausible = _resampled(table, judged, needs)
    result = {}
    for code in codes:
        value = values[code]
        known = None if math.isnan(value) else value
        sides = rows_needed(code, table)
        n_rows = sum(sides)
        reason = short[code]
        if reason is None and not math.isfinite(value):
            reason = fairness_metrics.why_undefined(code, table)
        if reason is not None:
            result[code] = Estimate(code, known, None, 0.0, n_rows, reason, sides)
            continue
        found = replicates[code]
        if found.estimate is None or found.values.shape[0] < _LEAST_FINITE * needs.replicates:
            lost = needs.replicates - found.values.shape[0]
            result[code] = Estimate(code, known, None, 0.0, n_rows, _unstable(lost, needs.replicates), sides)
            continue
        error = float(found.values.std(ddof=1))
        if code in plausible and (wider := plausible[code].standard_error) is not None:
            error = max(error, wider)
        centre = 2.0 * found.estimate - float(found.values.mean())
        result[code] = Estimate(code, known, centre, error, n_rows, None, sides)
    return result


def _resampled(
    table: Tables, codes: Sequence[str], needs: Needs
) -> tuple[dict[str, Replicates], dict[str, Replicates]]:
    """Return the row bootstrap, and draws from Jeffreys' posterior for the metrics of few cells, for which it is made."""
    replicates: dict[str, Replicates] = {}
    plausible: dict[str, Replicates] = {}
    conditional = [code for code in codes if code in CONDITIONAL]
    if conditional:
        replicates |= bootstrap(table, _metric_function(conditional), needs.replicates, needs.seed)
    plain = [code for code in codes if code not in CONDITIONAL]
    if plain:
        # The group variable plays no part in these, so its values need not be drawn apart.
        cells, at = _live(table.sum(axis=1, keepdims=True))
        metrics = _through(at, plain)
        replicates |= bootstrap(cells, metrics, needs.replicates, needs.seed)
        plausible |= bootstrap(cells, metrics, needs.replicates, needs.seed, plausible=True)
    return replicates, plausible


def _live(table: Tables) -> tuple[Tables, NDArray[np.int64]]:
    """Return the counts of the cells that can occur, and where they stand: no prior for labels that nobody has."""
    counts = table.sum(axis=(0, 1))
    can = np.zeros((3, 3), bool)
    can[:2, :2] = bool(counts[:2, :2].any())
    can |= counts > 0
    at = np.flatnonzero(np.broadcast_to(can, table.shape).reshape(-1))
    return table.reshape(-1)[at], at


def _through(
    at: NDArray[np.int64], codes: Sequence[str]
) -> Callable[[Tables], Mapping[str, NDArray[np.float64]]]:
    def metrics(cells: Tables) -> Mapping[str, NDArray[np.float64]]:
        tables = np.zeros((cells.shape[0], 18))
        tables[:, at] = cells
        return _on_scales(tables.reshape(-1, 2, 1, 3, 3), codes)

    return metrics


def _too_few(code: str, table: Tables, needs: Needs) -> str | None:
    n_a, n_d = rows_needed(code, table)
    if code == "GE":
        if 0 < n_a + n_d < needs.min_rows:
            return f"there are {n_a + n_d:,} rows with label and prediction, fewer than {needs.min_rows:,}"
        return None
    if n_d == 0 or n_a == 0:
        whole = table.sum(axis=(-3, -2, -1))
        side = "the group" if n_d == 0 else "the others"
        if whole[1 if n_d == 0 else 0] == 0:
            return f"there is no row of {side}"
        return f"no row of {side} has what it needs"
    if min(n_a, n_d) < needs.min_rows:
        side, n = ("the group", n_d) if n_d <= n_a else ("the others", n_a)
        there = "there is only 1 row" if n == 1 else f"there are only {n:,} rows"
        return f"{there} of {side} that it can use, fewer than {needs.min_rows:,}"
    if code in ("KL", "JS"):
        labels = table[..., :2, :].sum(axis=(-3, -1))
        counts = {
            f"{kind} labels of {side}": int(labels[i, j])
            for i, side in enumerate(("the others", "the group"))
            for j, kind in enumerate(("negative", "positive"))
        }
    else:
        counts = fairness_metrics.denominators(code, table)
    words, least = min(counts.items(), key=lambda item: item[1])
    if 0 < least < needs.min_events:
        there = f"there is only 1 of the {words}" if least == 1 else f"there are only {least:,} {words}"
        return f"{there}, fewer than {needs.min_events:,}"
    return None


def _unstable(lost: int, n_replicates: int) -> str:
    return (
        f"it is not a finite number in {lost:,} of {n_replicates:,} resamples of the rows: there are too few of the events "
        "that it divides by"
    )


def interval(estimate: Estimate, level: float) -> tuple[float, float] | None:
    """Return the interval of a metric, as people know the metric; None where there is none."""
    ends = _scaled_interval(estimate, level)
    if ends is None:
        return None
    low, high = ends
    if estimate.code in ONE_SIDED and estimate.code != "GE":
        far = max(abs(low), abs(high))
        near = 0.0 if low <= 0.0 <= high else min(abs(low), abs(high))
        low, high = near, far
    low, high = unscaled(estimate.code, low), unscaled(estimate.code, high)
    value = estimate.value
    if value is None or not math.isfinite(value):
        return low, high
    # The bias of the bootstrap may move the interval past a value at the end of its range; people must find it inside.
    return min(low, value), max(high, value)


def _scaled_interval(estimate: Estimate, level: float) -> tuple[float, float] | None:
    if estimate.scaled is None:
        return None
    reach = normal_quantile((1.0 + level) / 2.0) * estimate.error
    return estimate.scaled - reach, estimate.scaled + reach


def scaled_tolerance(code: str, tolerance: float | None) -> float:
    """Return a tolerance, or the default one, on the scale of the metric."""
    given = TOLERANCE.get(code, _TOLERANCE) if tolerance is None else tolerance
    return math.log(max(given, 1.0)) if code == "DI" else math.sqrt(given) if code in ROOTS else given


def allowed_by_baseline(baseline: Estimate, level: float, tolerance: float | None = None) -> Allowed | None:
    """Return what a baseline allows: as far from parity as it was, its own sampling error and the tolerance included.

    Returns
    -------
    Allowed or None
        None where the baseline has no value to go by.
    """
    if baseline.scaled is None:
        return None
    # What is drawn and told is the value itself; the bias of the bootstrap is part of its uncertainty.
    size = abs(baseline.scaled if baseline.value is None else _own_scale(baseline))
    spare = scaled_tolerance(baseline.code, tolerance)
    reach = size + max(spare, normal_quantile((1.0 + level) / 2.0) * baseline.error)
    low = 0.0 if baseline.code in ONE_SIDED else unscaled(baseline.code, -reach)
    return Allowed(
        low, unscaled(baseline.code, reach), -reach, reach, size, spare, baseline.error, baseline.sides
    )


def _own_scale(estimate: Estimate) -> float:
    assert estimate.value is not None
    own = scaled(estimate.code, estimate.value)
    if math.isfinite(own):
        return own
    assert estimate.scaled is not None
    return estimate.scaled


def allowed_by_range(code: str, low: float | None, high: float | None) -> Allowed:
    """Return the range that somebody set."""
    low = -math.inf if low is None else low
    high = math.inf if high is None else high
    folded = code in FOLDED or code in ROOTS
    return Allowed(
        low,
        high,
        (-math.inf if low <= 0.0 else scaled(code, low)) if folded or code == "DI" else low,
        scaled(code, high) if math.isfinite(high) else math.inf,
    )


def _sides(estimate: Estimate, allowed: Allowed) -> float:
    """Return the size that is compared: folded metrics have no side."""
    assert estimate.scaled is not None
    is_set = allowed.size is None
    if is_set and (estimate.code in FOLDED or estimate.code in ROOTS):
        return abs(estimate.scaled)
    return estimate.scaled


def excess(estimate: Estimate, allowed: Allowed, level: float) -> tuple[float | None, bool]:
    """Return by how much a metric is outside of what is allowed, and whether its whole interval is.

    Returns
    -------
    excess : float or None
        On the scale of the metric, negative inside; None where nothing can be said.
    disjoint : bool
    """
    if estimate.scaled is None:
        return None, False
    centre = _sides(estimate, allowed)
    reach = normal_quantile((1.0 + level) / 2.0) * estimate.error
    value = centre if estimate.value is None else scaled(estimate.code, estimate.value)
    return _beyond(value, allowed), _beyond(centre, allowed) > reach


def _beyond(t: float, allowed: Allowed) -> float:
    return max(allowed.scaled_low - t, t - allowed.scaled_high)


def p_value(estimate: Estimate, allowed: Allowed) -> float | None:
    """Return the probability of a metric so much farther from parity than the baseline if nothing had changed.

    Notes
    -----
    One-sided and normal, with the standard errors of both samples. That of the current one is at least what it would be if
    nothing had changed (as in a score test): forty rows without a single false positive scatter little, and yet such forty
    rows are no wonder where one in ten is one. For a range that somebody set it is that at its nearer end, with the error
    of the current sample alone.
    """
    if estimate.scaled is None:
        return None
    if allowed.size is None:
        t = _sides(estimate, allowed)
        beyond, error = _beyond(t, allowed), estimate.error
    else:
        beyond = abs(estimate.scaled) - allowed.size
        error = math.hypot(max(estimate.error, _error_unchanged(estimate, allowed)), allowed.error)
    if error == 0.0:
        return 0.0 if beyond > 0.0 else 1.0
    return normal_sf(beyond / error)


def _error_unchanged(estimate: Estimate, allowed: Allowed) -> float:
    """Return the standard error that the current sample would have if nothing had changed: the baseline's, for its size."""
    ratios = [
        before / now
        for before, now in zip(allowed.sides, estimate.sides, strict=True)
        if before > 0 and now > 0
    ]
    return allowed.error * math.sqrt(max(ratios, default=1.0))


def detectable(estimate: Estimate, allowed: Allowed, level: float) -> float | None:
    """Return how far beyond baseline and tolerance a metric must be for half of such samples to show it.

    None where the scale of the metric is not the one people know, and for ranges that somebody set.
    """
    if estimate.scaled is None or allowed.size is None or estimate.code in ("DI", *ROOTS):
        return None
    reach = normal_quantile((1.0 + level) / 2.0) * estimate.error
    return allowed.scaled_high - allowed.size - allowed.tolerance + reach
