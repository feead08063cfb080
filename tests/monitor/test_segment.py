"""Segments: which values are segments, and that every row falls into its own."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from driftline.baselines.baseline import Baseline
from driftline.baselines.column import Limits
from driftline.capture.open import open_source
from driftline.errors import SchemaError, UsageError
from driftline.monitor.job import check, make_baseline
from driftline.monitor.scan import scan
from driftline.monitor.segment import scan_segments, segment_label, segment_values
from driftline.reports.outcome import Status
from driftline.reports.selection import by_reason

if TYPE_CHECKING:
    from pathlib import Path

    from driftline.baselines.profile import Profile
    from driftline.reports.report import Report

LIMITS = Limits()


def values_of(data: Any, by: str = "k", most: int = 50) -> tuple[list[str | None], int]:
    return segment_values(scan(open_source(data), threads=1, compiled=False), by, most)


def split(data: Any, by: str = "k", most: int = 50) -> dict[str | None, Profile]:
    values, _ = values_of(data, by, most)
    return scan_segments(open_source(data), by, values, limits=LIMITS)


def test_values_come_most_frequent_first() -> None:
    assert values_of({"k": ["a", "b", "b", "c", "c", "c"]}) == (["c", "b", "a"], 0)
    assert values_of({"k": ["a", "b", "b", "c", "c", "c"]}, most=2) == (["c", "b"], 1)
    assert values_of({"k": [True, False, True]}) == (["true", "false"], 0)
    assert values_of({"k": [7, 7, 3]}) == (["7", "3"], 0)
    assert values_of({"k": [0.5, 0.5, 2.0]}) == (["0.5", "2"], 0)


def test_rows_without_a_value_are_a_segment_of_their_own() -> None:
    assert values_of({"k": ["a", None, "a"]}) == (["a", None], 0)
    assert values_of({"k": ["a", "b", "a", None]}, most=2) == (["a", None], 1)
    assert values_of({"k": [1.0, float("nan")]}) == (["1", None], 0)


def test_a_text_that_looks_like_no_value_is_another_segment() -> None:
    keys = ["(missing)"] * 60 + ["a"] * 50 + [None] * 40
    data = {"k": keys, "x": list(range(150))}
    assert values_of(data) == (["(missing)", "a", None], 0)
    assert {value: part.n_rows for value, part in split(data).items()} == {"(missing)": 60, "a": 50, None: 40}
    baseline = make_baseline(data, by="k")
    report = check(data, Baseline.from_files(baseline.files(), file="there"), by="k")
    told = {o.segment for o in report.outcomes if o.segment}
    assert told == {'k="(missing)"', "k=a", "k=(missing)"}


def test_segments_are_never_called_the_same() -> None:
    values = [None, "", "a", "(missing)", '"(missing)"', '""(missing)""', '(missing)"', "(missing"]
    assert len({segment_label("k", value) for value in values}) == len(values)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"k": list(np.random.default_rng(0).random(1_500))}, "1,500 different numbers"),
        ({"k": [dt.date(2026, 1, 1)]}, "neither texts, booleans nor numbers"),
        ({"k": [[1], [2]]}, "neither texts, booleans nor numbers"),
    ],
)
def test_columns_that_make_no_segments_are_refused(data: dict[str, Any], words: str) -> None:
    data = {name: pa.array(values) for name, values in data.items()}
    with pytest.raises(SchemaError, match=words) as caught:
        values_of(pa.table(data))
    assert caught.value.code == "E-SEGMENTS"


def test_a_column_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(SchemaError, match="did you mean 'region'"):
        values_of({"region": ["a"]}, by="regio")
    with pytest.raises(SchemaError, match="use the name of a column"):
        values_of({"region": ["a"]}, by="zzz")


KEYS: dict[str, Any] = {
    "texts": pa.array(["a", "b", None, "a", "", "b", "a"]),
    "codes": pa.array(["a", "b", None, "a", "c", "b", "a"]).dictionary_encode(),
    "booleans": pa.array([True, False, None, True, True, False, True]),
    "integers": pa.array([1, 2, None, 1, 3, 2, 1]),
    "doubles": pa.array([1.0, 2.5, None, 1.0, float("nan"), -0.0, 0.0]),
    "floats": pa.array([0.1, 2.5, None, 0.1, 3.5, 2.5, 0.1], pa.float32()),
    "decimals": pa.array(
        [Decimal("1.50"), Decimal(2), None, Decimal("1.50"), Decimal(3), Decimal(2), Decimal("1.50")]
    ),
}


@pytest.mark.parametrize("name", KEYS)
def test_every_row_falls_into_one_segment(name: str) -> None:
    keys = KEYS[name]
    data = pa.table({"k": keys, "row": list(range(7))})
    segments = split(data)
    assert sum(p.n_rows for p in segments.values()) == 7
    rows = []
    for value, part in segments.items():
        column = part.column("row")
        assert column is not None
        assert column.numbers is not None
        assert part.n_rows == column.n_rows == part.columns[0].n_rows
        key = part.column("k")
        assert key is not None
        assert (key.n_missing == key.n_rows) is (value is None)
        rows += np.repeat(
            column.numbers.distribution.midpoints(), column.numbers.distribution.counts
        ).tolist()
    assert sorted(rows) == list(range(7))


def test_rows_of_text_files_are_split_by_their_text(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("k,x\na,1\nb,2\n,3\na,4\nNaN,5\n nan ,6\n")
    segments = split(str(file))
    assert {value: part.n_rows for value, part in segments.items()} == {"a": 2, "b": 1, None: 3}
    assert segments["a"].columns[1].numbers.moments.sum == 5.0  # type: ignore[union-attr]


def test_many_batches_and_files_give_the_same_segments(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    data = pa.table({"k": [f"k{i % 5}" for i in range(5_000)], "x": np.arange(5_000.0)})
    for i in range(3):
        pq.write_table(data.slice(i * 2_000, 2_000), tmp_path / f"{i}.parquet", row_group_size=300)
    whole, parts = split(data), split(str(tmp_path))
    assert whole.keys() == parts.keys()
    for value in whole:
        for a, b in zip(whole[value].columns, parts[value].columns, strict=True):
            assert a.numbers == b.numbers
            assert a.n_rows == b.n_rows


def test_values_nobody_asked_for_are_left_out() -> None:
    data = {"k": ["a", "b"], "x": [1, 2]}
    assert list(scan_segments(open_source(data), "k", ["b", "zzz"], limits=LIMITS)) == ["b"]


def _two_regions(n: int, seed: int, shift: float = 0.0, **changes: Any) -> pa.Table:
    rng = np.random.default_rng(seed)
    region = np.arange(n) % 2
    return pa.table(
        {"region": changes.get("region", region), "x": rng.standard_normal(n) + shift * (region == 1)}
    )


def test_a_shift_in_one_segment_is_found_there() -> None:
    baseline = make_baseline(_two_regions(4_000, 1), by="region")
    report = check(_two_regions(4_000, 2, shift=0.8), baseline, by="region")
    status = {o.segment: o.status for o in report.outcomes if o.constraint.check == "ks" and o.segment}
    assert status == {"region=0": Status.PASSED, "region=1": Status.VIOLATED}


def test_segments_are_matched_by_value_when_ints_became_doubles() -> None:
    baseline = make_baseline(_two_regions(4_000, 1), by="region")
    region = pa.array([float(i % 2) for i in range(4_000)])
    report = check(_two_regions(4_000, 2, region=region), baseline, by="region")
    passed = {o.segment for o in report.outcomes if o.constraint.check == "ks" and o.status is Status.PASSED}
    assert passed >= {"region=0", "region=1"}


def test_segments_need_a_baseline_with_the_same() -> None:
    with pytest.raises(UsageError, match="without segments"):
        check(_two_regions(50, 1), make_baseline(_two_regions(50, 1)), by="region")
    with pytest.raises(UsageError, match="by 'x'"):
        check({"x": ["a"], "y": ["b"]}, make_baseline({"x": ["a"], "y": ["b"]}, by="x"), by="y")


def _check(before: list[Any], after: list[Any]) -> Report:
    rng = np.random.default_rng(3)
    data = [pa.table({"k": keys, "x": rng.standard_normal(len(keys))}) for keys in (before, after)]
    return check(data[1], make_baseline(data[0], by="k"), by="k")


def test_a_segment_that_the_baseline_does_not_know_cannot_be_judged() -> None:
    report = _check(["a"] * 500, ["a"] * 400 + ["b"] * 99 + [None])
    unknown = {o.segment: o for o in report.undetermined if o.constraint.check == "row_volume"}
    assert {segment: o.reason for segment, o in unknown.items()} == {
        "k=b": "Row volume: the baseline has no segment k=b to compare with (rows: 99).",
        "k=(missing)": "Row volume: the baseline has no segment k=(missing) to compare with (rows: 1).",
    }
    assert [len(members) for members in by_reason(unknown.values())] == [2]


def test_segments_of_the_baseline_never_hide_one_that_it_does_not_know() -> None:
    known = [f"k{i}" for i in range(50)]
    report = _check(known * 40, [*known * 40, "new"])
    assert "k=new" in {o.segment for o in report.undetermined}
    numbers = list(range(50))
    report = _check(numbers * 40, [*numbers * 40, 50])
    assert "k=50" in {o.segment for o in report.undetermined}


def test_at_most_fifty_unknown_segments_are_told() -> None:
    report = _check(["a"] * 100, ["a"] * 100 + [f"k{i}" for i in range(60)])
    told = {o.segment for o in report.undetermined if o.constraint.check == "row_volume"}
    assert len(told) == 50
    assert (
        "more than 50 values of 'k' have no segment in the baseline; rarer ones are left out" in report.notes
    )
