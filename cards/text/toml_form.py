"""The card as TOML: the sections of the content are tables, the rest stands under ``card`` and ``extensions``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from driftline.cards.errors import CardError
from driftline.cards.text.document import MAX_BYTES, MAX_DEPTH, SCHEMA, Parts, dotted
from driftline.cards.text.tables import ESCAPE, to_toml, unescaped
from driftline.errors import DocumentError
from driftline.toml import decode_toml, lines_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftline.cards.text.document import CardDocument

__all__ = ["decoded", "line_finder", "parse", "write"]

Path = tuple[str | int, ...]

NOT_CONTENT: Final = ("schema", "card", "extensions")


def write(document: CardDocument) -> str:
    """Return the document as TOML."""
    values: dict[str, Any] = {"schema": SCHEMA}
    if head := document.head():
        values["card"] = head
    values |= document.content
    if document.extensions:
        values["extensions"] = document.extensions
    return to_toml(values)


def parse(data: bytes, file: str | None) -> Parts:
    """Find the parts of a document in TOML."""
    values, text = decoded(data, file)
    line = line_finder(text)
    check_schema(values.get("schema"), file, line(("schema",)))
    content = {key: value for key, value in values.items() if key not in NOT_CONTENT}
    return Parts(values.get("card"), content, values.get("extensions"), line)


def check_schema(said: object, file: str | None, line: int | None) -> None:
    """Refuse a file that says it is something else."""
    if said is None or said == SCHEMA:
        return
    error = CardError(
        f"expected {SCHEMA}, found {said!r}",
        code="E-CARD-FILE",
        file=file,
        field="schema",
        fix="read the file with the driftline that wrote it",
    )
    error.line = line
    raise error


def decoded(data: bytes | str, file: str | None, *, above: int = 0) -> tuple[dict[str, Any], str]:
    """Decode TOML that :func:`driftline.cards.text.tables.to_toml` wrote, or a person.

    Parameters
    ----------
    data : bytes or str
    file : str or None
    above : int
        Lines of the file before the first of `data`.
    """
    try:
        values, text = decode_toml(
            data,
            file=file,
            code="E-CARD-FILE",
            max_bytes=MAX_BYTES,
            max_depth=MAX_DEPTH,
            too_long="is this a model card? Charts of thousands of points belong into a report",
        )
    except DocumentError as error:
        if error.line is not None:
            error.line += above
        raise
    return _plain(values, text, file), text


def _plain(values: dict[str, Any], text: str, file: str | None) -> dict[str, Any]:
    if ESCAPE not in text:
        return values
    found: dict[str, Any] = {}
    for key, value in values.items():
        try:
            found[key] = unescaped(value)
        except DocumentError as error:
            raise CardError(
                f"below it, a {ESCAPE!r} does not hold JSON: {error.message}",
                code="E-CARD-FILE",
                file=file,
                field=dotted((key,)),
                fix="write the value itself",
            ) from None
    return found


def line_finder(text: str) -> Callable[[Path], int | None]:
    """Return the function that tells the line of a path in TOML: its own, or that of what it stands in."""
    lines: dict[Path, int] = {}

    def line(path: Path) -> int | None:
        if not lines:
            lines.update(lines_of(text))
        return next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), None)

    return line
