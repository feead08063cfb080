"""Tables that grow: the same counts, however the labels turn up."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from driftline.monitor.quality.table import PairTable, SliceTable, in_order

CODES = st.lists(st.tuples(st.integers(-1, 6), st.integers(-1, 6)), max_size=60)


@given(CODES, st.integers(0, 60))
def test_a_table_counts_every_row(pairs: list[tuple[int, int]], cut: int) -> None:
    table = PairTable()
    for part in (pairs[:cut], pairs[cut:]):
        codes = np.array(part, np.int64).reshape(-1, 2)
        table.add(codes[:, 0], codes[:, 1])
    texts = list("abcdefg")
    found = table.state(texts, ["g", "a"])
    naive = np.zeros((4, 4), np.int64)
    place = {-1: 3, 6: 0, 0: 1}
    for actual, predicted in pairs:
        naive[place.get(actual, 2), place.get(predicted, 2)] += 1
    assert found.labels == ("g", "a")
    assert found.table.tolist() == naive.tolist()


@given(
    st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 2), st.integers(-1, 2)), max_size=60),
    st.integers(0, 60),
)
def test_a_table_of_slices_counts_every_row(rows: list[tuple[int, int, int]], cut: int) -> None:
    table = SliceTable()
    for part in (rows[:cut], rows[cut:]):
        codes = np.array(part, np.int64).reshape(-1, 3)
        table.add(codes[:, 0], codes[:, 1], codes[:, 2])
    for code in range(-1, 6):
        mine = [(a, p) for c, a, p in rows if c == code]
        state = table.state(code, ("no", "yes"))
        assert table.n_rows(code) == state.n_rows == len(mine)
        assert state.n_unlabelled == sum(a < 0 for a, _ in mine)
        assert state.counts.tolist() == [[mine.count((a, p)) for p in (0, 1)] for a in (0, 1)]


def test_labels_are_in_the_order_people_expect() -> None:
    assert in_order({"10", "9", "1"}) == ["1", "9", "10"]
    assert in_order(["b", "10", "a", "9"]) == ["10", "9", "a", "b"]
