"""Baselines: their versions, proposed and accepted; a monitor compares with the one that is current."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from driftline.capture.event import check_name
from driftline.errors import UsageError, printable
from driftline.registry import models
from driftline.registry.database import RegistryError
from driftline.registry.folders import check_path
from driftline.registry.given import (
    check_digest,
    check_no_secrets,
    check_page,
    check_value,
    check_words,
    missing,
)
from driftline.registry.tables import baselines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.registry.store import Tx

__all__ = [
    "KINDS",
    "Baseline",
    "accept",
    "assign",
    "current",
    "get",
    "history",
    "list_baselines",
    "proposals",
    "propose",
    "reject",
]

KINDS: Final = ("data-quality", "model-quality", "bias", "attribution")


@dataclass(frozen=True, slots=True)
class Baseline:
    """A version of a baseline.

    Attributes
    ----------
    name : str
    version : int
        From 1.
    kind : str
        One of :data:`KINDS`.
    state : {"proposed", "current", "superseded", "rejected"}
    model : str or None
        The model it is of.
    path : str
        Of its folder, below the workspace.
    digest : str
        Of its files, see :func:`driftline.registry.folders.folder_digest`.
    spec : mapping
        What it was made from, as declared.
    diff : mapping or None
        Against what was current when it was proposed, see :func:`driftline.registry.baseline_diff.diff_of`.
    proposed : int
        When, microseconds since 1970-01-01 UTC.
    proposed_by : str
    decided : int or None
        When it was accepted, rejected, or overtaken by another proposal.
    decided_by, reason : str or None
        Who did that, and why.
    """

    name: str
    version: int
    kind: str
    state: str
    model: str | None
    path: str
    digest: str
    spec: Mapping[str, Any]
    diff: Mapping[str, Any] | None
    proposed: int
    proposed_by: str
    decided: int | None
    decided_by: str | None
    reason: str | None


def _of(row: Any) -> Baseline:
    return Baseline(*(getattr(row, column) for column in Baseline.__slots__))


def propose(
    tx: Tx,
    name: str,
    *,
    kind: str,
    path: str,
    digest: str,
    model: str | None = None,
    spec: Mapping[str, Any] | None = None,
    diff: Mapping[str, Any] | None = None,
    accept: bool = False,
) -> Baseline:
    """Propose files as the next version of a baseline.

    Parameters
    ----------
    name : str
    kind : str
        One of :data:`KINDS`; that of the versions before.
    path, digest : str
        Where the files are, and what they are.
    model : str, optional
    spec, diff : mapping, optional
    accept : bool
        Make it current at once.

    Returns
    -------
    Baseline
        The new version; that which is current, or proposed, where it has this digest: then nothing is proposed. A
        proposal that was waiting is superseded by a new one.

    Raises
    ------
    UsageError
        ``E-NAME``, ``E-PATH``, ``E-DIGEST``, ``E-VALUE``, ``E-SECRET``, ``E-BASELINE-KIND``.
    RegistryError
        ``E-NO-MODEL``; ``E-BASELINE-KIND``: the versions before are of another kind.
    """
    check_name("a baseline", name)
    if kind not in KINDS:
        raise UsageError(
            f"{printable(repr(kind), 60)} is no kind of baseline",
            code="E-BASELINE-KIND",
            field="kind",
            fix="use " + ", ".join(KINDS),
        )
    check_path(path)
    check_digest("digest", digest)
    made_from = check_value("spec", dict(spec or {}))
    check_no_secrets("spec", made_from)
    against = None if diff is None else check_value("diff", dict(diff))
    if model is not None:
        models.get(tx, model)
    last = tx.one(
        sa.select(baselines.c.version, baselines.c.kind)
        .where(baselines.c.name == name)
        .order_by(baselines.c.version.desc())
        .limit(1)
    )
    if last is not None and last.kind != kind:
        raise RegistryError(
            f"the baseline {name!r} is of the kind {last.kind}, not {kind}",
            code="E-BASELINE-KIND",
            fix="choose another name",
        )
    now = find_current(tx, name)
    if now is not None and now.digest == digest:
        return now
    waiting = _in_state(tx, name, "proposed")
    for one in waiting:
        if one.digest == digest:
            return _accept(tx, one) if accept else one
    version = 1 if last is None else int(last.version) + 1
    for one in waiting:
        _decide(tx, one, "superseded", f"version {version} was proposed")
    tx.insert(
        baselines,
        name=name,
        version=version,
        kind=kind,
        state="proposed",
        model=model,
        path=path,
        digest=digest,
        spec=made_from,
        diff=against,
        proposed=tx.now,
        proposed_by=tx.who,
    )
    made = get(tx, name, version)
    tx.record(
        "baseline.proposed",
        f"baselines/{name}/{version}",
        after={
            "kind": kind,
            "model": model,
            "path": path,
            "digest": digest,
            "spec": made_from,
            "diff": against,
        },
        data=_told(made),
    )
    return _accept(tx, made) if accept else made


def _told(one: Baseline) -> dict[str, Any]:
    return {
        "baseline": one.name,
        "baseline_version": one.version,
        "model": one.model,
        "monitor": one.kind,
        "state": one.state,
        "digest": one.digest,
    }


def find_current(tx: Tx, name: str) -> Baseline | None:
    """Return the version that is current, or None."""
    found = _in_state(tx, name, "current")
    return found[0] if found else None


def _in_state(tx: Tx, name: str, state: str) -> list[Baseline]:
    query = (
        sa.select(baselines)
        .where(baselines.c.name == check_name("a baseline", name), baselines.c.state == state)
        .order_by(baselines.c.version)
    )
    return [_of(row) for row in tx.execute(query)]


def current(tx: Tx, name: str) -> Baseline:
    """Return the version that is current.

    Raises
    ------
    RegistryError
        ``E-NO-BASELINE``; ``E-NO-CURRENT-BASELINE``: none was accepted yet.
    """
    found = find_current(tx, name)
    if found is not None:
        return found
    versions = history(tx, name)
    raise RegistryError(
        f"no version of the baseline {name!r} is current",
        code="E-NO-CURRENT-BASELINE",
        fix=f"accept version {versions[-1].version}, or propose another",
    )


def get(tx: Tx, name: str, version: int) -> Baseline:
    """Return a version.

    Raises
    ------
    RegistryError
        ``E-NO-BASELINE``, ``E-NO-BASELINE-VERSION``.
    """
    for one in history(tx, name):
        if one.version == version:
            return one
    raise RegistryError(
        f"the baseline {name!r} has no version {printable(repr(version), 40)}",
        code="E-NO-BASELINE-VERSION",
        fix=f"list them with `driftline baselines show {name}`",
    )


def history(tx: Tx, name: str) -> list[Baseline]:
    """Return all versions, the newest last.

    Raises
    ------
    RegistryError
        ``E-NO-BASELINE``.
    """
    query = sa.select(baselines).where(baselines.c.name == check_name("a baseline", name))
    found = [_of(row) for row in tx.execute(query.order_by(baselines.c.version))]
    if not found:
        raise missing(tx, "baseline", name, baselines.c.name)
    return found


def list_baselines(
    tx: Tx, *, model: str | None = None, after: str | None = None, limit: int = 100
) -> list[Baseline]:
    """Return the newest version of each baseline, by name.

    Parameters
    ----------
    model : str, optional
    after : str, optional
        Only names after this one: the last of the page before.
    limit : int
    """
    newest = sa.select(baselines.c.name, sa.func.max(baselines.c.version).label("version")).group_by(
        baselines.c.name
    )
    if after is not None:
        newest = newest.where(baselines.c.name > check_words("after", after))
    found = newest.subquery()
    query = (
        sa.select(baselines)
        .join(found, sa.and_(baselines.c.name == found.c.name, baselines.c.version == found.c.version))
        .order_by(baselines.c.name)
        .limit(check_page(limit))
    )
    if model is not None:
        query = query.where(baselines.c.model == check_words("model", model))
    return [_of(row) for row in tx.execute(query)]


def proposals(tx: Tx, *, limit: int = 100) -> list[Baseline]:
    """Return what waits for somebody to decide, the oldest first."""
    query = (
        sa.select(baselines)
        .where(baselines.c.state == "proposed")
        .order_by(baselines.c.proposed, baselines.c.name)
        .limit(check_page(limit))
    )
    return [_of(row) for row in tx.execute(query)]


def assign(tx: Tx, name: str, *, model: str | None = None, spec: Mapping[str, Any] | None = None) -> bool:
    """Say of the current version of a baseline which model it is of, or what else gives the same files.

    Parameters
    ----------
    name : str
    model : str, optional
    spec : mapping, optional
        What is None stays as it was.

    Returns
    -------
    bool
        Whether anything changed.

    Raises
    ------
    RegistryError
        ``E-NO-MODEL``.
    UsageError
        ``E-VALUE``, ``E-SECRET``.
    """
    one = find_current(tx, name)
    if one is None:
        return False
    values: dict[str, Any] = {}
    if model is not None:
        models.get(tx, model)
        values["model"] = model
    if spec is not None:
        values["spec"] = check_value("spec", dict(spec))
        check_no_secrets("spec", values["spec"])
    old, new = models.changes(one, values)
    if not new:
        return False
    tx.execute(
        sa.update(baselines)
        .where(baselines.c.name == one.name, baselines.c.version == one.version)
        .values(**new)
    )
    tx.record(
        "baseline.changed",
        f"baselines/{name}/{one.version}",
        before=old,
        after=new,
        data=_told(get(tx, name, one.version)),
    )
    return True


def accept(tx: Tx, name: str, version: int) -> Baseline:
    """Make a proposed version the current one; the one before is superseded.

    Accepting what is current already changes nothing.

    Raises
    ------
    RegistryError
        ``E-NO-BASELINE``, ``E-NO-BASELINE-VERSION``; ``E-BASELINE-STATE``: it was rejected or superseded.
    """
    return _accept(tx, get(tx, name, version))


def _accept(tx: Tx, one: Baseline) -> Baseline:
    if one.state == "current":
        return one
    _refuse_decided(one)
    before = find_current(tx, one.name)
    if before is not None:
        _decide(tx, before, "superseded", None)
    return _decide(tx, one, "current", tx.reason or None)


def reject(tx: Tx, name: str, version: int) -> Baseline:
    """Turn a proposed version down; the reason is that of the transaction.

    Rejecting what was rejected already changes nothing.

    Raises
    ------
    RegistryError
        ``E-NO-BASELINE``, ``E-NO-BASELINE-VERSION``; ``E-BASELINE-STATE``: it is or was current.
    """
    one = get(tx, name, version)
    if one.state == "rejected":
        return one
    _refuse_decided(one)
    return _decide(tx, one, "rejected", tx.reason or None)


def _refuse_decided(one: Baseline) -> None:
    if one.state != "proposed":
        raise RegistryError(
            f"version {one.version} of the baseline {one.name!r} is {one.state}, and no longer to be decided",
            code="E-BASELINE-STATE",
            fix="propose its files again",
        )


_ACTIONS: Final = {
    "current": "baseline.accepted",
    "rejected": "baseline.rejected",
    "superseded": "baseline.superseded",
}


def _decide(tx: Tx, one: Baseline, state: str, reason: str | None) -> Baseline:
    # Who accepted a version, and why, is still known when another takes its place.
    decision = (
        {}
        if one.state == "current"
        else {"decided": tx.now, "decided_by": tx.who, "reason": None if reason is None else reason[:4096]}
    )
    tx.execute(
        sa.update(baselines)
        .where(baselines.c.name == one.name, baselines.c.version == one.version)
        .values(state=state, **decision)
    )
    made = get(tx, one.name, one.version)
    tx.record(
        _ACTIONS[state],
        f"baselines/{one.name}/{one.version}",
        before={"state": one.state},
        after={"state": state, "digest": one.digest},
        data=_told(made),
    )
    return made
