"""Categories: against dictionaries; what a sample of the texts can still tell."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import counting as obvious
from reference import hashing
from strategies import rows_of
from strategies import texts as any_text

from driftline.kernels.categories import LONGEST, N_BUCKETS, Categories, align_categories
from driftline.kernels.distance import total_variation
from driftline.kernels.texts import Texts


def _of(values: list[bytes], capacity: int = 1 << 14, rows: list[int] | None = None) -> Categories:
    return Categories(capacity=capacity).update(
        Texts.of(values), np.arange(len(values)) if rows is None else np.array(rows, np.int64)
    )


def _listed(found: Categories) -> dict[bytes, tuple[int, int]]:
    return {
        found.texts.at(i): (int(found.counts[i]), int(found.first[i])) for i in range(found.counts.shape[0])
    }


@given(rows_of(any_text), st.integers(0, 2**45))
def test_counts_and_first_rows_are_a_dictionarys(values: list[bytes], start: int) -> None:
    rows = [start + 3 * i for i in range(len(values))]
    found = _of(values, rows=rows)
    expected = obvious.categories(zip(rows, values, strict=True))
    assert _listed(found) == {text[:LONGEST]: entry for text, entry in expected.items()}
    assert found.is_complete
    assert found.n_distinct == len(expected)
    assert found.n_once == sum(count == 1 for count, _ in expected.values())
    assert found.n == len(values)


@given(rows_of(any_text), st.integers(1, 5))
def test_beyond_the_capacity_the_kept_texts_are_a_sample_by_hash(values: list[bytes], capacity: int) -> None:
    found = _of(values, capacity)
    kept, level = obvious.sample([hashing.text(v) for v in values], capacity)
    assert dict(zip(found.hashes.tolist(), found.counts.tolist(), strict=True)) == kept
    assert found.level == level
    by_bucket = Counter(hashing.text(v) % N_BUCKETS for v in values)
    assert {i: int(c) for i, c in enumerate(found.buckets) if c} == dict(by_bucket)


@given(rows_of(any_text), st.integers(1, 30))
def test_top_is_sorted_by_count_then_text(values: list[bytes], k: int) -> None:
    counted = Counter(v[:LONGEST] for v in values)
    expected = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))[:k]
    assert _of(values).top(k) == expected


@given(rows_of(any_text), st.lists(any_text, max_size=5, unique=True), st.sampled_from([2, 1 << 14]))
def test_rows_with_a_known_text_are_never_understated(
    values: list[bytes], known: list[bytes], capacity: int
) -> None:
    found = _of(values, capacity)
    true = sum(v in known for v in values)
    assert found.most_in(known) >= true
    if found.is_complete:
        assert found.most_in(known) == true
        assert found.counts_of(known).tolist() == [values.count(v) for v in known]


def test_entries_without_rows_leave_no_trace() -> None:
    texts = Texts.of([b"never", b"twice"])
    found = Categories().weighted(texts, np.array([0, 2]), np.array([0, 5]))
    assert found == _of([b"twice"] * 2, rows=[5, 6])


def test_equal_texts_of_a_dictionary_are_one() -> None:
    found = Categories().weighted(Texts.of([b"a", b"b", b"a"]), np.array([1, 2, 3]), np.array([9, 1, 4]))
    assert _listed(found) == {b"a": (4, 4), b"b": (2, 1)}


@given(rows_of(any_text), rows_of(any_text))
def test_complete_sides_are_aligned_by_text(left: list[bytes], right: list[bytes]) -> None:
    pair = align_categories(_of(left), _of(right))
    expected = sorted((hashing.text(v), left.count(v), right.count(v)) for v in {*left, *right})
    assert pair.is_exact is bool(expected)
    assert pair.baseline.tolist() == [count for _, count, _ in expected]
    assert pair.current.tolist() == [count for _, _, count in expected]


@given(rows_of(any_text), rows_of(any_text))
def test_buckets_never_overstate_a_distance(left: list[bytes], right: list[bytes]) -> None:
    if not left or not right:
        return
    coarse = align_categories(_of(left, 1), _of(right, 1))
    fine = align_categories(_of(left), _of(right))
    assert coarse.baseline.sum() == len(left)
    assert coarse.current.sum() == len(right)
    known = total_variation(fine.baseline, fine.current).value
    assert total_variation(coarse.baseline, coarse.current).value <= known + 1e-12


@pytest.mark.parametrize("n_distinct", [30_000, 200_000])
def test_number_of_texts_is_estimated_within_four_percent(n_distinct: int) -> None:
    found = _of([b"id-%d" % i for i in range(n_distinct)])
    assert not found.is_complete
    assert found.n_distinct == pytest.approx(n_distinct, rel=0.04)
    assert found.n_once == found.n_distinct
