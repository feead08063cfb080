"""Walks over the lineage: up to where something came from, down to what came of it.

A walk is one recursive query, whatever the depth. It ends at an endpoint it arrives at: an endpoint is a place that many
models pass through, so what it served at other times leads neither to nor from the window that brought us there. What was
served in a window has an edge of its own, from the deployment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from driftline.documents import nearest
from driftline.errors import UsageError, printable
from driftline.registry.database import RegistryError
from driftline.registry.lineage_nodes import KINDS, Edge, Node, _of, whole_digest
from driftline.registry.tables import canonical, edges, nodes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from driftline.registry.lineage_nodes import Scalar
    from driftline.registry.store import Tx

__all__ = [
    "MOST_DEPTH",
    "MOST_NODES",
    "Graph",
    "ascendants",
    "both",
    "descendants",
    "find",
    "find_all",
    "neighbourhood",
    "walk",
]

MOST_DEPTH = 100
MOST_NODES = 10_000

_SHORTEST_PREFIX = 6


@dataclass(frozen=True, slots=True)
class Graph:
    """What a walk found.

    Attributes
    ----------
    nodes : tuple of Node
        The start and what was reached from it: the nearest first, then the newest.
    edges : tuple of Edge
        All edges between these nodes, sorted.
    truncated : bool
        Whether there was more than `limit` allowed.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    truncated: bool = False

    def __contains__(self, name: object) -> bool:
        """Tell whether a node of this name or id is in it."""
        return any(name in (node.name, node.id) for node in self.nodes)

    def of_kind(self, *kinds: str) -> tuple[Node, ...]:
        """Return the nodes of some kinds."""
        return tuple(node for node in self.nodes if node.kind in kinds)


def ascendants(
    tx: Tx,
    start: Node | str,
    max_depth: int = 10,
    kinds: Collection[str] | None = None,
    limit: int = 1000,
    *,
    created: tuple[int | None, int | None] = (None, None),
    properties: Mapping[str, Scalar] | None = None,
) -> Graph:
    """Return where something came from.

    Parameters
    ----------
    start : Node or str
        What :func:`find` understands.
    max_depth : int, default 10
        How many edges to follow, 0 to 100.
    kinds : collection of str, optional
        Only nodes of these kinds are given; the walk passes through the others. The start is always given.
    limit : int, default 1000
        How many nodes to give at most, 1 to 10,000: the nearest, and of those equally near the newest.
    created : pair of int or None
        Only nodes that the registry heard of from the first instant to before the second, in microseconds.
    properties : mapping, optional
        Only nodes that have one of these properties, as it is.

    Returns
    -------
    Graph

    Raises
    ------
    RegistryError
        ``E-NO-NODE``.
    UsageError
        ``E-LINEAGE``.
    """
    return walk(
        tx, [_start(tx, start)], "up", max_depth, kinds, limit, created=created, properties=properties
    )


def descendants(
    tx: Tx,
    start: Node | str,
    max_depth: int = 10,
    kinds: Collection[str] | None = None,
    limit: int = 1000,
    *,
    created: tuple[int | None, int | None] = (None, None),
    properties: Mapping[str, Scalar] | None = None,
) -> Graph:
    """Return what came of something; parameters as for :func:`ascendants`."""
    return walk(
        tx, [_start(tx, start)], "down", max_depth, kinds, limit, created=created, properties=properties
    )


def both(
    tx: Tx,
    start: Node | str,
    max_depth: int = 10,
    kinds: Collection[str] | None = None,
    limit: int = 1000,
    *,
    created: tuple[int | None, int | None] = (None, None),
    properties: Mapping[str, Scalar] | None = None,
) -> Graph:
    """Return where something came from and what came of it.

    Unlike a walk both ways from every node (:func:`neighbourhood`), it does not bring in models that only share an image
    or a data set with the start. Of `limit`, ascendants come first. Parameters as for :func:`ascendants`.
    """
    node = _start(tx, start)
    given: dict[str, Any] = {"created": created, "properties": properties}
    up = walk(tx, [node], "up", max_depth, kinds, limit, **given)
    down = walk(tx, [node], "down", max_depth, kinds, limit, **given)
    found = list({n.id: n for n in (*up.nodes, *down.nodes)}.values())
    kept = found[:limit]
    return Graph(tuple(kept), _between(tx, kept), up.truncated or down.truncated or len(found) > limit)


def neighbourhood(
    tx: Tx,
    start: Node | str,
    max_depth: int = 2,
    kinds: Collection[str] | None = None,
    limit: int = 1000,
    *,
    created: tuple[int | None, int | None] = (None, None),
    properties: Mapping[str, Scalar] | None = None,
) -> Graph:
    """Return what is around something, walking both ways from every node; parameters as for :func:`ascendants`."""
    return walk(
        tx, [_start(tx, start)], "around", max_depth, kinds, limit, created=created, properties=properties
    )


def walk(
    tx: Tx,
    starts: Sequence[Node],
    direction: str,
    max_depth: int = 10,
    kinds: Collection[str] | None = None,
    limit: int = 1000,
    *,
    created: tuple[int | None, int | None] = (None, None),
    properties: Mapping[str, Scalar] | None = None,
    through: Collection[str] | None = None,
    relations: Collection[str] | None = None,
) -> Graph:
    """Walk from several nodes.

    Parameters
    ----------
    starts : sequence of Node
    direction : {"up", "down", "around"}
    max_depth, kinds, limit, created, properties
        As for :func:`ascendants`.
    through : collection of str, optional
        Kinds that the walk may step on; all where not given.
    relations : collection of str, optional
        Relations it may follow; all where not given.
    """
    if not 0 <= max_depth <= MOST_DEPTH:
        raise UsageError(
            f"a depth of {max_depth} is out of range", code="E-LINEAGE", fix=f"use 0 to {MOST_DEPTH}"
        )
    if not 1 <= limit <= MOST_NODES:
        raise UsageError(
            f"a limit of {limit} nodes is out of range", code="E-LINEAGE", fix=f"use 1 to {MOST_NODES:,}"
        )
    if not starts:
        return Graph((), ())
    query = query_of(
        [node.id for node in starts],
        direction,
        max_depth,
        kinds,
        limit,
        created=created,
        properties=properties,
        through=through,
        relations=relations,
        is_sqlite=tx.database.is_sqlite,
    )
    reached = [_of(row) for row in tx.all(query)]
    own = {node.id for node in starts}
    found = [*starts, *(node for node in reached if node.id not in own)]
    kept = found[:limit]
    return Graph(tuple(kept), _between(tx, kept), len(found) > limit)


def query_of(
    starts: Sequence[str],
    direction: str,
    max_depth: int,
    kinds: Collection[str] | None,
    limit: int,
    *,
    created: tuple[int | None, int | None] = (None, None),
    properties: Mapping[str, Scalar] | None = None,
    through: Collection[str] | None = None,
    relations: Collection[str] | None = None,
    is_sqlite: bool,
) -> sa.Select[Any]:
    """Return the query of a walk; apart from it, so that its plan can be looked at."""
    for kind in (*(kinds or ()), *(through or ())):
        _check_kind(kind)
    reach = (
        sa.select(nodes.c.id.label("id"), sa.literal(0, sa.Integer).label("depth"))
        .where(nodes.c.id.in_(starts))
        .cte("reach", recursive=True)
    )
    if direction == "around":
        here = sa.or_(edges.c.source == reach.c.id, edges.c.target == reach.c.id)
        there: sa.ColumnElement[Any] = sa.case(
            (edges.c.source == reach.c.id, edges.c.target), else_=edges.c.source
        )
    elif direction == "up":
        here, there = edges.c.target == reach.c.id, edges.c.source
    else:
        here, there = edges.c.source == reach.c.id, edges.c.target
    step = sa.select(there, reach.c.depth + 1).join_from(reach, edges, here).where(reach.c.depth < max_depth)
    if direction != "around":
        step = step.where(sa.or_(reach.c.depth == 0, ~_is_kind(reach.c.id, "Endpoint")))
    if through is not None:
        step = step.where(sa.or_(*(_is_kind(there, kind) for kind in sorted(through))))
    if relations is not None:
        step = step.where(edges.c.relation.in_(sorted(relations)))
    # UNION, not UNION ALL: a node is walked from once for each depth it is found at, however many ways lead there.
    whole = reach.union(step)
    nearest_first = (
        sa.select(whole.c.id.label("id"), sa.func.min(whole.c.depth).label("depth"))
        .group_by(whole.c.id)
        .subquery()
    )
    query = sa.select(nodes).join_from(nearest_first, nodes, nodes.c.id == nearest_first.c.id)
    if kinds is not None:
        query = query.where(sa.or_(nodes.c.kind.in_(sorted(kinds)), nodes.c.id.in_(starts)))
    since, until = created
    if since is not None:
        query = query.where(nodes.c.created >= since)
    if until is not None:
        query = query.where(nodes.c.created < until)
    if properties:
        query = query.where(sa.or_(*(_has(key, value, is_sqlite) for key, value in properties.items())))
    return query.order_by(nearest_first.c.depth, nodes.c.created.desc(), nodes.c.id).limit(
        limit + len(starts) + 1
    )


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        near = nearest(kind, KINDS)
        raise UsageError(
            f"{printable(kind, 60)!r} is no kind of node",
            code="E-LINEAGE",
            fix=f"did you mean {near}?" if near else f"use one of {', '.join(KINDS)}",
        )


def _is_kind(column: sa.ColumnElement[Any], kind: str) -> sa.ColumnElement[bool]:
    # Ids begin with the kind, so that no step has to look its node up.
    return sa.func.substr(column, 1, len(kind) + 1) == f"{kind}-"


def _has(key: str, value: Scalar, is_sqlite: bool) -> sa.ColumnElement[bool]:
    # Properties are flat and in canonical JSON, where a quote within a text is always escaped: this finds nothing else.
    pair = canonical({key: value})[1:-1]
    place = sa.func.instr if is_sqlite else sa.func.strpos
    text = sa.type_coerce(nodes.c.properties, sa.Text)
    return sa.or_(*(place(text, start + pair + end) > 0 for start in "{," for end in "},"))


def _between(tx: Tx, kept: Iterable[Node]) -> tuple[Edge, ...]:
    ids = {node.id for node in kept}
    found = []
    ordered = sorted(ids)
    for start in range(0, len(ordered), 1000):
        # By target: things come of few others, but thousands may come of one.
        query = sa.select(edges.c.source, edges.c.target, edges.c.relation).where(
            edges.c.target.in_(ordered[start : start + 1000])
        )
        found += [Edge(*row) for row in tx.all(query) if row.source in ids]
    return tuple(sorted(found))


def _start(tx: Tx, start: Node | str) -> Node:
    return start if isinstance(start, Node) else find(tx, start)


def find(tx: Tx, ref: str) -> Node:
    """Return the node that a person means; its newest state where there are several.

    Parameters
    ----------
    ref : str
        The name of a node (``alerts/01J…``, ``models/churn/3``, ``endpoints/churn-prod``), the beginning of a name up to a
        slash (``models/churn``: its newest version), a URI, a digest or at least 6 digits of its beginning, or an id.

    Raises
    ------
    RegistryError
        ``E-NO-NODE``, with the nearest name there is; ``E-AMBIGUOUS``: the beginning of several digests.
    """
    return find_all(tx, ref)[0]


def find_all(tx: Tx, ref: str) -> tuple[Node, ...]:
    """Return all nodes that :func:`find` chooses from, the newest first: all versions of a model, all states of a file."""
    ref = ref.strip()
    for condition in (nodes.c.id == ref, nodes.c.name == ref, nodes.c.uri == ref):
        found = _select(tx, condition)
        if found:
            return found
    if len(ref) >= _SHORTEST_PREFIX and "/" not in ref:
        found = _by_digest(tx, ref)
        if found:
            return found
    if "/" in ref and "://" not in ref:
        found = _select(tx, nodes.c.name.startswith(ref.rstrip("/") + "/", autoescape=True))
        if found:
            # Versions that were told of in one transaction: 10 comes after 9.
            return tuple(sorted(found, key=lambda node: (node.created, _natural(node.name)), reverse=True))
    raise _nothing(tx, ref)


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part) if part.isdecimal() else -1, part) for part in re.split(r"(\d+)", name)]


def _select(tx: Tx, condition: sa.ColumnElement[bool]) -> tuple[Node, ...]:
    query = sa.select(nodes).where(condition).order_by(nodes.c.created.desc(), nodes.c.id).limit(MOST_NODES)
    return tuple(_of(row) for row in tx.all(query))


def _by_digest(tx: Tx, ref: str) -> tuple[Node, ...]:
    found = _select(tx, nodes.c.digest == whole_digest(ref))
    if found:
        return found
    start = ref if ":" in ref else f"sha256:{ref.lower()}"
    found = _select(tx, nodes.c.digest.startswith(start, autoescape=True))
    digests = sorted({node.digest for node in found if node.digest})
    if len(digests) > 1:
        raise RegistryError(
            f"{len(digests)} digests begin with {printable(ref, 80)!r}",
            code="E-AMBIGUOUS",
            fix=f"give more digits, such as {digests[0]} or {digests[1]}",
        )
    return found


def _nothing(tx: Tx, ref: str) -> RegistryError:
    group = ref.partition("/")[0] + "/" if "/" in ref else ""
    query = sa.select(nodes.c.name).where(nodes.c.name.startswith(group, autoescape=True)) if group else None
    query = sa.select(nodes.c.name) if query is None else query
    names = [row.name for row in tx.all(query.order_by(nodes.c.created.desc(), nodes.c.id).limit(2000))]
    near = nearest(ref, names)
    if near is None and not group:
        near = next(
            (name for name in names if name.rpartition("/")[2] == ref or f"/{ref}/" in f"{name}/"), None
        )
    return RegistryError(
        f"the lineage knows nothing called {printable(ref, 120)!r}",
        code="E-NO-NODE",
        fix=f"did you mean {printable(near, 200)}?"
        if near
        else "give a name such as models/churn/3 or alerts/ID, a URI, a digest or an id",
    )
