"""Counts of values with plain dictionaries."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING

from reference.keys import key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

N_PLACES = 8


def cells(values: Sequence[float], capacity: int) -> tuple[dict[int, int], int]:
    """Count values per cell, at the first shift at which there are few enough cells."""
    for shift in range(64):
        counted = Counter(key(float(v)) >> shift for v in values)
        if len(counted) <= capacity:
            return dict(sorted(counted.items())), shift
    raise AssertionError("one cell per sign is the least there can be")


def sample(hashes: Iterable[int], capacity: int) -> tuple[dict[int, int], int]:
    """Keep the hashes that start with enough zero bits, with their counts."""
    counted = Counter(hashes)
    for level in range(65):
        kept = {h: n for h, n in counted.items() if f"{h:064b}".startswith("0" * level)}
        if len(kept) <= capacity:
            return dict(sorted(kept.items())), level
    raise AssertionError("at most the hash 0 is left at the last level")


def categories(rows: Iterable[tuple[int, bytes]]) -> dict[bytes, tuple[int, int]]:
    """Return how often each text occurs and where it first stands."""
    found: dict[bytes, tuple[int, int]] = {}
    for row, text in rows:
        count, first = found.get(text, (0, row))
        found[text] = count + 1, min(first, row)
    return found


def sorts_of_numbers(rows: Iterable[tuple[int, float | None]]) -> tuple[dict[str, int], dict[str, list[int]]]:
    """Count numbers by sort; return the first eight rows of each sort that can break a rule too."""
    counts: Counter[str] = Counter()
    places: dict[str, list[int]] = {}
    for row, value in rows:
        if value is None:
            names = ["NULL"]
        elif math.isnan(value):
            names = ["NAN"]
        elif math.isinf(value):
            names = ["POSITIVE_INFINITY" if value > 0 else "NEGATIVE_INFINITY"]
        else:
            names = ["INTEGRAL" if value == math.floor(value) else "FRACTIONAL"]
            names += ["ZERO"] if value == 0 else []
            names += ["NEGATIVE"] if value < 0 else []
        for name in names:
            counts[name] += 1
            if name not in ("INTEGRAL", "ZERO"):
                places.setdefault(name, []).append(row)
    return dict(counts), {name: sorted(found)[:N_PLACES] for name, found in places.items()}


def quantile(values: Sequence[float], q: float) -> float:
    """Return the smallest value that at least the share q of the values does not exceed."""
    ordered = sorted(values)
    rank = max(1, math.ceil(q * len(ordered)))
    return ordered[min(rank, len(ordered)) - 1]


def ks(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the largest difference of the two shares "at or below x", over every x that occurs."""
    return max(abs(sum(v <= x for v in a) / len(a) - sum(v <= x for v in b) / len(b)) for x in {*a, *b})


def ks_exact_p(step: int, n: int, m: int) -> float:
    """Return the probability that the distance of two samples without ties reaches ``step / lcm(n, m)``.

    Every order of the n + m values is a path over a grid, and all are equally likely; count the paths that never get
    that far from the diagonal.
    """
    common = math.lcm(n, m)
    paths = [1] + [0] * m
    for i in range(n + 1):
        for j in range(m + 1):
            inside = abs(i * (common // n) - j * (common // m)) < step
            if i == 0:
                paths[j] = int(inside and (j == 0 or paths[j - 1] > 0))
            else:
                paths[j] = (paths[j] + (paths[j - 1] if j else 0)) if inside else 0
    return float(1 - Fraction(paths[m], math.comb(n + m, n)))
