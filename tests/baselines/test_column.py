"""Column: from Arrow arrays of every type to the same States, however they are cut up, coded or typed."""

from __future__ import annotations

import datetime as dt
import decimal
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import floats, integers

from driftline.baselines.column import Column, ColumnFold, Limits, family_of
from driftline.baselines.constraint import InferredType
from driftline.baselines.profile import Profile
from driftline.kernels.state import StateMismatchError
from driftline.kernels.tally import Sort

SMALL = Limits(4, 4, 4)


def column(
    *arrays: pa.Array,
    kind: pa.DataType | None = None,
    textual: bool = False,
    limits: Limits = SMALL,
    compiled: bool = False,
    rows: list[int] | None = None,
) -> Column:
    fold = ColumnFold(
        "x", arrays[0].type if kind is None else kind, textual=textual, limits=limits, compiled=compiled
    )
    at = 0
    for i, array in enumerate(arrays):
        fold.add(array, at if rows is None else rows[i])
        at += len(array)
    return fold.close()


def digest(c: Column) -> str:
    return Profile((c,), c.n_rows, SMALL).digest


micro = st.integers(-(2**53), 2**53)
TYPES: dict[str, tuple[pa.DataType, bool, st.SearchStrategy]] = {
    "double": (pa.float64(), False, floats),
    "float": (pa.float32(), False, st.floats(width=32)),
    "half": (pa.float16(), False, st.floats(width=16).map(np.float16)),
    "int64": (pa.int64(), False, integers),
    "int8": (pa.int8(), False, st.integers(-128, 127)),
    "uint32": (pa.uint32(), False, st.integers(0, 2**32 - 1)),
    "uint64": (
        pa.uint64(),
        False,
        st.one_of(st.integers(0, 9), st.sampled_from([2**53 + 1, 2**63 - 1, 2**63, 2**63 + 1025, 2**64 - 1])),
    ),
    "bool": (pa.bool_(), False, st.booleans()),
    "string": (pa.string(), False, st.text(max_size=9)),
    "large_string": (pa.large_string(), False, st.text(max_size=9)),
    "string_view": (pa.string_view(), False, st.text(max_size=20)),
    "binary": (pa.binary(), False, st.binary(max_size=9)),
    "fixed_size_binary": (pa.binary(3), False, st.binary(min_size=3, max_size=3)),
    "timestamp[s]": (pa.timestamp("s"), False, st.integers(-(2**33), 2**33)),
    "timestamp[ns, tz]": (pa.timestamp("ns", "Europe/Berlin"), False, st.integers(-(2**62), 2**62)),
    "date32": (pa.date32(), False, st.integers(-700_000, 700_000)),
    "date64": (pa.date64(), False, st.integers(-700_000, 700_000).map(lambda d: d * 86_400_000)),
    "time32": (pa.time32("s"), False, st.integers(0, 86_399)),
    "duration": (pa.duration("ms"), False, micro),
    "decimal": (pa.decimal128(12, 3), False, st.decimals(-99999, 99999, places=3)),
    "list": (pa.list_(pa.int64()), False, st.lists(st.integers(0, 5), max_size=3)),
    "lexical": (
        pa.string(),
        True,
        st.one_of(
            st.sampled_from(
                ["", "1", "2.0", "-3", "1e3", "NaN", "inf", "-inf", "true", " 5", ".5", "abc", "0"]
            ),
            st.text(max_size=5),
        ),
    ),
}
every_type = pytest.mark.parametrize("name", TYPES)


@st.composite
def arrays(draw: st.DrawFn, name: str) -> pa.Array:
    kind, _, value = TYPES[name]
    values = draw(st.lists(st.one_of(st.none(), value, value), max_size=24))
    return pa.array(values, kind)


def _columns(name: str, *parts: pa.Array, rows: list[int] | None = None, compiled: bool = False) -> Column:
    kind, textual, _ = TYPES[name]
    return column(*parts, kind=kind, textual=textual, rows=rows, compiled=compiled)


@every_type
@given(data=st.data())
def test_batches_slices_and_engines_do_not_show(name: str, data: st.DataObject) -> None:
    array = data.draw(arrays(name))
    whole = _columns(name, array)
    cut = data.draw(st.integers(0, len(array)))
    assert digest(_columns(name, array[:cut], array[cut:])) == digest(whole)
    assert digest(_columns(name, array, compiled=True)) == digest(whole)
    assert digest(_columns(name, array[:cut], array[cut:], compiled=True)) == digest(whole)
    # A copy without the slack around a slice has other buffers and the same content.
    copied = pa.concat_arrays([array[:cut], array[cut:]])
    assert digest(_columns(name, copied)) == digest(whole)


@every_type
@given(data=st.data())
def test_a_column_keeps_the_laws_of_a_state(name: str, data: st.DataObject) -> None:
    array = data.draw(arrays(name))
    a, b = sorted(data.draw(st.tuples(*[st.integers(0, len(array))] * 2)))
    parts = [_columns(name, array[i:j], rows=[i]) for i, j in ((0, a), (a, b), (b, len(array)))]
    whole = digest(_columns(name, array))
    x, y, z = parts
    assert digest(x.merge(y).merge(z)) == whole
    assert digest(x.merge(y.merge(z))) == whole
    assert digest(z.merge(x).merge(y)) == whole
    assert digest(x.merge(x.empty())) == digest(x)
    assert digest(x.empty().merge(x)) == digest(x)
    assert x.empty().n_rows == 0


@every_type
@given(data=st.data())
def test_rows_are_counted_once(name: str, data: st.DataObject) -> None:
    array = data.draw(arrays(name))
    found = _columns(name, array)
    assert found.n_rows == len(array)
    assert found.n_missing + found.n_present == len(array)
    values = array.to_pylist() if name not in ("timestamp[ns, tz]",) else array.cast(pa.int64()).to_pylist()
    gone = [v is None or (isinstance(v, (float, np.floating)) and v != v) for v in values]
    if name != "lexical":
        assert found.n_missing == sum(gone)
        first = [i for i, missing in enumerate(gone) if missing][:8]
        assert found.tally.rows_of(Sort.NULL, Sort.NAN) == first


@pytest.mark.parametrize(
    "name", ["string", "large_string", "binary", "int64", "double", "bool", "date32", "lexical"]
)
@given(data=st.data())
def test_dictionary_codes_do_not_show(name: str, data: st.DataObject) -> None:
    array = data.draw(arrays(name))
    kind, textual, _ = TYPES[name]
    coded = array.dictionary_encode()
    # Entries that no row uses, and a slice that starts inside.
    longer = pa.concat_arrays([pa.array(array.to_pylist()[::-1], kind), array]).dictionary_encode()[
        len(array) :
    ]
    for form in (coded, longer):
        for compiled in (False, True):
            found = column(form, kind=form.type, textual=textual, compiled=compiled)
            assert found.declared == _columns(name, array).declared
            assert digest(found) == digest(_columns(name, array))


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "numpy"])
def test_nulls_inside_a_dictionary_and_garbage_codes_are_missing_values(compiled: bool) -> None:
    dictionary = pa.array(["a", None, "b"])
    codes = np.array([0, 1, 99, 2, -5, 0], np.int32)
    mask = np.packbits([1, 1, 0, 1, 0, 1], bitorder="little")
    indices = pa.Array.from_buffers(pa.int32(), 6, [pa.py_buffer(mask), pa.py_buffer(codes)])
    array = pa.DictionaryArray.from_arrays(indices, dictionary, safe=False)
    found = column(array, compiled=compiled)
    assert found.categories is not None
    assert found.categories.top(5) == [(b"a", 2), (b"b", 1)]
    assert found.tally.rows_of(Sort.NULL) == [1, 2, 4]


@given(st.lists(st.one_of(st.none(), st.booleans()), max_size=20))
def test_coded_booleans_keep_their_values(values: list[bool | None]) -> None:
    array = pa.array(values, pa.bool_()).dictionary_encode()
    found = column(array, kind=array.type)
    counted = Counter(str(v).lower().encode() for v in values if v is not None)
    assert found.kind == "boolean"
    assert found.categories is not None
    assert dict(found.categories.top(5)) == counted


def test_values_in_null_slots_do_not_matter() -> None:
    codes = np.array([1, 2**63 + 5, 3], np.uint64)
    mask = np.packbits([1, 0, 1], bitorder="little")
    array = pa.Array.from_buffers(pa.uint64(), 3, [pa.py_buffer(mask), pa.py_buffer(codes)])
    assert digest(column(array)) == digest(column(pa.array([1, None, 3], pa.uint64())))


def test_a_large_neighbour_does_not_round_an_id() -> None:
    found = column(pa.array([2**53 + 1, 2**64 - 1], pa.uint64()), limits=Limits())
    assert found.numbers is not None
    assert found.numbers.moments.low == 2**53 + 1
    assert found.numbers.moments.high == 2.0**64
    assert found.numbers.n_distinct == 2


def test_limits_shrink_with_the_width_of_the_table() -> None:
    sizes = [Limits.for_width(n) for n in (1, 256, 257, 1024, 1025, 4096, 4097, 100_000)]
    assert sizes[0] == Limits()
    for n, limits in zip((256, 1024, 4096), (sizes[1], sizes[3], sizes[5]), strict=True):
        assert n * limits.cells * 16 <= 128 << 20
    assert [s.cells for s in sizes] == sorted((s.cells for s in sizes), reverse=True)


FAMILIES = {
    "double": "number",
    "half": "number",
    "uint64": "number",
    "decimal": "number",
    "duration": "number",
    "time32": "number",
    "bool": "boolean",
    "string": "text",
    "string_view": "text",
    "fixed_size_binary": "text",
    "date64": "time",
    "timestamp[ns, tz]": "time",
    "list": "other",
    "lexical": "lexical",
}


@pytest.mark.parametrize("name", FAMILIES)
def test_families(name: str) -> None:
    kind, textual, _ = TYPES[name]
    assert family_of(kind, textual=textual) == FAMILIES[name]
    if not textual:
        assert family_of(pa.dictionary(pa.int32(), kind), textual=False) == FAMILIES[name]


def test_families_do_not_merge() -> None:
    with pytest.raises(StateMismatchError, match="family"):
        column(pa.array([1])).merge(column(pa.array(["a"])))


def test_a_chunk_of_type_null_is_missing_values() -> None:
    found = column(pa.array([1.0]), pa.nulls(10), kind=pa.float64())
    assert (found.n_rows, found.n_missing) == (11, 10)
    assert found.tally.rows_of(Sort.NULL) == list(range(1, 9))


@pytest.mark.parametrize("name", TYPES)
def test_all_null_has_no_type_and_no_distinct_values(name: str) -> None:
    kind, textual, _ = TYPES[name]
    found = column(pa.nulls(5, kind), kind=kind, textual=textual)
    assert found.n_missing == 5
    assert found.inferred_type is InferredType.UNKNOWN
    assert found.n_distinct in (0.0, None)
    if textual:
        assert found.kind == "other"


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1, 2]), InferredType.INTEGRAL),
        (pa.array([1, 2], pa.uint8()), InferredType.INTEGRAL),
        (pa.array([1.0, 2.0]), InferredType.FRACTIONAL),
        (pa.array([decimal.Decimal("1.5")]), InferredType.FRACTIONAL),
        (pa.array([True]), InferredType.STRING),
        (pa.array(["1"]), InferredType.STRING),
        (pa.array([dt.date(2026, 1, 1)]), InferredType.STRING),
        (pa.array([[1]]), InferredType.UNKNOWN),
        (pa.array([1, 2]).dictionary_encode(), InferredType.INTEGRAL),
    ],
)
def test_a_declared_type_is_believed(array: pa.Array, expected: InferredType) -> None:
    assert column(array).inferred_type is expected


@pytest.mark.parametrize(
    ("values", "kind", "inferred"),
    [
        (["1", "2", ""], "number", InferredType.INTEGRAL),
        (["1", "2.0"], "number", InferredType.FRACTIONAL),
        (["1", "1e3"], "number", InferredType.FRACTIONAL),
        (["1"] * 99 + ["x"], "number", InferredType.INTEGRAL),
        (["1"] * 98 + ["x"] * 2, "text", InferredType.STRING),
        (["true", "false"], "boolean", InferredType.STRING),
        (["true", "1"], "text", InferredType.STRING),
        (["", ""], "other", InferredType.UNKNOWN),
        (["NaN"], "other", InferredType.UNKNOWN),
        (["inf", "1.5"], "number", InferredType.FRACTIONAL),
        (["a", ""], "text", InferredType.STRING),
    ],
)
def test_values_born_as_text_are_typed_by_what_they_say(
    values: list[str], kind: str, inferred: InferredType
) -> None:
    found = column(pa.array(values), textual=True)
    assert found.kind == kind
    assert found.inferred_type is inferred


def test_empty_and_nan_texts_are_missing_and_no_category() -> None:
    found = column(pa.array(["A", "", "nan", None, "B", "NaN", "A"]), textual=True, limits=Limits())
    assert (found.n_missing, found.n_present) == (4, 3)
    assert found.tally.rows_of(Sort.NULL, Sort.NAN) == [1, 2, 3, 5]
    assert found.categories is not None
    assert found.categories.top(9) == [(b"A", 2), (b"B", 1)]
    assert found.categories.first.max() == 4
    assert found.categories.n == found.n_present


def test_empty_text_of_a_text_column_is_a_value() -> None:
    found = column(pa.array(["", "a", None]))
    assert (found.n_missing, found.tally[Sort.EMPTY]) == (1, 1)
    assert found.categories is not None
    assert found.categories.top(9) == [(b"", 1), (b"a", 1)]


moments = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1))  # noqa: DTZ001


@given(st.lists(st.one_of(st.none(), moments), max_size=9))
def test_times_are_microseconds_since_1970(values: list[dt.datetime | None]) -> None:
    epoch = dt.datetime(1970, 1, 1)  # noqa: DTZ001
    expected = [(v - epoch) // dt.timedelta(microseconds=1) for v in values if v is not None]
    found = column(pa.array(values, pa.timestamp("us")), kind=pa.timestamp("us"))
    assert found.numbers is not None
    assert found.numbers.n == len(expected) == found.tally[Sort.TIME]
    assert found.numbers.moments.low == min(expected, default=None)
    assert found.numbers.moments.high == max(expected, default=None)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_units_of_time_do_not_show(unit: str) -> None:
    moments = pa.array([dt.datetime(2026, 11, 23, 7), dt.datetime(1950, 1, 1)], pa.timestamp(unit))  # noqa: DTZ001
    found = column(moments)
    assert found.numbers is not None
    assert found.numbers.moments.high == 1_795_417_200_000_000
    assert found.numbers.moments.low == -631_152_000_000_000


def test_lengths_are_characters() -> None:
    found = column(pa.array(["", "äö", "日本語!", None]), limits=Limits())
    assert found.lengths is not None
    assert found.lengths.quantile([0.0, 0.5, 1.0]).tolist() == [0.0, 2.0, 4.0]


def test_places_of_number_texts_are_their_rows() -> None:
    values: list[Any] = ["1", "-2", "x", None, "inf", "2.5", "", "-3"]
    found = column(pa.array(values), textual=True, rows=[100])
    for sort, rows in (
        (Sort.NEGATIVE, [101, 107]),
        (Sort.STRING, [102]),
        (Sort.NULL, [103, 106]),
        (Sort.POSITIVE_INFINITY, [104]),
        (Sort.FRACTIONAL, [105]),
    ):
        assert found.tally.rows_of(sort) == rows
