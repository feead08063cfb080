"""The card as JSON: ``schema``, ``card``, ``content``, ``extensions``; charts in few lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from driftline.cards.errors import CardError
from driftline.cards.text.document import MAX_BYTES, SCHEMA, Parts
from driftline.cards.text.tables import JOINERS
from driftline.cards.text.toml_form import check_schema
from driftline.documents import decode, nearest
from driftline.errors import printable

if TYPE_CHECKING:
    from driftline.cards.text.document import CardDocument

__all__ = ["indented", "parse", "write"]

KEYS: Final = ("schema", "card", "content", "extensions")
WIDTH: Final = 100


def write(document: CardDocument) -> str:
    """Return the document as JSON."""
    values: dict[str, Any] = {"schema": SCHEMA}
    if head := document.head():
        values["card"] = head
    values["content"] = document.content
    if document.extensions:
        values["extensions"] = document.extensions
    return indented(values) + "\n"


def parse(data: bytes, file: str | None) -> Parts:
    """Find the parts of a document in JSON."""
    values = decode(data, file=file, max_bytes=MAX_BYTES)
    if not isinstance(values, dict):
        raise CardError("expected an object", code="E-CARD-FILE", file=file, fix="export a card to see one")
    for key in values:
        if key not in KEYS:
            close = nearest(key[:100], KEYS)
            fix = f"did you mean {close!r}?" if close else "the sections of a card stand below 'content'"
            raise CardError("unknown field", code="E-CARD-FILE", file=file, field=printable(key, 80), fix=fix)
    check_schema(values.get("schema"), file, None)
    return Parts(values.get("card"), values.get("content"), values.get("extensions"), lambda _: None)


def indented(value: Any, indent: str = "", *, in_list: bool = False) -> str:
    """Return JSON with two spaces a level; lists of numbers fill lines, small records in a list have one each.

    Examples
    --------
    >>> print(indented({"curve": [[0, 0.5], [1, 1.0]], "names": ["a"], "more": {}}))
    {
      "curve": [[0, 0.5], [1, 1.0]],
      "names": ["a"],
      "more": {}
    }
    """
    inner = indent + "  "
    if isinstance(value, Mapping) and value:
        if in_list and not any(isinstance(one, (Mapping, list)) for one in value.values()):
            line = _one(value)
            if len(indent) + len(line) <= WIDTH:
                return line
        rows = [f"{inner}{_one(key)}: {indented(one, inner)}" for key, one in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if not isinstance(value, list) or not value:
        return _one(value)
    line = _one(value)
    if not any(isinstance(one, (Mapping, list)) for one in value) or _is_numbers(value):
        if len(indent) + len(line) <= WIDTH:
            return line
        if _is_numbers(value):
            return "[\n" + ",\n".join(f"{inner}{row}" for row in _rows(value, len(inner))) + f"\n{indent}]"
    return (
        "[\n" + ",\n".join(f"{inner}{indented(one, inner, in_list=True)}" for one in value) + f"\n{indent}]"
    )


def _one(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if text.isprintable():
        return text
    # What is not printable stands in a text: marks that reverse the reading direction would hide what the file says.
    return "".join(ch if ch.isprintable() or ch in JOINERS else json.dumps(ch)[1:-1] for ch in text)


def _is_numbers(values: list[Any]) -> bool:
    return all(
        isinstance(one, (int, float))
        or (isinstance(one, list) and len(one) <= 20 and all(isinstance(n, (int, float)) for n in one))
        for one in values
    )


def _rows(values: list[Any], indent: int) -> list[str]:
    rows = [""]
    for one in map(_one, values):
        if rows[-1] and indent + len(rows[-1]) + len(one) + 2 > WIDTH:
            rows.append("")
        rows[-1] += f", {one}" if rows[-1] else one
    return rows
