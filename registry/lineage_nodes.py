"""Nodes and edges of the lineage: things with a digest, and what flowed from which into which.

A node is one state of a thing: the same kind, name and digest are the same node for ever. A file that was overwritten has
the same URI and another digest, and so is another node, derived from the older one: history does not change after the fact.
Edges point the way that data flow, from source to target.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from driftline.documents import nearest
from driftline.errors import UsageError, printable
from driftline.registry.tables import canonical, edges, nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from driftline.registry.store import Tx

__all__ = [
    "KINDS",
    "RELATIONS",
    "Edge",
    "Node",
    "ensure",
    "link",
    "link_all",
    "newest",
    "whole_digest",
]

KINDS = (
    "DataSet",
    "TrainingJob",
    "Image",
    "Code",
    "Model",
    "Deployment",
    "Endpoint",
    "CaptureWindow",
    "GroundTruth",
    "Baseline",
    "Execution",
    "Report",
    "Alert",
    "ModelCard",
)
"""What a node can be."""

RELATIONS = ("ContributedTo", "AssociatedWith", "DerivedFrom", "Produced", "SameAs")
"""SageMaker's words. ``DerivedFrom``: the target is a changed source. ``SameAs`` goes both ways."""

_PLACES = frozenset(("Code", "DataSet", "GroundTruth", "Image"))
"""Kinds that are what lies at a URI."""

MOST_PROPERTIES = 30
MOST_NAME = 2048

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Node:
    """One state of a thing.

    Attributes
    ----------
    id : str
        Its kind and 32 hexadecimal digits, made from kind, name and digest.
    kind : str
        One of :data:`KINDS`.
    name : str
        Such as ``models/churn/3``, ``alerts/01J…``, or the URI of a data set.
    uri : str or None
    digest : str or None
        Of the content, such as ``sha256:…``.
    properties : mapping of str to text, number, bool or None
        At most 30.
    created : int
        When the registry heard of it, microseconds since 1970-01-01 UTC.
    """

    id: str
    kind: str
    name: str
    uri: str | None
    digest: str | None
    properties: Mapping[str, Scalar]
    created: int


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """What flowed from where to where.

    Attributes
    ----------
    source, target : str
        Ids of nodes.
    relation : str
        One of :data:`RELATIONS`.
    """

    source: str
    target: str
    relation: str


def whole_digest(digest: str | None) -> str | None:
    """Return a digest with the name of its algorithm: 64 hexadecimal digits alone are SHA-256."""
    if digest is not None and re.fullmatch(r"[0-9A-Fa-f]{64}", digest):
        return f"sha256:{digest.lower()}"
    return digest or None


def _of(row: Any) -> Node:
    return Node(row.id, row.kind, row.name, row.uri, row.digest, row.properties, row.created)


def _id(kind: str, name: str, digest: str | None) -> str:
    return f"{kind}-{hashlib.sha256(canonical([kind, name, digest]).encode('ascii')).hexdigest()[:32]}"


def _checked(kind: str, name: str, properties: Mapping[str, Scalar]) -> None:
    if kind not in KINDS:
        near = nearest(kind, KINDS)
        raise UsageError(
            f"{printable(kind, 60)!r} is no kind of node",
            code="E-LINEAGE",
            fix=f"did you mean {near}?" if near else f"use one of {', '.join(KINDS)}",
        )
    if not name or len(name) > MOST_NAME:
        raise UsageError(
            f"a name of {len(name):,} characters cannot name a node",
            code="E-LINEAGE",
            fix=f"use 1 to {MOST_NAME:,}",
        )
    if len(properties) > MOST_PROPERTIES:
        raise UsageError(
            f"{len(properties):,} properties are too many for a node",
            code="E-LINEAGE",
            fix=f"keep at most {MOST_PROPERTIES}; the rest belongs to the object itself",
        )
    for key, value in properties.items():
        # Flat, so that a filter can find them in their canonical form on either engine.
        if not isinstance(value, str | int | float | bool | None):
            raise UsageError(
                f"the property {printable(key, 60)!r} is neither text nor a number",
                code="E-LINEAGE",
                fix="give text, a number, true or false",
            )


def newest(tx: Tx, kind: str, name: str) -> Node | None:
    """Return the newest state of a thing, or None."""
    query = (
        sa.select(nodes)
        .where(nodes.c.kind == kind, nodes.c.name == name)
        .order_by(nodes.c.created.desc(), nodes.c.id)
        .limit(1)
    )
    row = tx.one(query)
    return None if row is None else _of(row)


def ensure(
    tx: Tx,
    kind: str,
    name: str,
    *,
    uri: str | None = None,
    digest: str | None = None,
    properties: Mapping[str, Scalar] | None = None,
) -> Node:
    """Return the node of this kind, name and digest; make it where it is not there.

    Parameters
    ----------
    kind, name, uri, digest
        As in :class:`Node`. Without a digest, the newest state of that name is meant. A state whose digest was not known
        yet takes the first one that is told.
    properties : mapping, optional
        Added to those that the node has.

    Returns
    -------
    Node
        A new one is linked, as ``DerivedFrom``, to the newest with its name and another digest; of data, code and
        images also to that with its URI.

    Raises
    ------
    UsageError
        ``E-LINEAGE``: no such kind, too long a name, too many properties or properties that are no scalars.
    """
    given = dict(properties or {})
    _checked(kind, name, given)
    digest = whole_digest(digest)
    found = newest(tx, kind, name) if digest is None else _with_digest(tx, kind, name, digest)
    if found is not None:
        return _updated(tx, found, uri, digest, given)
    older = _older(tx, kind, name, uri, digest)
    # Two states told of in one transaction still have an order.
    created = tx.now if older is None else max(tx.now, older.created + 1)
    node = Node(_id(kind, name, digest), kind, name, uri, digest, given, created)
    tx.insert(
        nodes,
        id=node.id,
        kind=kind,
        name=name,
        uri=uri,
        digest=digest,
        properties=given,
        created=node.created,
    )
    if older is not None:
        link(tx, older, node, "DerivedFrom")
    return node


def _with_digest(tx: Tx, kind: str, name: str, digest: str) -> Node | None:
    query = sa.select(nodes).where(
        nodes.c.kind == kind, nodes.c.name == name, sa.or_(nodes.c.digest == digest, nodes.c.digest.is_(None))
    )
    found = sorted((_of(row) for row in tx.all(query)), key=lambda n: n.digest is None)
    return found[0] if found else None


def _older(tx: Tx, kind: str, name: str, uri: str | None, digest: str | None) -> Node | None:
    if digest is None:
        return None
    # Digests of different algorithms differ whether the content does or not.
    algorithm = digest.partition(":")[0] + ":"
    # Things with names of their own, such as versions of models, may take turns at one place.
    by_place = () if uri is None or kind not in _PLACES else (nodes.c.uri == uri,)
    queries = [
        sa.select(nodes).where(
            nodes.c.kind == kind,
            condition,
            nodes.c.digest != digest,
            nodes.c.digest.startswith(algorithm, autoescape=True),
        )
        for condition in (nodes.c.name == name, *by_place)
    ]
    found = [
        _of(row)
        for query in queries
        for row in tx.all(query.order_by(nodes.c.created.desc(), nodes.c.id).limit(1))
    ]
    return max(found, key=lambda n: (n.created, n.id), default=None)


def _updated(tx: Tx, found: Node, uri: str | None, digest: str | None, given: Mapping[str, Scalar]) -> Node:
    properties = {**found.properties, **given}
    _checked(found.kind, found.name, properties)
    same = Node(
        found.id, found.kind, found.name, uri or found.uri, found.digest or digest, properties, found.created
    )
    if same != found:
        tx.execute(
            sa.update(nodes)
            .where(nodes.c.id == found.id)
            .values(uri=same.uri, digest=same.digest, properties=properties)
        )
    return same


def link(tx: Tx, source: Node | str, target: Node | str, relation: str) -> None:
    """Say that `source` flowed into `target`; saying it again changes nothing.

    Raises
    ------
    UsageError
        ``E-LINEAGE``: no such relation, or a node and itself.
    """
    link_all(tx, [(source, target, relation)])


def link_all(tx: Tx, wanted: Iterable[tuple[Node | str, Node | str, str]]) -> None:
    """Do what :func:`link` does, many times in one statement."""
    rows: dict[tuple[str, str, str], None] = {}
    for a, b, relation in wanted:
        source, target = (end.id if isinstance(end, Node) else end for end in (a, b))
        if relation not in RELATIONS:
            near = nearest(relation, RELATIONS)
            raise UsageError(
                f"{printable(relation, 60)!r} is no relation",
                code="E-LINEAGE",
                fix=f"did you mean {near}?" if near else f"use one of {', '.join(RELATIONS)}",
            )
        if source == target:
            raise UsageError("a node cannot lead to itself", code="E-LINEAGE", fix="name two nodes")
        rows[source, target, relation] = None
        if relation == "SameAs":
            # Stored both ways, so that every walk follows edges in one direction only.
            rows[target, source, relation] = None
    if not rows:
        return
    kind = sqlite.insert if tx.database.is_sqlite else postgresql.insert
    values = [
        {"source": source, "target": target, "relation": relation, "created": tx.now}
        for source, target, relation in rows
    ]
    for start in range(0, len(values), 1000):
        tx.execute(kind(edges).values(values[start : start + 1000]).on_conflict_do_nothing())
