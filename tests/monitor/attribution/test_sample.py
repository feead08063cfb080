"""Rows are chosen by what they hold: the same ones in any order, and each row alike."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.capture.open import open_source
from driftline.errors import SchemaError
from driftline.monitor.attribution.sample import RowSample, read_sample

ROWS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["x", "y", None])), min_size=1, max_size=60)


@given(ROWS, st.integers(1, 30), st.randoms(use_true_random=False), st.integers(1, 20))
def test_order_and_batches_do_not_matter(
    rows: list[tuple[int, str | None]], most: int, random: object, size: int
) -> None:
    def chosen(given: list[tuple[int, str | None]], batch: int) -> list[dict[str, object]]:
        sample = RowSample(["a", "b"], most, 3)
        for i in range(0, len(given), batch):
            a, b = zip(*given[i : i + batch], strict=True)
            sample.add([pa.array(a), pa.array(b, pa.string())])
        table = sample.table()
        assert table is not None
        assert sample.n_rows == len(given)
        assert table.num_rows == min(most, len(given))
        return table.to_pylist()

    mixed = list(rows)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert chosen(rows, 64) == chosen(mixed, size)


def test_a_small_sample_begins_a_large_one() -> None:
    table = pa.table({"a": np.arange(1000)})
    small, _ = read_sample(open_source(table), ["a"], 50, 1)
    large, _ = read_sample(open_source(table), ["a"], 300, 1)
    assert small is not None
    assert large is not None
    assert small.to_pylist() == large.slice(0, 50).to_pylist()
    other, _ = read_sample(open_source(table), ["a"], 50, 2)
    assert other is not None
    assert other.to_pylist() != small.to_pylist()


def test_a_frequent_row_is_drawn_as_often_as_it_is() -> None:
    table = pa.table({"a": np.where(np.arange(40_000) % 2, -1, np.arange(40_000))})
    sample, _ = read_sample(open_source(table, batch_rows=5000), ["a"], 2000, 0)
    assert sample is not None
    share = np.mean(np.array(sample.column("a").to_pylist()) == -1)
    assert abs(share - 0.5) < 0.06  # five standard errors


def test_a_number_is_a_number_in_any_form() -> None:
    numbers = pa.table({"a": [float(i) for i in range(100)]})
    texts = pa.table({"a": [str(i) for i in range(100)]})
    from_numbers, _ = read_sample(open_source(numbers), ["a"], 10, 0)
    from_texts, _ = read_sample(open_source(texts), ["a"], 10, 0)
    assert from_numbers is not None
    assert from_texts is not None
    assert [str(int(v)) for v in from_numbers.column("a").to_pylist()] == from_texts.column("a").to_pylist()


def test_nothing_gives_nothing() -> None:
    assert read_sample(open_source(pa.table({"a": pa.array([], pa.int64())})), ["a"], 10, 0) == (None, 0)


def test_columns_that_cannot_be_used() -> None:
    table = pa.table({"age": [1], "when": pa.array([0], pa.timestamp("s")), "list": [[1]]})
    with pytest.raises(SchemaError, match="did you mean 'age'"):
        read_sample(open_source(table), ["aeg"], 10, 0)
    for name in ("when", "list"):
        with pytest.raises(SchemaError, match="is no feature"):
            read_sample(open_source(table), [name], 10, 0)
