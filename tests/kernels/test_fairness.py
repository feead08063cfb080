"""Counts of fairness: what is kept, what is left out, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.kernels import fairness
from driftline.kernels.fairness import UNKNOWN, Coded, FairnessState
from driftline.kernels.state import Packed

words = st.one_of(st.none(), st.sampled_from(["a", "b", "größe", "", "\udc80", "10", "9"]))
outcomes = st.integers(0, 2)
row_of_facts = st.tuples(words, words, outcomes, outcomes)
rows = st.lists(row_of_facts, max_size=40)


def folded(rows: list, state: FairnessState | None = None) -> FairnessState:
    facet, group, label, prediction = zip(*rows, strict=True) if rows else ((), (), (), ())
    outcome = [np.array(v, np.int8) for v in (label, prediction)]
    return (state or FairnessState()).update(Coded.of(facet), Coded.of(group), *outcome)


@given(rows=rows)
def test_table_counts_the_rows(rows: list) -> None:
    state = folded(rows)
    table = state.table(["a", "10"])
    slow = np.zeros_like(table)
    for facet, group, label, prediction in rows:
        if facet is not None:
            place = 0 if group is None else 1 + state.groups.index(group)
            slow[int(facet in ("a", "10")), place, label, prediction] += 1
    assert (table == slow).all()
    assert state.n_rows == len(rows)
    assert state.n_no_facet == sum(row[0] is None for row in rows)
    assert state.n_no_group == sum(row[1] is None for row in rows)
    assert state.n_no_label == sum(row[2] == UNKNOWN for row in rows)
    assert state.n_no_prediction == sum(row[3] == UNKNOWN for row in rows)
    assert state.facets == tuple(sorted({row[0] for row in rows} - {None}))


@given(rows=rows, cut=st.integers(0, 40))
def test_words_that_come_later_change_nothing(rows: list, cut: int) -> None:
    whole = folded(rows)
    assert folded(rows[cut:], folded(rows[:cut])) == whole
    assert FairnessState.merge_many([folded([row]) for row in rows] or [FairnessState()]) == whole


@given(rows=rows)
def test_many_words_are_counted_alike(rows: list) -> None:
    before, fairness._DENSE = fairness._DENSE, 0
    try:
        sparse = folded(rows)
    finally:
        fairness._DENSE = before
    assert sparse == folded(rows)


def test_words_that_no_row_has_are_forgotten() -> None:
    state = FairnessState().update(
        Coded(("z", "unused", "b"), np.array([0, 2, -1])), None, np.zeros(3, np.int8), np.zeros(3, np.int8)
    )
    assert state.facets == ("b", "z")
    assert state.groups == ()


def test_one_value_may_be_given_as_text() -> None:
    state = folded([("ab", None, 1, 0), ("a", None, 0, 0), ("b", None, 0, 0)])
    assert state.table("ab")[1].sum() == 1
    assert (state.table("ab") == state.table(["ab"])).all()


def test_confusion_has_the_classes_of_the_truth() -> None:
    truth, guess = ["cat", "dog", "cat", None, "cat"], ["cat", "cow", "dog", "cat", None]
    zeros = np.zeros(5, np.int8)
    state = FairnessState().update(Coded.of("aabba"), None, zeros, zeros, Coded.of(truth), Coded.of(guess))
    assert state.confusion() == {"cat": {"cat": 1, "dog": 1}, "dog": {"cat": 0, "dog": 0}}
    assert FairnessState().confusion() == {}
    assert state.merge(state).confusion()["cat"] == {"cat": 2, "dog": 2}


@pytest.mark.parametrize(
    ("facet", "label"),
    [
        (Coded(("a",), np.array([0, 1])), np.zeros(2, np.int8)),
        (Coded(("a",), np.array([0, -2])), np.zeros(2, np.int8)),
        (Coded(("a",), np.array([0, 0])), np.array([0, 3], np.int8)),
        (Coded(("a",), np.array([0, 0])), np.array([0, -1], np.int8)),
        (Coded(("a",), np.array([0, 0])), np.zeros(3, np.int8)),
    ],
)
def test_codes_out_of_range_are_refused(facet: Coded, label: np.ndarray) -> None:
    with pytest.raises(ValueError, match="one per row"):
        FairnessState().update(facet, None, label, np.zeros(2, np.int8))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("facet", np.array([1, 0])),
        ("facet", np.array([0, 2])),
        ("facet", np.array([0])),
        ("group", np.array([-1, 0])),
        ("counts", np.array([-1, *[0] * 17])),
        ("counts", np.zeros(18, np.int64)),
        ("counts", np.ones(9, np.int64)),
        ("facet_offsets", np.array([0, 2, 1])),
        ("facet_offsets", np.array([1, 1, 2])),
        ("facet_texts", np.frombuffer(b"ba", np.uint8)),
        ("facet_texts", np.frombuffer(b"abc", np.uint8)),
    ],
)
def test_values_that_no_state_packs_are_refused(name: str, value: np.ndarray) -> None:
    packed = folded([("a", None, 0, 0), ("b", None, 1, 1)]).pack()
    assert FairnessState.unpack(packed).n_rows == 2
    with pytest.raises(ValueError, match="belong together"):
        FairnessState.unpack(Packed({}, {**packed.arrays, name: value}))
