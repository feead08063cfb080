"""Records of CSV text: where one ends, and what its fields are.

Plain Python, for headers, for finding the line of a fault, and for preprocessors; rows in bulk are pyarrow's
work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from driftline.capture.text import MAX_LINE
from driftline.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["CsvRecord", "fault", "records", "split"]


class CsvRecord(NamedTuple):
    """One record of CSV text.

    Attributes
    ----------
    line : int
        1-based line it begins at.
    text : str
        Without its line end. Line ends within quotes are part of it.
    end : int
        Bytes of text up to and with its line end.
    last_line : int
        Line it ends at.
    """

    line: int
    text: str
    end: int
    last_line: int


def records(file: str, chunks: Iterable[bytes], delimiter: str | None = None) -> Iterator[CsvRecord]:
    """Give the records of CSV text; blank lines are left out.

    Parameters
    ----------
    file : str
        Name for errors.
    chunks : iterable of bytes
        Text in pieces, see :func:`~driftline.capture.text.text_chunks`.
    delimiter : str, optional
        Without it, a quote is taken to open a field wherever it stands, which is enough for the first record.

    Raises
    ------
    SourceError
        ``E-ENCODING`` with the line for bytes that are not UTF-8, ``E-CSV-QUOTE`` with the line of the record
        for a quote that is never closed.
    """
    begun: list[str] = []
    size = first = number = end = 0
    for raw in _lines(file, chunks):
        number += 1
        end += len(raw)
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise SourceError(
                f"byte {error.start + 1} of the line is not valid UTF-8",
                code="E-ENCODING",
                file=file,
                line=number,
                fix="save the file as UTF-8",
            ) from None
        text = line.rstrip("\r\n")
        if not begun:
            if not text:
                continue
            first = number
        inside = bool(begun)
        if '"' in text:
            inside = _ends_inside(text, delimiter, inside)
        if inside:
            begun.append(line)
            size += len(line)
            if size > MAX_LINE:
                raise _open_quote(file, first)
            continue
        yield CsvRecord(first, "".join((*begun, text)), end, number)
        begun, size = [], 0
    if begun:
        raise _open_quote(file, first)


def _lines(file: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    number = 0
    for chunk in chunks:
        pieces = (rest + chunk).splitlines(keepends=True)
        # A carriage return at the very end may be the first half of a line end.
        rest = b"" if pieces[-1].endswith(b"\n") else pieces.pop()
        number += len(pieces)
        yield from pieces
        if len(rest) > MAX_LINE:
            raise SourceError(
                f"the line is longer than {MAX_LINE >> 20} MiB",
                code="E-LINE",
                file=file,
                line=number + 1,
                fix="check that this is a CSV file",
            )
    if rest:
        yield rest


def _open_quote(file: str, line: int) -> SourceError:
    return SourceError(
        "a quote opens in this record and is never closed",
        code="E-CSV-QUOTE",
        file=file,
        line=line,
        fix='close it, or double it if it is part of the value ("")',
    )


def _ends_inside(text: str, delimiter: str | None, inside: bool) -> bool:
    if delimiter is None:
        return inside ^ (text.count('"') % 2 == 1)
    position = 0
    while True:
        if not inside and text.startswith('"', position):
            inside = True
            position += 1
        while inside:
            quote = text.find('"', position)
            if quote < 0:
                return True
            inside = text.startswith('"', quote + 1)
            position = quote + 1 + inside
        position = text.find(delimiter, position) + 1
        if not position:
            return False


def split(text: str, delimiter: str) -> list[str]:
    """Take one record apart.

    Examples
    --------
    >>> split('1,"a, b",', ",")
    ['1', 'a, b', '']
    """
    if '"' not in text:
        return text.split(delimiter)
    fields = []
    position = 0
    while True:
        value = ""
        if text.startswith('"', position):
            position += 1
            while True:
                quote = text.find('"', position)
                if quote < 0:
                    quote = len(text)
                value += text[position:quote]
                position = quote + 1
                if not text.startswith('"', position):
                    break
                value += '"'
                position += 1
        end = text.find(delimiter, position)
        if end < 0:
            fields.append(value + text[position:])
            return fields
        fields.append(value + text[position:end])
        position = end + 1


def fault(file: str, chunks: Iterable[bytes], delimiter: str, width: int) -> SourceError | None:
    """Find the first record that is not CSV of `width` columns.

    Returns
    -------
    SourceError or None
        ``E-CSV-COLUMNS``, ``E-CSV-QUOTE`` or ``E-ENCODING``, with the line.
    """
    try:
        for record in records(file, chunks, delimiter):
            found = len(split(record.text, delimiter))
            if found != width:
                return SourceError(
                    f"expected {width} columns, found {found}",
                    code="E-CSV-COLUMNS",
                    file=file,
                    line=record.line,
                    fix="quote values that hold the delimiter, and repair the line",
                )
    except SourceError as error:
        return error
    return None
