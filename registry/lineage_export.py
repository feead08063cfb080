"""Lineage for other tools: JSON of our own, PROV-JSON of the W3C, and events of OpenLineage.

References
----------
.. [1] W3C, "The PROV-JSON Serialization", member submission of 24 April 2013.
.. [2] OpenLineage, specification of ``RunEvent`` 2-0-2, https://openlineage.io/spec/2-0-2/OpenLineage.json.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from driftline.documents import encode
from driftline.registry.moments import shown
from driftline.registry.tables import executions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.registry.lineage_nodes import Node
    from driftline.registry.lineage_walks import Graph
    from driftline.registry.store import Tx

__all__ = ["SCHEMA", "results_of", "to_document", "to_json", "to_openlineage", "to_prov", "to_prov_json"]

SCHEMA: Final = "driftline.lineage/1"
"""Name and version of our own form."""

_ACTIVITIES = frozenset(("TrainingJob", "Deployment", "Execution"))
_AGENTS = frozenset(("Endpoint",))
_PRODUCER = "urn:driftline:lineage"
_FACETS = "https://openlineage.io/spec/facets/"
_RUN_EVENT = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"

_ENDINGS = {"Failed": "FAIL", "Stopped": "ABORT"}


# --- our own --------------------------------------------------------------------------------------------------------


def to_document(graph: Graph) -> dict[str, Any]:
    """Return a graph as a document.

    Returns
    -------
    dict
        ``schema``; ``nodes``: objects with ``id``, ``kind``, ``name``, ``uri``, ``digest``, ``properties``, ``created``
        (RFC 3339); ``edges``: objects with ``source``, ``target``, ``relation``; ``truncated``.
    """
    return {
        "schema": SCHEMA,
        "nodes": [
            {
                "id": node.id,
                "kind": node.kind,
                "name": node.name,
                "uri": node.uri,
                "digest": node.digest,
                "properties": dict(sorted(node.properties.items())),
                "created": str(shown(node.created)),
            }
            for node in graph.nodes
        ],
        "edges": [
            {"source": edge.source, "target": edge.target, "relation": edge.relation} for edge in graph.edges
        ],
        "truncated": graph.truncated,
    }


def to_json(graph: Graph) -> str:
    """Return :func:`to_document` as text."""
    return encode(to_document(graph), indent=2) + "\n"


# --- PROV -----------------------------------------------------------------------------------------------------------


def to_prov(graph: Graph) -> dict[str, Any]:
    """Return a graph as a document of PROV-JSON.

    Notes
    -----
    Training jobs, deployments and executions are activities, endpoints agents, and all else entities. Data flow from
    source to target becomes, by what the two are:

    =========== =========== =======================================
    source      target      relation
    =========== =========== =======================================
    entity      activity    ``used``
    activity    entity      ``wasGeneratedBy``
    entity      entity      ``wasDerivedFrom``; ``alternateOf`` for SameAs; ``wasInfluencedBy`` for AssociatedWith
    activity    agent       ``wasAssociatedWith``
    agent       entity      ``wasAttributedTo``
    otherwise               ``wasInfluencedBy``
    =========== =========== =======================================

    Who trained, where it is known, is an agent too.
    """
    made: dict[str, Any] = {
        "prefix": {
            "driftline": "urn:driftline:ns:",
            "node": "urn:driftline:node:",
            "user": "urn:driftline:user:",
        }
    }
    nodes = {node.id: node for node in graph.nodes}
    for node in graph.nodes:
        room = _prov_class(node.kind)
        made.setdefault(room, {})[f"node:{node.id}"] = _prov_attributes(node)
        user = node.properties.get("user")
        if node.kind == "TrainingJob" and isinstance(user, str) and user:
            agent = "user:" + "".join(
                ch if ch.isascii() and ch.isalnum() else f"_{ord(ch):x}_" for ch in user
            )
            made.setdefault("agent", {})[agent] = {
                "prov:type": {"$": "prov:Person", "type": "prov:QUALIFIED_NAME"},
                "prov:label": user,
            }
            made.setdefault("wasAssociatedWith", {})[f"_:user-{node.id}"] = {
                "prov:activity": f"node:{node.id}",
                "prov:agent": agent,
            }
    for number, edge in enumerate(graph.edges):
        if edge.relation == "SameAs" and edge.source > edge.target:
            continue  # stored both ways, said once
        source, target = nodes[edge.source], nodes[edge.target]
        relation, from_key, to_key = _prov_relation(
            _prov_class(source.kind), _prov_class(target.kind), edge.relation
        )
        made.setdefault(relation, {})[f"_:e{number}"] = {
            from_key: f"node:{target.id}",
            to_key: f"node:{source.id}",
        }
    return made


def to_prov_json(graph: Graph) -> str:
    """Return :func:`to_prov` as text."""
    return encode(to_prov(graph), indent=2) + "\n"


def _prov_class(kind: str) -> str:
    return "activity" if kind in _ACTIVITIES else "agent" if kind in _AGENTS else "entity"


def _prov_relation(source: str, target: str, relation: str) -> tuple[str, str, str]:
    """Return the relation of PROV and the keys of target and source: PROV points back to where things came from."""
    if relation == "SameAs":
        return "alternateOf", "prov:alternate1", "prov:alternate2"
    if relation == "AssociatedWith" and (source, target) == ("entity", "entity"):
        return "wasInfluencedBy", "prov:influencee", "prov:influencer"
    match source, target:
        case "entity", "activity":
            return "used", "prov:activity", "prov:entity"
        case "activity", "entity":
            return "wasGeneratedBy", "prov:entity", "prov:activity"
        case "entity", "entity":
            return "wasDerivedFrom", "prov:generatedEntity", "prov:usedEntity"
        case "activity", "agent":
            # The one that points along the flow: the activity is the subject.
            return "wasAssociatedWith", "prov:agent", "prov:activity"
        case "agent", "entity":
            return "wasAttributedTo", "prov:entity", "prov:agent"
    return "wasInfluencedBy", "prov:influencee", "prov:influencer"


def _prov_attributes(node: Node) -> dict[str, Any]:
    found: dict[str, Any] = {
        "prov:label": node.name,
        "prov:type": {"$": f"driftline:{node.kind}", "type": "prov:QUALIFIED_NAME"},
    }
    if node.kind in _ACTIVITIES:
        for key, names in (("prov:startTime", ("started", "since")), ("prov:endTime", ("ended", "until"))):
            moments = [node.properties[name] for name in names if isinstance(node.properties.get(name), str)]
            if moments:
                found[key] = moments[0]
    for key, text in (("uri", node.uri), ("digest", node.digest)):
        if text is not None:
            found[f"driftline:{key}"] = text
    for key, value in sorted(node.properties.items()):
        if value is not None and key.isidentifier() and key not in ("uri", "digest", "user"):
            found[f"driftline:{key}"] = value
    return found


# --- OpenLineage ----------------------------------------------------------------------------------------------------


def results_of(tx: Tx, graph: Graph) -> dict[str, Mapping[str, Any]]:
    """Return the results of the executions in a graph, by the names of their nodes, for :func:`to_openlineage`."""
    ids = [node.name.removeprefix("executions/") for node in graph.nodes if node.kind == "Execution"]
    found: dict[str, Mapping[str, Any]] = {}
    for start in range(0, len(ids), 1000):
        query = sa.select(executions.c.id, executions.c.result).where(
            executions.c.id.in_(ids[start : start + 1000]), executions.c.result.is_not(None)
        )
        found |= {f"executions/{row.id}": row.result for row in tx.all(query)}
    return found


def to_openlineage(
    graph: Graph, results: Mapping[str, Mapping[str, Any]] | None = None, *, namespace: str = "driftline"
) -> list[dict[str, Any]]:
    """Return one ``RunEvent`` for every training job and every execution of a graph.

    Parameters
    ----------
    graph : Graph
    results : mapping, optional
        What :func:`results_of` gives: measurements become the facet ``dataQualityAssertions`` of the captured window.
    namespace : str
        Of the jobs, and of data sets without a URI.

    Returns
    -------
    list of dict
        In the order of the nodes. ``COMPLETE``, or ``FAIL`` and ``ABORT`` for what failed or was stopped; run ids are
        the same each time.
    """
    nodes = {node.id: node for node in graph.nodes}
    events = []
    for node in graph.nodes:
        if node.kind not in ("TrainingJob", "Execution"):
            continue
        inputs = [nodes[edge.source] for edge in graph.edges if edge.target == node.id]
        outputs = [nodes[edge.target] for edge in graph.edges if edge.source == node.id]
        result = (results or {}).get(node.name)
        run = uuid.uuid5(uuid.NAMESPACE_URL, f"{_PRODUCER}:{node.id}")
        ended = node.properties.get("ended")
        schedule = node.properties.get("schedule")
        job = f"schedules/{schedule}" if node.kind == "Execution" and schedule else node.name
        events.append(
            {
                "eventType": _ENDINGS.get(str(node.properties.get("status") or "").capitalize(), "COMPLETE"),
                "eventTime": ended if isinstance(ended, str) else str(shown(node.created)),
                "run": {"runId": str(run), "facets": _run_facets(inputs)},
                "job": {"namespace": namespace, "name": job, "facets": _job_facets(node)},
                "inputs": [
                    _input(item, namespace, result) for item in inputs if _prov_class(item.kind) == "entity"
                ],
                "outputs": [
                    _dataset(item, namespace) for item in outputs if _prov_class(item.kind) == "entity"
                ],
                "producer": _PRODUCER,
                "schemaURL": _RUN_EVENT,
            }
        )
    return events


def _facet(name: str, version: str, **content: Any) -> dict[str, Any]:
    schema = f"{_FACETS}{version}/{name}.json#/$defs/{name}"
    return {"_producer": _PRODUCER, "_schemaURL": schema, **content}


def _run_facets(inputs: list[Node]) -> dict[str, Any]:
    window = next((item for item in inputs if item.kind == "CaptureWindow"), None)
    if window is None or not {"start", "end"} <= set(window.properties):
        return {}
    start, end = window.properties["start"], window.properties["end"]
    return {"nominalTime": _facet("NominalTimeRunFacet", "1-0-1", nominalStartTime=start, nominalEndTime=end)}


def _job_facets(node: Node) -> dict[str, Any]:
    kind = "MONITOR" if node.kind == "Execution" else "TRAINING"
    return {
        "jobType": _facet(
            "JobTypeJobFacet", "2-0-4", processingType="BATCH", integration="DRIFTLINE", jobType=kind
        )
    }


def _dataset(node: Node, namespace: str) -> dict[str, Any]:
    facets = {}
    if node.digest is not None:
        facets["version"] = _facet("DatasetVersionDatasetFacet", "1-0-1", datasetVersion=node.digest)
    facets["datasetType"] = _facet("DatasetTypeDatasetFacet", "1-0-1", datasetType=node.kind.upper())
    place, name = _place(node, namespace)
    return {"namespace": place, "name": name, "facets": facets}


def _place(node: Node, namespace: str) -> tuple[str, str]:
    """Return namespace and name in OpenLineage's own convention: scheme and authority, and the path."""
    scheme, separator, rest = (node.uri or "").partition("://")
    if not separator:
        return namespace, node.name
    authority, _, path = rest.partition("/")
    if scheme == "file":
        return "file", f"/{path}"
    return (f"{scheme}://{authority}", path) if path else (f"{scheme}://{authority}", "/")


def _input(node: Node, namespace: str, result: Mapping[str, Any] | None) -> dict[str, Any]:
    made = _dataset(node, namespace)
    if node.kind != "CaptureWindow" or result is None:
        return made
    facets: dict[str, Any] = {}
    used = (result.get("rows") or {}).get("used")
    if isinstance(used, int):
        facets["dataQualityMetrics"] = _facet(
            "DataQualityMetricsInputDatasetFacet", "1-0-3", rowCount=used, columnMetrics={}
        )
    # What could not be judged is neither a success nor a failure, so nothing is asserted of it.
    assertions = [
        _assertion(measured)
        for measured in result.get("measurements") or ()
        if measured.get("status") in ("passed", "violated")
    ]
    if assertions:
        facets["dataQualityAssertions"] = _facet(
            "DataQualityAssertionsDatasetFacet", "1-1-0", assertions=assertions
        )
    return made | {"inputFacets": facets} if facets else made


def _assertion(measured: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "assertion": str(measured.get("check")),
        "success": measured.get("status") == "passed",
    }
    if measured.get("feature"):
        made["column"] = str(measured["feature"])
    if measured.get("severity"):
        made["severity"] = "error" if measured["severity"] == "critical" else "warn"
    for key, name in (("bound", "expected"), ("value", "actual")):
        if measured.get(key) is not None:
            made[name] = str(measured[key])
    return made
