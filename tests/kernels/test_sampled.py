"""Rows chosen by what they hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.kernels.sampled import SampledRows
from driftline.kernels.state import Packed, StateMismatchError


def test_few_distinct_rows_are_all_kept_with_their_counts() -> None:
    rows = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [1.0, 2.0]])
    state = SampledRows(2, 10).update(rows)
    found = {tuple(row): count for row, count in zip(state.rows.tolist(), state.counts.tolist(), strict=True)}
    assert found == {(1.0, 2.0): 3, (3.0, 4.0): 1}
    assert state.n_rows == 4


@given(st.lists(st.integers(0, 30), max_size=200), st.integers(1, 200), st.randoms(use_true_random=False))
def test_order_and_batches_do_not_matter(values: list[int], size: int, random: object) -> None:
    whole = SampledRows(1, 7).update(np.array(values, float).reshape(-1, 1))
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    parts = SampledRows(1, 7)
    for at in range(0, len(shuffled), size):
        parts = parts.update(np.array(shuffled[at : at + size], float).reshape(-1, 1))
    assert parts == whole


@given(st.lists(st.integers(0, 60), min_size=1, max_size=300), st.integers(1, 20))
def test_counts_of_kept_rows_are_exact(values: list[int], capacity: int) -> None:
    state = SampledRows(1, capacity).update(np.array(values, float).reshape(-1, 1))
    assert state.counts.shape[0] == min(capacity, len(set(values)))
    for (value,), count in zip(state.rows.tolist(), state.counts.tolist(), strict=True):
        assert values.count(int(value)) == count


def test_a_large_batch_keeps_the_smallest_hashes() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20_000, 3))
    large = SampledRows(3, 50).update(rows)
    small = SampledRows.merge_many([SampledRows(3, 50).update(rows[i::100]) for i in range(100)])
    assert large == small
    everything = SampledRows(3, 20_000).update(rows)
    assert np.array_equal(large.hashes, everything.hashes[:50])


def test_the_sample_is_fair() -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(100_000, 1))
    kept = SampledRows(1, 2_000).update(rows).rows[:, 0]
    assert abs(kept.mean()) < 4 / np.sqrt(2_000)
    assert abs(kept.std() - 1.0) < 0.06


def test_rows_of_one_hash_stay_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    from driftline.kernels import sampled

    monkeypatch.setattr(sampled, "_hashes", lambda rows: np.zeros(rows.shape[0], np.uint64))
    rows = np.array([[2.0], [1.0], [2.0], [3.0]])
    state = SampledRows(1, 2).update(rows)
    assert state.rows.tolist() == [[1.0], [2.0]]
    assert state.counts.tolist() == [1, 2]
    assert SampledRows(1, 2).update(rows[::-1]) == state


def test_negative_zero_is_zero() -> None:
    assert SampledRows(1, 5).update(np.array([[-0.0]])) == SampledRows(1, 5).update(np.array([[0.0]]))


@pytest.mark.parametrize("rows", [np.zeros((2, 3)), np.array([[np.nan, 1.0]]), np.array([[np.inf, 1.0]])])
def test_rows_that_do_not_fit_are_refused(rows: np.ndarray) -> None:
    with pytest.raises(ValueError, match="finite rows of 2 numbers"):
        SampledRows(2, 5).update(rows)


def test_different_samples_do_not_merge() -> None:
    with pytest.raises(StateMismatchError, match="capacity"):
        SampledRows(1, 5).merge(SampledRows(1, 6))


@pytest.mark.parametrize("name", ["hashes", "values", "counts"])
def test_damaged_samples_are_refused(name: str) -> None:
    packed = SampledRows(1, 5).update(np.array([[1.0], [2.0]])).pack()
    arrays = dict(packed.arrays)
    arrays[name] = arrays[name][::-1].copy() if name != "counts" else np.array([5, 5])
    with pytest.raises(ValueError, match="sampled rows"):
        SampledRows.unpack(Packed(packed.scalars, arrays))
