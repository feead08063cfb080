"""The sections of a page that show the card's content, all but the evaluations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from driftline.cards.render.blocks import (
    Badge,
    Block,
    Column,
    Fact,
    Facts,
    Paragraph,
    Row,
    Section,
    Table,
    Tone,
    Words,
    given,
    muted,
    own,
)
from driftline.cards.render.labels import FIELDS, PARTS
from driftline.cards.render.values import dig, fact, is_stated, named, number, objects, scalar, source_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from driftline.cards.render.labels import Label

__all__ = ["CORE", "RISK_TONES", "part", "parts", "simple_value", "unstated"]

CORE: Final = (
    "model_overview",
    "intended_uses",
    "business_details",
    "training_details",
    "evaluation_details",
    "additional_information",
)
"""Sections that every card is asked for; where one is empty the page says so."""

RISK_TONES: Final[Mapping[str, Tone]] = {"High": "bad", "Medium": "unsure", "Low": "good", "Unknown": "calm"}

_TABLES: Final = frozenset(
    {
        "training_job_details.training_metrics",
        "training_job_details.user_provided_training_metrics",
        "training_job_details.hyper_parameters",
        "training_job_details.user_provided_hyper_parameters",
        "custom_details",
        "source_algorithms",
        "inference_specification.containers",
    }
)

_EMPTY: Final = "This version of the card states nothing here. Annex A lists what could be stated."


def part(key: str) -> tuple[str, str, str]:
    """Return anchor, title and lead of a section."""
    title, lead = PARTS[key]
    return key.replace("_", "-"), title, lead


def parts(content: Mapping[str, Any], provenance: Mapping[str, Any]) -> Iterator[tuple[str, Section]]:
    """Yield the sections by their keys, without numbers, in the order of the page."""
    for key in PARTS:
        if key == "evaluation_details":
            continue
        given_part = content.get(key)
        if not is_stated(given_part) and key not in CORE:
            continue
        anchor, title, lead = part(key)
        blocks = tuple(_blocks(key, given_part, provenance)) if is_stated(given_part) else ()
        if not blocks:
            blocks = (Paragraph(muted(_EMPTY), "note"),)
        yield key, Section(own(title), anchor, (Paragraph(own(lead), "lead"), *blocks))


def _blocks(key: str, content: Any, provenance: Mapping[str, Any]) -> Iterator[Block]:
    facts = tuple(_facts(key, content, provenance))
    if facts:
        yield Facts(facts, PARTS[key][0])
    for label in FIELDS[key]:
        value = dig(content, label.path)
        if label.path in _TABLES and is_stated(value):
            by_hand = "user_provided" in label.path
            table = _table(label, value, () if by_hand else source_words(provenance, f"{key}.{label.path}"))
            if table.rows:
                yield table


def _facts(key: str, content: Any, provenance: Mapping[str, Any]) -> Iterator[Fact]:
    for label in FIELDS[key]:
        value = dig(content, label.path)
        if label.path in _TABLES or not is_stated(value):
            continue
        source = source_words(provenance, f"{key}.{label.path}")
        if label.path == "risk_rating":
            rating = str(value)
            yield Fact(own(label.title), (), source, badge=Badge(RISK_TONES.get(rating, "calm"), rating))
        else:
            yield fact(label.title, value, source=source, is_prose=label.is_prose)


def _table(label: Label, value: Any, source: Words) -> Table:
    if label.path == "custom_details":
        rows = tuple(
            Row((given(name), scalar(text)))
            for name, text in (value.items() if isinstance(value, dict) else ())
            if is_stated(text)
        )
        return Table(
            own("Further details, in the authors' own words"),
            (Column("Name", 1.0), Column("What is said", 2.4)),
            rows,
            source,
        )
    items = objects(value)
    if "hyper_parameters" in label.path:
        rows = tuple(
            Row(
                (
                    named(item.get("name")),
                    scalar(item["value"]) if is_stated(item.get("value")) else muted("not stated"),
                )
            )
            for item in items
        )
        return Table(own(label.title), (Column("Parameter", 1.6), Column("Value", 2.0)), rows, source)
    if "metrics" in label.path:
        return _metrics(label.title, items, source)
    columns = _COLUMNS[label.path]
    return Table(
        own(label.title),
        tuple(Column(title, share) for _, title, share in columns),
        tuple(
            Row(
                tuple(scalar(item[k]) if is_stated(item.get(k)) else muted("not stated") for k, *_ in columns)
            )
            for item in items
        ),
        source,
    )


_COLUMNS: Final = {
    "source_algorithms": (("algorithm_name", "Algorithm", 1.0), ("model_data_url", "Model data", 1.4)),
    "inference_specification.containers": (
        ("image", "Image", 1.4),
        ("model_data_url", "Model data", 1.4),
        ("nearest_model_name", "Nearest model", 0.8),
    ),
}


def _metrics(title: str, items: Sequence[Mapping[str, Any]], source: Words) -> Table:
    has_notes = any(is_stated(item.get("notes")) for item in items)
    columns = [Column("Metric", 2.2), Column("Value", 1.0, is_number=True)]
    if has_notes:
        columns.append(Column("Notes", 2.6))
    rows = []
    for item in items:
        cells = [named(item.get("name")), simple_value(item.get("value"))]
        if has_notes:
            cells.append(given(item["notes"]) if is_stated(item.get("notes")) else ())
        rows.append(Row(tuple(cells)))
    return Table(own(title), tuple(columns), tuple(rows), source)


def simple_value(value: Any) -> Words:
    """Show the value of a simple metric."""
    if isinstance(value, bool):
        return own("true" if value else "false")
    if isinstance(value, (int, float)):
        return own(number(value))
    return given(value) if is_stated(value) else muted("not stated")


def unstated(content: Mapping[str, Any]) -> Iterator[tuple[str, Label | None]]:
    """Yield what the content does not state: the title of a section with a field of it, or with None for all of it."""
    for key in PARTS:
        title = PARTS[key][0]
        section = content.get(key)
        if not is_stated(section):
            if key in CORE:
                yield title, None
            continue
        for label in FIELDS.get(key, ()):
            value = dig(section, label.path)
            if not is_stated(value) or (label.path == "risk_rating" and value == "Unknown"):
                yield title, label
