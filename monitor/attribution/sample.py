"""Sample: some rows of a stream, chosen by what they hold.

Every row gets a number that follows from its values, from the seed, and from how many rows equal to it there are (the
first of them gets one, the second another); the rows with the smallest numbers are kept. So the choice does not
depend on the order of rows, files and batches, it is as good as random, and a sample of 200 is the beginning of a
sample of 1,000.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from driftline.errors import SchemaError
from driftline.kernels.hashing import hash_numbers, hash_texts
from driftline.kernels.lexical import Lexical, classify, parse_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from driftline.capture.source import Source

__all__ = ["RowSample", "read_sample"]

_MULTIPLY: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX: Final = np.uint64(0xD6E8FEB86659FD93)
_NOTHING: Final = np.uint64(0x5851F42D4C957F2D)
_32: Final = np.uint64(32)
_SLACK: Final = 4


class RowSample:
    """The rows of a stream with the smallest numbers.

    Parameters
    ----------
    names : sequence of str
        Columns that are kept, and by whose values rows are chosen.
    most : int
        Rows that are kept.
    seed : int

    Attributes
    ----------
    n_rows : int
        Rows seen so far.

    Notes
    -----
    Keeps 16 bytes for each different row that was seen, so that rows that occur often are drawn as often as they should be.
    """

    def __init__(self, names: Sequence[str], most: int, seed: int) -> None:
        self.n_rows = 0
        self._names = list(names)
        self._most = most
        self._seed = np.uint64((seed * int(_MULTIPLY) + int(_MIX)) % (1 << 64))
        self._seen = np.zeros(0, np.uint64)
        self._counts = np.zeros(0, np.uint64)
        self._numbers: list[NDArray[np.uint64]] = []
        self._kept: list[pa.RecordBatch] = []
        self._limit: np.uint64 | None = None

    def add(self, arrays: Sequence[pa.Array]) -> None:
        """Take the rows of a batch, one array for each column."""
        n = len(arrays[0])
        if not n:
            return
        self.n_rows += n
        hashes = np.full(n, self._seed)
        for position, array in enumerate(arrays):
            place = np.uint64((position + 1) * int(_MULTIPLY) % (1 << 64))
            hashes = _mixed(hashes ^ (_values(array) + place))
        numbers = _mixed(hashes + self._occurrence(hashes) * _MULTIPLY)
        if self._limit is not None:
            chosen = np.flatnonzero(numbers <= self._limit)
            if not chosen.size:
                return
            numbers = numbers[chosen]
            arrays = [array.take(pa.array(chosen)) for array in arrays]
        self._numbers.append(numbers)
        self._kept.append(pa.RecordBatch.from_arrays(list(arrays), names=self._names))
        if sum(part.shape[0] for part in self._numbers) > _SLACK * self._most:
            self._prune()

    def table(self) -> pa.Table | None:
        """Return the rows kept, in the order of their numbers; None where there were none."""
        if not self._kept:
            return None
        self._prune()
        return pa.Table.from_batches(self._kept)

    def _occurrence(self, hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return for every row how many equal ones came before it."""
        different, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
        at = np.searchsorted(self._seen, different)
        known = np.zeros(different.shape[0], bool)
        inside = at < self._seen.shape[0]
        known[inside] = self._seen[at[inside]] == different[inside]
        before = np.zeros(different.shape[0], np.uint64)
        before[known] = self._counts[at[known]]
        self._counts[at[known]] += counts[known].astype(np.uint64)
        fresh = ~known
        self._seen = np.insert(self._seen, at[fresh], different[fresh])
        self._counts = np.insert(self._counts, at[fresh], counts[fresh].astype(np.uint64))
        order = np.argsort(inverse, kind="stable")
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        rank = np.empty(hashes.shape[0], np.uint64)
        rank[order] = (np.arange(hashes.shape[0]) - np.repeat(starts, counts)).astype(np.uint64)
        return rank + before[inverse]

    def _prune(self) -> None:
        numbers = np.concatenate(self._numbers)
        order = np.argsort(numbers, kind="stable")[: self._most]
        table = pa.Table.from_batches(self._kept).take(pa.array(order)).combine_chunks()
        self._numbers, self._kept = [numbers[order]], table.to_batches()
        if order.shape[0] == self._most:
            self._limit = numbers[order[-1]]


def read_sample(source: Source, names: Sequence[str], most: int, seed: int) -> tuple[pa.Table | None, int]:
    """Read a source once, and keep some rows of the columns `names`.

    Returns
    -------
    table : pyarrow.Table or None
        None where there is not a single row.
    n_rows : int
        Rows of the source.

    Raises
    ------
    SchemaError
        ``E-COLUMN`` if a column is missing, or of a type that no model takes.
    """
    from driftline.documents import nearest

    places = {field.name: (i, field) for i, field in enumerate(source.fields)}
    chosen = []
    for name in names:
        if name not in places:
            close = nearest(name, places)
            raise SchemaError(
                "the data have no such column",
                code="E-COLUMN",
                file=source.label,
                field=name,
                fix=f"did you mean {close!r}?" if close else "say features = [...] as the data have them",
            )
        index, found = places[name]
        if not is_usable(found.type):
            raise SchemaError(
                f"a column of {found.type} is no feature",
                code="E-COLUMN",
                file=source.label,
                field=name,
                fix="name it under ignore, or make numbers of it",
            )
        chosen.append(index)
    sample = RowSample(names, most, seed)
    for part in source.parts:
        for batch in part.read(chosen):
            sample.add(batch.arrays)
    return sample.table(), sample.n_rows


def is_usable(kind: pa.DataType) -> bool:
    """Tell whether a column of this type can be a feature: numbers, texts, booleans, or nothing at all."""
    if pa.types.is_dictionary(kind):
        return is_usable(kind.value_type)
    return bool(is_number(kind) or is_text(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind))


def is_number(kind: pa.DataType) -> bool:
    """Tell whether a type holds numbers."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def is_text(kind: pa.DataType) -> bool:
    """Tell whether a type holds text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def texts_of(array: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return offsets and bytes of an array of texts; those of nulls are anything."""
    import pyarrow.compute as pc

    array = pc.cast(array, pa.large_string())
    _, offsets, data = array.buffers()
    begin = array.offset
    places = np.frombuffer(offsets, np.int64)[begin : begin + len(array) + 1]
    return places, np.frombuffer(b"" if data is None else data, np.uint8)


def doubles_of(array: pa.Array) -> NDArray[np.float64]:
    """Return an array of numbers or booleans as doubles, NaN where there is none."""
    import pyarrow.compute as pc

    if pa.types.is_null(array.type):
        return np.full(len(array), np.nan)
    if pa.types.is_boolean(array.type):
        array = pc.cast(array, pa.int8())
    array = pc.fill_null(pc.cast(array, pa.float64(), safe=False), float("nan"))
    return np.array(np.from_dlpack(array), np.float64)


def plain_array(array: pa.Array) -> pa.Array:
    """Return an array without the dictionary that it may be written with."""
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _mixed(h: NDArray[np.uint64]) -> NDArray[np.uint64]:
    h = h ^ (h >> _32)
    h = h * _MIX
    h = h ^ (h >> _32)
    h = h * _MULTIPLY
    return h ^ (h >> _32)


def _values(array: pa.Array) -> NDArray[np.uint64]:
    """Hash the values of a column: a number by its double, also where it is written as text."""
    array = plain_array(array)
    if is_text(array.type):
        offsets, data = texts_of(array)
        padded = data if data.size else np.zeros(1, np.uint8)
        classes = classify(offsets, padded)
        numbers = parse_numbers(offsets, padded, classes)
        result = hash_texts(offsets, padded)
        result = np.where(classes == Lexical.NULL, _NOTHING, result)
    else:
        numbers = doubles_of(array)
        result = np.full(len(array), _NOTHING)
    finite = np.isfinite(numbers)
    result[finite] = hash_numbers(numbers[finite])
    if array.null_count:
        result[np.logical_not(_valid(array))] = _NOTHING
    return result


def _valid(array: pa.Array) -> NDArray[np.bool_]:
    import pyarrow.compute as pc

    return np.array(np.from_dlpack(pc.cast(pc.is_valid(array), pa.uint8()))).astype(bool)


def valid_of(array: pa.Array) -> Any:
    """Tell for every value whether it is there."""
    return _valid(array)


def renamed(source: Source, names: Sequence[str]) -> Source:
    """Return a source without names of its own with these."""
    from dataclasses import replace

    from driftline.capture.source import OpenedSource

    fields = tuple(replace(field, name=name) for field, name in zip(source.fields, names, strict=True))
    return OpenedSource(
        source.label, fields, True, source.columnar, source.sources, source.parts, source.notes
    )
