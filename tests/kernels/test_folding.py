"""Folds: the compiled loops and their NumPy twins leave the same bits, however the rows are cut up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import counting as obvious
from reference import moments as exactly
from strategies import floats, integers, rows_of
from strategies import texts as any_text

from driftline.documents import encode
from driftline.kernels.categories import Categories
from driftline.kernels.folding import LENGTHS_CAPACITY, NumberFold, TextFold, Validity
from driftline.kernels.tally import Sort
from driftline.kernels.texts import Texts

if TYPE_CHECKING:
    from driftline.kernels.state import State

Chunk = tuple[Any, Validity, int]

cells = st.sampled_from([2, 5, 1 << 13])
few = st.sampled_from([1, 4, 1 << 14])
starts = st.sampled_from([0, 5, 1 << 40])


def same(a: State, b: State) -> bool:
    mine, theirs = a.pack(), b.pack()
    return (
        encode(mine.scalars) == encode(theirs.scalars)
        and mine.arrays.keys() == theirs.arrays.keys()
        and all(
            x.dtype == theirs.arrays[name].dtype and x.tobytes() == theirs.arrays[name].tobytes()
            for name, x in mine.arrays.items()
        )
    )


def all_same(a: tuple[State, ...], b: tuple[State, ...]) -> bool:
    return all(same(x, y) for x, y in zip(a, b, strict=True))


def _validity(mask: list[bool], offset: int) -> Validity:
    """A bitmap that starts inside a byte, with the bits around it set at random."""
    around = [bool((i * 7) % 3) for i in range(offset)]
    return Validity(np.packbits([*around, *mask, True, False], bitorder="little"), offset)


@st.composite
def cut_up(draw: st.DrawFn, values: list[Any], start: int) -> list[tuple[list[Any], Validity, int]]:
    """Cut rows into chunks, each with a validity bitmap of its own, or none."""
    ends = sorted({0, *draw(st.lists(st.integers(0, len(values)), max_size=3)), len(values)})
    chunks = []
    for a, b in zip(ends[:-1], ends[1:], strict=True):
        validity = Validity()
        if draw(st.booleans()):
            mask = draw(st.lists(st.booleans(), min_size=b - a, max_size=b - a))
            validity = _validity(mask, draw(st.integers(0, 17)))
        chunks.append((values[a:b], validity, start + a))
    return chunks


def _numbers(chunks: list[Chunk], dtype: Any, *, compiled: bool, capacities: tuple[int, int]) -> Any:
    fold = NumberFold(*capacities, compiled=compiled)
    for values, validity, first in chunks:
        # A slice of a longer array, as Arrow hands out.
        padded = np.concatenate([np.zeros(3, dtype), np.array(values, dtype), np.zeros(2, dtype)])
        fold.add(padded[3:-2], validity, first)
    return fold.close()


@pytest.mark.parametrize(
    ("row", "dtype"), [(floats, np.float64), (integers, np.int64)], ids=["doubles", "integers"]
)
@given(data=st.data())
def test_numbers_compiled_and_not_are_equal(row: Any, dtype: Any, data: st.DataObject) -> None:
    chunks = data.draw(cut_up(data.draw(rows_of(row)), data.draw(starts)))
    capacities = data.draw(st.tuples(cells, few))
    compiled = _numbers(chunks, dtype, compiled=True, capacities=capacities)
    assert all_same(compiled, _numbers(chunks, dtype, compiled=False, capacities=capacities))


@given(data=st.data())
def test_a_column_that_changes_its_type_is_folded_as_one(data: st.DataObject) -> None:
    parts = data.draw(st.lists(st.tuples(st.booleans(), st.lists(integers, max_size=12)), max_size=4))
    folds = {engine: NumberFold(5, 4, compiled=engine) for engine in (True, False)}
    for whole, values in parts:
        for fold in folds.values():
            fold.add(np.array(values, np.int64 if whole else np.float64))
    assert all_same(folds[True].close(), folds[False].close())


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "numpy"])
@given(data=st.data())
def test_tally_and_moments_are_those_of_the_obvious_loop(compiled: bool, data: st.DataObject) -> None:
    values = data.draw(rows_of(floats))
    start = data.draw(starts)
    chunks = data.draw(cut_up(values, start))
    tally, numbers = _numbers(chunks, np.float64, compiled=compiled, capacities=(1 << 13, 1 << 14))
    rows: list[tuple[int, float | None]] = []
    for part, validity, first in chunks:
        mask = validity.mask(len(part))
        for i, value in enumerate(part):
            rows.append((first + i, value if mask is None or mask[i] else None))
    counts, places = obvious.sorts_of_numbers(rows)
    assert {s.name: tally[s] for s in Sort if tally[s]} == counts
    assert {s.name: tally.rows_of(s) for s in Sort if tally.rows_of(s)} == places
    finite = [v for _, v in rows if v is not None and np.isfinite(v)]
    assert numbers.n == len(finite)
    if finite:
        assert numbers.moments.mean == exactly.nearest_double(exactly.mean(finite))
        assert numbers.moments.variance == exactly.nearest_double(exactly.variance(finite))
        assert numbers.n_distinct == len(set(finite))


def _families(n: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    with_gaps = rng.standard_normal(n)
    with_gaps[rng.random(n) < 0.02] = np.nan
    with_gaps[rng.random(n) < 0.001] = np.inf
    return {
        "normal": rng.standard_normal(n),
        "cauchy": rng.standard_cauchy(n),
        "lognormal over 200 decades": np.exp(50 * rng.standard_normal(n)),
        "tiny": rng.standard_normal(n) * 1e-310,
        "huge": np.sign(rng.standard_normal(n)) * 1.7e308 * rng.random(n),
        "far from zero": 1e12 + rng.standard_normal(n),
        "few values": rng.integers(0, 50, n).astype(np.float64),
        "gaps": with_gaps,
        "sorted": np.sort(rng.standard_normal(n)),
        "few, then many": np.concatenate([np.zeros(n // 2), rng.standard_normal(n - n // 2)]),
        "ids": rng.integers(-(2**62), 2**62, n),
        "run of ids": np.arange(n) + 2**53 - n // 2,
        "small integers": rng.poisson(3, n),
        "integers over 2**31": rng.integers(-(2**33), 2**33, n),
    }


@pytest.mark.parametrize("name", list(_families(2, 0)))
@pytest.mark.parametrize("capacities", [(1 << 13, 1 << 14), (100, 64)], ids=["usual", "small"])
def test_large_chunks_collapse_to_the_same_cells(name: str, capacities: tuple[int, int]) -> None:
    x = _families(60_000, 3)[name]
    x = x.astype(np.float64) if x.dtype.kind == "f" else x.astype(np.int64)
    mask = np.random.default_rng(4).random(x.shape[0]) > 0.03
    bitmap = np.packbits(mask, bitorder="little")
    results = []
    for compiled, size, offset in ((False, 60_000, 0), (True, 60_000, 0), (True, 8_192, 0), (True, 1_000, 0)):
        fold = NumberFold(*capacities, compiled=compiled)
        for at in range(0, x.shape[0], size):
            fold.add(x[at : at + size], Validity(bitmap, at + offset), at)
        results.append(fold.close())
    for other in results[1:]:
        assert all_same(results[0], other)


@pytest.mark.parametrize("name", list(_families(2, 0)))
def test_a_guess_from_a_similar_column_changes_nothing(name: str) -> None:
    x = _families(60_000, 5)[name]
    x = x.astype(np.float64) if x.dtype.kind == "f" else x.astype(np.int64)

    def folded(like: Any, values: np.ndarray) -> Any:
        fold = NumberFold(256, 256, compiled=True, like=like)
        for at in range(0, values.shape[0], 20_000):
            fold.add(values[at : at + 20_000], first_row=at)
        return fold.close()

    plain = folded(None, x)
    for other in (*_families(60_000, 6).values(), x[:2_000], np.repeat(x[:100], 600)):
        kind = np.float64 if other.dtype.kind == "f" else np.int64
        like = folded(None, other.astype(kind))[1]
        assert all_same(folded(like, x), plain)


def _texts(chunks: list[Chunk], *, compiled: bool, capacity: int, wide: bool = False) -> Any:
    fold = TextFold(capacity, compiled=compiled)
    for values, validity, first in chunks:
        padded = Texts.of([b"before", *values, b"after"])
        offsets = padded.offsets.astype(np.int64 if wide else np.int32)[1:-1]
        fold.add_texts(Texts(offsets, padded.data), validity, first)
    return fold.close()


@given(data=st.data())
def test_texts_compiled_and_not_are_equal(data: st.DataObject) -> None:
    values = data.draw(rows_of(any_text))
    chunks = data.draw(cut_up(values, data.draw(starts)))
    capacity = data.draw(few)
    compiled = _texts(chunks, compiled=True, capacity=capacity)
    assert all_same(compiled, _texts(chunks, compiled=False, capacity=capacity))
    assert all_same(compiled, _texts(chunks, compiled=True, capacity=capacity, wide=True))


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "numpy"])
@given(data=st.data())
def test_texts_are_those_of_the_obvious_loop(compiled: bool, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.text(max_size=12), max_size=40))
    chunks = data.draw(cut_up([v.encode() for v in values], data.draw(starts)))
    tally, categories, lengths = _texts(chunks, compiled=compiled, capacity=1 << 14)
    present: list[tuple[int, bytes]] = []
    gaps = []
    for part, validity, first in chunks:
        mask = validity.mask(len(part))
        for i, value in enumerate(part):
            if mask is None or mask[i]:
                present.append((first + i, value))
            else:
                gaps.append(first + i)
    assert tally[Sort.NULL] == len(gaps)
    assert tally.rows_of(Sort.NULL) == gaps[:8]
    assert tally[Sort.STRING] == len(present)
    assert tally[Sort.EMPTY] == sum(not v for _, v in present)
    found = {
        categories.texts.at(i): (int(categories.counts[i]), int(categories.first[i]))
        for i in range(categories.counts.shape[0])
    }
    assert found == obvious.categories(present)
    assert lengths.capacity == LENGTHS_CAPACITY
    expected, _ = obvious.cells([float(len(v.decode())) for _, v in present], LENGTHS_CAPACITY)
    assert dict(zip(lengths.cells.tolist(), lengths.counts.tolist(), strict=True)) == expected


@pytest.mark.parametrize("capacity", [1 << 14, 500])
def test_many_texts_are_sampled_alike(capacity: int) -> None:
    rng = np.random.default_rng(8)
    values = [b"id-%d" % i for i in rng.integers(0, 40_000, 60_000)]
    results = []
    for compiled, size in ((False, 60_000), (True, 60_000), (True, 7_000), (True, 512)):
        chunks = [(values[at : at + size], Validity(), at) for at in range(0, len(values), size)]
        results.append(_texts(chunks, compiled=compiled, capacity=capacity))
    for other in results[1:]:
        assert all_same(results[0], other)


@st.composite
def coded(draw: st.DrawFn) -> tuple[list[bytes], list[int]]:
    dictionary = draw(st.lists(any_text, min_size=1, max_size=8))
    codes = draw(st.lists(st.integers(0, len(dictionary) - 1), max_size=40))
    return dictionary, codes


@given(coded(), st.data())
def test_codes_are_the_texts_they_stand_for(
    entry: tuple[list[bytes], list[int]], data: st.DataObject
) -> None:
    dictionary, codes = entry
    capacity = data.draw(few)
    chunks = data.draw(cut_up(codes, data.draw(starts)))
    plain = [([dictionary[c] for c in part], validity, first) for part, validity, first in chunks]
    expected = _texts(plain, compiled=False, capacity=capacity)
    for compiled in (True, False):
        fold = TextFold(capacity, compiled=compiled)
        for part, validity, first in chunks:
            mask = validity.mask(len(part))
            # Codes in null slots may be anything.
            sent = [c if mask is None or mask[i] else -77 for i, c in enumerate(part)]
            fold.add_codes(np.array(sent, np.int32), Texts.of(dictionary), validity, first)
        assert all_same(fold.close(), expected)


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "numpy"])
def test_codes_of_an_empty_dictionary_are_all_null(compiled: bool) -> None:
    fold = TextFold(8, compiled=compiled)
    fold.add_codes(np.zeros(3, np.int32), Texts.of([]), _validity([False] * 3, 2), 4)
    tally, categories, _ = fold.close()
    assert tally.rows_of(Sort.NULL) == [4, 5, 6]
    assert same(categories, Categories(capacity=8))


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 20))
def test_bitmaps_are_read_bit_by_bit(mask: list[bool], offset: int) -> None:
    found = _validity(mask, offset).mask(len(mask))
    assert found is not None
    assert found.tolist() == mask
    assert Validity().mask(len(mask)) is None


@settings(max_examples=20)
@given(st.booleans(), st.booleans())
def test_a_fold_of_nothing_is_empty(compiled: bool, text: bool) -> None:
    fold = TextFold(8, compiled=compiled) if text else NumberFold(8, 8, compiled=compiled)
    if isinstance(fold, TextFold):
        fold.add_texts(Texts.of([]))
        fold.add_codes(np.empty(0, np.int32), Texts.of([b"a"]))
    else:
        fold.add(np.empty(0))
    for state in fold.close():
        assert set(state.finalize().values()) == {None}
