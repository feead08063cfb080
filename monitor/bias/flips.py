"""Flips: the flip test on the rows that were kept, and how sure it is.

The flip test is no function of counts: its chance comes from which rows of either side were there. So the kept rows are
dealt into parts, the test is done in each, and the scatter of the parts gives the standard error (batch means).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from driftline.kernels.neighbours import FEW, flip_test
from driftline.kernels.resample import generator
from driftline.monitor.bias.intervals import Estimate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from driftline.kernels.sampled import SampledRows

    Rows = NDArray[np.float64]

__all__ = ["flip_estimate"]

_PARTS: Final = 20
_LEAST: Final = FEW + 1
"""Rows of either side in a part, so that five neighbours vote as they do in the whole."""


def flip_estimate(
    samples: Mapping[str, SampledRows],
    word: str,
    features: Sequence[int],
    *,
    most: int,
    min_rows: int,
    standardise: bool,
    seed: int,
) -> Estimate:
    """Compare the decisions on a group with those on its nearest others.

    Parameters
    ----------
    samples : mapping of str to SampledRows
        Of one axis, by group; the last number of a row is the prediction.
    word : str
        The group.
    features : sequence of int
        Which numbers of a row similarity is judged by.
    most : int
        Rows of either side, at most.
    min_rows : int
        Fewer rows of either side give no estimate.
    standardise : bool
        See :func:`driftline.kernels.neighbours.flip_test`.
    seed : int
        Of how rows are dealt into parts.

    Returns
    -------
    Estimate
        Of ``FT``.
    """
    own = [samples[word]] if word in samples else []
    rest = [sample for other, sample in sorted(samples.items()) if other != word]
    n_d, n_a = (sum(sample.n_rows for sample in side) for side in (own, rest))
    if not features:
        return Estimate(
            "FT", None, None, 0.0, n_a + n_d, "there is no numeric feature to judge similarity by"
        )
    for side, n in (("the group", n_d), ("the others", n_a)):
        if n < min_rows:
            there = "there is only 1 whole row" if n == 1 else f"there are only {n:,} whole rows"
            reason = (
                f"{there} of {side} to compare, fewer than {min_rows:,}"
                if n
                else f"there is no whole row of {side}"
            )
            return Estimate("FT", None, None, 0.0, n_a + n_d, reason)
    group, others = _expanded(own, most), _expanded(rest, most)
    value, few = _test(others, group, features, standardise=standardise)
    error = math.sqrt(few / group.shape[0])
    parts = min(_PARTS, min(group.shape[0], others.shape[0]) // _LEAST)
    if parts >= 3:
        rng = generator(seed)
        dealt = [rng.permutation(side.shape[0]) % parts for side in (others, group)]
        found = [
            _test(others[dealt[0] == i], group[dealt[1] == i], features, standardise=standardise)[0]
            for i in range(parts)
        ]
        # Few parts know their own scatter badly: the factor is what Student's t adds to the normal quantile.
        factor = 1.0 + (1.96**2 + 1.0) / (4.0 * (parts - 1))
        error = max(error, factor * float(np.std(found, ddof=1)) / math.sqrt(parts))
    return Estimate("FT", value, value, error, n_a + n_d, None, (others.shape[0], group.shape[0]))


def _test(others: Rows, group: Rows, features: Sequence[int], *, standardise: bool) -> tuple[float, float]:
    """Return the flip test, and the variance that one row of the group gives it.

    One flip more than there was is counted, so that none does not mean never.
    """
    rows = np.concatenate([others, group])
    is_d = np.arange(rows.shape[0]) >= others.shape[0]
    flips = flip_test(rows[:, list(features)], is_d, rows[:, -1] == 1.0, standardise=standardise)
    share = (flips.to_negative + flips.to_positive + 1.0) / (flips.n_d + 1.0)
    return flips.value, share - flips.value**2 * flips.n_d / (flips.n_d + 1.0)


def _expanded(samples: Sequence[SampledRows], most: int) -> Rows:
    """Return rows as often as they occur, thinned evenly to at most `most`.

    Where a sample could not keep all of its distinct rows, those that it kept stand for them.
    """
    rows = np.concatenate([sample.rows for sample in samples])
    weights = np.concatenate(
        [
            sample.counts * (sample.n_rows / sample.counts.sum())
            for sample in samples
            if sample.counts.shape[0]
        ]
    )
    total = sum(sample.n_rows for sample in samples)
    n = min(total, most)
    ends = np.cumsum(weights)
    at = (np.arange(n) + 0.5) * (ends[-1] / n)
    return np.asarray(rows[np.minimum(np.searchsorted(ends, at, side="right"), rows.shape[0] - 1)])
