"""Suggestion: from what a baseline's columns are, to what live data is held to.

Each rule is a function of one :class:`~driftline.baselines.column.Column` and says in words how it chose. Two kinds of
bound come out. A *certain* one (``evidence=False``) is broken by a single value: the baseline never had such a value
and its shape says that none belongs there. A *statistical* one (``evidence=True``) is broken only by more bad values than
chance puts into a clean window of that size; the bounds are set so that the baseline, its resamples and fresh
data from the same source stay inside.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from driftline.baselines.constraint import Constraints, Feature, MonitoringConfig, Settings
from driftline.kernels.hashing import hash_texts
from driftline.kernels.numbers import LOSSLESS
from driftline.kernels.special import normal_quantile
from driftline.kernels.tally import Sort

if TYPE_CHECKING:
    from driftline.baselines.column import Column
    from driftline.baselines.profile import Profile

__all__ = ["localised", "matching_type", "suggest", "suggest_feature", "wilson_bound"]

CONFIDENCE = 0.999
"""One-sided confidence of every statistical bound."""

MOST_CATEGORIES = 120
"""Most distinct texts of a domain (Deequ's default for a histogram)."""

MOST_SINGLE = 0.1
"""Largest share of categories that occur once in a column that has a domain (Deequ)."""

LEAST_PER_CATEGORY = 5
"""From so many rows on a category is settled: a domain of settled categories is closed."""

NEAR_ZERO = 20
"""So many values in the last tenth before zero, and none beyond, make zero a wall."""

LEAST_FOR_IDENTIFIER = 100


def wilson_bound(good: int, n: int, confidence: float = CONFIDENCE) -> float:
    """Return the lower end of the one-sided Wilson score interval for a share of `good` out of `n`.

    References
    ----------
    E. B. Wilson, JASA 22 (1927) 209–212.
    """
    z = normal_quantile(confidence)
    p = good / n
    centre = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, (centre - half) / (1 + z * z / n))


def suggest(profile: Profile, *, uniqueness: bool = False) -> Constraints:
    """Suggest constraints for every column of a profile.

    Parameters
    ----------
    profile : Profile
        Of the baseline data.
    uniqueness : bool, default False
        Also hold identifiers to be unique. Off, because resampled data repeats rows.

    Returns
    -------
    Constraints
    """
    return Constraints(
        tuple(suggest_feature(c, uniqueness=uniqueness) for c in profile.columns),
        MonitoringConfig(),
        alpha=0.001,
    )


def suggest_feature(column: Column, *, uniqueness: bool = False) -> Feature:
    """Suggest what one column is held to."""
    kind = column.kind
    settings: dict[str, Settings] = {}
    completeness = _completeness(column, settings)
    non_negative: bool | None = None
    domain: tuple[str, ...] | None = None
    role = _role(column)
    if kind == "number":
        non_negative = _non_negative(column, settings)
        if role != "identifier":
            _range(column, settings)
    elif kind == "text":
        domain = _domain(column, settings)
    if kind not in ("other",):
        _type(column, settings)
    if role == "identifier" and uniqueness:
        settings["uniqueness"] = Settings(
            enabled=True, bound=1.0, evidence=False, why="every value of the baseline is different"
        )
    return Feature(
        column.name,
        column.inferred_type,
        completeness=completeness,
        is_non_negative=non_negative,
        domains=domain,
        kind=kind,
        role=role,
        settings=settings,
    )


def localised(document: Constraints, profile: Profile) -> Constraints:
    """Return the constraints of a baseline for one segment of its rows.

    What is certain, and what somebody decided by hand, holds in every segment as it does for the whole: types, roles,
    domains, thresholds. What is statistical follows the segment: its own share of missing values, its own range.
    """
    features = []
    for feature in document.features:
        column = profile.column(feature.name)
        if column is None:
            continue
        settings = dict(feature.settings)
        completeness = feature.completeness
        if _is_statistical(settings.get("completeness")) and column.n_rows:
            completeness = wilson_bound(column.n_rows - column.n_missing, column.n_rows)
        own = settings.get("data_type")
        if own is not None and _is_statistical(own) and column.n_present:
            matching = matching_type(column, feature.inferred_type.value)
            settings["data_type"] = own.under(Settings(bound=wilson_bound(matching, column.n_present)))
        own = settings.get("numeric_range")
        if own is not None and _is_statistical(own):
            del settings["numeric_range"]
            _range(column, settings)
        features.append(replace(feature, completeness=completeness, settings=settings))
    return replace(document, features=tuple(features))


def _is_statistical(settings: Settings | None) -> bool:
    return settings is not None and settings.evidence is True


def _completeness(column: Column, settings: dict[str, Settings]) -> float | None:
    n, missing = column.n_rows, column.n_missing
    if n == 0:
        settings["completeness"] = Settings(enabled=False, why="the baseline has no rows")
        return None
    if missing == 0:
        settings["completeness"] = Settings(evidence=False, why=f"none of {n:,} baseline rows lacks a value")
        return 1.0
    if missing == n:
        settings["completeness"] = Settings(enabled=False, why="the baseline has no value at all")
        return 0.0
    bound = wilson_bound(n - missing, n)
    settings["completeness"] = Settings(
        evidence=True,
        why=f"{missing:,} of {n:,} baseline rows lack a value; 99.9 % lower confidence bound of the rest",
    )
    return bound


def _type(column: Column, settings: dict[str, Settings]) -> None:
    present = column.n_present
    if present == 0:
        return
    matching = matching_type(column, column.inferred_type.value)
    if matching == present:
        settings["data_type"] = Settings(
            bound=1.0, evidence=False, why=f"all {present:,} baseline values are of this type"
        )
    else:
        settings["data_type"] = Settings(
            bound=wilson_bound(matching, present),
            evidence=True,
            why=f"{present - matching:,} of {present:,} baseline values are of another type; "
            "99.9 % lower confidence bound of the rest",
        )


def matching_type(column: Column, expected: str) -> int:
    """Return how many present values are of the expected type, in SageMaker's word, by value.

    A whole number is a valid Fractional, and ``3.0`` a valid Integral: what counts is the value, not how
    a file format or a data frame with gaps chose to store it.
    """
    tally = column.tally
    infinities = tally[Sort.POSITIVE_INFINITY] + tally[Sort.NEGATIVE_INFINITY]
    if expected == "Integral":
        return tally[Sort.INTEGRAL]
    if expected == "Fractional":
        return tally.n_finite + infinities
    if expected == "String":
        if column.family == "lexical":
            return column.n_present
        return tally[Sort.STRING] + tally[Sort.BOOLEAN] + tally[Sort.TIME]
    return column.n_present


def _non_negative(column: Column, settings: dict[str, Settings]) -> bool | None:
    numbers = column.numbers
    if numbers is None or numbers.n == 0:
        return None
    low = numbers.moments.low
    assert low is not None
    if low < 0 or column.tally[Sort.NEGATIVE_INFINITY]:
        return False
    n = numbers.n
    if low == 0 or _is_wall(column):
        settings["non_negative"] = Settings(
            bound=1.0,
            evidence=False,
            why=f"none of {n:,} baseline values is below zero, and zero bounds them",
        )
    else:
        settings["non_negative"] = Settings(
            bound=1.0 - 3.0 / (n + 3.0),
            evidence=True,
            why=f"none of {n:,} baseline values is below zero, but nothing says that zero is a limit",
        )
    return True


def _is_wall(column: Column) -> bool:
    """Tell whether zero bounds the values, rather than that the baseline just did not reach it."""
    numbers = column.numbers
    assert numbers is not None
    tally = column.tally
    if tally[Sort.INTEGRAL] == numbers.n:
        return True
    distribution = numbers.distribution
    median = float(distribution.quantile(0.5)[0])
    low = numbers.moments.low
    assert low is not None
    if low >= median - low:
        # As far from zero again as the lower half reaches: no tail that was seen leads there.
        return True
    return float(distribution.count_below(np.array([median / 10]))[0]) >= NEAR_ZERO


def _range(column: Column, settings: dict[str, Settings]) -> None:
    numbers = column.numbers
    if numbers is None or numbers.n == 0:
        return
    low, high = numbers.moments.low, numbers.moments.high
    assert low is not None
    assert high is not None
    settings["numeric_range"] = Settings(
        low=float(low),
        high=float(high),
        bound=1.0,
        evidence=True,
        why="smallest and largest value of the baseline; values beyond are expected at the rate of chance",
    )


def _domain(column: Column, settings: dict[str, Settings]) -> tuple[str, ...] | None:
    categories = column.categories
    if categories is None or not categories.is_complete:
        return None
    k = categories.counts.shape[0]
    if not 0 < k <= MOST_CATEGORIES or categories.n_once > MOST_SINGLE * k:
        return None
    if not np.array_equal(hash_texts(*categories.texts), categories.hashes):
        return None  # some are too long to be kept whole
    values = [text.decode("utf-8", "surrogateescape") for text, _ in categories.top(k)]
    if any("\udc80" <= ch <= "\udcff" for value in values for ch in value):
        return None
    n = categories.n
    least = int(categories.counts.min())
    if least >= LEAST_PER_CATEGORY:
        settings["categorical_values"] = Settings(
            bound=1.0,
            evidence=False,
            why=f"each of the {k} values stands in at least {LEAST_PER_CATEGORY} baseline rows",
        )
    else:
        # Good and Turing: the share of what was never seen is about the share of what was seen once.
        unseen = min(0.5, (categories.n_once + 3.0) / n)
        settings["categorical_values"] = Settings(
            bound=1.0 - unseen,
            evidence=True,
            why=f"some of the {k} values are rare in the baseline, so others may well exist (Good–Turing)",
        )
    return tuple(sorted(values))


def _role(column: Column) -> str:
    kind = column.kind
    if kind == "time":
        return "time"
    present = column.n_present
    distinct = column.n_distinct
    if distinct is None or present < LEAST_FOR_IDENTIFIER:
        return "feature"
    if kind == "text" and column.categories is not None:
        # A sample of the distinct values tells: practically none of them may occur twice.
        all_once = column.categories.n_once >= 0.999 * column.categories.n_distinct
        return "identifier" if all_once and distinct >= 0.95 * present else "feature"
    if kind == "number" and column.numbers is not None and column.tally[Sort.FRACTIONAL] == 0:
        sample = column.numbers.distinct
        low, high = column.numbers.moments.low, column.numbers.moments.high
        if low is None or high is None:  # nothing but infinities
            return "feature"
        # Amounts and times can be all different too, and their drift matters: an identifier is a run of numbers with
        # few gaps, or a random one wider than a double.
        a_run = high - low < 4 * present
        random_bits = max(abs(low), abs(high)) > LOSSLESS
        all_once = sample.n_once >= 0.999 * sample.n_distinct and distinct >= 0.95 * present
        return "identifier" if all_once and (a_run or random_bits) else "feature"
    return "feature"
