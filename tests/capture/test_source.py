from __future__ import annotations

import pytest

from driftline.capture.source import Batch, Run, check_names, place_of
from driftline.errors import SchemaError


class _Part:
    source = "a.jsonl"
    ordinal = 0
    n_rows = 5


def test_distinct_names_pass() -> None:
    check_names(["a", "A", " a", "", "a\nb", "‮", "../x"], "f")


def test_repeated_names_name_both_positions() -> None:
    with pytest.raises(SchemaError, match="number 2 and number 4") as caught:
        check_names(["x", "a", "b", "a"], "f.csv")
    assert (caught.value.code, caught.value.file, caught.value.field) == ("E-DUPLICATE", "f.csv", "a")


def test_no_columns_are_refused() -> None:
    with pytest.raises(SchemaError, match="no columns"):
        check_names([], "f")


def test_half_a_surrogate_is_no_name() -> None:
    with pytest.raises(SchemaError) as caught:
        check_names(["\ud800"], "f")
    assert caught.value.code == "E-ENCODING"
    str(caught.value).encode()


def test_place_without_runs() -> None:
    assert place_of(_Part(), Batch((), 7), 3) == ("a.jsonl", 10)  # type: ignore[arg-type]


def test_place_within_runs() -> None:
    batch = Batch((), 0, (Run(0, "a", 4), Run(2, "b", 0), Run(3, "c", 0)))
    places = [place_of(_Part(), batch, index) for index in range(5)]  # type: ignore[arg-type]
    assert places == [("a", 4), ("a", 5), ("b", 0), ("c", 0), ("c", 1)]
