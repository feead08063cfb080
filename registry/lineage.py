"""Lineage: the edges that are made by themselves, and the questions people ask of them.

::

    data set, image, code → training job → model → deployment → endpoint
                                                       ↓            ↓
                        data set → baseline →      capture window  ←┘
                                       ↓               ↓
                                       └──────────→ execution → report → alert

Nothing here is audited: edges follow from what was, and what was is in the audit log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from driftline.errors import UsageError, printable
from driftline.registry.lineage_nodes import (
    KINDS,
    MOST_NAME,
    RELATIONS,
    Edge,
    Node,
    ensure,
    link,
    link_all,
    newest,
    whole_digest,
)
from driftline.registry.lineage_questions import (
    Difference,
    alerts_concerning,
    data_sets_of,
    deployed_models_using,
    diff,
    endpoints_of_model,
    models_of_endpoint,
    models_trained_on,
    training_data_of_alert,
    training_jobs_of,
)
from driftline.registry.lineage_walks import (
    Graph,
    ascendants,
    both,
    descendants,
    find,
    find_all,
    neighbourhood,
    walk,
)
from driftline.registry.moments import shown
from driftline.registry.tables import baselines, canonical, deployments, model_versions, nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from driftline.registry.executions import Execution
    from driftline.registry.lineage_nodes import Scalar
    from driftline.registry.store import Tx

__all__ = [
    "KINDS",
    "RELATIONS",
    "Difference",
    "Edge",
    "Graph",
    "Node",
    "alerts_concerning",
    "ascendants",
    "both",
    "data_sets_of",
    "deployed_models_using",
    "descendants",
    "diff",
    "endpoints_of_model",
    "ensure",
    "find",
    "find_all",
    "link",
    "models_of_endpoint",
    "models_trained_on",
    "neighbourhood",
    "of_alert",
    "of_baseline",
    "of_card",
    "of_deployment",
    "of_execution",
    "of_version",
    "training_data_of_alert",
    "training_jobs_of",
    "walk",
]

_ABOUT_DATA = ("name", "size", "rows", "role")
_ABOUT_JOBS = ("experiment", "started", "ended", "status", "user")


def of_version(
    tx: Tx,
    model: str,
    version: str,
    training: Mapping[str, Any] | None = None,
    artifacts: Sequence[Mapping[str, Any]] = (),
) -> Node:
    """Write down where a version of a model came from.

    Parameters
    ----------
    model, version : str
    training : mapping, optional
        As the registry keeps it: ``job``, ``data`` (a list), ``code``, ``image``. Job, code, image and each data set are a
        text (its name or URI) or a mapping with ``name``, ``uri``, ``digest``, ``size``.
    artifacts : sequence of mapping
        ``name``, ``uri``, ``digest``, ``size``. The digest of the model is that of its artifact; of several, one over all.

    Returns
    -------
    Node
        The model's. Other artifacts under the same version make a new node, derived from the older.

    Raises
    ------
    UsageError
        ``E-LINEAGE``: a data set, a job, code or an image without a name.
    """
    known = dict(training or {})
    made = _model(tx, model, version, artifacts)
    sources = [(_data_set(tx, item), "ContributedTo") for item in known.get("data") or ()]
    for kind, key in (("Image", "image"), ("Code", "code")):
        if known.get(key):
            sources.append((_thing(tx, kind, known[key]), "ContributedTo"))
    job = known.get("job")
    if not job and not sources:
        return made
    # Trained by something, though nobody said by what.
    described = _mapping("job", job) if job else {"name": f"models/{model}/{version}/training"}
    described = {**{key: known[key] for key in _ABOUT_JOBS if known.get(key) is not None}, **described}
    name = str(described.get("name") or described.get("id") or described.get("uri") or "")
    trained = ensure(
        tx,
        "TrainingJob",
        name if name.startswith(("jobs/", "models/")) else f"jobs/{name}" if name else "",
        uri=described.get("uri"),
        properties=_scalars(described, _ABOUT_JOBS),
    )
    link_all(
        tx, [*((source, trained, relation) for source, relation in sources), (trained, made, "Produced")]
    )
    return made


def _model(tx: Tx, model: str, version: str, artifacts: Sequence[Mapping[str, Any]] = ()) -> Node:
    properties: dict[str, Scalar] = {"model": model, "version": version}
    sizes = [a.get("size") for a in artifacts]
    if artifacts and all(isinstance(size, int) for size in sizes):
        properties["size"] = sum(size for size in sizes if isinstance(size, int))
    uri = str(artifacts[0]["uri"]) if len(artifacts) == 1 and artifacts[0].get("uri") else None
    return ensure(
        tx,
        "Model",
        f"models/{model}/{version}",
        uri=uri,
        digest=_digest_of_all(artifacts),
        properties=properties,
    )


def _known_model(tx: Tx, model: str, version: str) -> Node:
    """Return the node of a version; of one that nobody has told of yet, with all that the registry knows."""
    found = newest(tx, "Model", f"models/{model}/{version}")
    if found is not None:
        return found
    row = tx.one(
        sa.select(model_versions.c.training, model_versions.c.artifacts).where(
            model_versions.c.model == model, model_versions.c.version == version
        )
    )
    return of_version(tx, model, version, *(() if row is None else (row.training, row.artifacts)))


def _known_baseline(tx: Tx, name: str, version: int) -> Node:
    found = newest(tx, "Baseline", f"baselines/{name}/{version}")
    if found is not None:
        return found
    row = tx.one(sa.select(baselines).where(baselines.c.name == name, baselines.c.version == version))
    if row is None:
        return ensure(tx, "Baseline", f"baselines/{name}/{version}")
    data = row.spec.get("data") or ()
    sources = [data] if isinstance(data, str | Mapping) else data
    return of_baseline(tx, name, version, row.path, row.digest, sources, row.model)


def _digest_of_all(artifacts: Sequence[Mapping[str, Any]]) -> str | None:
    digests = [a.get("digest") for a in artifacts]
    if not digests or not all(isinstance(digest, str) for digest in digests):
        return None
    if len(digests) == 1:
        return whole_digest(digests[0])
    import hashlib

    # Names tell the files apart, and unlike URIs stay when they are moved.
    listed = sorted([str(a.get("name") or ""), str(a["digest"])] for a in artifacts)
    return "sha256:" + hashlib.sha256(canonical(listed).encode("ascii")).hexdigest()


def _data_set(tx: Tx, item: Any) -> Node:
    node = _thing(tx, "DataSet", item)
    if node.digest is not None:
        query = (
            sa.select(nodes.c.id)
            .where(nodes.c.digest == node.digest, nodes.c.kind == "DataSet", nodes.c.id != node.id)
            .order_by(nodes.c.created, nodes.c.id)
            .limit(1)
        )
        same = tx.one(query)
        if same is not None:
            link(tx, same.id, node, "SameAs")
    return node


def _thing(tx: Tx, kind: str, item: Any) -> Node:
    described = _mapping(kind, item)
    uri, digest = (str(described[key]) if described.get(key) else None for key in ("uri", "digest"))
    name = uri or str(described.get("name") or described.get("commit") or digest or "")
    return ensure(
        tx, kind, name[:MOST_NAME], uri=uri, digest=digest, properties=_scalars(described, _ABOUT_DATA)
    )


def _mapping(what: str, item: Any) -> Mapping[str, Any]:
    if isinstance(item, str) and item:
        return {"uri": item} if "://" in item else {"name": item}
    if isinstance(item, Mapping) and item:
        return item
    raise UsageError(
        f"{printable(repr(item), 60)} does not say which {what} is meant",
        code="E-LINEAGE",
        fix="give its name or URI, or an object with name, uri and digest",
    )


def _scalars(described: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Scalar]:
    return {
        key: described[key]
        for key in keys
        if described.get(key) is not None and isinstance(described[key], str | int | float | bool)
    }


def of_deployment(tx: Tx, deployment: str | Any) -> Node:
    """Write down which model an endpoint served: model → deployment → endpoint.

    Parameters
    ----------
    deployment : str or object with an ``id``
        Of a row of the deployments; to be told again when it ended.

    Returns
    -------
    Node
        The deployment's.

    Raises
    ------
    UsageError
        ``E-LINEAGE``: there is no such deployment.
    """
    number = str(getattr(deployment, "id", deployment))
    row = tx.one(sa.select(deployments).where(deployments.c.id == number))
    if row is None:
        raise UsageError(f"there is no deployment {printable(number, 60)!r}", code="E-LINEAGE")
    return _deployment(tx, row)


def _deployment(tx: Tx, row: Any) -> Node:
    there = newest(tx, "Deployment", f"deployments/{row.id}")
    properties: dict[str, Scalar] = {
        "endpoint": row.endpoint,
        "variant": row.variant,
        "model": f"models/{row.model}/{row.version}",
        "since": str(shown(row.since)),
    }
    if row.until is not None:
        properties["until"] = str(shown(row.until))
    if there is not None and there.properties == properties:
        return there
    made = ensure(tx, "Deployment", f"deployments/{row.id}", properties=properties)
    if there is None:
        served = _known_model(tx, row.model, row.version)
        endpoint = ensure(tx, "Endpoint", f"endpoints/{row.endpoint}")
        link_all(tx, [(served, made, "ContributedTo"), (made, endpoint, "AssociatedWith")])
    return made


def of_baseline(
    tx: Tx,
    name: str,
    version: int,
    path: str,
    digest: str,
    sources: Iterable[Any] = (),
    model: str | None = None,
) -> Node:
    """Write down what a baseline was made of.

    Parameters
    ----------
    name : str
    version : int
    path, digest : str
        Of its folder.
    sources : iterable of str or mapping
        Data sets: a URI, or ``uri``, ``digest``, ``size``. Where a data set of that digest is known under another URI, such
        as the training data's, the two are linked as ``SameAs``.
    model : str, optional
        ``churn/3`` is linked; ``churn`` alone is only noted, since it names no version.

    Returns
    -------
    Node
        The baseline's.
    """
    properties: dict[str, Scalar] = {"baseline": name, "version": version}
    if model:
        properties["model"] = model.removeprefix("models/")
    made = ensure(
        tx, "Baseline", f"baselines/{name}/{version}", uri=path, digest=digest, properties=properties
    )
    edges: list[tuple[Node, Node, str]] = [(_data_set(tx, item), made, "ContributedTo") for item in sources]
    of, slash, which = (model or "").removeprefix("models/").partition("/")
    if slash:
        edges.append((_known_model(tx, of, which), made, "AssociatedWith"))
    link_all(tx, edges)
    return made


def of_execution(
    tx: Tx,
    execution: Execution | str,
    window: tuple[int, int] | None = None,
    input_digest: str | None = None,
    baseline: tuple[str, int] | None = None,
    report_folder: str | None = None,
    report_digest: str | None = None,
    *,
    ground_truth_digest: str | None = None,
) -> Node:
    """Write down what a run of a monitor looked at, against what, and what it found.

    Parameters
    ----------
    execution : Execution or str
        Or its id.
    window, input_digest, baseline, report_folder, report_digest
        As in the execution, where not given.
    ground_truth_digest : str, optional
        Of the labels that were joined.

    Returns
    -------
    Node
        The execution's.

    Notes
    -----
    endpoint → capture window ← every deployment that served in it; window, baseline, labels → execution → report.
    """
    from driftline.registry import executions

    run = executions.get(tx, execution) if isinstance(execution, str) else execution
    start, end = window or (run.window_start, run.window_end)
    place = f"{run.endpoint}/{shown(start)!s}/{shown(end)!s}"
    seen = ensure(
        tx,
        "CaptureWindow",
        f"windows/{place}",
        digest=input_digest or run.input_digest,
        properties={"endpoint": run.endpoint, "start": str(shown(start)), "end": str(shown(end))},
    )
    made = ensure(
        tx,
        "Execution",
        f"executions/{run.id}",
        properties={
            "schedule": run.schedule,
            "kind": run.kind,
            "status": run.status,
            **({"started": str(shown(run.started))} if run.started is not None else {}),
            **({"ended": str(shown(run.ended))} if run.ended is not None else {}),
        },
    )
    endpoint = ensure(tx, "Endpoint", f"endpoints/{run.endpoint}")
    edges: list[tuple[Node, Node, str]] = [(endpoint, seen, "Produced"), (seen, made, "ContributedTo")]
    served = sa.select(deployments).where(
        deployments.c.endpoint == run.endpoint,
        deployments.c.since < end,
        sa.or_(deployments.c.until.is_(None), deployments.c.until > start),
    )
    edges += [(_deployment(tx, row), seen, "ContributedTo") for row in tx.all(served)]
    against = baseline or (
        (run.baseline, run.baseline_version)
        if run.baseline is not None and run.baseline_version is not None
        else None
    )
    if against is not None:
        edges.append((_known_baseline(tx, *against), made, "ContributedTo"))
    if ground_truth_digest is not None:
        labels = ensure(tx, "GroundTruth", f"truth/{place}", digest=ground_truth_digest)
        edges.append((labels, made, "ContributedTo"))
    folder = report_folder or run.report
    if folder is not None:
        digest = report_digest or run.report_digest
        report = ensure(tx, "Report", f"reports/{run.id}", uri=folder, digest=digest)
        edges.append((made, report, "Produced"))
    link_all(tx, edges)
    return made


def of_alert(tx: Tx, alert_id: str, execution_id: str) -> Node:
    """Write down which run an alert was raised, or kept up, by: report → alert, or execution → alert without a report.

    Returns
    -------
    Node
        The alert's.
    """
    made = ensure(tx, "Alert", f"alerts/{alert_id}")
    report = newest(tx, "Report", f"reports/{execution_id}")
    link(tx, report or ensure(tx, "Execution", f"executions/{execution_id}"), made, "ContributedTo")
    return made


def of_card(
    tx: Tx, model: str, version: str, card: str, card_version: str | int, digest: str, uri: str | None = None
) -> Node:
    """Write down that a version of a model card speaks of a version of a model: model → card.

    Returns
    -------
    Node
        The card's.
    """
    made = ensure(tx, "ModelCard", f"cards/{card}/{card_version}", uri=uri, digest=digest)
    link(tx, _known_model(tx, model, version), made, "AssociatedWith")
    return made
