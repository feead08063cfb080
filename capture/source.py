"""Source: where columns of data come from, whatever form they have.

A source is a list of parts that can be read independently and in any order, each giving Arrow arrays for the
columns asked for. Columnar sources (Parquet) read one column at a small cost; the others must be read whole,
once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from driftline.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa

__all__ = [
    "MAX_COLUMNS",
    "Batch",
    "Field",
    "OpenedSource",
    "Part",
    "Place",
    "Record",
    "RecordHandler",
    "RecordSource",
    "Run",
    "Source",
    "check_names",
    "place_of",
]

MAX_COLUMNS = 100_000
"""Most columns that a table may have."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a source.

    Attributes
    ----------
    name : str
    type : pyarrow.DataType
        Arrow type of the arrays that :meth:`Part.read` gives.
    textual : bool
        True where the values were born as text (CSV, SageMaker capture), so that their type is to be read
        from the text; False where the format declares a type (Parquet, Arrow, frames, JSON numbers).
    """

    name: str
    type: pa.DataType
    textual: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """Where a stretch of a batch stands, when one batch gathers rows of several small files.

    Attributes
    ----------
    start : int
        Index within the batch of the first row of the stretch; it ends where the next one starts.
    source : str
        File, URL or object these rows stand in.
    first_row : int
        0-based number of the first of these rows within `source`.
    """

    start: int
    source: str
    first_row: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of the chosen columns.

    Attributes
    ----------
    arrays : tuple of pyarrow.Array
        One per chosen column, in the order asked, all of the same length. Never chunked.
    first_row : int
        0-based number of the first row within the part's file or object.
    runs : tuple of Run
        Empty where all rows stand in the part's ``source``. Otherwise the stretches, in order, starting at 0.
    """

    arrays: tuple[pa.Array, ...]
    first_row: int
    runs: tuple[Run, ...] = ()


class Part(Protocol):
    """A piece of a source that can be read on its own, by any thread."""

    @property
    def source(self) -> str:
        """File, URL or object the (first) rows stand in; empty for data in memory."""

    @property
    def ordinal(self) -> int:
        """Position of that file among the source's files, in sorted order."""

    @property
    def n_rows(self) -> int | None:
        """Rows of this part, where known before reading."""

    def read(self, columns: Sequence[int]) -> Iterator[Batch]:
        """Give the rows of `columns` (indices into ``Source.fields``) in order, in bounded memory.

        Raises
        ------
        SourceError
            If the bytes cannot be decoded; the error names the file and, where known, the line.
        """


class Source(Protocol):
    """A set of rows with named columns."""

    @property
    def label(self) -> str:
        """Name for people."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns, in order. Names are distinct."""

    @property
    def named(self) -> bool:
        """True where names came with the data; False where they are positions (``_c0``, ``_c1``, …)."""

    @property
    def columnar(self) -> bool:
        """True where reading one column does not read the others."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Files or objects, sorted."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts; together they hold every row once."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the result should know about how the data were read, one sentence each."""


@dataclass(frozen=True, slots=True)
class OpenedSource:
    """The plain form of a :class:`Source` that every format gives.

    Attributes
    ----------
    captured : bool
        True where all files are segments of captures, whose first columns are about the event.
    """

    label: str
    fields: tuple[Field, ...]
    named: bool
    columnar: bool
    sources: tuple[str, ...]
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()
    captured: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands.

    Attributes
    ----------
    file : str
        File, URL or object; empty for data in memory.
    line : int or None
        1-based line of a text file, or number of the record in other forms.
    n_bytes : int
        Size of the record where it is known, so that rows can be gathered in bounded memory.
    """

    file: str
    line: int | None = None
    n_bytes: int = field(default=0, compare=False)


Record: TypeAlias = "Mapping[str, Any] | str"
"""A mapping, or the text of a CSV line."""


class RecordSource(Protocol):
    """The same data before they are a table: one record after the other.

    A record is the captured object of a SageMaker file, the object of a JSON line, the text of a CSV line, or
    a row of Parquet, Arrow or a frame as a mapping.
    """

    @property
    def label(self) -> str:
        """Name for people."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Files or objects, sorted."""

    @property
    def notes(self) -> tuple[str, ...]:
        """As :attr:`Source.notes`."""

    def records(self) -> Iterator[tuple[Place, Record]]:
        """Give every record with its place, in order, in bounded memory."""


RecordHandler: TypeAlias = (
    "Callable[[Iterator[tuple[Place, Record]]], Iterable[tuple[Place, Mapping[str, Any]]]]"
)
"""Something that stands between records and rows, such as a user's preprocessor.

It receives the records with their places and gives rows, each with the place of the record it came from. It
may drop records and may give several rows for one. Rows are flat mappings of text keys to numbers, text,
booleans or None.
"""


def check_names(names: Sequence[str], file: object) -> None:
    """Refuse a table without columns, or with too many, two columns of one name, and names that are not Unicode.

    Raises
    ------
    SchemaError
        With the code ``E-NO-COLUMNS``, ``E-DUPLICATE`` or ``E-ENCODING``.
    """
    if not names:
        raise SchemaError(
            "has no columns", code="E-NO-COLUMNS", file=file or None, fix="check what writes it"
        )
    if len(names) > MAX_COLUMNS:
        raise SchemaError(
            f"has {len(names):,} columns, more than the limit of {MAX_COLUMNS:,}",
            code="E-NO-COLUMNS",
            file=file or None,
            fix="leave columns out, or give the data column groups apart",
        )
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            raise SchemaError(
                "the name of this column holds half of a surrogate pair, which is not Unicode",
                code="E-ENCODING",
                file=file or None,
                field=name,
                fix="rename it",
            ) from None
    if len(set(names)) == len(names):
        return
    first: dict[str, int] = {}
    for position, name in enumerate(names):
        if name in first:
            raise SchemaError(
                f"two columns have this name, number {first[name] + 1} and number {position + 1}",
                code="E-DUPLICATE",
                file=file or None,
                field=name,
                fix="rename one of them",
            )
        first[name] = position


def place_of(part: Part, batch: Batch, index: int) -> tuple[str, int]:
    """Tell where row `index` of `batch` stands.

    Returns
    -------
    source : str
        File, URL or object.
    row : int
        0-based row within it.
    """
    run = Run(0, part.source, batch.first_row)
    for candidate in batch.runs:
        if candidate.start > index:
            break
        run = candidate
    return run.source, run.first_row + index - run.start
