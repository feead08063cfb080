"""Suggestion: from what a baseline's columns are, to what live data is held to.

Each rule is a function of one :class:`~driftline.baselines.column.Column` and says in words how it chose. Two kinds of
bound come out. A *certain* one (``evidence=False``) is broken by a single value: the values that the baseline has say what
belongs there, such as their type, or zero as a wall they pile up at. A *statistical* one (``evidence=True``) rests on what
the baseline happened not to have. That its `n` rows had none does not say that there is none, so it is broken only by
more than chance brings, both sides counted: the bounds are set so that the baseline, its resamples and fresh data from
the same source stay inside, however small the baseline and however large the window.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from driftline.baselines.constraint import Constraints, Feature, InferredType, MonitoringConfig, Settings
from driftline.baselines.times import times_in
from driftline.kernels.distance import total_variation
from driftline.kernels.evidence import total_variation_noise
from driftline.kernels.hashing import hash_texts
from driftline.kernels.numbers import LOSSLESS
from driftline.kernels.special import normal_quantile
from driftline.kernels.tally import Sort

if TYPE_CHECKING:
    from driftline.baselines.column import Column
    from driftline.baselines.profile import Profile

__all__ = [
    "expected_type",
    "localised",
    "matching_type",
    "share_bound",
    "suggest",
    "suggest_feature",
    "wilson_bound",
]

CONFIDENCE = 0.999
"""One-sided confidence of every statistical bound."""

MOST_CATEGORIES = 120
"""Most distinct texts of a domain (Deequ's default for a histogram)."""

MOST_SINGLE = 0.1
"""Largest share of categories that occur once in a column that has a domain (Deequ)."""

AT_A_WALL = 20
"""So many values close to where they end make that end a wall, rather than the last of a thin tail."""

TIME_SHARE = 0.99
"""Share of texts that say a time from which a column of texts is a column of times."""

MOST_NOISE = 0.9
"""Where two halves of the baseline differ by more total variation than this, practically no text occurs twice."""

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


def share_bound(n_bad: int, n: int) -> float:
    """Return the share of good values that a baseline with `n_bad` bad ones of `n` suggests as a bound.

    1 where it had none; what the evidence for a violation then counts is
    :func:`~driftline.kernels.evidence.two_sample_p`.
    """
    return 1.0 if n_bad == 0 else wilson_bound(n - n_bad, n)


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
    elif kind == "text" and role != "time":
        domain = _domain(column, settings)
        if role != "identifier":
            _rare_categories(column, settings)
    _type(column, expected_type(kind, role, column.inferred_type.value), settings)
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
            completeness = share_bound(column.n_missing, column.n_rows)
        own = settings.get("data_type")
        if own is not None and _is_statistical(own) and column.n_present:
            expected = expected_type(feature.kind, feature.role, feature.inferred_type.value)
            odd = column.n_present - matching_type(column, expected)
            settings["data_type"] = own.under(Settings(bound=share_bound(odd, column.n_present)))
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
        settings["completeness"] = Settings(evidence=True, why=f"none of {n:,} baseline rows lacks a value")
        return 1.0
    if missing == n:
        settings["completeness"] = Settings(enabled=False, why="the baseline has no value at all")
        return 0.0
    bound = share_bound(missing, n)
    settings["completeness"] = Settings(
        evidence=True,
        why=f"{missing:,} of {n:,} baseline rows lack a value; 99.9 % lower confidence bound of the rest",
    )
    return bound


def expected_type(kind: str, role: str, inferred: str) -> str:
    """Return the word for what a column's values have to be.

    Parameters
    ----------
    kind, role : str
        Of the :class:`~driftline.baselines.constraint.Feature`.
    inferred : str
        SageMaker's word, which knows neither times nor booleans.

    Returns
    -------
    str
        ``Integral``, ``Fractional``, ``String``, ``Boolean``, ``Time``, or ``Nested`` for lists and the
        like, which are only counted.
    """
    if kind == "time" or role == "time":
        return "Time"
    if kind == "boolean":
        return "Boolean"
    return "Nested" if inferred == InferredType.UNKNOWN.value else inferred


def _type(column: Column, expected: str, settings: dict[str, Settings]) -> None:
    present = column.n_present
    if present == 0:
        return
    matching = matching_type(column, expected)
    if matching == present:
        settings["data_type"] = Settings(
            bound=1.0, evidence=False, why=f"all {present:,} baseline values are of this type"
        )
    else:
        settings["data_type"] = Settings(
            bound=share_bound(present - matching, present),
            evidence=True,
            why=f"{present - matching:,} of {present:,} baseline values are of another type; "
            "99.9 % lower confidence bound of the rest",
        )


_BOOLEANS = (b"true", b"false", b"True", b"False", b"TRUE", b"FALSE")


def matching_type(column: Column, expected: str) -> int:
    """Return how many present values are of the expected type, by value.

    A whole number is a valid Fractional, ``3.0`` a valid Integral, and the text ``2026-11-23`` a valid Time: what counts is
    the value, not how a file format or a data frame with gaps chose to store it. `expected` is a word of
    :func:`expected_type`.
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
    if expected == "Boolean":
        if column.family == "text" and column.categories is not None:
            return int(column.categories.counts_of(_BOOLEANS).sum())
        return tally[Sort.BOOLEAN]
    if expected == "Time":
        return tally[Sort.TIME] if column.family == "time" else times_in(column).n
    return tally[Sort.OTHER]


def _non_negative(column: Column, settings: dict[str, Settings]) -> bool | None:
    numbers = column.numbers
    if numbers is None or numbers.n == 0:
        return None
    low = numbers.moments.low
    assert low is not None
    if low < 0 or column.tally[Sort.NEGATIVE_INFINITY]:
        return False
    n = numbers.n
    wall = _wall(column)
    if wall is not None:
        settings["non_negative"] = Settings(
            bound=1.0,
            evidence=False,
            why=f"none of {n:,} baseline values is below zero, and they end in a wall: {wall}",
        )
    else:
        settings["non_negative"] = Settings(
            bound=1.0,
            evidence=True,
            why=f"none of {n:,} baseline values is below zero, but nothing says that zero is a limit",
        )
    return True


def _wall(column: Column) -> str | None:
    """Tell in words why values end before zero, rather than that the baseline just did not reach it; else None.

    A tail thins out. Values that pile up where they end, at zero or above, do not: a density that went on would have
    put some beyond.
    """
    numbers = column.numbers
    assert numbers is not None
    distribution = numbers.distribution
    low = numbers.moments.low
    assert low is not None
    low = float(low)
    median = float(distribution.quantile(0.5)[0])
    step = 1.0 if column.tally[Sort.INTEGRAL] == numbers.n else 0.0
    near = _up_to(column, max(median / 10.0, 0.0))
    if near >= AT_A_WALL:
        return f"{near:,} lie between zero and a tenth of the median"
    # The smallest values of an even density: as dense as half of the lower half is on average, or denser.
    width = max((median - low) / 20.0, step)
    close = _up_to(column, low + width - step)
    span = median - low + step
    if close >= AT_A_WALL and close >= 0.25 * numbers.n * (width / span if span > 0 else 0.0):
        return f"{close:,} lie close to the smallest, {low:.6g}"
    return None


def _up_to(column: Column, end: float) -> int:
    """Return how many numbers are certainly at or below `end`, all of which are at or above zero."""
    assert column.numbers is not None
    edge = math.nextafter(end, math.inf)
    if math.isinf(edge):
        return column.numbers.n
    count = int(column.numbers.distribution.count_below(np.array([edge]))[0])
    return max(count, column.tally[Sort.ZERO]) if end >= 0.0 else count


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
    settings["categorical_values"] = Settings(
        bound=1.0, evidence=True, why=f"none of {categories.n:,} baseline values is another than these {k}"
    )
    return tuple(sorted(values))


def _rare_categories(column: Column, settings: dict[str, Settings]) -> None:
    """Look at total variation where much of a column stands in categories too small for L-infinity to see them change."""
    categories = column.categories
    if categories is None or categories.n == 0:
        return
    counts = categories.counts if categories.is_complete else categories.buckets[categories.buckets > 0]
    n, limit = categories.n, MonitoringConfig().categorical_comparison_threshold
    blind = int(counts[counts < limit * n].sum()) / n
    if blind < limit:
        return
    if total_variation_noise(counts / 2.0, counts / 2.0)[0] > MOST_NOISE:
        return
    # What a window as large as the baseline may differ by without any change.
    noise = math.ceil(total_variation(counts, counts).detectable * 20.0) / 20.0
    why = (
        f"{100.0 * blind:.3g} % of the values stand in categories too small for L-infinity to see them change"
    )
    if noise > limit:
        settings["total_variation"] = Settings(
            enabled=True, bound=noise, why=f"{why}; {n:,} values in so many categories tell no less"
        )
    else:
        settings["total_variation"] = Settings(enabled=True, why=why)


def _role(column: Column) -> str:
    kind = column.kind
    if kind == "time" or (
        kind == "text" and times_in(column, least=TIME_SHARE).n >= TIME_SHARE * column.n_present > 0
    ):
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
