"""Calibration: whether scores mean what they say, and a monotone map that makes them.

Of the rows with probability 0.8 four in five should be positive. Rows are gathered in bins of their score; within a
bin the mean score is held against the observed share of positives.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np

from driftline.kernels.resample import generator
from driftline.kernels.score_bins import bin_numbers
from driftline.kernels.score_cells import NEGATIVE, POSITIVE
from driftline.kernels.special import chi_squared_sf, normal_quantile
from driftline.kernels.state import Packed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from driftline.kernels.scores import ScoreState

__all__ = [
    "Calibration",
    "CalibrationError",
    "Reliability",
    "calibration_error",
    "fit_calibration",
    "isotonic",
    "reliability",
]

N_BINS: Final = 10
"""Bins of a reliability table unless told otherwise."""

N_KNOTS: Final = 128
"""Bins under a calibration map at most."""

N_MAPS: Final = 200
"""Resampled maps that tell how sure a calibration is."""

_KIND: Final = "calibration"
_FARTHEST: Final = 64.0


class Reliability(NamedTuple):
    """Bins of probability, ascending; those without labelled rows are left out.

    Attributes
    ----------
    low, high : ndarray of float64, shape (m,)
        Least and greatest score of a bin.
    score : ndarray of float64, shape (m,)
        Mean score of its labelled rows.
    observed : ndarray of float64, shape (m,)
        Share of positives among them.
    n : ndarray of int64, shape (m,)
        Labelled rows.
    observed_low, observed_high : ndarray of float64, shape (m,)
        95 % interval of the share (Wilson).
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    score: NDArray[np.float64]
    observed: NDArray[np.float64]
    n: NDArray[np.int64]
    observed_low: NDArray[np.float64]
    observed_high: NDArray[np.float64]


def _wilson(
    share: NDArray[np.float64], n: NDArray[Any], level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    square = normal_quantile((1.0 + level) / 2.0) ** 2 / n
    centre = (share + square / 2.0) / (1.0 + square)
    reach = np.sqrt(square * (share * (1.0 - share) + square / 4.0)) / (1.0 + square)
    return np.maximum(0.0, centre - reach), np.minimum(1.0, centre + reach)


def reliability(
    state: ScoreState, n_bins: int = N_BINS, by: Literal["mass", "width"] = "mass"
) -> Reliability | None:
    """Return mean score and observed share of positives by bin of score.

    Parameters
    ----------
    state : ScoreState
        Of probabilities.
    n_bins : int
    by : {"mass", "width"}
        Bins of about equal numbers of labelled rows, or of equal width between 0 and 1.

    Returns
    -------
    Reliability or None
        None without labelled rows, and where scores are not between 0 and 1.

    Notes
    -----
    A distinct score, or a cell of the grid, is never split: it goes where its mean goes. Fewer bins come out where
    scores repeat.
    """
    by_score = state.by_score
    rows = np.stack([by_score.negatives, by_score.positives], axis=1)
    used = rows.sum(axis=1) > 0
    if not used.any() or not state.are_probabilities:
        return None
    rows, mean = rows[used], by_score.mean[used, NEGATIVE:]
    n = rows.sum(axis=1)
    sums = (rows * mean).sum(axis=1)
    if by == "mass":
        bins = bin_numbers(n, n_bins)
    else:
        places = np.minimum((sums / n * n_bins).astype(np.int64), n_bins - 1)
        bins = np.concatenate([[0], np.cumsum(np.diff(places) > 0)])
    first = np.flatnonzero(np.concatenate([[True], bins[1:] != bins[:-1]]))
    last = np.concatenate([first[1:], [bins.shape[0]]]) - 1
    in_bin = np.add.reduceat(n, first)
    observed = np.add.reduceat(rows[:, 1], first) / in_bin
    low, high = _wilson(observed, in_bin, 0.95)
    return Reliability(
        by_score.low[used][first],
        by_score.high[used][last],
        np.add.reduceat(sums, first) / in_bin,
        observed,
        in_bin,
        low,
        high,
    )


class CalibrationError(NamedTuple):
    """How far probabilities are from what is observed.

    Attributes
    ----------
    value : float
        Expected calibration error: mean over the rows of the distance of mean score and observed share in their bin.
    by_chance : float
        What it would be on average if the probabilities were right; with few rows, far from 0.
    debiased : float
        `value` less what chance adds to it; 0 where that is more.
    standard_error : float
    low, high : float
        95 % interval of the error without chance; it holds `debiased`, and often not `value`.
    p_value : float
        Probability of bins that are off as far as these if the probabilities were right (chi-squared over the bins,
        after Hosmer and Lemeshow, without the degrees of freedom that fitting on the same rows would take).
    n_bins : int
    """

    value: float
    by_chance: float
    debiased: float
    standard_error: float
    low: float
    high: float
    p_value: float
    n_bins: int


def calibration_error(
    state: ScoreState, n_bins: int = 15, by: Literal["mass", "width"] = "mass", *, seed: int = 0
) -> CalibrationError | None:
    """Return the expected calibration error, what chance adds to it, and how sure it is.

    Parameters
    ----------
    state : ScoreState
    n_bins, by
        As :func:`reliability` takes them.
    seed : int

    Returns
    -------
    CalibrationError or None
        None without labelled rows, and where scores are not between 0 and 1.

    Notes
    -----
    The distance in a bin is an absolute value, so noise only adds to it. `debiased` takes the gaps of all bins to be too
    large by one factor, the one with which the error that is to be expected, chance included, is the error that was
    seen, ``sum(w_i * E|N(t * gap_i, sigma_i)|) = value``; it is 0 where chance alone explains more than was seen. The
    interval ends at the factors at which the error that was seen is the 97.5 % and the 2.5 % quantile.
    """
    table = reliability(state, n_bins, by)
    if table is None:
        return None
    weights = table.n / table.n.sum()
    # The variance of a share cannot be read off a bin without positives: half a row either way.
    share = (table.observed * table.n + 0.5) / (table.n + 1.0)
    gap = table.observed - table.score
    value = float((weights * np.abs(gap)).sum())
    sigma = np.sqrt(share * (1.0 - share) / table.n)
    noise = generator(seed).standard_normal((1000, gap.shape[0])) * sigma
    right = np.sqrt(table.score * (1.0 - table.score) / table.n)
    by_chance = float((weights * right).sum() * math.sqrt(2.0 / math.pi))

    def errors(t: float) -> NDArray[np.float64]:
        return np.asarray(np.abs(t * gap + noise) @ weights)

    def largest(reach: Callable[[NDArray[np.float64]], float]) -> float:
        """Return the factor at which a figure of the errors is what was seen; it rises with the factor."""
        low, high = 0.0, 1.0
        while high < _FARTHEST and reach(errors(high)) < value:
            low, high = high, 2.0 * high
        for _ in range(20):
            middle = (low + high) / 2.0
            low, high = (middle, high) if reach(errors(middle)) < value else (low, middle)
        return low

    debiased = value * min(1.0, largest(lambda drawn: float(drawn.mean())))
    low = value * largest(lambda drawn: float(np.quantile(drawn, 0.975)))
    high = value * largest(lambda drawn: float(np.quantile(drawn, 0.025)))
    return CalibrationError(
        value,
        by_chance,
        debiased,
        float(errors(1.0).std(ddof=1)),
        min(low, debiased),
        min(1.0, max(high, debiased)),
        _chi_squared_p(gap, right),
        gap.shape[0],
    )


def _chi_squared_p(gap: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    certain = right == 0.0
    if (gap[certain] != 0.0).any():
        return 0.0
    free = int((~certain).sum())
    statistic = float(((gap[~certain] / right[~certain]) ** 2).sum())
    return chi_squared_sf(statistic, float(free)) if free else 1.0


def isotonic(share: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the non-decreasing numbers nearest to `share`, in weighted squares (pool adjacent violators).

    Parameters
    ----------
    share, weights : ndarray of float64, shape (m,)
        Weights are positive.

    Returns
    -------
    ndarray of float64, shape (m,)

    References
    ----------
    Ayer, Brunk, Ewing, Reid and Silverman, "An empirical distribution function for sampling with incomplete information",
    Annals of Mathematical Statistics 26 (1955).
    """
    sums: list[float] = []
    weight: list[float] = []
    length: list[int] = []
    for value, of in zip((share * weights).tolist(), weights.tolist(), strict=True):
        s, w, m = value, of, 1
        while sums and sums[-1] * w >= s * weight[-1]:
            s += sums.pop()
            w += weight.pop()
            m += length.pop()
        sums.append(s)
        weight.append(w)
        length.append(m)
    return np.repeat(np.array(sums) / np.array(weight), length) if sums else np.zeros(0)


@dataclass(frozen=True, eq=False)
class Calibration:
    """A monotone map from scores to probabilities, with resampled ones beside it.

    Attributes
    ----------
    scores : ndarray of float64, shape (m,)
        Mean scores of the bins that the map was fitted on, ascending.
    probabilities : ndarray of float64, shape (m,)
        Probability of a positive at each; between them it is interpolated, beyond them it stays.
    resampled : ndarray of float64, shape (b, m)
        The same of `b` bootstrap samples of the rows: how sure the map is.
    n : int
        Labelled rows that it was fitted on.
    """

    scores: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    resampled: NDArray[np.float64]
    n: int

    def apply(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of a positive at each of `scores`."""
        return np.interp(scores, self.scores, self.probabilities)

    def apply_resampled(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probabilities that the resampled maps give, shape (b, *scores.shape)."""
        # np.interp takes one map at a time; the places are the same for all of them.
        right = np.clip(np.searchsorted(self.scores, scores), 1, max(1, self.scores.shape[0] - 1))
        if self.scores.shape[0] == 1:
            return np.broadcast_to(self.resampled[:, :1], (self.resampled.shape[0], scores.shape[0])).copy()
        left = right - 1
        share = (scores - self.scores[left]) / (self.scores[right] - self.scores[left])
        share = np.clip(share, 0.0, 1.0)
        return np.asarray(self.resampled[:, left] * (1.0 - share) + self.resampled[:, right] * share)

    def pack(self) -> Packed:
        """Return the map as plain values."""
        return Packed(
            {"n": self.n, "kind": _KIND},
            {
                "scores": self.scores,
                "probabilities": self.probabilities,
                "resampled": self.resampled.reshape(-1),
            },
        )

    @classmethod
    def unpack(cls, packed: Packed) -> Calibration:
        """Rebuild from :meth:`pack`.

        Raises
        ------
        ValueError
            If the values cannot have come from :meth:`pack`.
        """
        scores, probabilities = packed.arrays["scores"], packed.arrays["probabilities"]
        resampled, m = packed.arrays["resampled"], scores.shape[0]
        if (
            packed.scalars.get("kind") != _KIND
            or m == 0
            or probabilities.shape != (m,)
            or resampled.shape[0] % m
            or not np.isfinite(scores).all()
            or not (np.diff(scores) > 0).all()
            or not _are_shares(probabilities)
            or not _are_shares(resampled)
            or not (np.diff(probabilities) >= 0).all()
        ):
            raise ValueError("scores and probabilities of a calibration do not belong together")
        return cls(scores, probabilities, resampled.reshape(-1, m), int(packed.scalars["n"]))


def _are_shares(x: NDArray[np.float64]) -> bool:
    return bool(((x >= 0.0) & (x <= 1.0)).all())


def fit_calibration(
    state: ScoreState, *, n_knots: int = N_KNOTS, n_maps: int = N_MAPS, seed: int = 0
) -> Calibration | None:
    """Fit a map from scores to probabilities on the labelled rows.

    Parameters
    ----------
    state : ScoreState
        Scores may be any numbers; they need not be probabilities.
    n_knots : int
        Bins at most, of about equal numbers of rows; every bin has some 50 rows or more, as far as there are as many.
    n_maps, seed : int
        Resampled maps, and the seed they are drawn with.

    Returns
    -------
    Calibration or None
        None without a labelled row.

    Notes
    -----
    Isotonic regression of the observed shares on the bins (Zadrozny and Elkan 2002), joined by straight lines between
    the mean scores of its blocks and of their bins. Over the rows it was fitted on, probabilities add up to the
    positives, but for the interpolation.
    """
    by_score = state.by_score
    rows = np.stack([by_score.negatives, by_score.positives], axis=1)
    used = rows.sum(axis=1) > 0
    if not used.any():
        return None
    rows, mean = rows[used], by_score.mean[used, NEGATIVE:]
    n = rows.sum(axis=1)
    total = int(n.sum())
    bins = bin_numbers(n, max(2, min(n_knots, total // 50)))
    first = np.flatnonzero(np.concatenate([[True], bins[1:] != bins[:-1]]))
    in_bin = np.add.reduceat(n, first)
    positives = np.add.reduceat(rows[:, 1], first)
    scores = np.add.reduceat((rows * mean).sum(axis=1), first) / in_bin
    # Means that rounding has made equal would leave no room between two knots.
    apart = np.concatenate([[True], np.diff(scores) > 0])
    groups = np.flatnonzero(apart)
    scores, in_bin, positives = (
        scores[apart],
        np.add.reduceat(in_bin, groups),
        np.add.reduceat(positives, groups),
    )
    weights = in_bin.astype(np.float64)
    rng = generator(seed)
    resampled = np.empty((n_maps, scores.shape[0]))
    for i in range(n_maps):
        # Rows fall into the bins anew, and into the classes within them.
        drawn = rng.multinomial(total, in_bin / total)
        hits = rng.binomial(drawn, (positives + 0.5) / (in_bin + 1.0))
        weight = np.maximum(drawn, 0.5)
        resampled[i] = isotonic(np.minimum(1.0, hits / weight), weight)
    return Calibration(scores, isotonic(positives / weights, weights), np.clip(resampled, 0.0, 1.0), total)


assert (NEGATIVE, POSITIVE) == (1, 2)
