"""Rows: named columns of a source, batch by batch, as the numbers, labels and lists that metrics are made of.

A source is read once. Labels get one spelling whatever type they came in, so that what a model returned as ``1.0`` equals
the truth that arrived as ``"1"``: see :func:`canonical`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftline.capture.arrays import numpy_array
from driftline.capture.source import place_of
from driftline.documents import nearest
from driftline.errors import SchemaError, printable
from driftline.monitor.buffers import floats_of, whole_of, with_nulls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from driftline.capture.source import Batch, Part, Source

__all__ = [
    "Encoder",
    "Lists",
    "Numbers",
    "Rows",
    "canonical",
    "column_of",
    "lists_of",
    "numbers_of",
    "rows_of",
]

Booleans = Literal["number", "word"]

# A number as people and programs write it. Not 007: what begins with zeros is a code, and 7 another one.
_NUMBER: Final = re.compile(r"(?=[+-]?\.?\d)[+-]?(?:0|[1-9]\d*)?(?:\.\d*)?(?:[eE][+-]?\d{1,4})?", re.ASCII)
_TRUTHS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NOT_A_NUMBER: Final = frozenset(("nan", "+nan", "-nan"))
_SMALL: Final = 4096
"""Whole numbers that lie this close together are looked up in a table instead of being hashed."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of the chosen columns.

    Attributes
    ----------
    n_rows : int
    columns : mapping of str to pyarrow.Array
        By the names asked for. Dictionaries are decoded.
    textual : frozenset of str
        Names of the columns that were born as text.
    file : str
        What errors call the source.
    part : Part
    batch : Batch
    """

    n_rows: int
    columns: Mapping[str, pa.Array]
    textual: frozenset[str]
    file: str
    part: Part
    batch: Batch

    def place(self, index: int) -> tuple[str, int]:
        """Tell where a row stands: its file or object, and its 1-based number in it."""
        source, row = place_of(self.part, self.batch, index)
        return source, row + 1


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers of one column.

    Attributes
    ----------
    values : ndarray of float64, shape (n,)
        0 where there is none.
    valid : ndarray of bool, shape (n,)
        Whether there is a finite number.
    n_infinite : int
        Infinite numbers; they are not valid.
    """

    values: NDArray[np.float64]
    valid: NDArray[np.bool_]
    n_infinite: int = 0


@dataclass(frozen=True, slots=True)
class Lists:
    """Lists of numbers of one column, all of the same length.

    Attributes
    ----------
    values : ndarray of float64, shape (n, k)
    valid : ndarray of bool, shape (n,)
        Whether there is a list, and every number of it is finite.
    """

    values: NDArray[np.float64]
    valid: NDArray[np.bool_]


def column_of(source: Source, name: str, *, role: str = "column") -> int:
    """Return where the column called `name` stands.

    Parameters
    ----------
    source : Source
    name : str
        Its name or, where no column has this name, its 0-based number in decimal digits.
    role : str
        What the column is to the caller, such as ``label``, for the error.

    Raises
    ------
    SchemaError
        ``E-COLUMNS`` where there is none, with the nearest name.
    """
    names = [field.name for field in source.fields]
    if name in names:
        return names.index(name)
    if re.fullmatch(r"\d{1,6}", name, re.ASCII) and int(name) < len(names):
        return int(name)
    close = nearest(name, names)
    what = (
        "there is no such column"
        if role == "column"
        else f"there is no such column, which the settings name as {role}"
    )
    known = ", ".join(printable(known, 40) for known in names[:8])
    raise SchemaError(
        what,
        code="E-COLUMNS",
        file=source.label,
        field=name,
        fix=f"did you mean {close!r}?"
        if close
        else f"the columns are {known}" + ("" if len(names) <= 8 else ", …"),
    )


def rows_of(
    source: Source, names: Iterable[str], *, roles: Mapping[str, str] | None = None
) -> Iterator[Rows]:
    """Read the named columns, every row once, batch by batch.

    Parameters
    ----------
    source : Source
        A stream can be read only once: this is that once.
    names : iterable of str
        See :func:`column_of`; a name may come twice.
    roles : mapping of str to str, optional
        What a column is to the caller, by name, for errors.

    Yields
    ------
    Rows
        Of at least one row.

    Raises
    ------
    SchemaError
        ``E-COLUMNS``, before anything is read.
    SourceError
        Where the data cannot be read.
    """
    given = roles or {}
    wanted = list(dict.fromkeys(names))
    places = [column_of(source, name, role=given.get(name, "column")) for name in wanted]
    distinct = sorted(set(places))
    where = {place: i for i, place in enumerate(distinct)}
    textual = frozenset(n for n, p in zip(wanted, places, strict=True) if source.fields[p].textual)
    for part in source.parts:
        for batch in part.read(distinct):
            if not batch.arrays or not len(batch.arrays[0]):
                continue
            arrays = [_decoded(array) for array in batch.arrays]
            columns = {n: arrays[where[p]] for n, p in zip(wanted, places, strict=True)}
            yield Rows(len(arrays[0]), columns, textual, source.label, part, batch)


def _decoded(array: pa.Array) -> pa.Array:
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def numbers_of(rows: Rows, name: str) -> Numbers:
    """Return the numbers of a column; booleans are 0 and 1, texts are read as numbers.

    Raises
    ------
    SchemaError
        ``E-NUMBER`` for a value that is no number, naming its place.
    """
    array = rows.columns[name]
    kind = array.type
    if pa.types.is_null(kind):
        return Numbers(np.zeros(len(array)), np.zeros(len(array), bool))
    if pa.types.is_boolean(kind):
        array = array.cast(pa.uint8())
    elif _is_text(kind):
        array = _parsed(rows, name, array)
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise SchemaError(
            f"holds values of type {kind}, expected numbers",
            code="E-NUMBER",
            file=rows.file,
            field=name,
            fix="name a column of numbers",
        )
    values, valid = floats_of(array)
    finite = np.isfinite(values)
    if finite.all():
        return Numbers(values, valid)
    n_infinite = int(np.count_nonzero(np.isinf(values) & valid))
    return Numbers(np.where(finite, values, 0.0), valid & finite, n_infinite)


def lists_of(rows: Rows, name: str, width: int) -> Lists:
    """Return the lists of numbers of a column; a text is read as JSON.

    Parameters
    ----------
    rows : Rows
    name : str
    width : int
        How many numbers every list must have.

    Raises
    ------
    SchemaError
        ``E-LIST`` where a list has another length or holds something else than numbers, naming its place.
    """
    array = rows.columns[name]
    n = len(array)
    if pa.types.is_null(array.type):
        return Lists(np.zeros((n, width)), np.zeros(n, bool))
    if _is_text(array.type):
        return _lists_in_texts(rows, name, array, width)
    kind = array.type
    if pa.types.is_fixed_size_list(kind) or pa.types.is_large_list(kind) or pa.types.is_list_view(kind):
        array = array.cast(pa.list_(kind.value_type))
        kind = array.type
    if not pa.types.is_list(kind):
        raise _no_list(rows, name, 0, f"holds values of type {kind}, expected lists of {width} numbers")
    inner = kind.value_type
    if not (pa.types.is_integer(inner) or pa.types.is_floating(inner) or pa.types.is_null(inner)):
        raise _no_list(rows, name, 0, f"holds lists of {inner}, expected lists of {width} numbers")
    lengths, there = whole_of(pc.list_value_length(array), width)
    valid = np.ones(n, np.bool_) if there is None else there
    odd = np.flatnonzero(lengths != width)
    if odd.size:
        at = int(odd[0])
        raise _no_list(rows, name, at, f"holds a list of {int(lengths[at])}, expected {width} numbers")
    values = np.zeros((n, width))
    if not pa.types.is_null(inner):
        flat, given = floats_of(pc.list_flatten(array))
        values[valid] = np.where(given, flat, np.nan).reshape(-1, width)
    elif width:
        values[valid] = np.nan
    finite = np.asarray(np.isfinite(values).all(axis=1), np.bool_)
    return Lists(np.where(finite[:, None], values, 0.0), valid & finite)


def _lists_in_texts(rows: Rows, name: str, array: pa.Array, width: int) -> Lists:
    values, valid = np.zeros((len(array), width)), np.zeros(len(array), bool)
    for i, text in enumerate(array.to_pylist()):
        if text is None or not text.strip():
            continue
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise _no_list(
                rows, name, i, f"holds {printable(text, 40)!r}, expected a list of {width} numbers"
            ) from None
        if not isinstance(found, list) or len(found) != width:
            told = f"a list of {len(found)}" if isinstance(found, list) else printable(text, 40)
            raise _no_list(rows, name, i, f"holds {told}, expected a list of {width} numbers")
        numbers = [x for x in found if isinstance(x, (int, float)) and not isinstance(x, bool)]
        if len(numbers) + found.count(None) != width:
            raise _no_list(rows, name, i, "holds a list of something else than numbers")
        if len(numbers) == width:
            try:
                values[i] = numbers
            except OverflowError:
                continue
            valid[i] = bool(np.isfinite(values[i]).all())
            values[i] = values[i] if valid[i] else 0.0
    return Lists(values, valid)


def _no_list(rows: Rows, name: str, index: int, message: str) -> SchemaError:
    file, row = rows.place(index)
    return SchemaError(
        message,
        code="E-LIST",
        file=file or rows.file,
        line=row,
        field=name,
        fix="give one number for each label, in the order of the labels",
    )


def canonical(value: Any, booleans: Booleans = "number") -> str | None:
    """Spell a label such that equal labels of different types are spelled alike.

    Parameters
    ----------
    value : object
        Text, number, boolean or None.
    booleans : {"number", "word"}
        Whether true and the texts ``true``, ``True`` and ``TRUE`` are ``1``, or ``True``; false likewise.

    Returns
    -------
    str or None
        None for what is missing: None, NaN, and texts that are empty or say ``nan``.

    Notes
    -----
    Numbers, and texts that are numbers, are spelled as the shortest decimal number, whole ones without a point. What begins
    with superfluous zeros is a code and stays as it is. Other texts lose the white space around them.

    Examples
    --------
    >>> [canonical(v) for v in (1, 1.0, "1", "1.0", "1e0", True, "true")]
    ['1', '1', '1', '1', '1', '1', '1']
    >>> canonical("007"), canonical(" yes "), canonical(0.5), canonical(float("nan")), canonical(True, "word")
    ('007', 'yes', '0.5', None, 'True')
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return ("1" if value else "0") if booleans == "number" else str(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _spelled(value)
    text = str(value).strip()
    if not text or text.lower() in _NOT_A_NUMBER:
        return None
    if text in _TRUTHS:
        return canonical(_TRUTHS[text], booleans)
    if text[-1] in "0123456789." and _NUMBER.fullmatch(text):
        if text.lstrip("+-").isdigit():
            return str(int(text)) if len(text) < 4000 else text
        number = float(text)
        return text if number in (float("inf"), float("-inf")) else _spelled(number)
    return text


def _spelled(value: float) -> str | None:
    if value != value:
        return None
    return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)


class Encoder:
    """Numbers the labels of one or several columns, in the order in which they turn up.

    Parameters
    ----------
    most : int
        More different labels than this are refused.
    booleans : {"number", "word"}
        See :func:`canonical`.
    known : iterable of str
        Labels to begin with, spelled as :func:`canonical` does.

    Attributes
    ----------
    texts : list of str
        The label of each code.
    """

    def __init__(self, most: int = 1000, *, booleans: Booleans = "number", known: Iterable[str] = ()) -> None:
        self.most = most
        self.texts: list[str] = []
        self._booleans: Booleans = booleans
        self._codes: dict[str, int] = {}
        self._seen: dict[tuple[str, Any], int] = {}
        for text in known:
            self.code(text)

    def codes(self, rows: Rows, name: str) -> NDArray[np.int64]:
        """Return the code of every row's label in one column, shape (n,); -1 where it has none.

        Raises
        ------
        SchemaError
            ``E-CLASSES`` where the column has too many different values, or values that are no labels.
        """
        array = rows.columns[name]
        kind = array.type
        if pa.types.is_null(kind):
            return np.full(len(array), -1, np.int64)
        if pa.types.is_boolean(kind):
            array = array.cast(pa.uint8())
            return self._of_whole(rows, name, array, lambda value: value != 0)
        if pa.types.is_floating(kind):
            whole = _as_whole(array)
            if whole is not None:
                return self._of_whole(rows, name, whole, int)
        if pa.types.is_integer(kind):
            return self._of_whole(rows, name, array, int)
        if not (_is_text(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
            raise SchemaError(
                f"holds values of type {kind}, expected labels",
                code="E-CLASSES",
                file=rows.file,
                field=name,
                fix="name a column of texts, whole numbers or booleans",
            )
        return self._hashed(rows, name, array)

    def _hashed(self, rows: Rows, name: str, array: pa.Array) -> NDArray[np.int64]:
        encoded = pc.dictionary_encode(array)
        distinct = encoded.dictionary
        # Different spellings of one label count once, so a few more than the limit may pass here.
        if len(distinct) > 8 * self.most + 1000:
            raise self._too_many(rows, name)
        if pa.types.is_decimal(distinct.type):
            distinct = distinct.cast(pa.float64())
        mapped = [self._of(value, rows, name) for value in distinct.to_pylist()]
        table = np.array([*mapped, -1], np.int64)
        codes: NDArray[np.int64] = table[whole_of(encoded.indices, len(mapped))[0]]
        return codes

    def _of_whole(self, rows: Rows, name: str, array: pa.Array, made: Any) -> NDArray[np.int64]:
        """Look whole numbers up in a table where they lie close together."""
        if not len(array) - array.null_count:
            return np.full(len(array), -1, np.int64)
        ends = pc.min_max(array).as_py()
        low, high = ends["min"], ends["max"]
        if high - low >= _SMALL or not -(1 << 62) < low <= high < 1 << 62:
            return self._hashed(rows, name, array)
        values, there = whole_of(array, low)
        values = values - low
        seen = np.zeros(high - low + 1, bool)
        seen[values if there is None else values[there]] = True
        table = np.full(high - low + 1, -1, np.int64)
        for offset in np.flatnonzero(seen).tolist():
            table[offset] = self._of(made(offset + low), rows, name)
        codes: NDArray[np.int64] = table[values]
        if there is not None:
            codes[~there] = -1
        return codes

    def _of(self, value: Any, rows: Rows, name: str) -> int:
        # 1, 1.0 and True are one key of a dict, and not one label where booleans are words.
        key = (type(value).__name__, value)
        code = self._seen.get(key)
        if code is None:
            text = canonical(value, self._booleans)
            code = -1 if text is None else self.code(text)
            if len(self.texts) > self.most:
                raise self._too_many(rows, name)
            self._seen[key] = code
        return code

    def code(self, text: str) -> int:
        """Return the code of a label that is spelled as :func:`canonical` does, a new one where it has none yet."""
        code = self._codes.get(text)
        if code is None:
            code = self._codes[text] = len(self.texts)
            self.texts.append(text)
        return code

    def _too_many(self, rows: Rows, name: str) -> SchemaError:
        return SchemaError(
            f"has more than {self.most:,} different values, too many to be labels",
            code="E-CLASSES",
            file=rows.file,
            field=name,
            fix="name a column of categories; numbers that are to be predicted are regression",
        )


def _as_whole(array: pa.Array) -> pa.Array | None:
    """Turn floats into integers where all are whole and small; None where they are not."""
    values, valid = floats_of(array)
    known = valid & ~np.isnan(values)
    there = values[known]
    if there.size and not ((np.abs(there) < 1 << 53).all() and (there == np.trunc(there)).all()):
        return None
    whole = numpy_array(np.where(known, values, 0.0).astype(np.int64), pa.int64(), nan_is_null=False)
    return whole if known.all() else with_nulls(whole, known)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _parsed(rows: Rows, name: str, array: pa.Array) -> pa.Array:
    """Read texts as numbers; empty ones are missing."""
    try:
        return array.cast(pa.float64())
    except pa.ArrowInvalid:
        pass
    trimmed = pc.utf8_trim_whitespace(array.cast(pa.large_string()))
    trimmed = with_nulls(trimmed, whole_of(pc.utf8_length(trimmed))[0] > 0)
    try:
        return trimmed.cast(pa.float64())
    except pa.ArrowInvalid:
        pass
    # Python reads a plus sign, too. Whatever it does not read is no number.
    values = np.zeros(len(trimmed))
    for i, text in enumerate(trimmed.to_pylist()):
        try:
            values[i] = np.nan if text is None else float(text.replace("_", "x"))
        except ValueError:
            file, row = rows.place(i)
            raise SchemaError(
                f"holds {printable(text, 40)!r} in row {row:,}, which is no number",
                code="E-NUMBER",
                file=file or rows.file,
                field=name,
                fix="name a column of numbers, or repair the value",
            ) from None
    return numpy_array(values, pa.float64(), nan_is_null=True)
