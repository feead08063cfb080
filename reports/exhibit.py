"""Exhibit: a table, a matrix or a curve beside the judgements, as data that every renderer draws alike."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["KINDS", "MOST_EXHIBITS", "STATUSES", "UNITS", "Exhibit", "flaws", "flaws_of_all"]

KINDS: Final = ("table", "matrix", "curve", "intervals", "bars")
"""What an exhibit can be."""

UNITS: Final = ("", "text", "number", "share", "rows")
"""How the cells of a column are spelled."""

STATUSES: Final = ("passed", "violated", "undetermined")
"""What the last cell of a row of intervals can say."""

MOST_EXHIBITS: Final = 1_000
MOST_ROWS: Final = 20_000
MOST_COLUMNS: Final = 500
MOST_CELLS: Final = 1_000_000
MOST_TEXT: Final = 4_000
MOST_OPTIONS: Final = 32

_LARGEST: Final = int(sys.float_info.max)

_COLUMNS: Final = {"curve": 3, "intervals": 8, "bars": 3}
"""Cells of a row, for the kinds whose rows have a fixed shape."""

_FLAGS: Final = frozenset(("diagonal",))
_NUMBERS: Final = frozenset(("x_min", "x_max", "y_min", "y_max", "reference"))


@dataclass(frozen=True, slots=True)
class Exhibit:
    r"""A table, a matrix or a curve.

    Attributes
    ----------
    name : str
        By which programs find it, such as ``confusion_matrix``; unique in a report. Exhibits of one family share what
        stands before a colon: ``bias:sex=Female``, ``bias:sex=Male``.
    kind : str
        ``table``: rows of cells under the heads `columns`.
        ``matrix``: the first cell of a row names it, the others are counts or shares under the heads `columns`; the head
        of the first column says what rows and columns are (``actual \ predicted``).
        ``curve``: rows are (series, x, y), in the order of drawing; heads are (what a series is, name of x, name of y). A
        row without x or y breaks the line. Option ``diagonal`` draws the line from (0, 0) to (1, 1); ``x_min``, ``x_max``,
        ``y_min``, ``y_max`` fix the axes.
        ``intervals``: rows are (name, baseline, current, low, high, allowed low, allowed high, status), each number or
        None: a dot for each side, a bar for the 95 % interval of the current one, a band for what is allowed (open where
        an end is None). Status is one of :data:`STATUSES` or None. Option ``reference`` marks a value, such as 0 for no
        difference.
        ``bars``: rows are (name, baseline, current), drawn side by side.
    title : str
    caption : str
        One or two sentences: how to read it.
    columns : tuple of str
    rows : tuple of tuple
        Cells are text, numbers (infinite ones, too) or None.
    units : tuple of str
        One for each column, of :data:`UNITS`; empty: as it comes.
    options : mapping of str to str, float or bool
        What else a renderer may want to know; those it does not know do no harm.
    """

    name: str
    kind: str
    title: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | None, ...], ...]
    units: tuple[str, ...] = ()
    options: Mapping[str, str | float | bool] = field(default_factory=dict)

    def unit(self, column: int) -> str:
        """Return the unit of a column; empty where none is given."""
        return self.units[column] if column < len(self.units) else ""


def flaws_of_all(exhibits: Sequence[Exhibit]) -> Iterator[tuple[int, str, str]]:
    """Tell what is wrong with the exhibits of a report, each and together.

    Yields
    ------
    position : int
        Of the exhibit, from 0.
    where : str
        The field, such as ``rows[3][1]``.
    what : str
        Such as ``expected a number or null``.
    """
    names: set[str] = set()
    cells = 0
    for i, exhibit in enumerate(exhibits):
        if i == MOST_EXHIBITS:
            yield i, "", f"expected at most {MOST_EXHIBITS:,} exhibits, found {len(exhibits):,}"
            return
        for where, what in flaws(exhibit):
            yield i, where, what
        if exhibit.name in names:
            yield i, "name", f"there is another exhibit {exhibit.name!r}"
        names.add(exhibit.name)
        cells += len(exhibit.rows) * len(exhibit.columns)
        if cells > MOST_CELLS:
            yield i, "rows", f"expected at most {MOST_CELLS:,} cells in all exhibits of a report"
            return


def flaws(exhibit: Exhibit) -> Iterator[tuple[str, str]]:
    """Tell what is wrong with an exhibit whose cells are text, numbers and None.

    Yields
    ------
    where : str
        The field, such as ``rows[3][1]``.
    what : str
        Such as ``expected a number or null``.
    """
    if not exhibit.name:
        yield "name", "expected a name, found no text"
    if exhibit.kind not in KINDS:
        yield "kind", f"there is no kind {exhibit.kind!r}: use one of {', '.join(KINDS)}"
    for key in ("name", "title", "caption"):
        yield from _long(key, getattr(exhibit, key))
    yield from _flaws_of_columns(exhibit)
    yield from _flaws_of_options(exhibit.options)
    if len(exhibit.rows) > MOST_ROWS:
        yield "rows", f"expected at most {MOST_ROWS:,} rows, found {len(exhibit.rows):,}"
        return
    for i, row in enumerate(exhibit.rows):
        yield from _flaws_of_row(exhibit, i, row)


def _long(where: str, text: str) -> Iterator[tuple[str, str]]:
    if len(text) > MOST_TEXT:
        yield where, f"expected at most {MOST_TEXT:,} characters, found {len(text):,}"


def _flaws_of_columns(exhibit: Exhibit) -> Iterator[tuple[str, str]]:
    n = len(exhibit.columns)
    wanted = _COLUMNS.get(exhibit.kind)
    if wanted is not None and n != wanted:
        yield "columns", f"expected {wanted} columns for the kind {exhibit.kind!r}, found {n}"
    elif not 1 <= n <= MOST_COLUMNS:
        yield "columns", f"expected 1 to {MOST_COLUMNS} columns, found {n:,}"
    for i, head in enumerate(exhibit.columns):
        yield from _long(f"columns[{i}]", head)
    if exhibit.units and len(exhibit.units) != n:
        yield "units", f"expected {n} units, found {len(exhibit.units)}"
    for i, unit in enumerate(exhibit.units):
        if unit not in UNITS:
            known = ", ".join(repr(one) for one in UNITS)
            yield f"units[{i}]", f"there is no unit {unit!r}: use one of {known}"


def _flaws_of_options(options: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    if len(options) > MOST_OPTIONS:
        yield "options", f"expected at most {MOST_OPTIONS} options, found {len(options):,}"
    for key, value in options.items():
        if key in _FLAGS and not isinstance(value, bool):
            yield f"options.{key}", "expected true or false"
        elif key in _NUMBERS and (isinstance(value, bool) or not _is_finite(value)):
            yield f"options.{key}", "expected a finite number"
        elif isinstance(value, str):
            yield from _long(f"options.{key}", value)
        elif not _is_finite(value):
            yield f"options.{key}", "expected text, a finite number or a boolean"


def _is_finite(value: object) -> bool:
    return isinstance(value, (int, float)) and abs(value) <= _LARGEST


def _flaws_of_row(exhibit: Exhibit, at: int, row: Sequence[object]) -> Iterator[tuple[str, str]]:
    if len(row) != len(exhibit.columns):
        yield f"rows[{at}]", f"expected {len(exhibit.columns)} cells, found {len(row)}"
        return
    if exhibit.kind != "table" and not isinstance(row[0], str):
        yield f"rows[{at}][0]", "expected text"
    last = 7 if exhibit.kind == "intervals" else len(row)
    for j, cell in enumerate(row):
        if isinstance(cell, bool):
            yield f"rows[{at}][{j}]", "expected text, a number or null"
        elif isinstance(cell, str):
            yield from _long(f"rows[{at}][{j}]", cell)
            if exhibit.kind != "table" and 0 < j < last:
                yield f"rows[{at}][{j}]", "expected a number or null"
        elif isinstance(cell, int) and abs(cell) > _LARGEST:
            yield f"rows[{at}][{j}]", "expected a number that a double holds"
    if exhibit.kind == "intervals" and row[7] is not None and row[7] not in STATUSES:
        yield f"rows[{at}][7]", f"expected one of {', '.join(STATUSES)}, or null"
