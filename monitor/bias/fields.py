"""Fields: the parts that settings are made of, columns, values and metrics, each read strictly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from driftline.documents import Node, nearest
from driftline.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "MOST_FACETS",
    "POST",
    "PRE",
    "Scalar",
    "bounded",
    "codes_of",
    "column_of",
    "columns_of",
    "headers_of",
    "is_threshold",
    "known_code",
    "number_of",
    "required",
    "scalars_of",
]

Scalar: TypeAlias = "str | int | float | bool"
"""A value that a column can hold, as a document writes it."""

PRE: Final = ("CI", "DPL", "KL", "JS", "LP", "TVD", "KS", "CDDL")
"""Metrics of the labels, before any model."""

POST: Final = ("DPPL", "DI", "DCA", "DCR", "RD", "SD", "DAR", "DRR", "AD", "TE", "CDDPL", "FT", "GE")
"""Metrics of the predictions."""

MOST_FACETS: Final = 200
MOST_VALUES: Final = 1000
MOST_FEATURES: Final = 10_000


def is_threshold(values: Sequence[Scalar]) -> bool:
    """Tell whether values are a single number."""
    return len(values) == 1 and not isinstance(values[0], bool) and isinstance(values[0], int | float)


def number_of(node: Node) -> float:
    """Read the number that stands at `node` itself."""
    try:
        return Node({"value": node.value}, node.file).number("value")
    except DocumentError as error:
        raise node.error(error.message) from None


def known_code(code: str, node: Node) -> str:
    """Return the code of a metric, or refuse it at `node` with the nearest one."""
    if code in PRE or code in POST:
        return code
    close = nearest(code, (*PRE, *POST))
    fix = f"did you mean {close!r}?" if close else "use one of " + ", ".join((*PRE, *POST))
    raise node.error(f"there is no metric called {code!r}", fix=fix)


def bounded(node: Node, most: int) -> list[Node]:
    """Return the elements of a list of at most `most`."""
    items = node.items()
    if len(items) > most:
        raise node.error(f"has {len(items):,} entries, more than the limit of {most:,}", fix="leave some out")
    return items


def codes_of(node: Node | None) -> tuple[str, ...]:
    """Read a list of metrics, or ``"all"``; in the order of :data:`PRE` and :data:`POST`."""
    if node is None or node.value == "all":
        return ()
    codes = {
        known_code(item.value if isinstance(item.value, str) else "", item) for item in bounded(node, 100)
    }
    if not codes:
        raise node.error("names no metric", fix='name some, or write "all"')
    return tuple(code for code in (*PRE, *POST) if code in codes)


def column_of(node: Node, key: str) -> str | None:
    """Read the name of a column, or its 0-based position; None where there is none."""
    if not node.has(key):
        return None
    return _column(node[key])


def columns_of(node: Node | None) -> tuple[str, ...] | None:
    """Read a list of columns."""
    if node is None:
        return None
    columns = tuple(_column(item) for item in bounded(node, MOST_FEATURES))
    if len(set(columns)) != len(columns):
        raise node.error("names a column twice", fix="remove one")
    return columns


def _column(node: Node) -> str:
    value = node.value
    if isinstance(value, str) and value:
        return value
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1_000_000:
        return str(value)
    raise node.error("expected the name of a column, or its position from 0")


def required(node: Node, key: str) -> Node:
    """Return the place at `key`, which must hold something."""
    if not node.has(key):
        raise node.error("this field is required and missing", key=key)
    return node[key]


def scalars_of(node: Node, *, least: int = 0) -> tuple[Scalar, ...]:
    """Read a list of texts, finite numbers and booleans."""
    items = bounded(node, MOST_VALUES)
    if len(items) < least:
        raise node.error("is empty", fix="give at least one value")
    for item in items:
        if isinstance(item.value, str | bool):
            continue
        number_of(item)
    return tuple(item.value for item in items)


def headers_of(node: Node | None) -> tuple[str, ...] | None:
    """Read the names of columns."""
    if node is None:
        return None
    for item in bounded(node, 100_000):
        if not isinstance(item.value, str) or not item.value:
            raise item.error("expected the name of a column")
    if len(set(node.value)) != len(node.value):
        raise node.error("names a column twice", fix="rename one")
    return tuple(node.value)
