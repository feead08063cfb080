"""Feeding: what monitors found, and baselines that were accepted, brought to the cards of their models.

Events tell what there is to do; the place up to which they were read stands in the registry. One process at a time does it,
the one that holds the lease. Evidence, and the draft that may follow from it, are written in one transaction for each card,
then the place behind them: if the process dies in between, the next one does it again, which changes nothing.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any, Final, Protocol

import sqlalchemy as sa

from driftline.cards.drafting import drafted, refusal
from driftline.cards.findings import Finding, finding_of_baseline, finding_of_execution, findings_for
from driftline.errors import DriftlineError, InputError, printable
from driftline.registry import baselines, cards, executions
from driftline.registry.folders import folder_digest
from driftline.registry.outbox import PREFIX
from driftline.registry.store import SYSTEM
from driftline.registry.tables import card_evidence, events, leases, settings
from driftline.registry.tables import cards as cards_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.registry.card_types import Card
    from driftline.registry.store import Registry, Tx

__all__ = ["CURSOR", "Reader", "checked", "feed"]

_log = logging.getLogger("driftline.cards")

CURSOR: Final = "cards.feed"
"""Name of the lease, and of the setting that holds the place up to which events were read."""

_LEASE: Final = 60_000_000
_PAGE: Final = 50
_FAR: Final = 500
"""Events about other things after which the place is noted all the same."""

_LOOKED_AT: Final = ("execution.completed", "execution.violated")
_ACCEPTED: Final = "baseline.accepted"
_OF_CARDS: Final = ("card.created", "card.changed", "card.revised")
_TYPES: Final = tuple(f"{PREFIX}{kind}.v1" for kind in (*_LOOKED_AT, _ACCEPTED, *_OF_CARDS))

_ALSO_NEXT_TIME: Final = ("E-BUSY", "E-REGISTRY", "E-STORE")


class Reader(Protocol):
    """What reads the files of a workspace, such as :class:`driftline.monitor.running.Place`."""

    def files(self, path: str) -> Mapping[str, bytes]:
        """Return the files of a folder by name; none where there is no such folder."""


class _Lost(Exception):  # noqa: N818
    """Another process has taken over."""


def feed(
    registry: Registry, place: Reader | str | os.PathLike[str], owner: str, *, wait: bool = False
) -> int:
    """Bring to the cards what has come about since the last time.

    Parameters
    ----------
    registry : Registry
    place : Reader, path or URL
        Of the workspace's files.
    owner : str
        The process.
    wait : bool, default False
        Until nothing is left; otherwise some at a time.

    Returns
    -------
    int
        Reports and baselines that were noted; 0 where another process does it.

    Raises
    ------
    DriftlineError
        Where the registry or the files cannot be reached; the next time goes on from there.

    Notes
    -----
    Of an execution that looked at data, and of a baseline that was accepted, the card of the model gets evidence; where its
    policy says ``draft``, also a new version with the evaluation in it, a draft by ``driftline``: at most one of the same
    monitor in the time that the policy gives, unless the verdict is another. What is under review, or archived, is left as
    it is. A card that is new, or of another model than before, gets what is current of each monitor and baseline.
    """
    read = _Folder(place) if isinstance(place, (str, os.PathLike)) else place
    total = 0
    while True:
        with registry.read() as tx:
            first = tx.execute(
                sa.select(sa.func.min(cards_table.c.created)).where(cards_table.c.deleted.is_(None))
            )
            oldest = first.scalar_one()
            if oldest is None:
                return total
            seen = _place(tx)
            top = int(tx.execute(sa.select(sa.func.max(events.c.seq))).scalar_one() or 0)
            found = _next(tx, seen, top, oldest) if top > seen else []
        if not found and top - seen < _FAR:
            return total
        if not registry.act(lambda tx: _take(tx, owner), who=SYSTEM):
            return total
        try:
            total += _told(registry, read, owner, found)
            is_done = len(found) < _PAGE
            to = top if is_done else found[-1].seq
            registry.act(lambda tx, to=to, done=is_done: _go_on(tx, owner, to, is_done=done), who=SYSTEM)  # type: ignore[misc]
        except _Lost:
            return total
        if not wait or len(found) < _PAGE:
            return total


class _Folder:
    """Reads the files of a workspace."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        from driftline.capture.target import target_of

        self._target = target_of(root)

    def files(self, path: str) -> dict[str, bytes]:
        names = [p for p in self._target.paths(path) if "/" not in p.removeprefix(path + "/")]
        return {name.rpartition("/")[2]: self._target.read(name).to_pybytes() for name in names}


# --- the place, and who may move it -----------------------------------------------------------------------------------


def _place(tx: Tx) -> int:
    row = tx.one(sa.select(settings.c.value).where(settings.c.name == CURSOR))
    value = None if row is None else row.value
    seq = value.get("seq") if isinstance(value, dict) else None
    return seq if isinstance(seq, int) and not isinstance(seq, bool) and seq >= 0 else 0


def _next(tx: Tx, after: int, top: int, since: int) -> list[Any]:
    """Return events that a card may want to be told of; none from before the first card."""
    query = (
        sa.select(events.c.seq, events.c.type, events.c.subject, events.c.moment, events.c.data)
        .where(events.c.seq > after, events.c.seq <= top, events.c.moment >= since, events.c.type.in_(_TYPES))
        .order_by(events.c.seq)
        .limit(_PAGE)
    )
    return list(tx.all(query))


def _take(tx: Tx, owner: str) -> bool:
    epoch, clock = tx.lease_clock()
    row = tx.one(sa.select(leases).where(leases.c.name == CURSOR))
    if row is not None and row.owner != owner and row.epoch == epoch and row.until > clock:
        return False
    token = 1 if row is None else row.token + 1
    tx.insert(leases, "update", name=CURSOR, owner=owner, token=token, epoch=epoch, until=clock + _LEASE)
    return True


def _check_mine(tx: Tx, owner: str) -> None:
    row = tx.one(sa.select(leases.c.owner).where(leases.c.name == CURSOR))
    if row is None or row.owner != owner:
        raise _Lost


def _go_on(tx: Tx, owner: str, to: int, *, is_done: bool = False) -> None:
    """Note the place, which is bookkeeping and not audited, and keep the lease, or give it back."""
    _check_mine(tx, owner)
    epoch, clock = tx.lease_clock()
    tx.insert(settings, "update", name=CURSOR, value={"seq": to}, modified=tx.now)
    until = clock if is_done else clock + _LEASE
    tx.execute(sa.update(leases).where(leases.c.name == CURSOR).values(epoch=epoch, until=until))


# --- some events ------------------------------------------------------------------------------------------------------


def _told(registry: Registry, read: Reader, owner: str, found: list[Any]) -> int:
    """Bring what events tell to the cards, to each card in one transaction; return how much was noted."""
    told: dict[str, tuple[Card, dict[str, Finding]]] = {}
    with registry.read() as tx:
        for event in found:
            try:
                wanted = _wanted(tx, event)
            except DriftlineError as error:
                if error.code in _ALSO_NEXT_TIME:
                    raise
                _log.warning("event %s could not be brought to a card: %s", event.seq, error)
                continue
            for card, one in wanted:
                told.setdefault(card.id, (card, {}))[1][one.source] = one
    return sum(
        _bring(registry, read, owner, card, list(findings.values())) for card, findings in told.values()
    )


def _wanted(tx: Tx, event: Any) -> list[tuple[Card, Finding]]:
    """Return which card is to be told what."""
    kind = event.type.removeprefix(PREFIX).rpartition(".v")[0]
    if kind in _OF_CARDS:
        card = cards.find(tx, str(event.data.get("card") or ""))
        if card is None or card.model is None:
            return []
        known = _known(tx, card)
        # Whoever asks for drafts from now on gets the first ones now; whoever writes the text is left alone.
        again = kind == "card.changed" and card.policy.get("evaluations") == "draft"
        return [(card, one) for one in findings_for(tx, card.model) if again or one.source not in known]
    found: Finding | None = None
    if kind == _ACCEPTED:
        name, version = event.data.get("baseline"), event.data.get("baseline_version")
        if isinstance(name, str) and isinstance(version, int):
            found = finding_of_baseline(baselines.get(tx, name, version))
    else:
        execution = executions.find(tx, event.subject.removeprefix("executions/"))
        found = None if execution is None else finding_of_execution(tx, execution)
    other = None if found is None or found.model is None else cards.find_by_model(tx, found.model)
    # What came before the card: when it was made it got what was current then.
    if found is None or other is None or event.moment < other.created:
        return []
    return [(other, found)]


def _known(tx: Tx, card: Card) -> set[str]:
    return set(tx.execute(sa.select(card_evidence.c.source).where(card_evidence.c.card == card.id)).scalars())


def _bring(registry: Registry, read: Reader, owner: str, card: Card, found: list[Finding]) -> int:
    """Bring findings to a card; return how many were new to it."""
    policy = card.policy.get("evaluations", "evidence")
    if policy == "off":
        return 0
    notes: dict[str, str] = {}
    jobs: dict[str, dict[str, Any]] = {}
    # Of each monitor the newest window only: the one that a reader of the card wants to see.
    for one in _newest(found) if policy == "draft" else ():
        job, why = _evaluation(registry, read, card, one)
        if job is not None:
            jobs[one.source] = job
        if why:
            notes[one.source] = why

    def write(tx: Tx) -> int:
        _check_mine(tx, owner)
        now = cards.find(tx, card.name)
        if now is None or now.id != card.id:
            return 0
        said = {**notes, **_drafted(tx, now, jobs)}
        return sum(_noted(tx, now, one, said.get(one.source)) for one in found)

    told = ", ".join(one.reason for one in found[:3]) + (f" and {len(found) - 3} more" if found[3:] else "")
    return registry.act(write, who=SYSTEM, reason=printable(told, 400))


def _newest(found: list[Finding]) -> list[Finding]:
    newest: dict[str, Finding] = {}
    for one in found:
        before = newest.get(one.name)
        if before is None or (one.window or (0, 0))[1] >= (before.window or (0, 0))[1]:
            newest[one.name] = one
    return list(newest.values())


def _drafted(tx: Tx, card: Card, jobs: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """Write a draft with evaluations, if there are any; return, by source, why one is not in it."""
    if not jobs:
        return {}
    try:
        with tx.connection.begin_nested():
            return drafted(tx, card, jobs)
    except DriftlineError as error:
        if error.code in _ALSO_NEXT_TIME:
            raise
        _log.warning("no draft of the card %s: %s", printable(card.name), error)
        return dict.fromkeys(jobs, f"not in the card's text: {error.code}")


def _noted(tx: Tx, card: Card, found: Finding, note: str | None) -> bool:
    try:
        with tx.connection.begin_nested():
            return cards.add_evidence(tx, card.name, **_evidence(found, note))
    except DriftlineError as error:
        if error.code in _ALSO_NEXT_TIME:
            raise
        # What cannot be noted of this one must not keep the others.
        _log.warning("%s could not be noted on the card %s: %s", found.source, printable(card.name), error)
        return False


def _evidence(found: Finding, note: str | None) -> dict[str, Any]:
    summary = f"{found.summary} ({note})" if note else found.summary
    return {
        "source": found.source,
        "schedule": found.schedule,
        "kind": found.kind,
        "status": found.status,
        "window": found.window,
        "path": found.path,
        "digest": found.digest,
        "summary": printable(summary, 1000) or found.status,
        "moment": found.moment,
    }


def _evaluation(
    registry: Registry, read: Reader, card: Card, found: Finding
) -> tuple[dict[str, Any] | None, str | None]:
    """Make the evaluation of a finding from its files; None, and why, where the card cannot or must not have it."""
    try:
        with registry.read() as tx:
            now = cards.find(tx, card.name)
            why = "" if now is None else refusal(tx, now, found)
        if why is not None:
            return None, why or None
        return found.evaluation(checked(read.files(found.path), found.path, found.digest)), None
    except DriftlineError as error:
        if error.code in _ALSO_NEXT_TIME:
            raise
        _log.warning("no evaluation could be made of %s: %s", found.source, error)
        return None, f"not in the card's text: {error.code}"
    except Exception as error:  # noqa: BLE001
        # One report must not keep the evidence of all others from the cards.
        _log.exception("no evaluation could be made of %s", found.source)
        return None, f"not in the card's text: {type(error).__name__}"


def checked(files: Mapping[str, bytes], path: str, digest: str) -> Mapping[str, bytes]:
    """Return the files of a report or baseline if they are what was registered; for whoever shows what evidence names.

    Parameters
    ----------
    files : mapping of str to bytes
        Of the folder, by name.
    path, digest : str
        As the evidence has them.

    Raises
    ------
    InputError
        ``E-DIGEST``: they are gone, or were changed.
    """
    if not files or folder_digest(files) != digest:
        raise InputError(
            "is not what was registered: its digest is another" if files else "is gone",
            code="E-DIGEST",
            file=path,
            fix="restore it from a backup",
        )
    return files
