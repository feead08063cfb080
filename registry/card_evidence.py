"""Card evidence: monitors' reports and baselines, noted beside the text of a card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from driftline.errors import UsageError, printable
from driftline.registry.baselines import KINDS
from driftline.registry.card_change import keep
from driftline.registry.card_given import check_page_of_100
from driftline.registry.card_read import get
from driftline.registry.card_types import Evidence
from driftline.registry.database import RegistryError
from driftline.registry.folders import check_path
from driftline.registry.given import check_digest, check_moment, check_words
from driftline.registry.jcs import digest_of
from driftline.registry.moments import shown
from driftline.registry.tables import card_evidence

if TYPE_CHECKING:
    from driftline.registry.store import Tx

__all__ = ["EVIDENCE_STATUSES", "add_evidence", "evidence", "latest_evidence"]

EVIDENCE_STATUSES: Final = ("passed", "violated", "undetermined", "baseline")


def add_evidence(
    tx: Tx,
    name: str,
    *,
    source: str,
    kind: str,
    status: str,
    path: str,
    digest: str,
    summary: str,
    schedule: str | None = None,
    window: tuple[int, int] | None = None,
    moment: int | None = None,
) -> bool:
    """Note a report or a baseline on a card.

    Parameters
    ----------
    name : str
        Name or ARN of the card; archived ones go on collecting evidence.
    source : str
        ``executions/ID`` or ``baselines/NAME/VERSION``.
    kind : str
        ``data-quality``, ``model-quality``, ``bias`` or ``attribution``.
    status : str
        One of :data:`EVIDENCE_STATUSES`.
    path, digest : str
        Folder of the files below the workspace's root, and what they are.
    summary : str
        One sentence, at most 1,024 characters.
    schedule : str, optional
    window : (int, int), optional
    moment : int, optional
        When it came about; now where not given.

    Returns
    -------
    bool
        False where it was noted before.

    Raises
    ------
    RegistryError
        ``E-NO-CARD``; ``E-CARD-EVIDENCE``: it was noted before, with other files.
    UsageError
        ``E-CARD-EVIDENCE``, ``E-TEXT``, ``E-DIGEST``, ``E-MOMENT``, ``E-PATH``.
    """
    card = get(tx, name)
    if kind not in KINDS:
        raise _refused("kind", kind, KINDS)
    if status not in EVIDENCE_STATUSES:
        raise _refused("status", status, EVIDENCE_STATUSES)
    if window is not None:
        window = check_moment("window", window[0]), check_moment("window", window[1])
    document: dict[str, Any] = {
        "source": check_words("source", source, most=256),
        "schedule": None if schedule is None else check_words("schedule", schedule, most=256),
        "kind": kind,
        "status": status,
        "window_start": None if window is None else window[0],
        "window_end": None if window is None else window[1],
        "path": check_path(path),
        "digest": check_digest("digest", digest),
        "summary": check_words("summary", summary, most=1024),
        "moment": tx.now if moment is None else check_moment("moment", moment),
    }
    query = sa.select(card_evidence.c.digest).where(
        card_evidence.c.card == card.id, card_evidence.c.source == source
    )
    there = tx.one(query)
    if there is not None:
        if there.digest == digest:
            return False
        raise RegistryError(
            f"{printable(source)} was noted on the model card {printable(repr(card.name), 80)} with other files",
            code="E-CARD-EVIDENCE",
            fix="find out who changed them: what was reported once stays",
        )
    tx.insert(card_evidence, card=card.id, record=card.records + 1, **document)
    keep(
        tx,
        card,
        "evidence",
        "card.evidence_added",
        detail={
            "source": source,
            "kind": kind,
            "status": status,
            "digest": digest,
            "stored": evidence_digest(document),
        },
        told={"source": source, "schedule": schedule, "monitor": kind, "outcome": status},
    )
    return True


def evidence_digest(row: Any) -> str:
    """Return the digest of a row of evidence, as its record has it."""
    return digest_of({**row, **{key: shown(row[key]) for key in ("window_start", "window_end", "moment")}})


def _refused(field: str, value: object, known: tuple[str, ...]) -> UsageError:
    return UsageError(
        f"{printable(repr(value), 60)} is no {field} of evidence",
        code="E-CARD-EVIDENCE",
        field=field,
        fix="use " + ", ".join(known),
    )


def _evidence(row: Any) -> Evidence:
    window = None if row.window_start is None else (row.window_start, row.window_end)
    return Evidence(
        row.source,
        row.schedule,
        row.kind,
        row.status,
        window,
        row.path,
        row.digest,
        row.summary,
        row.moment,
    )


def evidence(
    tx: Tx, name: str, *, schedule: str | None = None, after: str | None = None, limit: int = 100
) -> list[Evidence]:
    """Return the evidence of a card, newest first.

    Parameters
    ----------
    name : str
        Name or ARN of the card.
    schedule : str, optional
        Of this one only.
    after : str, optional
        Only what comes after the one with this source.
    limit : int
        1 to 100.

    Raises
    ------
    RegistryError
        ``E-NO-CARD``; ``E-CARD-EVIDENCE``: of `after`.
    UsageError
        ``E-LIMIT``, ``E-TEXT``.
    """
    card = get(tx, name)
    e = card_evidence.c
    query = sa.select(card_evidence).where(e.card == card.id)
    if schedule is not None:
        query = query.where(e.schedule == check_words("schedule", schedule))
    if after is not None:
        place = tx.one(sa.select(e.moment).where(e.card == card.id, e.source == check_words("after", after)))
        if place is None:
            raise RegistryError(
                f"{printable(repr(after), 80)} was not noted on the model card {printable(repr(card.name), 80)}",
                code="E-CARD-EVIDENCE",
                fix="give the source of the last one of the page before",
            )
        query = query.where(
            sa.or_(e.moment < place.moment, sa.and_(e.moment == place.moment, e.source < after))
        )
    query = query.order_by(e.moment.desc(), e.source.desc()).limit(check_page_of_100(limit))
    return [_evidence(row) for row in tx.all(query)]


def latest_evidence(tx: Tx, name: str) -> list[Evidence]:
    """Return the newest evidence of each schedule, and of each kind what is of none: that of the latest window.

    Sorted by kind and schedule, what has no schedule first.
    """
    card = get(tx, name)
    e = card_evidence.c
    place = (
        sa.func.row_number()
        .over(
            partition_by=(e.schedule, e.kind),
            order_by=(sa.func.coalesce(e.window_end, 0).desc(), e.moment.desc(), e.source.desc()),
        )
        .label("place")
    )
    ranked = sa.select(card_evidence, place).where(e.card == card.id).subquery()
    found = [_evidence(row) for row in tx.all(sa.select(ranked).where(ranked.c.place == 1))]
    return sorted(found, key=lambda one: (one.kind, one.schedule or "", one.source))
