"""Drafting: an evaluation put into the newest text of a card, where its policy and its status allow it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from driftline.cards.evidence import is_monitor_made, without_charts
from driftline.registry import cards

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.cards.findings import Finding
    from driftline.registry.card_types import Card
    from driftline.registry.store import Tx

    Draft = dict[str, Any]

__all__ = ["MOST_CHARACTERS", "drafted", "duration", "fitted_in", "refusal", "replaced"]

MOST_CHARACTERS: Final = 100_000

_OPEN: Final = ("Draft", "Approved")
_DURATION: Final = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def duration(text: str) -> timedelta:
    """Return a duration of a policy, in ISO 8601; what is none counts as a day.

    Examples
    --------
    >>> duration("PT6H"), duration("P1DT30M")
    (datetime.timedelta(seconds=21600), datetime.timedelta(days=1, seconds=1800))
    """
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        return timedelta(days=1)
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def refusal(tx: Tx, card: Card, found: Finding) -> str | None:
    """Say why a finding is not written into a card's text.

    Returns
    -------
    str or None
        None where it is to be written; empty where there is nothing to say of it.
    """
    if card.status not in _OPEN:
        return _closed(card)
    if not found.is_current:
        return ""
    jobs = cards.version(tx, card.name).content.get("evaluation_details") or []
    before = next((job for job in jobs if job.get("name") == found.name and is_monitor_made(job)), None)
    if before is None:
        return None
    known = before.get("metadata") or {}
    if known.get("source") == found.source:
        return ""
    last, now = _moment(known.get("window_end")), _moment(found.facts.get("window_end"))
    if last is not None and now is not None and now < last:
        return ""
    if known.get("status") != found.status or found.status == "baseline":
        return None
    ended, then = _moment(found.facts.get("ended")), _moment(known.get("ended"))
    if (
        ended is not None
        and then is not None
        and ended - then < duration(str(card.policy.get("every", "P1D")))
    ):
        return ""
    return None


def _moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def drafted(tx: Tx, card: Card, jobs: Mapping[str, Draft]) -> dict[str, str]:
    """Write a new version of a card with evaluations in it, each in the place of the one of the same name.

    Parameters
    ----------
    tx : Tx
    card : Card
    jobs : mapping of str to dict
        By source.

    Returns
    -------
    dict of str to str
        By source, why one was not written.
    """
    if card.status not in _OPEN:
        return dict.fromkeys(jobs, _closed(card))
    content: Mapping[str, Any] = cards.version(tx, card.name).content
    said = {}
    for source, job in jobs.items():
        fits = fitted_in(replaced(content, job), str(job["name"]))
        if fits is None:
            said[source] = (
                f"not in the card's text, which has no room left in its {MOST_CHARACTERS:,} characters"
            )
        else:
            content = fits
    if len(said) < len(jobs):
        cards.revise(tx, card.name, content=content, expected=card.version)
    return said


def _closed(card: Card) -> str:
    what = "under review" if card.status == "PendingReview" else card.status.lower()
    return f"not in the card's text, which is {what}"


def replaced(content: Mapping[str, Any], job: Draft) -> dict[str, Any]:
    """Return content with an evaluation in the place of the one of the same name, or behind the others.

    One of that name that people made stays: the new one goes behind it.
    """
    jobs = list(content.get("evaluation_details") or [])
    at = next(
        (i for i, one in enumerate(jobs) if one.get("name") == job["name"] and is_monitor_made(one)),
        len(jobs),
    )
    jobs[at : at + 1] = [job]
    from driftline.cards.content import SECTIONS

    made = {**content, "evaluation_details": jobs}
    return {key: made[key] for key in (*SECTIONS, *(k for k in made if k not in SECTIONS)) if key in made}


def fitted_in(content: dict[str, Any], name: str) -> dict[str, Any] | None:
    """Return content that a card has room for: without the charts of the oldest evaluations, as many as need be.

    Parameters
    ----------
    content : dict
    name : str
        Of the evaluation that is new; its charts go last.

    Returns
    -------
    dict or None
        None where there is no room even so.
    """
    from driftline.cards.content import serialise

    if len(serialise(content)) <= MOST_CHARACTERS:
        return content
    jobs = list(content["evaluation_details"])
    mine = [i for i, one in enumerate(jobs) if is_monitor_made(one)]
    for at in sorted(
        mine, key=lambda i: (jobs[i]["name"] == name, str(jobs[i]["metadata"].get("ended") or ""))
    ):
        jobs[at] = without_charts(jobs[at])
        made = {**content, "evaluation_details": list(jobs)}
        if len(serialise(made)) <= MOST_CHARACTERS:
            return made
    return None
