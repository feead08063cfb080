"""Rows of a batch job: inputs beside outputs, by position or by the value of a column, in bounded memory."""

from __future__ import annotations

import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from driftline.capture.columns import read_texts
from driftline.capture.tables import META, TEXTUAL
from driftline.documents import nearest
from driftline.errors import SchemaError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from driftline.capture.source import Field, Source

__all__ = [
    "Generated",
    "Rows",
    "aligned",
    "column",
    "columns_of_sides",
    "generated_in",
    "in_batches",
    "is_value",
    "joined",
    "missing_id",
    "position_of",
    "times_of",
]

ROWS = 131_072
"""Rows of a table."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ID_NAME, _TIME_NAME = "SageMakerInferenceId", "SageMakerInferenceTime"
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
_MEMORY = "512MB"

# k is the id, n the number of the row.
_NO_ID = "SELECT 1 FROM read_parquet($1) WHERE k IS NULL LIMIT 1"
_TWICE = "SELECT k FROM read_parquet($1) GROUP BY k HAVING count(*) > 1 ORDER BY min(n) LIMIT 1"
_LONG = "SELECT k FROM read_parquet($1) WHERE length(k) > 100 ORDER BY n LIMIT 1"
_JOIN = """
SELECT i.k AS ki, i.* EXCLUDE (k, n), o.k AS ko, o.* EXCLUDE (k, n)
FROM read_parquet($1) i FULL JOIN read_parquet($2) o ON i.k = o.k
ORDER BY i.n NULLS LAST, o.n
"""


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of both sides.

    Attributes
    ----------
    inputs, outputs : list of pyarrow.Array
        By the fields of their sources; `outputs` is empty where there is only one side.
    n : int
    ids : pyarrow.Array or None
        Text by which they were joined.
    sides : pyarrow.Array or None
        ``both``, ``input`` or ``output``; None where all are alike.
    """

    inputs: list[pa.Array]
    outputs: list[pa.Array]
    n: int
    ids: pa.Array | None = None
    sides: pa.Array | None = None


@dataclass(frozen=True, slots=True)
class Generated:
    """Where the columns stand that ``GenerateInferenceId`` adds."""

    id: int
    time: int


def in_batches(source: Source, size: int = ROWS) -> Iterator[list[pa.Array]]:
    """Read all columns, `size` rows at a time."""
    positions = range(len(source.fields))
    held: list[list[pa.Array]] = []
    n = 0
    for part in source.parts:
        for batch in part.read(positions):
            arrays = [_decoded(array) for array in batch.arrays]
            while arrays and len(arrays[0]):
                room = size - n
                held.append([array.slice(0, room) for array in arrays])
                n += len(held[-1][0])
                arrays = [array.slice(room) for array in arrays]
                if n == size:
                    yield _together(held)
                    held, n = [], 0
    if held:
        yield _together(held)


def _decoded(array: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_large_string(array.type) or pa.types.is_string_view(array.type):
        array = array.cast(pa.string())
    return array


def _together(held: Sequence[list[pa.Array]]) -> list[pa.Array]:
    if len(held) == 1:
        return held[0]
    return [pa.concat_arrays(pieces) for pieces in zip(*held, strict=True)]


def aligned(inputs: Source, outputs: Source | None) -> Iterator[Rows]:
    """Put the rows of two sources side by side, by position.

    Raises
    ------
    SchemaError
        ``E-BATCH-ROWS`` where one has more rows than the other; both are named, and no part of them should be stored.
    """
    if outputs is None:
        for arrays in in_batches(inputs):
            yield Rows(arrays, [], len(arrays[0]))
        return
    left, right = in_batches(inputs), in_batches(outputs)
    n_left = n_right = 0
    while True:
        a, b = next(left, None), next(right, None)
        n_left += len(a[0]) if a else 0
        n_right += len(b[0]) if b else 0
        if a is None and b is None:
            return
        if n_left != n_right:
            n_left += sum(len(arrays[0]) for arrays in left)
            n_right += sum(len(arrays[0]) for arrays in right)
            raise SchemaError(
                f"has {n_left:,} rows and its output {outputs.label} has {n_right:,}",
                code="E-BATCH-ROWS",
                file=inputs.label,
                fix="check that both are whole, and say --header or --no-header where one begins with names",
            )
        assert a is not None
        assert b is not None
        yield Rows(a, b, len(a[0]))


def generated_in(source: Source) -> Generated | None:
    """Look for the columns that ``GenerateInferenceId`` adds: two names, or the last two of CSV without names."""
    names = [field.name for field in source.fields]
    if _ID_NAME in names and _TIME_NAME in names:
        return Generated(names.index(_ID_NAME), names.index(_TIME_NAME))
    if source.named or len(names) < 3 or not all(field.textual for field in source.fields[-2:]):
        return None
    for part in source.parts:
        for batch in part.read((len(names) - 2, len(names) - 1)):
            ids, times = (_decoded(array).slice(0, 1000).to_pylist() for array in batch.arrays)
            if not ids:
                continue
            if len(set(times)) == 1 and _is_time(times[0]) and all(i and _UUID.fullmatch(i) for i in ids):
                return Generated(len(names) - 2, len(names) - 1)
            return None
    return None


def _is_time(text: str | None) -> bool:
    try:
        datetime.fromisoformat(text or "")
    except ValueError:
        return False
    return not (text or "").isdigit()


def is_value(text: str) -> bool:
    """Tell whether a CSV field is rather a value than a name: a number, a time or a UUID."""
    return bool(_NUMBER.fullmatch(text) or _UUID.fullmatch(text)) or _is_time(text)


def times_of(texts: pa.Array, file: str, otherwise: int) -> pa.Array:
    """Read times, in microseconds since 1970-01-01 UTC; `otherwise` where one is null.

    Raises
    ------
    SourceError
        ``E-TIME`` for a text that is none.
    """
    if pa.types.is_timestamp(texts.type):
        return pc.fill_null(texts.cast(pa.timestamp("us", "UTC")).cast(pa.int64()), otherwise)
    coded = texts.cast(pa.string()).dictionary_encode()
    found = []
    for text in coded.dictionary.to_pylist():
        if not _is_time(text):
            raise SourceError(f"{text!r} is no time", code="E-TIME", file=file, field=_TIME_NAME)
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        past = moment - datetime(1970, 1, 1, tzinfo=UTC)
        found.append((past.days * 86400 + past.seconds) * 1_000_000 + past.microseconds)
    return pc.fill_null(pa.array(found, pa.int64()).take(coded.indices), otherwise)


def columns_of_sides(
    inputs: Source, outputs: Source | None, without: Sequence[set[int]]
) -> list[tuple[int, int, str]]:
    """Choose the columns to store: side, position there and name.

    A column that has no name is called ``_c0``, ``_c1``, …, or ``prediction`` (``prediction_0``, …) among the outputs; an
    output that has the name of an input ``output.<name>``.

    Parameters
    ----------
    inputs, outputs : Source
    without : two sets of int
        Positions to leave out, of each side.
    """
    names = set(META.names)
    chosen = []
    for side, source in enumerate((inputs, outputs)):
        if source is None:
            continue
        positions = [at for at in range(len(source.fields)) if at not in without[side]]
        for number, at in enumerate(positions):
            name = source.fields[at].name
            if not source.named:
                name = f"_c{number}"
                if side:
                    name = "prediction" if len(positions) == 1 else f"prediction_{number}"
            if name in names:
                name = f"{'output' if side else 'input'}.{name}"
            while name in names:
                name += "_"
            names.add(name)
            chosen.append((side, at, name))
    return chosen


def column(field: Field, name: str, array: pa.Array) -> tuple[pa.Field, pa.Array]:
    """Give a column its type: what was born as text may be numbers."""
    textual = False
    if field.textual and pa.types.is_string(array.type):
        array, textual = read_texts(array)
    return pa.field(name, array.type, metadata=TEXTUAL if textual else None), array


@contextmanager
def joined(inputs: Source, outputs: Source, name: str) -> Iterator[Iterator[Rows]]:
    """Put the rows of two sources side by side that have the same value in a column.

    Both are written to temporary files, and DuckDB joins them there. Rows without a partner stand alone.

    Parameters
    ----------
    inputs, outputs : Source
    name : str
        Of the column, which both have.

    Raises
    ------
    SchemaError
        ``E-COLUMNS`` where a side has no such column, ``E-BATCH-ID`` where a value is missing, or occurs twice.
    """
    import duckdb

    at = [position_of(source, name) for source in (inputs, outputs)]
    with tempfile.TemporaryDirectory(prefix="driftline-") as folder:
        files = [Path(folder) / "inputs.parquet", Path(folder) / "outputs.parquet"]
        for source, file, key in zip((inputs, outputs), files, at, strict=True):
            _spool(source, file, key)
        settings: dict[str, str | bool | int | float | list[str]] = {
            "temp_directory": folder,
            "memory_limit": _MEMORY,
            "autoinstall_known_extensions": "false",
        }
        both = Path(folder) / "joined.parquet"
        try:
            with duckdb.connect(config=settings) as database:
                database.execute("SET TimeZone = 'UTC'")
                for source, file in zip((inputs, outputs), files, strict=True):
                    _check_ids(database, source, file, name)
                database.sql(_JOIN, params=[str(file) for file in files]).write_parquet(str(both))
        except duckdb.Error as error:
            raise SourceError(
                f"the sides cannot be joined: {str(error).splitlines()[0]}",
                code="E-SPOOL",
                file=inputs.label,
                fix="make room in the folder for temporary files",
            ) from None
        yield _pieces(both, inputs, outputs)


def position_of(source: Source, name: str) -> int:
    """Return where a column stands.

    Raises
    ------
    SchemaError
        ``E-COLUMNS`` where there is none of this name.
    """
    names = [field.name for field in source.fields]
    if name in names:
        return names.index(name)
    close = nearest(name, names)
    raise SchemaError(
        "there is no such column",
        code="E-COLUMNS",
        file=source.label,
        field=name,
        fix=f"did you mean {close!r}?" if close else "name the column that both sides have",
    )


def _spool(source: Source, file: Path, key: int) -> None:
    import pyarrow.parquet as pq

    side = int(file.stem == "outputs")
    writer = None
    row = 0
    try:
        for arrays in in_batches(source):
            n = len(arrays[0])
            ids = arrays[key].cast(pa.string())
            numbers = pa.array(range(row, row + n), pa.int64())
            names = ["k", "n", *(f"s{side}c{at}" for at in range(len(arrays)))]
            table = pa.table([ids, numbers, *arrays], names)
            if writer is None:
                writer = pq.ParquetWriter(file, table.schema, compression="lz4")
            writer.write_table(table)
            row += n
    finally:
        if writer is not None:
            writer.close()
    if writer is None:
        raise SourceError("has no rows", code="E-NO-DATA", file=source.label, fix="check what writes it")


def missing_id(source: Source, name: str | None) -> SchemaError:
    """Return the error for a row without an id."""
    return SchemaError(
        "is missing in some row",
        code="E-BATCH-ID",
        file=source.label,
        field=name,
        fix="join by a column that names every row once",
    )


def _check_ids(database: Any, source: Source, file: Path, name: str) -> None:
    if database.execute(_NO_ID, [str(file)]).fetchone():
        raise missing_id(source, name)
    for query, message in (
        (_TWICE, "{0!r} occurs more than once"),
        (_LONG, "{0!r} is longer than 100 characters"),
    ):
        found = database.execute(query, [str(file)]).fetchone()
        if found is not None:
            raise SchemaError(
                message.format(found[0]),
                code="E-BATCH-ID",
                file=source.label,
                field=name,
                fix="join by a column that names every row once",
            )


def _pieces(file: Path, inputs: Source, outputs: Source) -> Iterator[Rows]:
    import pyarrow.parquet as pq

    n_inputs = len(inputs.fields)
    with pq.ParquetFile(file) as both:
        for batch in both.iter_batches(ROWS):
            left, right = batch.columns[: n_inputs + 1], batch.columns[n_inputs + 1 :]
            here, there = pc.is_valid(left[0]), pc.is_valid(right[0])
            sides = pc.if_else(pc.and_(here, there), "both", pc.if_else(here, "input", "output"))
            yield Rows(
                _typed(left[1:], inputs),
                _typed(right[1:], outputs),
                batch.num_rows,
                pc.coalesce(left[0], right[0]),
                sides,
            )


def _typed(arrays: Sequence[pa.Array], source: Source) -> list[pa.Array]:
    """Give values back the types they had before they went through the join."""
    out = []
    for array, field in zip(arrays, source.fields, strict=True):
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if pa.types.is_null(kind):
            out.append(pa.nulls(len(array)))
        else:
            array = _decoded(array)
            out.append(array if array.type == kind or pa.types.is_nested(kind) else array.cast(kind))
    return out
