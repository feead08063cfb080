"""Values at the ends of what their types can hold, types that no statistic speaks of, and tables of odd shapes."""

from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pyarrow as pa

from bad_input.case import Case, as_data, refused_data, told, undetermined
from bad_input.making import files, parquet, parquet_bytes, table

X = "x.parquet"
NAN, INF = float("nan"), float("inf")
LARGEST = 1.7976931348623157e308
UTC = dt.UTC


def _one(values: object, kind: pa.DataType | None = None, **options: object):
    return parquet(lambda: {"v": pa.array(values, kind)}, **options)


def _dates(*years: int) -> list[dt.date]:
    return [dt.date(year, 1, 1) for year in years]


def _wide(columns: int, rows: int) -> pa.Table:
    rng = np.random.default_rng(3)
    return pa.table({f"c{i}": rng.normal(size=rows) for i in range(columns)})


CASES: list[Case] = [
    as_data("nan", X, _one([1.0, NAN, 3.0, None]), rows=4, facts={"v.n_missing": 2, "v.mean": 2.0}),
    as_data("only-nan", X, _one([NAN] * 5), code=4, rows=5, facts={"v.n_missing": 5}),
    as_data(
        "infinities",
        X,
        _one([1.0, INF, -INF, 3.0]),
        rows=4,
        facts={"v.n_infinite": 2, "v.mean": 2.0, "v.max": 3.0},
    ),
    as_data("only-infinities", X, _one([INF, INF, -INF]), rows=3, facts={"v.n_missing": 0}),
    as_data("minus-zero", X, _one([0.0, -0.0, 0.0]), rows=3, facts={"v.n_zero": 3, "v.n_distinct": 1}),
    as_data("subnormals", X, _one([5e-324, -5e-324, 2.2e-308]), rows=3, facts={"v.n_distinct": 3}),
    as_data("sum-beyond-double", X, _one([LARGEST, LARGEST, LARGEST]), rows=3, facts={"v.max": LARGEST}),
    as_data(
        "spread-beyond-double",
        X,
        _one([LARGEST, -LARGEST, 0.0]),
        rows=3,
        facts={"v.max": LARGEST, "v.min": -LARGEST},
    ),
    as_data("squares-beyond-double", X, _one([1e200, 2e200, 3e200]), rows=3, facts={"v.mean": 2e200}),
    as_data(
        "tiny-spread-far-from-zero",
        X,
        _one([1e15 + i for i in range(100)]),
        rows=100,
        facts={"v.n_distinct": 100},
    ),
    as_data(
        "half-precision",
        X,
        _one(np.array([1.5, 65504, -65504, NAN, INF], np.float16)),
        rows=5,
        facts={"v.max": 65504.0},
    ),
    as_data(
        "uint64",
        X,
        _one([0, 2**63, 2**64 - 1], pa.uint64()),
        rows=3,
        facts={"v.max": float(2**64 - 1), "v.type": "Integral"},
    ),
    as_data(
        "int64-ends",
        X,
        _one([-(2**63), 2**63 - 1, 0]),
        rows=3,
        facts={"v.min": -float(2**63), "v.n_distinct": 3},
    ),
    as_data(
        "decimal",
        X,
        _one([decimal.Decimal("1.10"), decimal.Decimal("-99999999.99"), None]),
        rows=3,
        facts={"v.n_missing": 1, "v.min": -99999999.99},
    ),
    as_data(
        "decimal-of-38-digits",
        X,
        _one([decimal.Decimal("9" * 38), decimal.Decimal(1)], pa.decimal128(38, 0)),
        rows=2,
        facts={"v.max": 1e38},
    ),
    as_data(
        "decimal-of-76-digits",
        X,
        _one([decimal.Decimal("9" * 76), decimal.Decimal(1)], pa.decimal256(76, 0)),
        rows=2,
        facts={"v.max": 1e76},
    ),
    as_data(
        "int96",
        X,
        parquet(
            lambda: {
                "v": pa.array([dt.datetime(2020, 1, 1), dt.datetime(1900, 1, 1), None], pa.timestamp("ns"))
            },
            use_deprecated_int96_timestamps=True,
        ),
        rows=3,
        facts={"v.n_missing": 1},
    ),
    as_data(
        "int96-beyond-nanoseconds",
        X,
        parquet(
            lambda: {"v": pa.array([dt.datetime(9999, 12, 31), dt.datetime(1, 1, 1)], pa.timestamp("us"))},
            use_deprecated_int96_timestamps=True,
        ),
        rows=2,
    ),
    as_data(
        "times-with-zones",
        X,
        _one([dt.datetime(2020, 3, 29, 2, 30, tzinfo=UTC), None], pa.timestamp("us", "Europe/Berlin")),
        rows=2,
        facts={"v.n_missing": 1},
    ),
    as_data("unknown-time-zone", X, _one([0, 1], pa.timestamp("us", "Mars/Olympus")), rows=2),
    as_data(
        "years-1-and-9999",
        X,
        _one(_dates(1, 9999)),
        rows=2,
        facts={"v.min": lambda v: v.startswith("0001-01-01"), "v.max": lambda v: v.startswith("9999-01-01")},
    ),
    as_data("dates-beyond-the-calendar", X, _one([-(2**31), 2**31 - 1, 0], pa.date32()), rows=3),
    as_data("times-beyond-the-calendar", X, _one([-(2**63) + 1, 2**63 - 1, 0], pa.timestamp("us")), rows=3),
    as_data("nanoseconds-at-the-ends", X, _one([-(2**63) + 1, 2**63 - 1], pa.timestamp("ns")), rows=2),
    as_data("times-of-day", X, _one([0, 86_399_999_999], pa.time64("us")), rows=2),
    as_data("durations", X, _one([0, -(2**62), 2**62], pa.duration("us")), rows=3),
    as_data("list", X, _one([[1], [], None]), rows=3, facts={"v.n_missing": 1, "v.type": "Unknown"}),
    as_data("struct", X, _one([{"a": 1, "b": "x"}, None]), rows=2, facts={"v.n_missing": 1}),
    as_data(
        "map", X, _one([[("a", 1)], None], pa.map_(pa.string(), pa.int64())), rows=2, facts={"v.n_missing": 1}
    ),
    as_data("deeply-nested", X, _one([[[{"a": [[{"b": 1}]]}]]]), rows=1),
    as_data(
        "binary",
        X,
        _one([b"\0\xff", b"", b"text", None]),
        rows=4,
        facts={"v.n_missing": 1, "v.n_distinct": 3},
    ),
    as_data(
        "fixed-size-binary",
        X,
        _one([b"abcd", b"\xff\xfe\0\1", None], pa.binary(4)),
        rows=3,
        facts={"v.n_missing": 1},
    ),
    refused_data(
        "text-that-is-not-utf8",
        X,
        "E-PARQUET: x.parquet: v: row group 0 cannot be decoded: <any>; write or copy the file again",
        parquet(
            lambda: {"v": pa.Array.from_buffers(pa.string(), 2, pa.array([b"ok", b"\xff\xfe"]).buffers())}
        ),
    ),
    as_data(
        "dictionary-with-repeats",
        X,
        _one(pa.DictionaryArray.from_arrays(pa.array([0, 1, 2], pa.int8()), pa.array(["a", "a", "b"]))),
        rows=3,
        facts={"v.n_distinct": 2},
    ),
    as_data(
        "dictionary-of-numbers",
        X,
        _one(pa.DictionaryArray.from_arrays(pa.array([0, 1, 0], pa.int32()), pa.array([1.5, 2.5]))),
        rows=3,
    ),
    as_data("empty-text", X, _one(["", "", "x"]), rows=3, facts={"v.n_missing": 0, "v.n_distinct": 2}),
    as_data("booleans", X, _one([True, False, None]), rows=3, facts={"v.n_missing": 1}),
    as_data(
        "null-type",
        X,
        _one([None, None], pa.null()),
        code=4,
        rows=2,
        facts={"v.n_missing": 2, "v.type": "Unknown"},
    ),
    as_data("all-null-numbers", X, _one([None] * 9, pa.float64()), code=4, rows=9, facts={"v.n_missing": 9}),
    as_data("all-null-text", X, _one([None] * 9, pa.string()), code=4, rows=9, facts={"v.n_missing": 9}),
    as_data("constant", X, _one([7.0] * 500), rows=500, facts={"v.n_distinct": 1, "v.std_dev": 0.0}),
    as_data("constant-text", X, _one(["same"] * 500), rows=500, facts={"v.n_distinct": 1}),
    as_data("one-row", X, parquet(lambda: table(1, 1)), rows=1),
    as_data("two-rows", X, parquet(lambda: table(1, 2)), rows=2),
    as_data("zero-rows", X, parquet(lambda: table(1, 0)), code=4, rows=0, status="undetermined"),
    refused_data(
        "zero-columns-many-rows",
        X,
        "E-NO-COLUMNS: x.parquet: has no columns; check what writes it",
        parquet(lambda: pa.table({"a": [1, 2, 3]}).select([])),
    ),
    as_data("all-different-text", X, _one([f"id-{i:07d}" for i in range(50_000)]), rows=50_000),
    as_data(
        "categories-by-the-ten-thousand", X, _one([f"c{i % 20_011}" for i in range(60_000)]), rows=60_000
    ),
    as_data(
        "long-texts", X, _one(["x" * 1_000_000, "y" * 1_000_000] * 5), rows=10, facts={"v.max_length": 1e6}
    ),
    as_data(
        "ten-thousand-columns",
        X,
        parquet(lambda: _wide(10_000, 5)),
        most_mib=900,
        rows=5,
        columns=lambda names: len(names) == 10_000,
    ),
    as_data(
        "ten-thousand-null-columns",
        X,
        parquet(lambda: pa.table({f"c{i}": pa.nulls(2) for i in range(10_000)})),
        code=4,
        most_mib=900,
        rows=2,
    ),
    as_data(
        "run-length-bomb",
        X,
        parquet(lambda: {"v": pa.array(np.zeros(20_000_000))}, compression="zstd"),
        most_mib=700,
        rows=20_000_000,
        facts={"v.n_zero": 20_000_000},
    ),
    told(
        "infinities-against-finite",
        X,
        parquet(lambda: {**table(9, 100).to_pydict(), "amount": [INF] * 5 + [10.0] * 95}),
        1,
        violated=lambda v: "amount/numeric_range" in v,
    ),
    told(
        "only-nan-against-complete",
        X,
        parquet(lambda: {"amount": [NAN] * 50, "count": [1] * 50, "kind": ["a"] * 50}),
        1,
        violated=lambda v: "amount/completeness" in v,
    ),
    told(
        "type-changed-to-list",
        X,
        parquet(lambda: {"amount": [[1.0], [2.0]], "count": [1, 2], "kind": ["a", "b"]}),
        1,
        violated=["amount/data_type"],
    ),
    told(
        "type-changed-to-time",
        X,
        parquet(lambda: {"amount": _dates(2020, 2021), "count": [1, 2], "kind": ["a", "b"]}),
        1,
        violated=["amount/data_type"],
    ),
    told(
        "number-changed-to-text-of-numbers",
        X,
        parquet(lambda: {"amount": ["9.5", "10.5"], "count": [1, 2], "kind": ["a", "b"]}),
        1,
        violated=["amount/data_type"],
    ),
    told(
        "text-changed-to-numbers",
        X,
        parquet(lambda: {"amount": [9.5, 10.5], "count": [1, 2], "kind": [1, 2]}),
        1,
        violated=lambda v: "kind/data_type" in v,
    ),
    undetermined("zero-rows-against-good", X, parquet(lambda: table(1, 0)), rows=0),
    told(
        "one-row-against-good",
        X,
        parquet(lambda: table(1, 1)),
        0,
        violated=[],
        undetermined=lambda u: "amount/ks" in u,
    ),
    told(
        "half-the-files-empty",
        "d",
        files({"d/a.parquet": parquet_bytes(table(1, 0)), "d/b.parquet": parquet_bytes(table(2, 500))}),
        0,
        rows=500,
        violated=[],
    ),
]
