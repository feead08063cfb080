"""One pass over the rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.baselines.packing import pack, unpack
from driftline.errors import DocumentError
from driftline.monitor.bias.column import Column, column_of
from driftline.monitor.bias.counting import MOST_STRANGERS, Counted, count, counted_of, packed
from driftline.monitor.bias.frozen import freeze_columns
from driftline.monitor.bias.settings import read_settings

SETTINGS = read_settings(
    {
        "label": "y",
        "positive": [1],
        "prediction": "p",
        "facets": [{"column": "g"}],
        "group": "z",
        "flip_rows": 10,
    }
)
ROWS = [("a", 1, 1, "u", 0.5), ("b", 0, 1, "v", 1.5), ("a", 0, 0, "u", 0.5), ("c", 1, 0, "v", 2.5)]


def batch(rows: list[tuple[object, ...]]) -> dict[str, Column]:
    types = (pa.string(), pa.int64(), pa.int64(), pa.string(), pa.float64())
    cells = zip(*rows, strict=True) if rows else [()] * 5
    return {
        name: column_of(name, pa.array(list(values), kind))
        for name, values, kind in zip("gypzx", cells, types, strict=True)
    }


FROZEN = freeze_columns(batch(ROWS), SETTINGS, ("x",))
row = st.tuples(
    st.sampled_from(["a", "b", "c", "new", None]),
    st.sampled_from([0, 1, None]),
    st.sampled_from([0, 1, None]),
    st.sampled_from(["u", "v", None]),
    st.sampled_from([0.0, 1.0, 2.0, None]),
)


def counted(*batches: list[tuple[object, ...]]) -> Counted:
    return count([batch(rows) for rows in batches], FROZEN, SETTINGS, with_samples=True)


def same(a: Counted, b: Counted) -> bool:
    return (a.cells, a.samples, a.n_rows, a.strangers) == (b.cells, b.samples, b.n_rows, b.strangers)


@given(st.lists(row, min_size=1, max_size=30), st.integers(1, 29), st.randoms(use_true_random=False))
def test_order_and_batches_do_not_matter(rows: list[tuple[object, ...]], cut: int, random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    parts = [part for part in (shuffled[:cut], shuffled[cut:]) if part]
    assert same(counted(rows), counted(*parts))


@given(st.lists(row, min_size=1, max_size=30))
def test_every_row_is_counted_once(rows: list[tuple[object, ...]]) -> None:
    found = counted(rows)
    (cells,) = found.cells
    assert found.n_rows == cells.n_rows == len(rows)
    assert cells.n_no_facet == sum(r[0] is None for r in rows)
    assert cells.n_no_label == sum(r[1] is None for r in rows)
    whole = [r for r in rows if r[0] is not None and r[2] is not None and r[4] is not None]
    assert sum(sample.n_rows for sample in found.samples[0].values()) == len(whole)
    table = cells.table("a")
    positive = sum(r[0] == "a" and r[1] == 1 and r[2] == 1 for r in rows)
    assert table[1, :, 1, 1].sum() == positive


def test_new_values_are_counted() -> None:
    found = counted([*ROWS, ("new", 1, 1, "u", 0.0), ("new", 7, 1, "u", 0.0)])
    assert found.strangers == {"g": {"new": 2}, "y": {"7": 1}}


def test_a_column_of_free_text_does_not_fill_the_memory() -> None:
    found = counted(*([(f"new{i}-{j}", 1, 1, "u", 0.0) for j in range(50)] for i in range(50)))
    assert len(found.strangers["g"]) == MOST_STRANGERS


def test_it_survives_its_file() -> None:
    found = counted(ROWS)
    parts = unpack(pack(packed(found)))
    assert same(counted_of(parts, 1, 4, file="states.arrow"), found)


def test_a_damaged_file_is_named() -> None:
    parts = unpack(pack(packed(counted(ROWS))))
    with pytest.raises(DocumentError, match=r"E-STATES: states\.arrow"):
        counted_of(
            {name: part for name, part in parts.items() if not name.startswith("cells")},
            1,
            4,
            file="states.arrow",
        )


def test_without_a_flip_test_no_rows_are_kept() -> None:
    assert count([batch(ROWS)], FROZEN, SETTINGS, with_samples=False).samples == ()


def test_nothing_is_nothing() -> None:
    found = count([], FROZEN, SETTINGS, with_samples=True)
    assert (found.n_rows, found.cells[0].n_rows) == (0, 0)
    assert np.array_equal(found.cells[0].table("a"), np.zeros((2, 1, 3, 3)))
