"""Profile: the States of every column, and the row count. It obeys the laws of a State.

A Profile is written as one Arrow IPC file, one row per column: its name, its scalars as JSON, and its arrays as lists, so
that any Arrow reader can look inside and nothing is unpickled.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from driftline.baselines.column import Column, Limits
from driftline.documents import decode, encode
from driftline.errors import DocumentError, DriftlineError
from driftline.kernels.categories import Categories
from driftline.kernels.distribution import Distribution
from driftline.kernels.numbers import Numbers
from driftline.kernels.state import Packed, State, StateMismatchError, same_setting
from driftline.kernels.tally import Tally
from driftline.kernels.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["SCHEMA", "Profile"]

SCHEMA = "driftline.profile/v1"

_PARTS: Mapping[str, type[State]] = {
    "tally": Tally,
    "numbers": Numbers,
    "categories": Categories,
    "lengths": Distribution,
}
_DTYPES = {"int64": pa.int64(), "uint64": pa.uint64(), "uint8": pa.uint8()}
_DTYPE_NAMES = {str(kind): name for name, kind in _DTYPES.items()}


@dataclass(frozen=True, repr=False)
class Profile:
    """What one pass over a table keeps.

    Attributes
    ----------
    columns : tuple of Column
        In the order of the table.
    n_rows : int
    limits : Limits
    sources : tuple of str
        Files or objects the rows stand in; a row number is ``position << 40 | row``.
    """

    columns: tuple[Column, ...]
    n_rows: int
    limits: Limits
    sources: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Profile: {self.n_rows:,} rows, {len(self.columns):,} columns>"

    def empty(self) -> Profile:
        """Return the Profile of no rows of the same table."""
        return Profile(tuple(c.empty() for c in self.columns), 0, self.limits, self.sources)

    def merge(self, other: Profile) -> Profile:
        """Return the Profile of both sides' rows; columns are paired by name.

        Raises
        ------
        StateMismatchError
            If limits, names or families differ.
        """
        if self.limits != other.limits:
            raise StateMismatchError("profile", "limits", self.limits, other.limits)
        theirs = {c.name: c for c in other.columns}
        if theirs.keys() != {c.name for c in self.columns}:
            raise StateMismatchError(
                "profile", "columns", [c.name for c in self.columns], [c.name for c in other.columns]
            )
        columns = tuple(c.merge(theirs[c.name]) for c in self.columns)
        sources = self.sources if self.sources == other.sources else ()
        return Profile(columns, self.n_rows + other.n_rows, self.limits, sources)

    @classmethod
    def merge_all(cls, profiles: Sequence[Profile]) -> Profile:
        """Return the Profile of the rows of all `profiles`, at least one; the same as merging them one by one, faster.

        Raises
        ------
        StateMismatchError
            If limits, names or families differ.
        """
        first = profiles[0]
        same_setting("profile", "limits", profiles)
        names = [c.name for c in first.columns]
        for other in profiles:
            if other._by_name.keys() != first._by_name.keys():
                raise StateMismatchError("profile", "columns", names, [c.name for c in other.columns])
        columns = tuple(Column.merge_many([p._by_name[name] for p in profiles]) for name in names)
        sources = first.sources if all(p.sources == first.sources for p in profiles) else ()
        return cls(columns, sum(p.n_rows for p in profiles), first.limits, sources)

    def column(self, name: str) -> Column | None:
        """Return the column called `name`, or None."""
        return self._by_name.get(name)

    @property
    def _by_name(self) -> dict[str, Column]:
        cached = self.__dict__.get("_index")
        if cached is None:
            cached = {c.name: c for c in self.columns}
            object.__setattr__(self, "_index", cached)
        return cached

    @property
    def digest(self) -> str:
        """``sha256:…`` over the content; the same rows give the same digest, however they were read."""
        cached = self.__dict__.get("_digest")
        if cached is None:
            what = hashlib.sha256()
            header: list[Any] = [SCHEMA, self.n_rows, *astuple(self.limits)]
            for column in self.columns:
                meta, arrays = _taken_apart(column)
                header += (meta, [(name, array.shape[0]) for name, array in sorted(arrays.items())])
                what.update(b"".join(array.tobytes() for _, array in sorted(arrays.items())))
            what.update(encode(header).encode("utf-8", "surrogatepass"))
            cached = "sha256:" + what.hexdigest()
            object.__setattr__(self, "_digest", cached)
        return cached

    def to_batch(self) -> pa.RecordBatch:
        """Return the Profile as a table, one row per column."""
        apart = [_taken_apart(c) for c in self.columns]
        kinds: dict[str, str] = {}
        for _, arrays in apart:
            for name, array in arrays.items():
                kinds.setdefault(name, str(array.dtype))
        fields: list[pa.Array] = [
            _strings([c.name for c in self.columns]),
            _strings([encode(meta) for meta, _ in apart]),
        ]
        names = ["column", "scalars"]
        for name in sorted(kinds):
            names.append(name)
            fields.append(_lists([arrays.get(name) for _, arrays in apart], kinds[name]))
        header = {
            "schema": SCHEMA,
            "n_rows": self.n_rows,
            "cells": self.limits.cells,
            "categories": self.limits.categories,
            "sample": self.limits.sample,
            "sources": list(self.sources),
        }
        batch = pa.RecordBatch.from_arrays(fields, names=names)
        return batch.replace_schema_metadata({b"driftline": encode(header).encode()})

    def to_bytes(self) -> bytes:
        """Return the Profile as an Arrow IPC file."""
        batch = self.to_batch()
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, batch.schema) as writer:
            writer.write_batch(batch)
        return bytes(sink.getvalue())

    @classmethod
    def from_bytes(cls, data: bytes, *, file: object = None) -> Profile:
        """Read what :meth:`to_bytes` wrote.

        Raises
        ------
        DocumentError
            If the bytes are not a profile, or a damaged one.
        """
        with _reading(file):
            with pa.ipc.open_file(pa.py_buffer(data)) as reader:
                batch = reader.get_batch(0)
            return cls._of(batch, file)

    @classmethod
    def from_batch(cls, batch: pa.RecordBatch, *, file: object = None) -> Profile:
        """Rebuild from :meth:`to_batch`; the arrays stay where they are.

        Raises
        ------
        DocumentError
            If the table is not a profile, or a damaged one.
        """
        with _reading(file):
            return cls._of(batch, file)

    @classmethod
    def _of(cls, batch: pa.RecordBatch, file: object) -> Profile:
        batch.validate(full=True)
        header = decode((batch.schema.metadata or {})[b"driftline"], file=file)
        _require(header["schema"] == SCHEMA, f"schema {header['schema']!r}, expected {SCHEMA!r}")
        limits = Limits(int(header["cells"]), int(header["categories"]), int(header["sample"]))
        names = _texts(batch.column("column"))
        scalars = _texts(batch.column("scalars"))
        arrays = {
            field.name: _slices(batch.column(i))
            for i, field in enumerate(batch.schema)
            if field.name not in ("column", "scalars")
        }
        columns = tuple(
            _put_together(
                name,
                decode(text, file=file),
                {key: part for key, parts in arrays.items() if (part := parts[i]) is not None},
            )
            for i, (name, text) in enumerate(zip(names, scalars, strict=True))
        )
        return cls(columns, int(header["n_rows"]), limits, tuple(str(s) for s in header["sources"]))


@contextlib.contextmanager
def _reading(file: object) -> Iterator[None]:
    try:
        yield
    except DriftlineError:
        raise
    except (
        pa.ArrowException,
        KeyError,
        ValueError,
        TypeError,
        IndexError,
        OverflowError,
        OSError,
    ) as error:
        raise DocumentError(
            f"not a profile of this driftline, or damaged: {error}",
            code="E-PROFILE",
            file=file,
            fix="make the baseline again",
        ) from None


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)


def _taken_apart(column: Column) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    meta: dict[str, Any] = {"name": column.name, "family": column.family, "declared": column.declared}
    arrays: dict[str, NDArray[Any]] = {}
    for part in _PARTS:
        state = getattr(column, part)
        if state is None:
            continue
        packed = state.pack()
        meta[part] = dict(packed.scalars)
        arrays.update({f"{part}.{key}": a for key, a in packed.arrays.items()})
    return meta, arrays


def _put_together(name: str, meta: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Column:
    states: dict[str, Any] = {}
    for part, cls in _PARTS.items():
        if part in meta:
            cut = len(part) + 1
            mine = {k[cut:]: a for k, a in arrays.items() if k.startswith(part + ".")}
            states[part] = cls.unpack(Packed(meta[part], mine))
    if "tally" not in states or meta["name"] != name:
        raise ValueError(f"the parts of column {name!r} do not belong together")
    return Column(name, str(meta["family"]), str(meta["declared"]), **states)


# pyarrow.array() imports pandas, a third of a second, whatever it is given; arrays are built from buffers instead.


def _strings(values: list[str]) -> pa.Array:
    texts = Texts.of(v.encode("utf-8", "surrogatepass") for v in values)
    return pa.Array.from_buffers(
        pa.large_string(),
        len(values),
        [None, pa.py_buffer(texts.offsets.astype(np.int64)), pa.py_buffer(texts.data)],
    )


def _lists(parts: list[NDArray[Any] | None], dtype: str) -> pa.Array:
    lengths = np.array([0 if p is None else p.shape[0] for p in parts], np.int64)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    present = [p for p in parts if p is not None]
    values = np.concatenate(present) if present else np.empty(0, dtype)
    valid = np.packbits([p is not None for p in parts], bitorder="little")
    items = pa.Array.from_buffers(_DTYPES[dtype], values.shape[0], [None, pa.py_buffer(values)])
    return pa.Array.from_buffers(
        pa.large_list(_DTYPES[dtype]),
        len(parts),
        [pa.py_buffer(valid), pa.py_buffer(offsets)],
        children=[items],
    )


def _texts(column: pa.Array) -> list[str]:
    if not pa.types.is_large_string(column.type) or column.null_count:
        raise ValueError(f"expected large_string without nulls, found {column.type}")
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int64)[column.offset : column.offset + len(column) + 1]
    content = b"" if data is None else data.to_pybytes()
    return [
        content[int(a) : int(b)].decode("utf-8", "surrogatepass")
        for a, b in zip(ends[:-1], ends[1:], strict=True)
    ]


def _slices(column: pa.Array) -> list[NDArray[Any] | None]:
    if not pa.types.is_large_list(column.type) or column.values.null_count:
        raise ValueError(f"expected large_list without nulls inside, found {column.type}")
    validity, offsets, *_ = column.buffers()
    n = len(column)
    ends = np.frombuffer(offsets, np.int64)[column.offset : column.offset + n + 1]
    items = column.values
    dtype = _DTYPE_NAMES[str(items.type)]
    buffer = items.buffers()[1]
    values = np.empty(0, dtype) if buffer is None else np.frombuffer(buffer, dtype)[items.offset :]
    valid = np.ones(n, np.bool_)
    if validity is not None:
        bits = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")
        valid = bits[column.offset : column.offset + n].astype(np.bool_)
    return [values[ends[i] : ends[i + 1]] if valid[i] else None for i in range(n)]
