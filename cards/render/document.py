"""A card as a JSON document: all that it states and all that proves it, complete and for programs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from driftline.cards.view import CardView, MonitorState
    from driftline.registry.card_types import Break

__all__ = ["SCHEMA", "check", "document_of", "to_json"]

SCHEMA: Final = "driftline.model-card/v1"
"""What the document says it is."""

_ABOUT_TEXT: Final = ("created", "revised", "status")
"""Kinds of records that are about a version's text and its status."""


def to_json(view: CardView) -> str:
    """Write a version of a card as a JSON document.

    Parameters
    ----------
    view : CardView

    Returns
    -------
    str
        Indented JSON with a line feed at its end; the same for the same view. Numbers stand in full, times as RFC 3339.
        :func:`check` tells from the document alone whether its text is the one that its chain of records knows.
    """
    from driftline.documents import encode

    text = encode(document_of(view), indent=2) + "\n"
    # Half of a surrogate pair is no UTF-8, but JSON can spell it.
    return re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text)


def document_of(view: CardView) -> dict[str, Any]:
    """Return a version of a card as plain JSON values; see :func:`to_json`."""
    from driftline.registry.card_chain import document_of as chain_of
    from driftline.registry.moments import shown

    card, version = view.card, view.version
    return {
        "schema": SCHEMA,
        "card": {
            "name": card.name,
            "arn": card.arn,
            "model": card.model,
            "model_id": card.model_id,
            "risk_rating": card.risk_rating,
            "owner": card.owner,
            "package_group": card.package_group,
            "tags": dict(card.tags),
            "cloned_from": None if card.cloned_from is None else dict(card.cloned_from),
            "created": shown(card.created),
            "created_by": card.created_by,
            "deleted": shown(card.deleted),
        },
        "version": {
            "version": version.version,
            "status": version.status,
            "author": version.author,
            "reason": version.reason,
            "created": shown(version.created),
            "status_moment": shown(version.status_moment),
            "status_by": version.status_by,
            "approved": shown(version.approved),
            "approved_by": version.approved_by,
            "newest": card.version,
            "newest_approved": card.approved_version,
        },
        "content_hash": version.content_hash,
        "record": {"seq": view.record.seq, "hash": view.record.hash},
        "content": version.content,
        "extensions": version.extensions,
        "provenance": version.provenance,
        "warnings": list(view.warnings),
        "monitors": [_monitor(one) for one in view.monitors],
        "evidence": [
            {
                "source": one.source,
                "schedule": one.schedule,
                "kind": one.kind,
                "status": one.status,
                "window": None if one.window is None else [shown(end) for end in one.window],
                "path": one.path,
                "digest": one.digest,
                "summary": one.summary,
                "moment": shown(one.moment),
            }
            for one in view.evidence
        ],
        "chain": chain_of(card.id, card.name, card.arn, view.records),
    }


def _monitor(one: MonitorState) -> dict[str, Any]:
    from driftline.registry.moments import shown

    return {
        "schedule": one.schedule,
        "kind": one.kind,
        "endpoint": one.endpoint,
        "status": one.status,
        "last_status": one.last_status,
        "last_window": None if one.last_window is None else [shown(end) for end in one.last_window],
        "last_ended": shown(one.last_ended),
        "open_alerts": one.open_alerts,
        "headline": one.headline,
        "next_due": shown(one.next_due),
    }


def check(document: object) -> list[Break]:
    """Check a document of :func:`to_json` by itself: its chain of records, and its text against the chain.

    Parameters
    ----------
    document : object
        As JSON reads it.

    Returns
    -------
    list of Break
        Nothing where every record follows from the one before, the text is the one that the chain knows, and who wrote and
        who approved it, when and why, is what the chain says. What stands below ``card`` but name and ARN is of the card
        as it was when it was exported, and not proven by it; nor are warnings, monitors and evidence.
    """
    from driftline.registry.card_chain import verify_document
    from driftline.registry.card_types import Break

    chain = document.get("chain") if isinstance(document, dict) else None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA or not isinstance(chain, dict):
        return [Break("", None, None, "the document is no model card")]
    said = document.get("version")
    number = said.get("version") if isinstance(said, dict) else None
    versions = chain.get("versions")
    known = [one for one in versions if isinstance(one, dict)] if isinstance(versions, list) else []
    if not any(one.get("version") == number for one in known):
        return [Break("", None, None, "the chain does not hold the version that the document shows")]
    texts = {"content": document.get("content"), "extensions": document.get("extensions")}
    joined = [{**one, **texts} if one.get("version") == number else one for one in known]
    breaks = list(verify_document({**chain, "versions": joined}))
    if document.get("content_hash") not in {
        one.get("content_hash") for one in known if one.get("version") == number
    }:
        breaks.append(
            Break(
                "", number if isinstance(number, int) else None, None, "the content hash is not the chain's"
            )
        )
    return breaks or _unproven(document, chain, number)


def _unproven(document: dict[str, Any], chain: dict[str, Any], number: Any) -> list[Break]:
    """Return what a document claims of its version and a chain that is whole does not say."""
    from driftline.registry.card_types import Break

    links = [one for one in chain["records"] if one["version"] == number and one["kind"] in _ABOUT_TEXT]
    made, last = links[0], links[-1]
    approval = next((one for one in reversed(links) if one["status"] not in ("Approved", "Archived")), None)
    approvals = [
        one
        for one in links
        if one["status"] == "Approved" and (approval is None or one["seq"] > approval["seq"])
    ]
    approved = approvals[-1] if approvals else {"time": None, "who": None}
    proven: dict[str, dict[str, Any]] = {
        "card": {"name": chain["card"]["name"], "arn": chain["card"]["arn"]},
        "version": {
            "status": last["status"],
            "author": made["who"],
            "reason": made["reason"],
            "created": made["time"],
            "status_moment": last["time"],
            "status_by": last["who"],
            "approved": approved["time"],
            "approved_by": approved["who"],
        },
        "record": {"seq": last["seq"], "hash": last["hash"]},
    }
    found = []
    for part, facts in proven.items():
        said = document.get(part)
        for key, value in facts.items():
            if not isinstance(said, dict) or said.get(key) != value:
                what = f"{part}.{key} is not what the chain says"
                found.append(Break(chain["card"]["name"], number, last["seq"], what))
    stored = made["detail"].get("stored")
    if stored is not None and _stored(document) != stored:
        what = "where the fields came from is not what the chain says"
        found.append(Break(chain["card"]["name"], number, made["seq"], what))
    return found


def _stored(document: dict[str, Any]) -> str | None:
    """Return the digest of the texts of a version, as its record has it."""
    from driftline.registry.card_chain import stored_digest
    from driftline.registry.card_given import content_text
    from driftline.registry.tables import canonical

    texts = [document.get(key) for key in ("content", "extensions", "provenance")]
    if not all(isinstance(one, dict) for one in texts):
        return None
    content, extensions, provenance = texts
    return stored_digest(content_text(content or {}), canonical(extensions), canonical(provenance))
