"""The sections of a page that show what a card says beyond SageMaker's content: its extensions.

What a field is comes from the table of the extensions; here is only how its kinds are laid out. A group becomes facts,
a list of small objects a table, a list of large ones a part with facts for each.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from driftline.cards.extension_kinds import Group, Json, ListOf, Text
from driftline.cards.extension_table import TABLE
from driftline.cards.render.blocks import (
    Block,
    Column,
    Fact,
    Facts,
    Listing,
    Paragraph,
    Row,
    Section,
    Span,
    Table,
    Words,
    given,
    muted,
    own,
)
from driftline.cards.render.labels import humane
from driftline.cards.render.values import fact, is_stated, lines_of, number, objects, scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from driftline.cards.extension_kinds import Field

__all__ = ["CHAPTERS", "Chapter", "further"]

LONGEST_CELL: Final = 140
"""Characters of a text that still reads well in a column beside others."""

MOST_COLUMNS: Final = 5
MOST_JSON_LINES: Final = 60
LONGEST_JSON_LINE: Final = 64

ELSEWHERE: Final = ("schema_version", "evaluation", "metric_rationale")
"""Extensions that other sections show."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A section for some of the extensions."""

    anchor: str
    title: str
    lead: str
    keys: tuple[str, ...]


CHAPTERS: Final = (
    Chapter(
        "scope",
        "Scope and people affected",
        "What the model is not meant for, who uses it, and whom its output reaches.",
        ("scope", "fairness"),
    ),
    Chapter(
        "inputs-outputs",
        "Inputs and outputs",
        "What goes into the model and what comes out of it.",
        ("io", "expected_output"),
    ),
    Chapter(
        "data-sheets", "Data sheets", "Where the data come from, and how they were made ready.", ("data",)
    ),
    Chapter(
        "design",
        "Design and development",
        "How the model is built, from which parts, and which decisions made it what it is.",
        ("development", "architecture", "design_choices", "trade_offs", "base_models", "third_party"),
    ),
    Chapter(
        "risks",
        "Risks",
        "What may go wrong, how likely and how bad that is, and what is done about it.",
        ("risks",),
    ),
    Chapter(
        "oversight",
        "Human oversight",
        "How people keep the model in hand, and how they stop it.",
        ("oversight",),
    ),
    Chapter(
        "security",
        "Security and robustness",
        "How the model and its data are protected against attacks, faults and odd input.",
        ("security",),
    ),
    Chapter(
        "operation",
        "Supply and operation",
        "In which forms the model is supplied, what it runs on and works with, and which changes are foreseen.",
        (
            "deployment_forms",
            "interfaces",
            "hardware",
            "dependency_lock",
            "user_interface",
            "instructions_for_use",
            "change_plan",
        ),
    ),
    Chapter(
        "environment",
        "Computing and environmental cost",
        "What was computed for the model, and what that cost.",
        ("environment", "compute"),
    ),
    Chapter(
        "law",
        "Licences, law and standards",
        "Under which terms the model may be used, and which rules it was held to.",
        ("legal", "attestations"),
    ),
    Chapter(
        "monitoring-plan",
        "Monitoring after release",
        "How the model is watched while it is in use: which monitors run, what they hold it to, and who is told.",
        ("post_market_plan",),
    ),
    Chapter(
        "contacts",
        "Contacts, references and attachments",
        "Whom to ask, what to read, and which files belong to this card.",
        ("contacts", "references", "attachments", "catalogue"),
    ),
    Chapter(
        "changes",
        "Changes from version to version",
        "As the authors tell them; the record of versions follows below.",
        ("change_log",),
    ),
)
"""All extensions, in the order of the page; a test compares them with the table."""


def further(extensions: Mapping[str, Any]) -> Iterator[Section]:
    """Yield the sections of the extensions that say anything, without numbers."""
    for chapter in CHAPTERS:
        stated = [key for key in chapter.keys if is_stated(extensions.get(key))]
        if stated:
            yield _chapter(chapter, stated, extensions)
    known = {key for chapter in CHAPTERS for key in chapter.keys} | {*ELSEWHERE}
    others = [key for key in extensions if key not in known and is_stated(extensions[key])]
    if others:
        facts = tuple(Fact(given(humane(key)), _json_lines(extensions[key])) for key in others)
        lead = own("Statements that this version of driftline has no place for, as they were written.")
        yield Section(
            own("Further statements"), "others", (Paragraph(lead, "lead"), Facts(facts, "Further statements"))
        )


def _chapter(chapter: Chapter, keys: Sequence[str], extensions: Mapping[str, Any]) -> Section:
    blocks: list[Block] = [Paragraph(own(chapter.lead), "lead")]
    for key in keys:
        anchor = f"{chapter.anchor}-{key.replace('_', '-')}"
        inside = tuple(_blocks(TABLE.fields[key], extensions[key], key, anchor))
        if len(keys) > 1:
            blocks.append(Section(own(humane(key)), anchor, inside))
        else:
            blocks += inside
    return Section(own(chapter.title), chapter.anchor, tuple(blocks))


def _blocks(field: Field, value: Any, key: str, anchor: str) -> Iterator[Block]:
    """Lay out what stands at one place of the extensions."""
    if key == "thresholds" and isinstance(value, list):
        yield _thresholds(value)
    elif isinstance(field, Group) and isinstance(value, dict):
        yield from _group(field, value, key, anchor)
    elif isinstance(field, ListOf) and isinstance(value, list):
        yield from _list(field, value, key, anchor)
    else:
        yield Facts((_fact(field, value, key),), humane(key))


def _group(field: Group, value: Mapping[str, Any], key: str, anchor: str) -> Iterator[Block]:
    facts: list[Fact] = []
    after: list[tuple[str, Field, Any]] = []
    for name, inner in _pairs(field, value):
        inside = field.fields.get(name, Json("not in the table"))
        if isinstance(inside, ListOf) and isinstance(inside.item, Group):
            after.append((name, inside, inner))
        else:
            facts.append(_fact(inside, inner, name))
    if facts:
        yield Facts(tuple(facts), humane(key))
    for name, inside, inner in after:
        below = f"{anchor}-{name.replace('_', '-')}"
        laid_out = tuple(_blocks(inside, inner, name, below))
        if any(isinstance(block, Section) for block in laid_out):
            yield Section(own(humane(name)), below, laid_out, is_listed=False)
        else:
            yield from laid_out


def _pairs(field: Group, value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what an object states, in the order of the table; what the table does not know comes last."""
    for name in (*field.fields, *(name for name in value if name not in field.fields)):
        if is_stated(value.get(name)):
            yield name, value[name]


def _fact(field: Field, value: Any, key: str) -> Fact:
    label = own(humane(key))
    if isinstance(field, Json):
        return Fact(label, _json_lines(value))
    if isinstance(value, dict):
        return Fact(label, _inner_lines(field, value))
    return fact(
        humane(key),
        value,
        is_prose=isinstance(field, Text) and isinstance(value, str) and len(value) > LONGEST_CELL,
    )


def _inner_lines(field: Field, value: Mapping[str, Any]) -> tuple[Words, ...]:
    names = field if isinstance(field, Group) else Group("", {})
    return tuple(
        (Span(f"{humane(name)}: ", "muted"), *line)
        for name, inner in _pairs(names, value)
        for line in lines_of(inner)
    )


def _json_lines(value: Any) -> tuple[Words, ...]:
    if not isinstance(value, (dict, list)):
        return lines_of(value)
    lines: list[Words] = [(Span(line, "code"),) for line in _json(value, "")]
    if len(lines) > MOST_JSON_LINES:
        left = len(lines) - MOST_JSON_LINES
        return (*lines[:MOST_JSON_LINES], muted(f"and {left:,} more lines, all in the JSON of this card"))
    return tuple(lines)


def _json(value: Any, indent: str) -> Iterator[str]:
    """Write JSON with what is short on one line."""
    whole = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(whole) <= LONGEST_JSON_LINE or not isinstance(value, (dict, list)) or not value:
        yield indent + whole
        return
    inside = indent + "  "
    yield indent + ("{" if isinstance(value, dict) else "[")
    keys = (
        [f"{json.dumps(key, ensure_ascii=False)}: " for key in value]
        if isinstance(value, dict)
        else [""] * len(value)
    )
    for place, (key, item) in enumerate(
        zip(keys, value.values() if isinstance(value, dict) else value, strict=True), 1
    ):
        first, *others = _json(item, inside)
        comma = "," if place < len(value) else ""
        lines = [inside + key + first[len(inside) :], *others]
        yield from lines[:-1]
        yield lines[-1] + comma
    yield indent + ("}" if isinstance(value, dict) else "]")


def _list(field: ListOf, value: Sequence[Any], key: str, anchor: str) -> Iterator[Block]:
    item = field.item
    if not isinstance(item, Group):
        yield Listing(tuple(scalar(one) for one in value if is_stated(one)), humane(key))
        return
    items = objects(value)
    names = [name for name in _names(item, items) if any(is_stated(one.get(name)) for one in items)]
    shown: tuple[str, ...] = item.needs[:1]
    if key == "risks":
        yield _risk_table(items)
        shown = _RISK_COLUMNS
    elif _fits(items, names):
        yield _table(items, names, own(f"{field.meaning[:1].upper()}{field.meaning[1:]}"))
        return
    for place, one in enumerate(items, 1):
        rest = {name: inner for name, inner in one.items() if name not in shown}
        inside = tuple(_group(item, rest, key, f"{anchor}-{place}"))
        if inside or key != "risks":
            yield Section(_title(item, one, place), f"{anchor}-{place}", inside, is_listed=False)


def _names(item: Group, items: Sequence[Mapping[str, Any]]) -> list[str]:
    unknown = dict.fromkeys(name for one in items for name in one if name not in item.fields)
    return [*item.fields, *unknown]


def _fits(items: Sequence[Mapping[str, Any]], names: Sequence[str]) -> bool:
    """Tell whether a list of objects reads well as a table."""
    if len(names) > MOST_COLUMNS or not names:
        return False
    return all(
        not isinstance(one.get(name), dict)
        and not (isinstance(one.get(name), list) and any(isinstance(inner, dict) for inner in one[name]))
        and sum(len(part.text) for line in lines_of(one[name]) for part in line) <= LONGEST_CELL
        for one in items
        for name in names
        if is_stated(one.get(name))
    )


def _table(items: Sequence[Mapping[str, Any]], names: Sequence[str], caption: Words) -> Table:
    widths = {
        name: max(
            len(humane(name)),
            *(
                sum(len(part.text) for line in lines_of(one.get(name)) for part in line)
                if is_stated(one.get(name))
                else 0
                for one in items
            ),
        )
        for name in names
    }
    return Table(
        caption,
        tuple(Column(humane(name), max(0.8, min(3.0, widths[name] / 18))) for name in names),
        tuple(Row(tuple(_cell(one.get(name)) for name in names)) for one in items),
    )


def _cell(value: Any) -> Words:
    if not is_stated(value):
        return ()
    pieces: list[Span] = []
    for line in lines_of(value):
        pieces += [Span(", ")] if pieces else []
        pieces += line
    return tuple(pieces)


def _title(item: Group, one: Mapping[str, Any], place: int) -> Words:
    head = item.needs[0] if item.needs else next(iter(item.fields), "")
    text = one.get(head)
    if not is_stated(text):
        return own(f"{place}")
    shown = str(text).replace("\n", " ")
    return (
        Span(f"{place}. "),
        Span(shown if len(shown) <= LONGEST_CELL else shown[: LONGEST_CELL - 1] + "…", "given"),
    )


# -- two kinds of lists with a form of their own

_RISK_COLUMNS: Final = ("risk", "likelihood", "severity", "status", "owner")


def _risk_table(risks: Sequence[Any]) -> Table:
    rows = []
    for place, risk in enumerate(objects(risks), 1):
        cells = [_cell(risk.get(name)) for name in _RISK_COLUMNS]
        rows.append(Row(((Span(f"{place}. "), *cells[0]), *cells[1:])))
    shares = (3.2, 1.0, 0.9, 1.0, 1.2)
    columns = tuple(Column(humane(name), share) for name, share in zip(_RISK_COLUMNS, shares, strict=True))
    return Table(own("All risks"), columns, tuple(rows))


def _thresholds(bounds: Sequence[Any]) -> Table:
    rows = []
    for bound in objects(bounds):
        rows.append(
            Row(
                (
                    given(bound.get("check", "")),
                    _whose(bound),
                    _bound(bound),
                    own(number(bound["baseline"])) if _is_number(bound.get("baseline")) else (),
                    given(bound.get("severity", "")),
                    given(bound.get("source", "")),
                )
            )
        )
    columns = (
        Column("Check", 1.5),
        Column("Of", 1.5),
        Column("Bound", 1.3, is_number=True),
        Column("Baseline", 0.9, is_number=True),
        Column("Severity", 0.8),
        Column("Set by", 1.0),
    )
    return Table(own("Bounds in force"), columns, tuple(rows))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _whose(bound: Mapping[str, Any]) -> Words:
    if is_stated(bound.get("column")):
        return given(bound["column"])
    if _is_number(bound.get("columns")):
        n = bound["columns"]
        return own(f"{n:,} column" if n == 1 else f"{n:,} columns")
    return own("all")


def _bound(bound: Mapping[str, Any]) -> Words:
    if bound.get("enabled") is False:
        return muted("not checked")
    low, high, limit = bound.get("low"), bound.get("high"), bound.get("bound")
    if _is_number(low) or _is_number(high):
        ends = [number(end) if _is_number(end) else "any" for end in (low, high)]
        return own(f"{ends[0]} to {ends[1]}")
    return own(number(limit)) if _is_number(limit) else ()
