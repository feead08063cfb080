"""Encoding: columns of numbers, texts and booleans as one matrix of doubles, and back.

Texts are numbered by their rank among the texts of the baseline, which keeps the list; a text that only a window has
gets a number behind those. So the matrix of every window means the same, and what a model receives can be made of it
again, as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from driftline.errors import SchemaError, printable
from driftline.kernels.lexical import Lexical, classify, parse_numbers
from driftline.monitor.attribution.sample import doubles_of, is_text, plain_array, texts_of, valid_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from driftline.documents import Node

__all__ = ["MOST_VALUES", "Encoding", "FeatureCode", "fit_encoding", "read_encoding"]

MOST_VALUES: Final = 100_000
_KINDS: Final = ("number", "integer", "boolean", "text")


@dataclass(frozen=True, slots=True)
class FeatureCode:
    """How one feature is written as a double.

    Attributes
    ----------
    name : str
    kind : str
        ``number``; ``integer``: numbers that were all whole; ``boolean``: 0 and 1; ``text``: position in `values`.
    values : tuple of str
        The texts, in their order.
    """

    name: str
    kind: str
    values: tuple[str, ...] = ()

    @property
    def is_category(self) -> bool:
        """Tell whether the doubles are only names."""
        return self.kind in ("text", "boolean")


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the features of a model are written as a matrix, one column each.

    Attributes
    ----------
    features : tuple of FeatureCode
    """

    features: tuple[FeatureCode, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features, in the order of the matrix."""
        return tuple(f.name for f in self.features)

    @property
    def has_text(self) -> bool:
        """Tell whether any feature is text."""
        return any(f.kind == "text" for f in self.features)

    def encode(self, table: pa.Table) -> tuple[NDArray[np.float64], Encoding, tuple[str, ...]]:
        """Write the columns of a table as a matrix.

        Returns
        -------
        matrix : ndarray of float64, shape (n, n_features)
            NaN where there is no value.
        encoding : Encoding
            This one, with the texts it did not know.
        notes : tuple of str
            What a reader should know: texts that are new, values that are no numbers.
        """
        columns: list[NDArray[np.float64]] = []
        codes: list[FeatureCode] = []
        notes: list[str] = []
        for code in self.features:
            values, extended = _encoded(code, _column(table, code.name), notes)
            columns.append(values)
            codes.append(extended)
        matrix = np.column_stack(columns) if columns else np.zeros((table.num_rows, 0))
        return np.ascontiguousarray(matrix), Encoding(tuple(codes)), tuple(notes)

    def encode_rows(self, rows: Sequence[Sequence[Any]]) -> tuple[NDArray[np.float64], Encoding]:
        """Write rows of plain values, as settings have them, as a matrix.

        Raises
        ------
        SchemaError
            ``E-BACKGROUND`` for text where the feature is a number.
        """
        codes = list(self.features)
        matrix = np.full((len(rows), len(codes)), np.nan)
        for j, code in enumerate(self.features):
            known = {text: i for i, text in enumerate(code.values)}
            for i, row in enumerate(rows):
                if row[j] is not None:
                    matrix[i, j] = _cell(row[j], code, known)
            if len(known) > len(code.values):
                codes[j] = FeatureCode(code.name, code.kind, tuple(known))
        return matrix, Encoding(tuple(codes))

    def columns(self, matrix: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
        """Return the columns that a matrix stands for, by name.

        Texts are objects (None where there is none); integers and booleans without gaps are int64 and bool; else float64.
        """
        return {code.name: _decoded(code, matrix[:, j]) for j, code in enumerate(self.features)}

    def rows(self, matrix: NDArray[np.float64]) -> list[list[Any]]:
        """Return the rows that a matrix stands for, as plain Python values; None where there is none."""
        columns = []
        for code, values in zip(self.features, self.columns(matrix).values(), strict=True):
            cells = values.tolist()
            if code.kind != "text" and values.dtype == np.float64:
                cells = [None if cell != cell else cell for cell in cells]
                if code.kind == "integer":
                    cells = [int(c) if c is not None and c.is_integer() else c for c in cells]
                elif code.kind == "boolean":
                    cells = [c if c is None else bool(c) for c in cells]
            columns.append(cells)
        return [list(row) for row in zip(*columns, strict=True)]

    def document(self) -> list[dict[str, Any]]:
        """Return the encoding as plain JSON values."""
        return [
            {"name": f.name, "kind": f.kind, **({"values": list(f.values)} if f.kind == "text" else {})}
            for f in self.features
        ]


def read_encoding(node: Node) -> Encoding:
    """Read what :meth:`Encoding.document` wrote.

    Raises
    ------
    DocumentError
    """
    codes = []
    for item in node.items():
        kind = item.choice("kind", _KINDS)
        values: list[str] = []
        if kind == "text":
            for value in item["values"].items():
                if not isinstance(value.value, str):
                    raise value.error("expected text")
                values.append(value.value)
        codes.append(FeatureCode(item.text("name"), kind, tuple(values)))
    return Encoding(tuple(codes))


def fit_encoding(table: pa.Table, names: Sequence[str], textual: Sequence[bool] = ()) -> Encoding:
    """Find out what every column is.

    Parameters
    ----------
    table : pyarrow.Table
        Rows of the training data.
    names : sequence of str
        Columns, in the order of the model's features.
    textual : sequence of bool
        For each column whether its values were born as text (CSV): where all of them are numbers, it is one of numbers.

    Raises
    ------
    SchemaError
        ``E-FEATURES`` for a column without a single value, or with more texts than can be numbered.
    """
    told = list(textual) or [False] * len(names)
    codes = []
    for name, born_as_text in zip(names, told, strict=True):
        codes.append(_fitted(name, _column(table, name), born_as_text=born_as_text))
    return Encoding(tuple(codes))


def _column(table: pa.Table, name: str) -> pa.Array:
    import pyarrow as pa

    column = table.column(name)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    return plain_array(column)


def _fitted(name: str, array: pa.Array, *, born_as_text: bool) -> FeatureCode:
    import pyarrow as pa

    if pa.types.is_boolean(array.type):
        return FeatureCode(name, "boolean")
    if is_text(array.type):
        numbers, other = _numbers(array)
        if not other.any() and born_as_text and not np.isnan(numbers).all():
            return FeatureCode(name, _number_kind(numbers))
        values = _distinct(array, empty_is_missing=born_as_text)
        if not values:
            raise _empty(name)
        if len(values) > MOST_VALUES:
            raise SchemaError(
                f"has {len(values):,} different texts, more than the limit of {MOST_VALUES:,}",
                code="E-FEATURES",
                field=name,
                fix="name it under ignore",
            )
        return FeatureCode(name, "text", tuple(values))
    numbers = doubles_of(array)
    if np.isnan(numbers).all():
        raise _empty(name)
    whole = pa.types.is_integer(array.type)
    return FeatureCode(name, "integer" if whole else "number")


def _empty(name: str) -> SchemaError:
    return SchemaError(
        "has no value in the rows of the baseline",
        code="E-FEATURES",
        field=name,
        fix="name it under ignore, or give a baseline in which it has values",
    )


def _number_kind(numbers: NDArray[np.float64]) -> str:
    there = numbers[~np.isnan(numbers)]
    whole = bool(
        np.isfinite(there).all() and (there == np.floor(there)).all() and (np.abs(there) < 2**53).all()
    )
    return "integer" if whole else "number"


def _numbers(array: pa.Array) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the numbers that texts spell, and which texts are there and spell none."""
    offsets, data = texts_of(array)
    padded = data if data.size else np.zeros(1, np.uint8)
    classes = classify(offsets, padded)
    classes[~valid_of(array)] = Lexical.NULL
    other = (classes == Lexical.STRING) | (classes == Lexical.BOOLEAN)
    return parse_numbers(offsets, padded, classes), other


def _distinct(array: pa.Array, *, empty_is_missing: bool) -> list[str]:
    found = {value for value in array.unique().to_pylist() if value is not None}
    if empty_is_missing:
        found.discard("")
    return sorted(found)


def _encoded(code: FeatureCode, array: pa.Array, notes: list[str]) -> tuple[NDArray[np.float64], FeatureCode]:
    import pyarrow as pa

    if code.kind == "text":
        return _as_text(code, array, notes)
    if is_text(array.type):
        if code.kind == "boolean":
            array = _booleans(array)
            numbers, other = doubles_of(array), np.zeros(0, bool)
        else:
            numbers, other = _numbers(array)
        n_other = int(other.sum())
        if n_other:
            shown = array.take(pa.array(np.flatnonzero(other)[:1])).to_pylist()[0]
            notes.append(
                f"{n_other:,} explained rows have a {code.name} that is no number ({printable(shown, 40)!r}): "
                "taken as missing"
            )
        return numbers, code
    return doubles_of(array), code


def _booleans(array: pa.Array) -> pa.Array:
    import pyarrow as pa

    words = {"true": True, "false": False, "1": True, "0": False}
    cells = [None if text is None else words.get(text.strip().lower()) for text in array.to_pylist()]
    return pa.array(cells, pa.bool_())


def _as_text(code: FeatureCode, array: pa.Array, notes: list[str]) -> tuple[NDArray[np.float64], FeatureCode]:
    import pyarrow as pa

    if not is_text(array.type):
        cells = [_spelled(value) for value in array.to_pylist()]
        array = pa.array(cells, pa.string())
    texts = array.to_pylist()
    known = {text: i for i, text in enumerate(code.values)}
    if "" not in known:
        texts = [text or None for text in texts]
    fresh = sorted({text for text in texts if text is not None and text not in known})
    for text in fresh:
        known[text] = len(known)
    if fresh:
        shown = ", ".join(repr(printable(text, 30)) for text in fresh[:3])
        more = f" and {len(fresh) - 3:,} more" if len(fresh) > 3 else ""
        notes.append(f"the baseline knows no {code.name} {shown}{more}")
    numbers = np.array([np.nan if text is None else known[text] for text in texts], np.float64)
    return numbers, FeatureCode(code.name, "text", tuple(known)) if fresh else code


def _spelled(value: Any) -> str | None:
    """Spell a number as the file that the text came from would."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def _cell(value: Any, code: FeatureCode, known: dict[str, int]) -> float:
    if code.kind == "text":
        return float(known.setdefault(str(_spelled(value)), len(known)))
    if isinstance(value, str):
        numbers, _ = _numbers(_one_text(value))
        if np.isnan(numbers[0]):
            raise SchemaError(
                f"{printable(value, 40)!r} in a background row is no number, which this feature is",
                code="E-BACKGROUND",
                field=code.name,
                fix="give the values in the order of the features, without the label",
            )
        return float(numbers[0])
    return float(value)


def _one_text(value: str) -> pa.Array:
    import pyarrow as pa

    return pa.array([value], pa.string())


def _decoded(code: FeatureCode, numbers: NDArray[np.float64]) -> NDArray[Any]:
    gaps = np.isnan(numbers)
    if code.kind == "text":
        names = np.array([*code.values, None], dtype=object)
        places = np.where(gaps, len(code.values), numbers).astype(np.int64)
        result: NDArray[Any] = names[places]
        return result
    if code.kind == "boolean" and not gaps.any():
        return np.asarray(numbers != 0.0)
    if code.kind == "integer" and not gaps.any():
        whole = numbers.astype(np.int64)
        # A background may hold the mean of whole numbers.
        if (whole == numbers).all():
            return whole
    return np.ascontiguousarray(numbers)
