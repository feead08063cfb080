"""What ``statistics.json`` and ``constraints.json`` have in common: a list of named features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftline.documents import Node, decode
from driftline.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["document", "feature_nodes"]


def document(data: str | bytes, file: object) -> Node:
    """Decode `data`, which must be an object, and return its root.

    Raises
    ------
    DocumentError
        If it is empty, not JSON, or something else than an object.
    """
    if not data.strip():
        raise DocumentError("the document is empty", code="E-JSON", file=file)
    root = Node(decode(data, file=file), file)
    root.object()
    return root


def feature_nodes(root: Node) -> Iterator[Node]:
    """Yield the elements of ``features``, each of which has a name that no other has.

    Raises
    ------
    DocumentError
        If there are none, or a name is missing or occurs twice.
    """
    if not root.has("features"):
        raise root.error(
            "there is no list of features",
            key="features",
            fix="give a document that a data-quality baseline wrote",
        )
    nodes = root["features"].items()
    if not nodes:
        raise root.error("the list of features is empty: nothing could be compared", key="features")
    seen: set[str] = set()
    for node in nodes:
        name = node.text("name")
        if name in seen:
            raise node.error(
                f"a feature called {name!r} occurred before", key="name", fix="remove one of them"
            )
        seen.add(name)
        yield node
