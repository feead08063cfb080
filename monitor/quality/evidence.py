"""Evidence: how likely a metric would be at least this bad if it were just at its bound.

The uncertainty of the baseline counts as that of the window does: a bound taken from 500 rows is no truth.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from driftline.kernels.calibration import reliability
from driftline.kernels.evidence import share_p, two_sample_p
from driftline.kernels.resample import generator
from driftline.kernels.special import normal_sf

if TYPE_CHECKING:
    from driftline.kernels.calibration import Calibration
    from driftline.kernels.scores import ScoreState
    from driftline.monitor.quality.figures import Figure

__all__ = ["Weighing", "calibration_p", "weigh"]

_LEVEL = 1.6448536269514722
"""Standard errors that a one-sided test at the 5 % level asks for."""


class Weighing:
    """What the evidence comes to.

    Attributes
    ----------
    p_value : float or None
    detectable : float or None
        Smallest worsening that could have been told from none, at the 5 % level.
    """

    __slots__ = ("detectable", "p_value")

    def __init__(self, p_value: float | None, detectable: float | None) -> None:
        self.p_value = p_value
        self.detectable = detectable


def weigh(
    name: str, current: Figure, baseline: Figure | None, bound: float, sign: int, *, n_baseline: int = 0
) -> Weighing:
    """Weigh a metric against its bound.

    Parameters
    ----------
    name : str
    current : Figure
        With a value.
    baseline : Figure or None
        None where the bound is a wish and no measurement.
    bound : float
        The value beyond which the metric is too bad.
    sign : int
        1 where higher is worse, else -1.
    n_baseline : int
        Rows of a baseline whose standard error nobody wrote down; that of the window is taken in its place, as for so many
        rows.

    Returns
    -------
    Weighing

    Notes
    -----
    *Shares* are counts. Against a fixed bound the test is binomial. Against a baseline two tests must both reject: Fisher's
    exact test that the rows are no worse than the baseline's at all, which holds for the smallest samples, and a normal
    test that the difference is no larger than the tolerance, which large samples need.

    *AUC* has the larger of DeLong's standard error and Hanley and McNeil's at the bound: the first is 0 where the classes
    are separated altogether.

    *Other metrics* have a normal test with the standard errors of both sides. One with a test of its own must pass that,
    too, see :func:`calibration_p`.
    """
    assert current.value is not None
    value = current.value
    if current.hits is not None:
        return _shares(current, baseline, bound, sign)
    mine = current.standard_error
    theirs = None if baseline is None else baseline.standard_error
    if name == "auc":
        mine = _auc_error(current, bound)
        theirs = (
            None
            if baseline is None or baseline.least is None
            else _auc_error(baseline, baseline.value or bound)
        )
    if mine is None:
        return Weighing(None, None)
    if theirs is None and n_baseline:
        theirs = mine * math.sqrt(current.n / n_baseline)
    error = math.hypot(mine, theirs or 0.0)
    if error == 0.0:
        return Weighing(0.0 if sign * (value - bound) > 0 else 1.0, 0.0)
    p_value = max(normal_sf(sign * (value - bound) / error), current.p_unchanged or 0.0)
    return Weighing(p_value, _LEVEL * error)


def calibration_p(
    scores: ScoreState, calibration: Calibration, *, n_bins: int = 15, replicates: int = 10_000, seed: int = 0
) -> float | None:
    """Return how likely a calibration error at least this large is if scores mean what they meant in the baseline.

    Parameters
    ----------
    scores : ScoreState
        Of the window.
    calibration : Calibration
        Of the baseline.
    n_bins : int
        As :func:`driftline.kernels.calibration.calibration_error` has it.
    replicates, seed : int

    Returns
    -------
    float or None
        None where there is no calibration error. At least ``1 / (replicates + 1)``.

    Notes
    -----
    The error is a mean of absolute distances, which chance can only make larger, and the more so the fewer the rows; no
    normal test is right for a window of fifty. So the labels of the bins are drawn from the probabilities that the baseline
    gives to these scores, every replicate with another of its resampled maps, and the error is computed of each.
    """
    table = reliability(scores, n_bins)
    if table is None:
        return None
    by_score = scores.by_score
    rows = by_score.negatives + by_score.positives
    used = rows > 0
    n, centre = rows[used], by_score.centre[used]
    bins = np.clip(np.searchsorted(table.low, by_score.low[used], side="right") - 1, 0, table.n.shape[0] - 1)
    expected = np.bincount(bins, calibration.apply(centre) * n, table.n.shape[0]) / table.n
    maps = calibration.apply_resampled(table.score)
    moved = maps - calibration.apply(table.score)
    p = np.clip(expected + moved[np.arange(replicates) % maps.shape[0]], 0.0, 1.0)
    weights = table.n / table.n.sum()
    drawn = generator(seed).binomial(table.n, p) / table.n
    errors = (weights * np.abs(drawn - table.score)).sum(axis=1)
    seen = float((weights * np.abs(table.observed - table.score)).sum())
    return (int(np.count_nonzero(errors >= seen - 1e-12)) + 1) / (replicates + 1)


def _shares(current: Figure, baseline: Figure | None, bound: float, sign: int) -> Weighing:
    hits, n = current.hits, current.n
    assert hits is not None
    bad = hits if sign > 0 else n - hits
    allowed = min(1.0, max(0.0, bound if sign > 0 else 1.0 - bound))
    if baseline is None or baseline.hits is None or not baseline.n:
        error = math.sqrt(_variance(allowed * n, n))
        return Weighing(share_p(bad, n, allowed), _LEVEL * error)
    before, m = baseline.hits if sign > 0 else baseline.n - baseline.hits, baseline.n
    error = math.sqrt(_variance(bad, n) + _variance(before, m))
    margin = allowed - before / m
    by_margin = normal_sf((bad / n - before / m - margin) / error)
    exact = two_sample_p(bad, n, before, m)
    # What could have been told from the baseline: its own share in as many rows.
    usual = math.sqrt(_variance(before / m * n, n) + _variance(before, m))
    return Weighing(max(by_margin, exact), _LEVEL * usual)


def _variance(hits: float, n: int) -> float:
    """Return the variance of a share, with half a row on either side so that it is never 0."""
    share = (hits + 0.5) / (n + 1)
    return share * (1.0 - share) / n


def _auc_error(one: Figure, at: float) -> float | None:
    """Return the standard error of an AUC, no smaller than that of one which is `at`."""
    if one.least is None or one.value is None or not 0 < one.least < one.n:
        return one.standard_error
    p, n = one.least, one.n - one.least
    at = min(max(at, 0.0), 1.0 - 0.5 / (p + n))
    q1, q2 = at / (2.0 - at), 2.0 * at * at / (1.0 + at)
    variance = (
        at * (1.0 - at)
        + (min(p, n) - 1) * (max(q1, q2) - at * at)
        + (max(p, n) - 1) * (min(q1, q2) - at * at)
    )
    hanley = math.sqrt(max(variance, 0.0) / (p * n))
    return max(hanley, one.standard_error or 0.0)
