"""Odd values: up to three that are not of the type, and the first rows they stand in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from driftline.baselines.column import Column, ColumnFold, Limits
from driftline.monitor.odd_values import odd_rows, odd_values, spelled


def column(values: Any, *, textual: bool = False) -> Column:
    array = pa.array(values)
    fold = ColumnFold("x", array.type, textual=textual, limits=Limits(), compiled=False)
    fold.add(array, 0)
    return fold.close()


@pytest.mark.parametrize(
    ("values", "textual", "expected", "rows", "shown"),
    [
        (["1", "x", "x", "y", "z", "u"], True, "Integral", [1, 2, 3, 4, 5], ("x", "u", "y")),
        (["1", "2.5"], True, "Integral", [1], ("2.5",)),
        (["1", "true"], True, "Fractional", [1], ("true",)),
        (["true", "2.5"], True, "Boolean", [1], ("2.5",)),
        (["true", "x"], False, "Boolean", [], ("x",)),
        (["2026-11-23", "x", None, "y", "x"], False, "Time", [1, 3], ("x", "y")),
        ([1763884800123, 5], False, "Time", [], ("5 (int64)", "1763884800123 (int64)")),
        ([1, 2, 3], False, "Boolean", [], ("1 (int64)", "2 (int64)")),
        ([True, False], False, "Time", [], ("false (bool)", "true (bool)")),
        ([[1]], False, "Integral", [], ()),
        ([[1]], False, "Time", [], ("list<item: int64>",)),
    ],
)
def test_odd_values(
    values: list[Any], textual: bool, expected: str, rows: list[int], shown: tuple[str, ...]
) -> None:
    found = column(values, textual=textual)
    assert odd_rows(found, expected) == rows
    assert odd_values(found, expected) == shown


def test_of_very_many_numbers_the_type_is_enough() -> None:
    assert odd_values(column(np.arange(30_000) / 7), "Time") == ("double",)


def test_numbers_are_spelled_shortly() -> None:
    assert [spelled(v) for v in (3.0, 1.5e14, 0.1 + 0.2, 1e300)] == ["3", "150000000000000", "0.3", "1e+300"]
