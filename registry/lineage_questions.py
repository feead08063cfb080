"""Questions of the lineage that people ask again and again, each with a name.

They ask about states, not places: data that were trained on are those with that digest, not what lies at their URI today.
So they pass no ``DerivedFrom``, unless told to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from driftline.errors import UsageError, printable
from driftline.registry.lineage_nodes import KINDS, Node, _of
from driftline.registry.lineage_walks import MOST_NODES, find, find_all, walk
from driftline.registry.tables import deployments, model_versions, nodes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftline.registry.store import Tx

__all__ = [
    "Difference",
    "alerts_concerning",
    "data_sets_of",
    "deployed_models_using",
    "diff",
    "endpoints_of_model",
    "models_of_endpoint",
    "models_trained_on",
    "training_data_of_alert",
    "training_jobs_of",
]

_FLOW = ("AssociatedWith", "ContributedTo", "Produced")
_DEEP = 30


@dataclass(frozen=True, slots=True)
class Difference:
    """How two versions came about differently.

    Attributes
    ----------
    a, b : Node
        The two models.
    only_a, only_b : tuple of Node
        What only one of them came from.
    shared : tuple of Node
        What both came from.
    changed : tuple of (Node, Node)
        Pairs with the same kind and name (or URI) and different digests; not in `only_a` and `only_b`.
    parameters, metrics : mapping of str to (object, object)
        Those that differ, as declared; None where one has none.
    """

    a: Node
    b: Node
    only_a: tuple[Node, ...]
    only_b: tuple[Node, ...]
    shared: tuple[Node, ...]
    changed: tuple[tuple[Node, Node], ...]
    parameters: Mapping[str, tuple[Any, Any]]
    metrics: Mapping[str, tuple[Any, Any]]


def _expect(ref: str, starts: Sequence[Node], *kinds: str) -> tuple[Node, ...]:
    found = tuple(node for node in starts if node.kind in kinds)
    if not found:
        wanted = " or ".join(kinds)
        raise UsageError(
            f"{printable(ref, 120)!r} is a {starts[0].kind}, expected a {wanted}",
            code="E-LINEAGE",
            fix=f"name a {wanted}",
        )
    return found


def data_sets_of(tx: Tx, ref: str, *, upstream: bool = False) -> tuple[Node, ...]:
    """Return the data sets that something came from: a model, an endpoint, a baseline, a run, an alert.

    Parameters
    ----------
    ref : str
        What :func:`~driftline.registry.lineage_walks.find` understands.
    upstream : bool
        Those that these were derived from too, older states of the same file among them.

    Returns
    -------
    tuple of Node
        At most 10,000, the nearest first. Training data and the data of baselines; for training data alone, see
        :func:`training_data_of_alert`.
    """
    relations = (*_FLOW, "DerivedFrom") if upstream else _FLOW
    start = find(tx, ref)
    graph = walk(tx, [start], "up", _DEEP, ["DataSet"], MOST_NODES, relations=relations)
    return tuple(node for node in graph.of_kind("DataSet") if node.id != start.id)


def training_jobs_of(tx: Tx, ref: str) -> tuple[Node, ...]:
    """Return the jobs that trained a model, or the models behind an endpoint, a run or an alert."""
    through = ("TrainingJob", "Model", "Deployment", "CaptureWindow", "Execution", "Report")
    graph = walk(
        tx, [find(tx, ref)], "up", _DEEP, ["TrainingJob"], MOST_NODES, relations=_FLOW, through=through
    )
    return graph.of_kind("TrainingJob")


def endpoints_of_model(tx: Tx, ref: str, *, now: bool = False) -> tuple[Node, ...]:
    """Return the endpoints that serve, or served, a model.

    Parameters
    ----------
    ref : str
        ``models/churn/3``, or ``models/churn`` for all its versions.
    now : bool
        Only those that serve it now.
    """
    models = _expect(ref, find_all(tx, ref), "Model")
    through = ("Deployment", "Endpoint")
    graph = walk(tx, models, "down", 2, through, MOST_NODES, through=through, relations=_FLOW)
    found = graph.of_kind("Endpoint")
    if not now:
        return found
    ids = [node.name.removeprefix("deployments/") for node in graph.of_kind("Deployment")]
    query = (
        sa.select(deployments.c.endpoint)
        .where(deployments.c.id.in_(ids), deployments.c.until.is_(None))
        .distinct()
    )
    serving = {f"endpoints/{row.endpoint}" for row in tx.all(query)}
    return tuple(node for node in found if node.name in serving)


def models_of_endpoint(tx: Tx, ref: str, *, at: int | None = None) -> tuple[Node, ...]:
    """Return the models that an endpoint served.

    Parameters
    ----------
    ref : str
    at : int, optional
        Only those that it served at this instant, microseconds since 1970-01-01 UTC.
    """
    starts = _expect(ref, [find(tx, ref)], "Endpoint")
    through = ("Deployment", "Model")
    if at is not None:
        query = sa.select(deployments.c.id).where(
            deployments.c.endpoint == starts[0].name.removeprefix("endpoints/"),
            deployments.c.since <= at,
            sa.or_(deployments.c.until.is_(None), deployments.c.until > at),
        )
        names = [f"deployments/{row.id}" for row in tx.all(query)]
        starts = _named(tx, "Deployment", names)
    return walk(tx, starts, "up", 2, through, MOST_NODES, through=through, relations=_FLOW).of_kind("Model")


def _named(tx: Tx, kind: str, names: Sequence[str]) -> tuple[Node, ...]:
    found = []
    for start in range(0, len(names), 1000):
        query = sa.select(nodes).where(nodes.c.kind == kind, nodes.c.name.in_(names[start : start + 1000]))
        found += [_of(row) for row in tx.all(query)]
    return tuple(found)


def _same_data(tx: Tx, ref: str) -> tuple[Node, ...]:
    """Return the data sets meant, and those that are the same bytes elsewhere."""
    meant = _expect(ref, find_all(tx, ref), "DataSet")
    digests = sorted({node.digest for node in meant if node.digest is not None})
    query = (
        sa.select(nodes).where(nodes.c.digest.in_(digests), nodes.c.kind == "DataSet").order_by(nodes.c.id)
    )
    return tuple({node.id: node for node in (*meant, *(_of(row) for row in tx.all(query)))}.values())


def models_trained_on(tx: Tx, uri_or_digest: str, *, derived: bool = False) -> tuple[Node, ...]:
    """Return the models that were trained on data.

    Parameters
    ----------
    uri_or_digest : str
        A digest means this version of the data, wherever it lies; a URI all versions that lay there.
    derived : bool
        On data derived from it too, which newer states of the same file are.
    """
    through = ("DataSet", "TrainingJob", "Model")
    relations = (*_FLOW, "DerivedFrom") if derived else _FLOW
    starts = _same_data(tx, uri_or_digest)
    graph = walk(
        tx,
        starts,
        "down",
        _DEEP if derived else 2,
        ["Model"],
        MOST_NODES,
        through=through,
        relations=relations,
    )
    return graph.of_kind("Model")


def alerts_concerning(tx: Tx, data_set: str) -> tuple[Node, ...]:
    """Return the alerts about models that were trained on a data set, named by URI or digest; the newest first."""
    through = ("TrainingJob", "Model", "Deployment", "CaptureWindow", "Execution", "Report", "Alert")
    starts = _same_data(tx, data_set)
    graph = walk(tx, starts, "down", _DEEP, ["Alert"], MOST_NODES, through=through, relations=_FLOW)
    return tuple(sorted(graph.of_kind("Alert"), key=lambda node: (-node.created, node.id)))


def deployed_models_using(tx: Tx, digest: str) -> tuple[Node, ...]:
    """Return the models that were trained on this version of a data set and that an endpoint serves now."""
    found = []
    for node in models_trained_on(tx, digest):
        model, _, version = node.name.removeprefix("models/").rpartition("/")
        query = (
            sa.select(deployments.c.id)
            .where(
                deployments.c.model == model, deployments.c.version == version, deployments.c.until.is_(None)
            )
            .limit(1)
        )
        if tx.one(query) is not None:
            found.append(node)
    return tuple(found)


def training_data_of_alert(tx: Tx, alert_id: str) -> tuple[Node, ...]:
    """Return what the models behind an alert were trained on, in one query.

    Parameters
    ----------
    alert_id : str
        With or without ``alerts/``.

    Returns
    -------
    tuple of Node
        Data sets, as they were when the models that served in the alert's windows were trained.
    """
    start = find(tx, f"alerts/{alert_id.removeprefix('alerts/')}")
    through = ("Report", "Execution", "CaptureWindow", "Deployment", "Model", "TrainingJob", "DataSet")
    graph = walk(tx, [start], "up", _DEEP, ["DataSet"], MOST_NODES, through=through, relations=_FLOW)
    return graph.of_kind("DataSet")


def diff(tx: Tx, model_a: str, model_b: str) -> Difference:
    """Return how two models came about differently: data, jobs, code, images, parameters and metrics."""
    a, b = (_expect(ref, [find(tx, ref)], "Model")[0] for ref in (model_a, model_b))
    through = [kind for kind in KINDS if kind not in ("Model", "Deployment", "Endpoint")]
    found = []
    for start in (a, b):
        graph = walk(tx, [start], "up", _DEEP, None, MOST_NODES, through=through, relations=_FLOW)
        found.append({node.id: node for node in graph.nodes if node.id != start.id})
    of_a, of_b = found
    only_a = [node for node in of_a.values() if node.id not in of_b]
    only_b = [node for node in of_b.values() if node.id not in of_a]
    changed = [(x, y) for x in only_a for y in only_b if _is_same_thing(x, y)]
    paired = {node.id for pair in changed for node in pair}
    declared = [_training(tx, node) for node in (a, b)]
    return Difference(
        a,
        b,
        tuple(node for node in only_a if node.id not in paired),
        tuple(node for node in only_b if node.id not in paired),
        tuple(node for node in of_a.values() if node.id in of_b),
        tuple(changed),
        _differing(*(training.get("parameters") or {} for training in declared)),
        _differing(*(training.get("metrics") or {} for training in declared)),
    )


def _is_same_thing(x: Node, y: Node) -> bool:
    return x.kind == y.kind and (x.name == y.name or (x.uri is not None and x.uri == y.uri))


def _training(tx: Tx, node: Node) -> Mapping[str, Any]:
    model, _, version = node.name.removeprefix("models/").rpartition("/")
    query = sa.select(model_versions.c.training).where(
        model_versions.c.model == model, model_versions.c.version == version
    )
    row = tx.one(query)
    return {} if row is None else row.training


def _differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {key: (a.get(key), b.get(key)) for key in sorted({*a, *b}) if a.get(key) != b.get(key)}
