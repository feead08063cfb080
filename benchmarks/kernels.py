"""Kernels and their rivals: one table, read by the benchmarks and by the tests.

Each case is a column of one kind. driftline folds it into all the States it keeps of such a column (tally, exact moments,
distribution, distinct values; or tally, categories, lengths) with the compiled loops and with their NumPy
twins; the rivals compute what NumPy, SciPy or Arrow have for a part of that. Every contender returns what it found,
so that a test can hold them to each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import stats

from driftline.kernels.folding import NumberFold, TextFold, Validity
from driftline.kernels.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Found = Mapping[str, float]

__all__ = ["CASES", "COMPILED", "TWIN", "Case", "Column"]

CHUNK = 131_072
CAPACITY = 8192
SAMPLE = 16384
LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)

COMPILED, TWIN = "driftline, compiled", "driftline, NumPy twin"


@dataclass(frozen=True, slots=True)
class Column:
    """One column in the forms that the contenders take.

    Attributes
    ----------
    values : ndarray
        Numbers, or int32 codes; what stands in null slots does not matter to driftline.
    valid : ndarray of bool, or None
        None where every row has a value.
    texts : pyarrow.Array or None
        Of text columns: the texts, or the dictionary.
    """

    values: NDArray[Any]
    valid: NDArray[np.bool_] | None = None
    texts: pa.Array | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of column, and who takes part.

    Attributes
    ----------
    name : str
    make : callable
        Takes the number of rows, returns the column.
    contenders : mapping of str to callable
        Each takes the column and returns what it found: ``n``, ``mean``, ``deviation``, ``least``, ``greatest``,
        ``median``, ``distinct``, as far as it looks.
    """

    name: str
    make: Callable[[int], Column]
    contenders: Mapping[str, Callable[[Column], Found]]


def _rng(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


def _fold_numbers(column: Column, *, compiled: bool) -> Found:
    fold = NumberFold(CAPACITY, SAMPLE, compiled=compiled)
    x = column.values
    bitmap = None if column.valid is None else np.packbits(column.valid, bitorder="little")
    for start in range(0, x.shape[0], CHUNK):
        validity = Validity() if bitmap is None else Validity(bitmap, start)
        fold.add(x[start : start + CHUNK], validity, start)
    _, numbers = fold.close()
    moments = numbers.moments
    assert moments.mean is not None
    assert moments.std_dev is not None
    assert moments.low is not None
    assert moments.high is not None
    return {
        "n": moments.n,
        "mean": moments.mean,
        "deviation": moments.std_dev,
        "least": float(moments.low),
        "greatest": float(moments.high),
        "median": float(numbers.distribution.quantile(0.5)[0]),
        "distinct": numbers.n_distinct,
    }


def _numpy_moments(column: Column) -> Found:
    x = column.values
    if column.valid is not None:
        return {
            "mean": float(np.nanmean(x)),
            "deviation": float(np.nanstd(x)),
            "least": float(np.nanmin(x)),
            "greatest": float(np.nanmax(x)),
        }
    return {
        "mean": float(x.mean()),
        "deviation": float(x.std()),
        "least": float(x.min()),
        "greatest": float(x.max()),
    }


def _scipy_describe(column: Column) -> Found:
    x = column.values if column.valid is None else column.values[column.valid]
    found = stats.describe(x, ddof=0)
    return {
        "n": int(found.nobs),
        "mean": float(found.mean),
        "deviation": float(np.sqrt(found.variance)),
        "least": float(found.minmax[0]),
        "greatest": float(found.minmax[1]),
    }


def _numpy_quantiles(column: Column) -> Found:
    quantiles = np.quantile if column.valid is None else np.nanquantile
    # The inverse of the empirical distribution, as driftline defines it: the answer is one of the values.
    return {"median": float(quantiles(column.values, LEVELS, method="inverted_cdf")[3])}


def _numpy_unique(column: Column) -> Found:
    x = column.values if column.valid is None else column.values[column.valid]
    return {"distinct": int(np.unique(x).shape[0])}


def _arrow_distinct(column: Column) -> Found:
    mask = None if column.valid is None else ~column.valid
    return {"distinct": pc.count_distinct(pa.array(column.values, mask=mask)).as_py()}


def _numpy_histogram(column: Column) -> Found:
    x = column.values if column.valid is None else column.values[column.valid]
    counts, _ = np.histogram(x, bins=50)
    return {"n": int(counts.sum())}


_NUMBERS: dict[str, Callable[[Column], Found]] = {
    COMPILED: partial(_fold_numbers, compiled=True),
    TWIN: partial(_fold_numbers, compiled=False),
    "numpy mean, std, min, max": _numpy_moments,
    "scipy describe": _scipy_describe,
    "numpy quantile, 7 levels": _numpy_quantiles,
    "numpy histogram, 50 bins": _numpy_histogram,
    "numpy unique": _numpy_unique,
    "arrow count_distinct": _arrow_distinct,
}


def _fold_texts(column: Column, *, compiled: bool) -> Found:
    fold = TextFold(SAMPLE, compiled=compiled)
    assert column.texts is not None
    _, offsets, data = column.texts.buffers()
    starts = np.frombuffer(offsets, np.int32)[: len(column.texts) + 1]
    texts = Texts(starts, np.frombuffer(data, np.uint8))
    for start in range(0, texts.n, CHUNK):
        part = Texts(texts.offsets[start : min(start + CHUNK, texts.n) + 1], texts.data)
        fold.add_texts(part, Validity(), start)
    return _categories_of(fold)


def _fold_codes(column: Column, *, compiled: bool) -> Found:
    fold = TextFold(SAMPLE, compiled=compiled)
    assert column.texts is not None
    dictionary = Texts.of(text.encode() for text in column.texts.to_pylist())
    for start in range(0, column.values.shape[0], CHUNK):
        fold.add_codes(column.values[start : start + CHUNK], dictionary, Validity(), start)
    return _categories_of(fold)


def _categories_of(fold: TextFold) -> Found:
    _, categories, lengths = fold.close()
    shortest, longest = lengths.quantile([0.0, 1.0])
    return {
        "n": categories.n,
        "distinct": categories.n_distinct,
        "least": float(shortest),
        "greatest": float(longest),
    }


def _arrow_counts(column: Column) -> Found:
    counted = pc.value_counts(column.texts)
    return {"n": pc.sum(counted.field("counts")).as_py(), "distinct": len(counted)}


def _arrow_text_distinct(column: Column) -> Found:
    return {"distinct": pc.count_distinct(column.texts).as_py()}


def _arrow_lengths(column: Column) -> Found:
    found = pc.min_max(pc.utf8_length(column.texts)).as_py()
    return {"least": found["min"], "greatest": found["max"]}


def _numpy_bincount(column: Column) -> Found:
    counts = np.bincount(column.values)
    return {"n": int(counts.sum()), "distinct": int(np.count_nonzero(counts))}


_TEXTS: dict[str, Callable[[Column], Found]] = {
    COMPILED: partial(_fold_texts, compiled=True),
    TWIN: partial(_fold_texts, compiled=False),
    "arrow value_counts": _arrow_counts,
    "arrow count_distinct": _arrow_text_distinct,
    "arrow utf8_length, min_max": _arrow_lengths,
}

_CODES: dict[str, Callable[[Column], Found]] = {
    COMPILED: partial(_fold_codes, compiled=True),
    TWIN: partial(_fold_codes, compiled=False),
    "numpy bincount": _numpy_bincount,
    "numpy unique": _numpy_unique,
}


def _with_nulls(n: int) -> Column:
    rng = _rng(2)
    values, valid = rng.standard_normal(n) * 3 + 10, rng.random(n) >= 0.03
    return Column(np.where(valid, values, np.nan), valid)


def _plain_texts(n: int, n_values: int) -> Column:
    names = pa.array([f"merchant-{i * 7919 % 5000:05d}-{'xyz'[i % 3]}" for i in range(n_values)])
    codes = np.minimum(_rng(6).zipf(1.3, n) - 1, n_values - 1).astype(np.int32)
    return Column(codes, None, pa.DictionaryArray.from_arrays(codes, names).cast(pa.string()))


def _unique_texts(n: int) -> Column:
    codes = np.arange(n, dtype=np.int64)
    parts = (_rng(7).permutation(codes) * 2_654_435_761 % (1 << 48)).tolist()
    return Column(codes, None, pa.array([f"{part:012x}-{i:09d}-4000-a000" for i, part in enumerate(parts)]))


def _coded(n: int) -> Column:
    names = pa.array([f"cat_{i:02d}" for i in range(50)])
    return Column(np.minimum(_rng(8).zipf(1.2, n) - 1, 49).astype(np.int32), None, names)


CASES: tuple[Case, ...] = (
    Case("float, no nulls", lambda n: Column(_rng(1).standard_normal(n) * 3 + 10), _NUMBERS),
    Case("float, 3% nulls", _with_nulls, _NUMBERS),
    Case("float, heavy tails", lambda n: Column(_rng(3).standard_t(2.5, n) * 3), _NUMBERS),
    Case("float, two decimals", lambda n: Column(np.round(_rng(4).gamma(2.0, 20.0, n), 2)), _NUMBERS),
    Case("integer, counts", lambda n: Column(_rng(5).poisson(20, n).astype(np.int64)), _NUMBERS),
    Case("integer, random ids", lambda n: Column(_rng(9).integers(0, 1 << 52, n)), _NUMBERS),
    Case("text, 5,000 values", partial(_plain_texts, n_values=5000), _TEXTS),
    Case("text, all different", _unique_texts, _TEXTS),
    Case("codes of 50 texts", _coded, _CODES),
)
