"""Distance of two category counts, as Deequ computes it for SageMaker Model Monitor."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from driftline.kernels.kll import robust
from driftline.kernels.special import chi_squared_sf

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.kernels.kll import Method

__all__ = ["sagemaker_chi_squared", "sagemaker_l_infinity"]

_SMALL = 5.0
_SMALL_SHARE = 0.2
_SMALL_OF_TWO = 10.0


def sagemaker_l_infinity(
    baseline: Mapping[str, int], current: Mapping[str, int], method: Method = "Robust"
) -> float:
    """Largest difference of a category's share, over the categories of both sides.

    Parameters
    ----------
    baseline, current : mapping of str to int
        Rows per category.
    method : {"Robust", "Simple"}
        Robust subtracts the allowance of :func:`driftline.kernels.kll.robust`, with rows as sample sizes.

    Returns
    -------
    float
        From 0 to 1; NaN if a side is empty.

    Examples
    --------
    >>> sagemaker_l_infinity({"a": 50, "b": 50}, {"a": 75, "b": 25}, "Simple")
    0.25
    """
    n, m = sum(baseline.values()), sum(current.values())
    if n == 0 or m == 0:
        return math.nan
    names = {**baseline, **current}
    distance = max(abs(baseline.get(name, 0) / n - current.get(name, 0) / m) for name in names)
    return robust(distance, n, m) if method == "Robust" else distance


def sagemaker_chi_squared(
    baseline: Mapping[str, int], current: Mapping[str, int], method: Method = "Robust"
) -> float:
    """Pearson's goodness of fit of the current counts to the baseline's shares.

    Parameters
    ----------
    baseline, current : mapping of str to int
        Rows per category. Current categories that the baseline does not know are left out: they are the
        business of the domain check.
    method : {"Robust", "Simple"}

    Returns
    -------
    float
        The p-value for Robust (small means different), the statistic for Simple (large means different). NaN
        where fewer than two categories are left.

    Notes ----- Expected counts are the baseline's shares of the current rows in known categories. The test
    needs enough of them: with more than two categories at most ``floor(0.2 * k)`` may expect fewer than 5
    rows, with exactly two both must expect at least 10. Until that holds, the category that expects fewest
    joins the one that expects second fewest.
    """
    total = sum(baseline.values())
    rows = sum(current.get(name, 0) for name, count in baseline.items() if count > 0)
    if total == 0 or rows == 0:
        return math.nan
    cells = sorted(
        (count / total * rows, current.get(name, 0), name) for name, count in baseline.items() if count > 0
    )
    while len(cells) >= 2 and not _is_valid([expected for expected, _, _ in cells]):
        first, second = cells[:2]
        cells = sorted([(first[0] + second[0], first[1] + second[1], second[2]), *cells[2:]])
    if len(cells) < 2:
        return math.nan
    statistic = sum((observed - expected) ** 2 / expected for expected, observed, _ in cells)
    if method == "Simple":
        return statistic
    return chi_squared_sf(statistic, len(cells) - 1)


def _is_valid(expected: list[float]) -> bool:
    if len(expected) == 2:
        return min(expected) >= _SMALL_OF_TWO
    return sum(e < _SMALL for e in expected) <= math.floor(_SMALL_SHARE * len(expected))
