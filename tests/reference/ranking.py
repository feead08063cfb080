"""Ranking, one row and one pair at a time."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def auc(scores: Sequence[float], labels: Sequence[int]) -> float:
    """Share of the pairs of a positive and a negative that are ordered right, ties counting one half."""
    pairs = [
        1.0 if p > n else 0.5 if p == n else 0.0
        for p, of_p in zip(scores, labels, strict=True)
        if of_p == 1
        for n, of_n in zip(scores, labels, strict=True)
        if of_n == 0
    ]
    return sum(pairs) / len(pairs)


def precision_at(scores: Sequence[float], labels: Sequence[int], k: int) -> float:
    """Mean over every order in which ties can come."""
    rows = range(len(scores))
    wanted = sorted(scores, reverse=True)
    found = [
        sum(labels[i] for i in order[:k]) / k
        for order in itertools.permutations(rows)
        if [scores[i] for i in order] == wanted
    ]
    return math.fsum(found) / len(found)


def cell(x: float) -> tuple[str, int, int]:
    """Name the cell of a score between 0 and 1: which end it is near, the octave, and the place in it."""
    end = "low" if x <= 0.5 else "high"
    near = x if x <= 0.5 else 1.0 - x
    if near < 2.0**-53:
        return (end, 0, 0)
    fraction, exponent = math.frexp(near)  # near == fraction * 2**exponent, fraction in [0.5, 1)
    parts = 2048 if near >= 2.0**-17 else 64
    return (end if near < 0.5 else "middle", exponent, math.floor((2.0 * fraction - 1.0) * parts))
