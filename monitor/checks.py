"""Checks: pure functions from two columns to a Measurement. They measure; the Constraint judges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from driftline.baselines.constraint import CHECKS, Constraint
from driftline.baselines.suggestion import matching_type, share_bound, wilson_bound
from driftline.errors import printable
from driftline.kernels import distance
from driftline.kernels.categories import align_categories
from driftline.kernels.distribution import align
from driftline.kernels.evidence import (
    classes_p,
    exceedance_p,
    ks_p,
    newcomers_p,
    share_p,
    total_variation_p,
    two_sample_p,
)
from driftline.kernels.tally import Sort
from driftline.monitor.odd_values import odd_rows, odd_values, spelled
from driftline.reports.outcome import Measurement, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from driftline.baselines.column import Column
    from driftline.kernels.categories import Categories
    from driftline.kernels.distance import Effect

__all__ = ["Scene", "measure"]

ROW_BITS = 40


@dataclass(frozen=True, slots=True)
class Scene:
    """What a check may need beside the two columns.

    Attributes
    ----------
    sources : tuple of str
        Files of the current data, by the ordinal in a row number.
    n_rows : int
        Rows of the current data.
    now : float
        Seconds since 1970-01-01 UTC; used by `freshness`.
    baseline_sketch_error : float
        Error of the baseline's distribution where it came from somebody else's sketch.
    located : bool
        Whether the row numbers are those of the sources. The rows of a segment are numbered among themselves, which
        tells nobody where they stand.
    """

    sources: tuple[str, ...]
    n_rows: int
    now: float
    baseline_sketch_error: float = 0.0
    located: bool = True

    def places(self, rows: Sequence[int]) -> tuple[Place, ...]:
        """Turn row numbers into places, 1-based."""
        if not self.located:
            return ()
        result = []
        for row in rows:
            ordinal, within = row >> ROW_BITS, row & ((1 << ROW_BITS) - 1)
            name = self.sources[ordinal] if ordinal < len(self.sources) else ""
            result.append(Place(name, within + 1))
        return tuple(result)


def measure(
    constraint: Constraint, baseline: Column | None, current: Column | None, scene: Scene
) -> Measurement:
    """Measure what `constraint` speaks of.

    Parameters
    ----------
    constraint : Constraint
    baseline, current : Column or None
        None for checks on the data set as a whole, and for a baseline that holds no profile.
    scene : Scene

    Returns
    -------
    Measurement
        With ``value`` None and a ``note`` where there is nothing to measure.
    """
    if constraint.check == "row_volume":
        return Measurement("row_volume", float(scene.n_rows), "rows", scene.n_rows)
    assert current is not None
    if constraint.check in _SHARES:
        return _SHARES[constraint.check](constraint, baseline, current, scene)
    return _drift(constraint, baseline, current, scene)


def _nothing(
    constraint: Constraint, current: Column, note: str, n_baseline: int | None = None
) -> Measurement:
    unit = CHECKS[constraint.check].unit
    return Measurement(constraint.check, None, unit, current.n_present, n_baseline, note=note)


def _share(
    constraint: Constraint,
    n: int,
    n_bad: int,
    *,
    where: tuple[Place, ...] = (),
    examples: tuple[str, ...] = (),
    p_value: float | None = None,
    n_baseline: int | None = None,
    bad_before: int | None = None,
    sketch_error: float = 0.0,
    note: str | None = None,
) -> Measurement:
    value = (n - n_bad) / n
    allowed = 1.0 - (constraint.bound if constraint.bound is not None else 1.0)
    if constraint.evidence and p_value is None:
        # Within the bound there is no evidence against it; 1 is a valid, conservative p-value.
        if n_baseline and bad_before is not None and constraint.bound == share_bound(bad_before, n_baseline):
            # The bound is what the baseline suggests, and as uncertain as the baseline is small: both sides count.
            p_value = two_sample_p(n_bad, n, bad_before, n_baseline) if n_bad > allowed * n else 1.0
        elif allowed > 0.0:
            # Somebody gave this bound, so it is exact.
            p_value = share_p(n_bad, n, allowed) if n_bad > allowed * n else 1.0
    return Measurement(
        constraint.check,
        value,
        "share",
        n,
        n_baseline,
        interval=_wilson(n - n_bad, n),
        sketch_error=sketch_error,
        p_value=p_value,
        n_bad=n_bad,
        where=where,
        examples=examples,
        note=note,
    )


def _wilson(good: int, n: int) -> tuple[float, float]:
    """Return the two-sided 95 % Wilson score interval."""
    z = 1.959963984540054
    p = good / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5 / (1 + z * z / n)
    return (max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half)))


def _data_type(constraint: Constraint, baseline: Column | None, current: Column, scene: Scene) -> Measurement:
    n = current.n_present
    if n == 0:
        return _nothing(constraint, current, "no row has a value")
    expected = constraint.expected or "Unknown"
    if expected == "Unknown":
        return _nothing(constraint, current, "the baseline has no value in this column, so no type")
    if expected == "Nested" and current.family == "lexical":
        return _nothing(
            constraint, current, "the baseline's values are nested, and texts do not tell whether they are"
        )
    n_bad = n - matching_type(current, expected)
    note = None
    if expected == "Time" and current.categories is not None and not current.categories.is_complete:
        note = f"estimated from a sample of {current.categories.counts.shape[0]:,} of the different texts"
    return _share(
        constraint,
        n,
        n_bad,
        where=scene.places(odd_rows(current, expected)) if n_bad else (),
        examples=odd_values(current, expected) if n_bad else (),
        n_baseline=None if baseline is None else baseline.n_present,
        bad_before=None if baseline is None else baseline.n_present - matching_type(baseline, expected),
        note=note,
    )


def _completeness(
    constraint: Constraint, baseline: Column | None, current: Column, scene: Scene
) -> Measurement:
    n = current.n_rows
    if n == 0:
        return _nothing(constraint, current, "there are no rows")
    rows = current.tally.rows_of(Sort.NULL, Sort.NAN)
    nans = current.tally[Sort.NAN]
    return _share(
        constraint,
        n,
        current.n_missing,
        where=scene.places(rows),
        n_baseline=None if baseline is None else baseline.n_rows,
        bad_before=None if baseline is None else baseline.n_missing,
        note=f"{nans:,} of the missing values are NaN" if nans else None,
    )


def _categorical_values(
    constraint: Constraint, baseline: Column | None, current: Column, scene: Scene
) -> Measurement:
    n = current.n_present
    if n == 0:
        return _nothing(constraint, current, "no row has a value")
    if current.categories is None or constraint.domain is None:
        return _nothing(constraint, current, "the column does not hold texts")
    domain = [value.encode("utf-8", "surrogateescape") for value in constraint.domain]
    known = set(domain)
    categories = current.categories
    inside = categories.most_in(domain)
    n_bad = n - inside
    strangers = [(text, count) for text, count in categories.top(len(known) + 20) if text not in known]
    rows: list[int] = []
    if n_bad and domain and categories.is_complete:
        wanted = np.sort(_hashes(domain))
        at = np.minimum(wanted.searchsorted(categories.hashes), wanted.shape[0] - 1)
        outside = wanted[at] != categories.hashes
        rows = [int(r) for r in np.sort(categories.first[outside])[:8]]
    return _share(
        constraint,
        n,
        n_bad,
        where=scene.places(rows),
        examples=tuple(printable(t.decode("utf-8", "replace"), 40) for t, _ in strangers[:5]),
        p_value=_newcomers_p(constraint, domain, baseline, categories, n_bad),
        n_baseline=None if baseline is None else baseline.n_present,
        note=None
        if categories.is_complete
        else "too many different values to keep: the share inside the domain is an upper bound",
    )


def _newcomers_p(
    constraint: Constraint, domain: Sequence[bytes], baseline: Column | None, current: Categories, n_bad: int
) -> float | None:
    """Return the probability of so many rows with new values by chance, where the list is what the baseline holds."""
    before = None if baseline is None else baseline.categories
    if not constraint.evidence or constraint.bound != 1.0 or before is None or before.n == 0:
        return None
    if not before.is_complete or before.most_in(domain) < before.n:
        # Somebody took a value off the list, which makes it exact.
        return None
    if n_bad == 0:
        return 1.0
    new = np.isin(current.hashes, before.hashes, invert=True)
    now = np.zeros(before.hashes.shape[0], np.int64)
    known = current.hashes[~new]
    now[np.searchsorted(before.hashes, known)] = current.counts[~new]
    listed = np.isin(current.hashes[new], _hashes(domain))
    # A kept text stands for 2^level; those of the list that the sample lacks are only made to look rarer.
    each = np.where(listed, 1.0, 2.0**current.level)
    return newcomers_p(
        np.concatenate([before.counts, np.zeros(each.shape[0], np.int64)]),
        np.concatenate([now, current.counts[new]]),
        n_bad,
        before.n,
        current.n,
        repeats=np.concatenate([np.ones(now.shape[0]), each]),
    )


def _hashes(texts: Sequence[bytes]) -> NDArray[np.uint64]:
    from driftline.kernels.hashing import hash_texts
    from driftline.kernels.texts import Texts

    return hash_texts(*Texts.of(texts))


def _non_negative(
    constraint: Constraint, baseline: Column | None, current: Column, scene: Scene
) -> Measurement:
    n = 0 if current.numbers is None else current.numbers.n + _infinite(current)
    if n == 0 or current.numbers is None or current.kind == "time":
        return _nothing(constraint, current, "there are no numbers")
    lowest = current.tally[Sort.NEGATIVE_INFINITY]
    n_bad = current.tally[Sort.NEGATIVE] + lowest
    low = -math.inf if lowest else current.numbers.moments.low
    before = None
    if baseline is not None and baseline.numbers is not None and baseline.kind != "time":
        negative = baseline.tally[Sort.NEGATIVE] + baseline.tally[Sort.NEGATIVE_INFINITY]
        before = baseline.numbers.n + _infinite(baseline), negative
    return _share(
        constraint,
        n,
        n_bad,
        where=scene.places(current.tally.rows_of(Sort.NEGATIVE, Sort.NEGATIVE_INFINITY)) if n_bad else (),
        examples=(spelled(float(low)),) if n_bad and low is not None else (),
        n_baseline=None if before is None else before[0],
        bad_before=None if before is None else before[1],
    )


def _infinite(column: Column) -> int:
    return column.tally[Sort.POSITIVE_INFINITY] + column.tally[Sort.NEGATIVE_INFINITY]


def _numeric_range(
    constraint: Constraint, baseline: Column | None, current: Column, scene: Scene
) -> Measurement:
    numbers = current.numbers
    n = 0 if numbers is None else numbers.n + _infinite(current)
    if n == 0 or numbers is None or current.kind == "time":
        return _nothing(constraint, current, "there are no numbers")
    low = -math.inf if constraint.low is None else constraint.low
    high = math.inf if constraint.high is None else constraint.high
    lowest = current.tally[Sort.NEGATIVE_INFINITY] if low > -math.inf else 0
    highest = current.tally[Sort.POSITIVE_INFINITY] if high < math.inf else 0
    below = above = across = 0
    examples = []
    smallest, largest = numbers.moments.low, numbers.moments.high
    if smallest is not None and largest is not None and (smallest < low or largest > high):
        # Whole cells outside are certainly outside; a cell across an end counts only through the exact extremes.
        below, above, across = numbers.distribution.count_outside(low, high)
        below = max(below, int(smallest < low))
        above = max(above, int(largest > high))
        if below:
            examples.append(spelled(float(smallest)))
        if above:
            examples.append(spelled(float(largest)))
    if lowest or highest:
        examples.append("infinity")
    rows = current.tally.rows_of(Sort.POSITIVE_INFINITY, Sort.NEGATIVE_INFINITY) if lowest or highest else []
    return _share(
        constraint,
        n,
        below + above + lowest + highest,
        where=scene.places(rows),
        examples=tuple(examples),
        p_value=_range_p(baseline, n, (below, above), (lowest, highest)) if constraint.evidence else None,
        n_baseline=None if baseline is None else baseline.n_present,
        sketch_error=across / n,
    )


def _range_p(
    baseline: Column | None, n: int, finite: tuple[int, int], infinite: tuple[int, int]
) -> float | None:
    """Return the probability of so many of `n` values beyond the baseline's extremes, low and high, by chance."""
    if baseline is None or baseline.numbers is None or baseline.numbers.n == 0:
        return None
    known = (baseline.tally[Sort.NEGATIVE_INFINITY], baseline.tally[Sort.POSITIVE_INFINITY])
    m = baseline.numbers.n + sum(known)
    p_values = []
    for beyond, endless, had in zip(finite, infinite, known, strict=True):
        if not had:
            p_values.append(exceedance_p(beyond + endless, m, n))
            continue
        # Where the baseline has infinities, one more is no news; many more are.
        p_values.append(exceedance_p(beyond, baseline.numbers.n, n - endless))
        p_values.append(share_p(endless, n, 1.0 - wilson_bound(m - had, m)))
    return min(1.0, len(p_values) * min(p_values))


def _uniqueness(
    constraint: Constraint, baseline: Column | None, current: Column, scene: Scene
) -> Measurement:
    distinct = None
    if current.numbers is not None and current.kind in ("number", "time"):
        distinct = current.numbers.distinct
        n = current.numbers.n
        counts, level = distinct.counts, distinct.level
    elif current.categories is not None:
        n = current.categories.n
        counts, level = current.categories.counts, current.categories.level
    else:
        return _nothing(constraint, current, "values of this type are only counted")
    if n == 0:
        return _nothing(constraint, current, "no row has a value")
    if level == 0:
        return _share(constraint, n, n - counts.shape[0])
    # The kept values are a fair sample of the distinct ones, with true counts: rows too many per distinct value.
    rows, kept = int(counts.sum()), counts.shape[0]
    n_bad = round((rows - kept) / rows * n)
    error = 2.0 * (max(1.0, float(rows - kept)) ** 0.5) / rows
    return _share(
        constraint,
        n,
        n_bad,
        sketch_error=error if n_bad else 0.0,
        note=f"estimated from a sample of {kept:,} of the distinct values",
    )


def _freshness(constraint: Constraint, baseline: Column | None, current: Column, scene: Scene) -> Measurement:
    if current.kind != "time" or current.numbers is None:
        return _nothing(constraint, current, "the column does not hold time stamps")
    newest = current.numbers.moments.high
    if newest is None:
        return _nothing(constraint, current, "no row has a time stamp")
    age = scene.now - float(newest) / 1e6
    note = "the newest time stamp lies in the future" if age < 0 else None
    return Measurement("freshness", age, "seconds", current.numbers.n, note=note)


_SHARES: dict[str, Callable[[Constraint, Column | None, Column, Scene], Measurement]] = {
    "data_type": _data_type,
    "completeness": _completeness,
    "categorical_values": _categorical_values,
    "non_negative": _non_negative,
    "numeric_range": _numeric_range,
    "uniqueness": _uniqueness,
    "freshness": _freshness,
}

_BINNED: dict[str, Callable[[NDArray[Any], NDArray[Any]], Effect]] = {
    "l_infinity": distance.l_infinity,
    "l_infinity_robust": distance.l_infinity_robust,
    "chi_squared": distance.chi_squared,
    "psi": distance.psi,
    "js_distance": distance.js_distance,
    "hellinger": distance.hellinger,
    "total_variation": distance.total_variation,
}


def _drift(constraint: Constraint, baseline: Column | None, current: Column, scene: Scene) -> Measurement:
    if baseline is None:
        return _nothing(constraint, current, "the baseline keeps no distribution of this column")
    by_number = _as_numbers(baseline) and _as_numbers(current)
    if by_number and baseline.kind != current.kind:
        return _nothing(
            constraint,
            current,
            f"a distribution of {_plural(baseline.kind)} cannot be compared with one of {_plural(current.kind)}",
            baseline.n_present,
        )
    if by_number and baseline.numbers is not None and current.numbers is not None:
        return _numeric_drift(constraint, baseline, current, scene)
    if baseline.categories is None or baseline.kind == "number":
        if baseline.n_present == 0:
            return _nothing(constraint, current, "the baseline has no value in this column", 0)
        if current.n_present == 0:
            return _nothing(constraint, current, "no row has a value", baseline.n_present)
        if baseline.kind == current.kind == "number":
            side = "the baseline has" if not _as_numbers(baseline) else "the data have"
            return _nothing(constraint, current, f"{side} no finite number", baseline.n_present)
        return _nothing(
            constraint,
            current,
            f"a distribution of {_plural(baseline.kind)} cannot be compared with one of {_plural(current.kind)}",
            baseline.n_present,
        )
    if current.categories is None:
        return _nothing(
            constraint,
            current,
            f"a distribution of {_plural(baseline.kind)} cannot be compared with one of {_plural(current.kind)}"
            if current.n_present
            else "no row has a value",
            baseline.n_present,
        )
    if baseline.categories.n == 0 or current.categories.n == 0:
        side = "the baseline has" if baseline.categories.n == 0 else "the data have"
        return _nothing(constraint, current, f"{side} no value in this column", baseline.n_present)
    pair = align_categories(baseline.categories, current.categories)
    effect = _BINNED[constraint.check](pair.baseline, pair.current)
    test = total_variation_p if constraint.check == "total_variation" else classes_p
    p_value = test(pair.baseline, pair.current)
    note = None
    if not pair.is_exact:
        note = "too many different values to list: compared in 1,024 groups by hash, a lower bound of the distance"
    return _effect(constraint, effect, baseline.categories.n, current.categories.n, p_value, note)


def _plural(kind: str) -> str:
    return {
        "number": "numbers",
        "text": "texts",
        "boolean": "booleans",
        "time": "times",
        "other": "values that are only counted",
    }[kind]


def _as_numbers(column: Column) -> bool:
    return column.numbers is not None and column.numbers.n > 0 and column.kind in ("number", "time")


def _numeric_drift(constraint: Constraint, baseline: Column, current: Column, scene: Scene) -> Measurement:
    assert baseline.numbers is not None
    assert current.numbers is not None
    n, m = baseline.numbers.n, current.numbers.n
    pair = align(baseline.numbers.distribution, current.numbers.distribution)
    if constraint.check == "ks":
        effect = distance.ks(pair.baseline, pair.current, exact=pair.is_value)
        p_value = ks_p(max(0.0, effect.value - effect.sketch_error - scene.baseline_sketch_error), n, m)
    elif constraint.check == "wasserstein":
        scale = baseline.numbers.moments.std_dev or 0.0
        if not scale > 0.0:
            return _nothing(constraint, current, "the baseline has no spread to measure the distance by", n)
        with np.errstate(over="ignore", invalid="ignore"):
            effect = distance.wasserstein(pair.baseline, pair.current, pair.low, pair.high, scale)
        if not math.isfinite(effect.value + effect.interval()[1]):
            return _nothing(constraint, current, "the distance is larger than a double can hold", n)
        rank = distance.ks(pair.baseline, pair.current, exact=pair.is_value)
        p_value = ks_p(max(0.0, rank.value - rank.sketch_error - scene.baseline_sketch_error), n, m)
    else:
        bins = distance.equal_bins(pair.baseline)
        k = int(bins[-1]) + 1
        a = np.bincount(bins, weights=pair.baseline, minlength=k)
        b = np.bincount(bins, weights=pair.current, minlength=k)
        effect = _BINNED[constraint.check](a, b)
        p_value = classes_p(a, b)
    if scene.baseline_sketch_error:
        effect = distance.Effect(
            effect.value,
            effect.standard_error,
            effect.detectable,
            effect.sketch_error + scene.baseline_sketch_error,
            effect.most,
        )
    return _effect(constraint, effect, n, m, p_value, None)


def _effect(
    constraint: Constraint, effect: Effect, n: int, m: int, p_value: float, note: str | None
) -> Measurement:
    return Measurement(
        constraint.check,
        effect.value,
        CHECKS[constraint.check].unit,
        m,
        n,
        interval=effect.interval(),
        sketch_error=effect.sketch_error,
        p_value=p_value,
        detectable=effect.detectable,
        note=note,
    )
