"""Endpoints and batch jobs: what serves, and which model it served when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from driftline.capture.event import DEFAULT_VARIANT, check_name
from driftline.errors import UsageError, printable
from driftline.registry import models
from driftline.registry.database import RegistryError
from driftline.registry.given import (
    check_moment,
    check_no_secrets,
    check_page,
    check_tags,
    check_words,
    missing,
    says,
    tagged,
)
from driftline.registry.ids import new_id
from driftline.registry.tables import deployments, endpoints, schedules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.registry.store import Tx

__all__ = [
    "KINDS",
    "STATUSES",
    "Deployment",
    "Endpoint",
    "archive",
    "declare",
    "deploy",
    "find",
    "get",
    "history",
    "list_endpoints",
    "restore",
    "served_in",
    "serving",
    "undeploy",
]

KINDS = ("endpoint", "batch")

STATUSES = (
    "OutOfService",
    "Creating",
    "Updating",
    "SystemUpdating",
    "RollingBack",
    "InService",
    "Deleting",
    "Failed",
    "UpdateRollbackFailed",
    # Of batch jobs.
    "InProgress",
    "Completed",
    "Stopping",
    "Stopped",
)
"""SageMaker's words for the state of an endpoint and of a transform job."""

FOR_EVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Something that answers requests, or a job that answers a table of them.

    Attributes
    ----------
    name : str
    kind : {"endpoint", "batch"}
    status : str
        One of :data:`STATUSES`.
    captures : str or None
        Folder or URL of its captures where they are not in the workspace's own.
    description : str or None
    tags : mapping of str to str
    created, modified : int
        Microseconds since 1970-01-01 UTC.
    archived : int or None
    """

    name: str
    kind: str
    status: str
    captures: str | None
    description: str | None
    tags: Mapping[str, str]
    created: int
    modified: int
    archived: int | None


@dataclass(frozen=True, slots=True)
class Deployment:
    """One version of a model behind a variant of an endpoint, from a time on and until another.

    Attributes
    ----------
    id, endpoint, variant, model, version : str
    weight : float or None
        Share of the traffic, as given.
    since : int
        The first instant it served.
    until : int or None
        The first instant it no longer did; None while it does.
    """

    id: str
    endpoint: str
    variant: str
    model: str
    version: str
    weight: float | None
    since: int
    until: int | None


def _endpoint(row: Any) -> Endpoint:
    return Endpoint(*(getattr(row, column) for column in Endpoint.__slots__))


def _deployment(row: Any) -> Deployment:
    return Deployment(*(getattr(row, column) for column in Deployment.__slots__))


def find(tx: Tx, name: str) -> Endpoint | None:
    """Return an endpoint, archived ones too, or None."""
    row = tx.one(sa.select(endpoints).where(endpoints.c.name == check_name("an endpoint", name)))
    return None if row is None else _endpoint(row)


def get(tx: Tx, name: str) -> Endpoint:
    """Return an endpoint, archived ones too.

    Raises
    ------
    RegistryError
        ``E-NO-ENDPOINT``.
    UsageError
        ``E-NAME``.
    """
    found = find(tx, name)
    if found is None:
        raise missing(tx, "endpoint", name, endpoints.c.name, endpoints.c.archived.is_(None))
    return found


def declare(
    tx: Tx,
    name: str,
    *,
    kind: str = "endpoint",
    captures: str | None = None,
    description: str | None = None,
    tags: Mapping[str, str] | None = None,
    status: str | None = None,
) -> bool:
    """Say that there is an endpoint or a batch job.

    Parameters
    ----------
    name : str
    kind : {"endpoint", "batch"}
    captures, description : str, optional
        None leaves what was said before; ``""`` takes it back.
    tags : mapping of str to str, optional
        All of them; None leaves those that are there.
    status : str, optional
        None leaves it; ``InService`` for what is new.

    Returns
    -------
    bool
        Whether anything changed. What was archived is brought back.

    Raises
    ------
    UsageError
        ``E-NAME``, ``E-TEXT``, ``E-SECRET``, ``E-ENDPOINT``: unknown kind or status.
    RegistryError
        ``E-ENDPOINT-KIND``: it is of the other kind.
    """
    before = find(tx, name)
    for what, value, known in (("kind", kind, KINDS), ("status", status, STATUSES)):
        if value is not None and value not in known:
            raise UsageError(
                f"{printable(repr(value), 60)} is no {what} of an endpoint",
                code="E-ENDPOINT",
                field=what,
                fix="use " + ", ".join(known),
            )
    values: dict[str, Any] = {}
    if captures is not None:
        check_no_secrets("captures", captures)
        values["captures"] = check_words("captures", captures) or None
    if description is not None:
        values["description"] = check_words("description", description) or None
    if tags is not None:
        values["tags"] = check_tags(tags)
    if status is not None:
        values["status"] = status
    subject, data = f"endpoints/{name}", {"endpoint": name}
    if before is None:
        row = {
            "kind": kind,
            "status": "InService",
            "captures": None,
            "description": None,
            "tags": {},
        } | values
        tx.insert(endpoints, name=name, **row, created=tx.now, modified=tx.now)
        tx.record("endpoint.created", subject, after=row, data=data | {"state": row["status"]})
        return True
    if before.kind != kind:
        raise RegistryError(
            f"{name!r} is there as {_words(before.kind)}, and cannot become {_words(kind)}",
            code="E-ENDPOINT-KIND",
            fix="choose another name: its captures and reports are of the other kind",
        )
    back = restore(tx, name)
    old, new = models.changes(before, values)
    if new:
        tx.execute(sa.update(endpoints).where(endpoints.c.name == name).values(**new, modified=tx.now))
        state = new.get("status", before.status)
        tx.record("endpoint.changed", subject, before=old, after=new, data=data | {"state": state})
    return back or bool(new)


def _words(kind: str) -> str:
    return "a batch job" if kind == "batch" else "an endpoint"


def archive(tx: Tx, name: str) -> bool:
    """Put an endpoint away; what it served ends now, and stays known.

    Returns
    -------
    bool
        False where it was put away before.

    Raises
    ------
    RegistryError
        ``E-NO-ENDPOINT``; ``E-ENDPOINT-IN-USE``: a schedule that is not stopped looks at it.
    """
    if get(tx, name).archived is not None:
        return False
    looking = tx.all(
        sa.select(schedules.c.name)
        .where(schedules.c.endpoint == name, schedules.c.archived.is_(None), schedules.c.status != "Stopped")
        .order_by(schedules.c.name)
        .limit(5)
    )
    if looking:
        raise RegistryError(
            f"{name!r} is looked at by the schedule {', '.join(row.name for row in looking)}",
            code="E-ENDPOINT-IN-USE",
            fix="stop or archive the schedule first",
        )
    undeploy(tx, name)
    tx.execute(sa.update(endpoints).where(endpoints.c.name == name).values(archived=tx.now, modified=tx.now))
    tx.record("endpoint.archived", f"endpoints/{name}", data={"endpoint": name})
    return True


def restore(tx: Tx, name: str) -> bool:
    """Bring an archived endpoint back, serving nothing; False where it was not archived.

    Raises
    ------
    RegistryError
        ``E-NO-ENDPOINT``.
    """
    if get(tx, name).archived is None:
        return False
    tx.execute(sa.update(endpoints).where(endpoints.c.name == name).values(archived=None, modified=tx.now))
    tx.record("endpoint.restored", f"endpoints/{name}", data={"endpoint": name})
    return True


def list_endpoints(
    tx: Tx,
    *,
    text: str | None = None,
    kind: str | None = None,
    model: str | None = None,
    tag: str | None = None,
    after: str | None = None,
    limit: int = 100,
    archived: bool = False,
) -> list[Endpoint]:
    """Return endpoints and batch jobs by name.

    Parameters
    ----------
    text : str, optional
        Found in the name or the description; ASCII letters of either case are alike.
    kind : {"endpoint", "batch"}, optional
    model : str, optional
        Those that serve a version of this model now.
    tag : str, optional
        ``name`` or ``name=value``.
    after : str, optional
        Only names after this one: the last of the page before.
    limit : int
    archived : bool
        Those that were put away too.
    """
    query = sa.select(endpoints).order_by(endpoints.c.name).limit(check_page(limit))
    if not archived:
        query = query.where(endpoints.c.archived.is_(None))
    if text:
        query = query.where(says(tx, text, endpoints.c.name, endpoints.c.description))
    if kind is not None:
        query = query.where(endpoints.c.kind == check_words("kind", kind))
    if model is not None:
        served = sa.select(deployments.c.endpoint).where(
            deployments.c.model == check_words("model", model), deployments.c.until.is_(None)
        )
        query = query.where(endpoints.c.name.in_(served))
    if tag is not None:
        query = query.where(tagged(tx, tag, endpoints.c.tags))
    if after is not None:
        query = query.where(endpoints.c.name > check_words("after", after))
    return [_endpoint(row) for row in tx.execute(query)]


# --- what it served -------------------------------------------------------------------------------------------------


def deploy(
    tx: Tx,
    endpoint: str,
    model: str,
    version: str,
    *,
    variant: str = DEFAULT_VARIANT,
    weight: float | None = None,
    since: int | None = None,
) -> bool:
    """Say that a variant of an endpoint serves a version of a model; what it served before ends there.

    Parameters
    ----------
    endpoint, model : str
        Both must be declared.
    version : str
        Its name, or an alias: what the alias stands for now.
    variant : str
    weight : float, optional
        Share of the traffic, in any unit; None leaves that of the same version.
    since : int, optional
        From when on, microseconds since 1970-01-01 UTC; now where not given.

    Returns
    -------
    bool
        Whether anything changed: False where it serves this version with this weight already.

    Raises
    ------
    RegistryError
        ``E-NO-ENDPOINT``, ``E-NO-MODEL``, ``E-NO-VERSION``, ``E-ARCHIVED``; ``E-SINCE``: before what it served last
        began or ended, or in the future.
    UsageError
        ``E-NAME``, ``E-MOMENT``, ``E-WEIGHT``.
    """
    check_name("a variant", variant)
    for what, archived in (
        ("endpoint", get(tx, endpoint).archived),
        ("model", models.get(tx, model).archived),
    ):
        if archived is not None:
            raise RegistryError(
                f"the {what} {(endpoint if what == 'endpoint' else model)!r} is archived",
                code="E-ARCHIVED",
                fix="declare it again",
            )
    version = models.version(tx, model, version).version
    if weight is not None and not _is_share(weight):
        raise UsageError(
            f"{printable(repr(weight), 60)} is no share of traffic",
            code="E-WEIGHT",
            field="weight",
            fix="give a number from 0 on",
        )
    last = _last(tx, endpoint, variant)
    if last is not None and last.until is None and (last.model, last.version) == (model, version):
        weight = last.weight if weight is None else float(weight)
        if weight == last.weight and (since is None or since >= last.since):
            return False
    # A clock that was set back does not put the new before the old.
    latest = 0 if last is None else last.since if last.until is None else last.until
    start = max(tx.now, latest) if since is None else _since(tx, endpoint, check_moment("since", since), last)
    if last is not None and last.until is None:
        tx.execute(sa.update(deployments).where(deployments.c.id == last.id).values(until=start))
    tx.insert(
        deployments,
        id=new_id(tx.now),
        endpoint=endpoint,
        variant=variant,
        model=model,
        version=version,
        weight=None if weight is None else float(weight),
        since=start,
        until=None,
    )
    before = last if last is not None and last.until is None else None
    tx.record(
        "endpoint.deployed",
        f"endpoints/{endpoint}",
        before=None if before is None else _spelled(before),
        after={"variant": variant, "model": model, "version": version, "weight": weight, "since": start},
        data={
            "endpoint": endpoint,
            "variant": variant,
            "model": model,
            "model_version": version,
            "model_before": None if before is None else before.model,
            "model_version_before": None if before is None else before.version,
        },
    )
    return True


def _is_share(weight: object) -> bool:
    return isinstance(weight, int | float) and not isinstance(weight, bool) and 0 <= weight <= 1e9


def _spelled(one: Deployment) -> dict[str, Any]:
    return {
        "variant": one.variant,
        "model": one.model,
        "version": one.version,
        "weight": one.weight,
        "since": one.since,
    }


def _since(tx: Tx, endpoint: str, since: int, last: Deployment | None) -> int:
    if since > tx.now:
        why = f"{endpoint!r} cannot have served it since a time that is to come"
    elif last is not None and last.until is None and since < last.since:
        why = f"{endpoint!r} began to serve {last.model} {last.version} later than that"
    elif last is not None and last.until is not None and since < last.until:
        why = f"{endpoint!r} served {last.model} {last.version} until later than that"
    else:
        return since
    raise RegistryError(
        why, code="E-SINCE", field="since", fix="give a time after the last change: history is not rewritten"
    )


def undeploy(tx: Tx, endpoint: str, *, variant: str | None = None) -> bool:
    """Say that an endpoint, or one variant of it, serves nothing from now on.

    Returns
    -------
    bool
        Whether it served anything.

    Raises
    ------
    RegistryError
        ``E-NO-ENDPOINT``.
    """
    get(tx, endpoint)
    query = sa.select(deployments).where(deployments.c.endpoint == endpoint, deployments.c.until.is_(None))
    if variant is not None:
        query = query.where(deployments.c.variant == check_name("a variant", variant))
    ended = [_deployment(row) for row in tx.execute(query.order_by(deployments.c.variant))]
    for one in ended:
        tx.execute(
            sa.update(deployments).where(deployments.c.id == one.id).values(until=max(tx.now, one.since))
        )
        tx.record(
            "endpoint.undeployed",
            f"endpoints/{endpoint}",
            before=_spelled(one),
            data={
                "endpoint": endpoint,
                "variant": one.variant,
                "model": one.model,
                "model_version": one.version,
            },
        )
    return bool(ended)


def _last(tx: Tx, endpoint: str, variant: str) -> Deployment | None:
    row = tx.execute(_in_order(endpoint, variant, newest_first=True).limit(1)).one_or_none()
    return None if row is None else _deployment(row)


def _in_order(endpoint: str, variant: str | None, *, newest_first: bool = False) -> sa.Select[Any]:
    query = sa.select(deployments).where(deployments.c.endpoint == endpoint)
    if variant is not None:
        query = query.where(deployments.c.variant == check_name("a variant", variant))
    # Of those that began at one instant, the one that lasted is the last.
    keys = (deployments.c.since, sa.func.coalesce(deployments.c.until, FOR_EVER), deployments.c.id)
    return query.order_by(*(key.desc() if newest_first else key for key in keys))


def serving(tx: Tx, endpoint: str, moment: int | None = None, variant: str | None = None) -> list[Deployment]:
    """Return what an endpoint serves, or served at a moment, one for each variant.

    Raises
    ------
    RegistryError
        ``E-NO-ENDPOINT``.
    """
    at = tx.now if moment is None else check_moment("moment", moment)
    return served_in(tx, endpoint, at, at + 1, variant)


def served_in(tx: Tx, endpoint: str, start: int, end: int, variant: str | None = None) -> list[Deployment]:
    """Return what an endpoint served at any time in a window, the newest last.

    Parameters
    ----------
    endpoint : str
    start, end : int
        The first instant of the window, and the first after it.
    variant : str, optional

    Returns
    -------
    list of Deployment
        More than one model here means that the window is of more than one.

    Raises
    ------
    RegistryError
        ``E-NO-ENDPOINT``.
    """
    get(tx, endpoint)
    until = sa.func.coalesce(deployments.c.until, FOR_EVER)
    query = _in_order(endpoint, variant).where(
        deployments.c.since < check_moment("end", end),
        until > check_moment("start", start),
        until > deployments.c.since,
    )
    return [_deployment(row) for row in tx.execute(query)]


def history(tx: Tx, endpoint: str) -> list[Deployment]:
    """Return all that an endpoint ever served, the newest last.

    Raises
    ------
    RegistryError
        ``E-NO-ENDPOINT``.
    """
    get(tx, endpoint)
    return [_deployment(row) for row in tx.execute(_in_order(endpoint, None))]
