"""What a page says about the card itself: the cover, the live state, the history, what is missing, how to read it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from driftline.cards.render.blocks import (
    Badge,
    Block,
    Column,
    Cover,
    Fact,
    Facts,
    Listing,
    Notice,
    Paragraph,
    Row,
    Section,
    Span,
    Table,
    Tone,
    Words,
    code,
    given,
    muted,
    own,
    strong,
)
from driftline.cards.render.content import RISK_TONES, unstated
from driftline.cards.render.labels import STATUS_WORDS
from driftline.cards.render.values import DIGITS, dig, is_stated, lines_of, moment
from driftline.reports import wording

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from driftline.cards.view import CardView
    from driftline.registry.card_types import Record

__all__ = ["cover", "guide", "history", "live", "mark", "missing", "status_badge"]

STATUS_TONES: Final[Mapping[str, Tone]] = {
    "Draft": "unsure",
    "PendingReview": "unsure",
    "Approved": "good",
    "Archived": "calm",
}

_HISTORY: Final = ("created", "revised", "status", "deleted")
"""Kinds of records that the history shows one by one; the others are counted."""

MOST_RECORDS: Final = 400

LONGEST_ON_COVER: Final = 420
"""Characters of a field on the cover."""


def status_badge(view: CardView) -> Badge:
    """Return the mark of the version's status."""
    status = view.version.status
    word, meaning = STATUS_WORDS.get(status, (status, ""))
    if _is_superseded(view):
        return Badge("unsure", "Superseded", f"version {_successor(view)} has taken its place")
    return Badge(STATUS_TONES.get(status, "calm"), word, meaning)


def _is_superseded(view: CardView) -> bool:
    return _successor(view) is not None


def _successor(view: CardView) -> int | None:
    """Return the version that has taken this one's place: an approved one gives way to an approved one only."""
    this, card = view.version.version, view.card
    if view.version.status == "Approved":
        newer = card.approved_version
    elif view.version.status == "Archived":
        return None
    else:
        newer = card.version
    return newer if newer is not None and newer > this else None


def mark(view: CardView) -> str:
    """Return what every page of a version that is not in force says; ``""`` for one that is."""
    version = view.version
    successor = _successor(view)
    if view.card.deleted is not None:
        return "Deleted – kept for the record"
    if successor is not None:
        was = "" if version.status == "Approved" else ", never approved"
        return f"Superseded by version {successor}{was}"
    return {
        "Approved": "",
        "Draft": "Draft – not approved",
        "PendingReview": "In review – not approved",
        "Archived": "Archived – no longer maintained",
    }.get(version.status, version.status)


def cover(view: CardView) -> Cover:
    """Return the first page."""
    card, version = view.card, view.version
    overview = version.content.get("model_overview")
    model = dig(overview, "model_name")
    rating = dig(version.content, "intended_uses.risk_rating")
    rating = str(rating) if is_stated(rating) else "Unknown"
    badge = status_badge(view)
    badges = (
        badge,
        Badge("calm", f"Version {version.version:,}"),
        Badge(RISK_TONES.get(rating, "calm"), f"Risk: {rating}"),
    )
    subtitle: Words = (*muted("Model card "), Span(card.name, "given")) if is_stated(model) else ()
    summary = dig(overview, "model_description")
    return Cover(
        eyebrow="Model card",
        title=str(model) if is_stated(model) else card.name,
        subtitle=subtitle,
        summary=_brief(str(summary)) if is_stated(summary) else "",
        badges=badges,
        notice=_notice(view, badge),
        facts=tuple(_people(view, overview)),
        seals=tuple(_seals(view)),
        how=(
            "The content hash is the SHA-256 of what this card states, written as canonical JSON (RFC 8785)."
            " Each record of the card's chain names the hash of the record before it, so that nothing can be"
            " changed, left out or put in between afterwards without being noticed."
        ),
    )


def _brief(value: Any) -> Any:
    """Return what the cover has room for; the sections have the whole."""
    text = value if isinstance(value, str) else ""
    return text[:LONGEST_ON_COVER].rstrip() + "…" if len(text) > LONGEST_ON_COVER else value


def _notice(view: CardView, badge: Badge) -> Notice:
    card, version = view.card, view.version
    successor = _successor(view)
    words: list[Span] = []
    approval = _approval(view)
    if successor is not None:
        words += [Span(f"Version {successor} of this card has taken the place of this one. ")]
        words += approval or [Span("This version was never approved.")]
        return Notice("unsure", f"Superseded by version {successor}", tuple(words))
    if version.status == "Approved":
        words += approval
        words.append(Span(" The approval holds for exactly the text that has the content hash below."))
        if card.version > version.version:
            words.append(Span(f" Version {card.version} is being written and is not approved yet."))
        return Notice("good", "Approved", tuple(words))
    texts = {
        "Draft": (
            "Not approved: this is a draft",
            "Its authors are still writing it. Do not rely on it for decisions.",
        ),
        "PendingReview": (
            "Not approved: this version waits for review",
            "Its authors consider it complete. A reviewer who wrote none of it must approve it first.",
        ),
        "Archived": ("Archived", "This card is kept for the record and no longer maintained."),
    }
    title, text = texts.get(version.status, (version.status, badge.about))
    words.append(Span(text))
    if approval:
        words += [Span(" "), *approval]
    elif card.approved_version is not None and card.approved_version != version.version:
        words.append(Span(f" Version {card.approved_version} of this card is approved."))
    return Notice(badge.tone, title, tuple(words))


def _approval(view: CardView) -> list[Span]:
    version = view.version
    if version.approved is None or version.approved_by is None:
        return []
    return [
        Span("Approved by "),
        Span(version.approved_by, "given"),
        Span(f" on {moment(version.approved)}."),
    ]


def _people(view: CardView, overview: Any) -> Iterator[Fact]:
    card, version = view.card, view.version
    for title, value in (
        ("Model version", dig(overview, "model_version")),
        ("Owner", dig(overview, "model_owner")),
        ("Created by", dig(overview, "model_creator")),
        ("Problem type", dig(overview, "problem_type")),
        ("Algorithm", dig(overview, "algorithm_type")),
    ):
        if is_stated(value):
            yield Fact(own(title), lines_of(_brief(value)))
    yield Fact(
        own("Text written"), ((*own(f"{moment(version.created)}, by "), Span(version.author, "given")),)
    )
    if is_stated(version.reason):
        yield Fact(own("Reason"), lines_of(version.reason))
    if version.approved is not None and version.approved_by is not None:
        yield Fact(
            own("Approved"), ((*own(f"{moment(version.approved)}, by "), Span(version.approved_by, "given")),)
        )
    else:
        yield Fact(own("Approved"), (muted("not approved"),))
    if version.status_moment not in (version.created, version.approved):
        word = STATUS_WORDS.get(version.status, (version.status, ""))[0]
        yield Fact(
            own(f"Status: {word}"),
            ((*own(f"since {moment(version.status_moment)}, by "), Span(version.status_by, "given")),),
        )
    if card.tags:
        yield Fact(own("Tags"), tuple(_pair(key, value) for key, value in card.tags.items()))
    if card.cloned_from:
        name, number = card.cloned_from.get("name"), card.cloned_from.get("version")
        yield Fact(own("Cloned from"), ((Span(str(name), "given"), Span(f", version {number}")),))


def _pair(key: str, value: str) -> Words:
    return (Span(key, "given"), *((Span(": ", "muted"), Span(value, "given")) if value else ()))


def _seals(view: CardView) -> Iterator[Fact]:
    yield Fact(own("Content hash"), (code(view.version.content_hash),))
    yield Fact(own("Record hash"), (code(view.record.hash),))
    yield Fact(
        own("Record"), (own(f"{view.record.seq:,} of the card's chain, {moment(view.record.moment)}"),)
    )
    yield Fact(own("Card ID"), (code(view.card.arn),))


# -- live state


def live(view: CardView) -> Iterator[Section]:
    """Yield what is known beside the text: monitors as they are, reports that have come."""
    if view.monitors:
        rows = []
        for one in view.monitors:
            state = {"Scheduled": "running"}.get(one.status, one.status.lower())
            alerts = wording.plural(one.open_alerts, "open alert") if one.open_alerts else "none open"
            last = moment(one.last_ended) if one.last_ended is not None else "not yet"
            rows.append(
                Row(
                    (
                        given(one.schedule),
                        own(_KINDS.get(one.kind, one.kind)),
                        (Span(f"{state}; last run: "), Span(last)),
                        strong(alerts) if one.open_alerts else own(alerts),
                        given(one.headline),
                    )
                )
            )
        yield Section(
            own("Live state of the monitors"),
            "monitors",
            (
                Paragraph(
                    own(
                        "How the model is doing in use. This was read when this page was made;"
                        " it is no part of the approved text."
                    ),
                    "lead",
                ),
                Table(
                    own("Monitors of the model"),
                    (
                        Column("Monitor", 1.3),
                        Column("Watches", 1.0),
                        Column("State", 1.5),
                        Column("Alerts", 0.9),
                        Column("Last finding", 2.4),
                    ),
                    tuple(rows),
                ),
            ),
        )
    if view.evidence:
        yield Section(
            own("Reports beside the text"),
            "evidence",
            (
                Paragraph(
                    own(
                        "The newest report of each monitor and baseline. They came after the text was written"
                        " and are no part of it."
                    ),
                    "lead",
                ),
                Table(
                    own("Newest reports"),
                    (
                        Column("Source", 1.7),
                        Column("Kind", 1.0),
                        Column("Result", 1.0),
                        Column("Data from", 1.6),
                        Column("Summary", 2.6),
                    ),
                    tuple(
                        Row(
                            (
                                given(one.schedule or one.source),
                                own(_KINDS.get(one.kind, one.kind)),
                                own(_RESULTS.get(one.status, one.status)),
                                own(
                                    f"{moment(one.window[0])[:16]} to {moment(one.window[1])[:16]}"
                                    if one.window
                                    else moment(one.moment)[:16]
                                ),
                                given(one.summary),
                            )
                        )
                        for one in view.evidence
                    ),
                ),
            ),
        )


_KINDS: Final = {
    "data-quality": "Data quality",
    "model-quality": "Model quality",
    "bias": "Bias",
    "attribution": "Feature attribution",
}

_RESULTS: Final = {
    "passed": "✓ passed",
    "violated": "✕ violated",
    "undetermined": "could not be judged",
    "baseline": "baseline",
}

# -- history


def history(view: CardView) -> Section:
    """Return the section that tells who changed the card, when and why."""
    shown = [record for record in view.records if record.kind in _HISTORY]
    others = Counter(record.kind for record in view.records if record.kind not in _HISTORY)
    blocks: list[Block] = [
        Paragraph(
            own(
                "Every change of the text and of its status, from the card's chain of records."
                " What a version says never changes; a new text is a new version."
            ),
            "lead",
        )
    ]
    left = max(0, len(shown) - MOST_RECORDS)
    if left:
        blocks.append(
            Paragraph(
                muted(
                    f"The first {wording.plural(left, 'record')} are left out here; the JSON of this card has all of them."
                ),
                "note",
            )
        )
    blocks.append(
        Table(
            own("Versions and status changes"),
            (
                Column("No.", 0.5, is_number=True),
                Column("When (UTC)", 1.35),
                Column("Version", 0.65, is_number=True),
                Column("What", 1.7),
                Column("Who", 1.3),
                Column("Why", 2.3),
                Column("Content hash", 1.2),
            ),
            tuple(_event(record) for record in shown[left:]),
        )
    )
    if others:
        told = ", ".join(
            f"{wording.plural(n, _OTHER.get(kind, (kind, kind))[0], _OTHER.get(kind, (kind, kind))[1])}"
            for kind, n in sorted(others.items())
        )
        blocks.append(Paragraph(muted(f"The chain also holds {told}."), "note"))
    return Section(own("Version history"), "history", tuple(blocks))


_OTHER: Final = {
    "tagged": ("change of tags", "changes of tags"),
    "policy": ("change of policy", "changes of policy"),
    "evidence": ("report of a monitor", "reports of monitors"),
    "model": ("change of the model", "changes of the model"),
    "exported": ("export", "exports"),
}


def _event(record: Record) -> Row:
    digest = record.content_hash.removeprefix("sha256:")[:12]
    return Row(
        (
            own(f"{record.seq:,}"),
            own(moment(record.moment)[:16]),
            own(f"{record.version:,}"),
            _what(record),
            given(record.who),
            given(record.reason) if is_stated(record.reason) else (),
            code(digest) if record.kind in ("created", "revised") or record.status == "Approved" else (),
        )
    )


def _what(record: Record) -> Words:
    if record.kind == "created":
        return own("Card created")
    if record.kind == "revised":
        return own("New text")
    if record.kind == "deleted":
        return strong("Card deleted")
    word = STATUS_WORDS.get(record.status, (record.status, ""))[0]
    before = STATUS_WORDS.get(record.previous_status or "", (record.previous_status or "", ""))[0]
    if record.status == "Approved":
        return strong("Approved")
    return own(f"{before} → {word}" if before else word)


# -- annexes


def missing(view: CardView) -> Section:
    """Return the annex with what the card does not state, and with what did not pass when it was checked."""
    blocks: list[Block] = [
        Paragraph(
            own(
                "Fields of a model card that this version leaves open. Nothing is concluded from an open field."
            ),
            "lead",
        )
    ]
    if view.warnings:
        blocks.append(Listing(tuple(given(text) for text in view.warnings), "Warnings"))
    rows = []
    for title, label in unstated(view.version.content):
        if label is None:
            rows.append(Row((own(title), strong("The whole section"), ())))
        else:
            rows.append(Row((own(title), own(label.title), own(f"{label.asks[:1].upper()}{label.asks[1:]}"))))
    if rows:
        columns = (Column("Section", 1.6), Column("Field", 1.8), Column("What it would say", 2.6))
        blocks.append(Table(own("Not stated"), columns, tuple(rows)))
    else:
        blocks.append(Paragraph(own("Every field is stated."), ""))
    return Section(own("What this card does not state"), "not-stated", tuple(blocks))


def guide() -> Section:
    """Return the annex that explains the words of the page."""
    facts = [
        (
            "Model card",
            "A record of one machine-learning model: what it is for, how it was made, how well it works, and what to mind.",
        ),
        (
            "Version",
            "One state of the text. It never changes once it is written; a change makes a new version.",
        ),
        *((word, f"Status of a version: {meaning}.") for word, meaning in STATUS_WORDS.values()),
        (
            "Risk",
            "High, Medium, Low or Unknown, as the card's authors rate it; their reasons stand beside it.",
        ),
        ("Collected", "Read by a program from the records of the job or registry named beside it."),
        ("Entered by hand", "Written by the card's authors."),
        (
            "Numbers",
            f"Rounded to {_WORDS[DIGITS]} significant digits. The JSON of this card has them in full.",
        ),
        (
            "Line chart",
            "Points as measured, joined by straight lines. The table below it holds some of the points.",
        ),
        (
            "Matrix",
            "Rows carry the labels of the metric's first axis, columns those of its second."
            " Darker cells hold larger numbers.",
        ),
        ("[U+202E]", "A character that cannot be seen or drawn, spelled by its number in Unicode."),
        (
            "Content hash",
            "SHA-256 of the canonical JSON (RFC 8785) of content and extensions. Equal hashes mean equal text.",
        ),
        (
            "Record hash",
            "SHA-256 of the canonical JSON of a record of the card's chain,"
            " in which the hash of the record before it stands.",
        ),
    ]
    rows = tuple(Fact(own(title), (own(text),)) for title, text in facts)
    lead = Paragraph(own("What the words and pictures of this document mean."), "lead")
    return Section(own("How to read this document"), "guide", (lead, Facts(rows, "Words")))


_WORDS: Final = {6: "six"}
