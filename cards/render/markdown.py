"""A card as Markdown for people and for `git diff`: one field or one sentence a line, charts as tables.

The dialect is GitHub's. Every mark of it in text from outside is escaped, so that the text shows as itself and makes
nothing: no heading, no link, no picture, no HTML.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Final

from driftline.cards.render import charts
from driftline.cards.render.blocks import (
    Band,
    Bars,
    Curve,
    Facts,
    Listing,
    Matrix,
    Notice,
    Paragraph,
    Section,
    Span,
    Table,
    own,
    plain,
)
from driftline.cards.render.page import page_of
from driftline.cards.render.text import one_line, sentences, visible
from driftline.cards.render.values import lines_of, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from driftline.cards.render.blocks import Badge, Block, Cover, Fact, Words
    from driftline.cards.view import CardView

__all__ = ["escaped", "to_markdown"]

MOST_POINTS: Final = 11
"""Points of a line that are listed."""

MOST_BARS: Final = 60

_BAR: Final = 20
"""Letters of the longest bar."""

_ALWAYS: Final = re.compile(r"([\\`*\[\]<>|~#$])")
_UNDERSCORE: Final = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_ENTITY: Final = re.compile(r"&(?=[A-Za-z#])")
_SCHEME: Final = re.compile(r"(?i)\b(https?|ftps?|mailto|xmpp):")
_WWW: Final = re.compile(r"(?i)\b(www)\.")
_START: Final = re.compile(r"^(\s*)(?:([-+=])|(\d{1,9})([.)])(?=\s|$))")


def escaped(text: str) -> str:
    r"""Escape text from outside for one line of Markdown.

    Examples
    --------
    >>> print(escaped("# not a *heading* <b>"), escaped("1. feature_dim"))
    \# not a \*heading\* \<b\> 1\. feature_dim
    """
    text = _ALWAYS.sub(r"\\\1", visible(text).replace("\n", " ").replace("\t", "    "))
    text = _UNDERSCORE.sub(r"\\_", text)
    text = _ENTITY.sub(r"\\&", text)
    text = _WWW.sub(r"\1\\.", _SCHEME.sub(r"\1\\:", text))
    text = _START.sub(_at_start, text)
    return re.sub(r"^ +| +$", lambda run: "&#32;" * len(run[0]), text)


def _at_start(match: re.Match[str]) -> str:
    space, mark, digits, point = match.groups()
    return f"{space}\\{mark}" if mark else f"{space}{digits}\\{point}"


def to_markdown(view: CardView) -> str:
    """Render a version of a card as GitHub-flavoured Markdown.

    Parameters
    ----------
    view : CardView

    Returns
    -------
    str
        The same text for the same view; a changed field changes its own line and few others.
    """
    page = page_of(view)
    parts = [*_cover(page.cover, page.mark)]
    for section in page.sections:
        parts += _section(section, 2)
    return "\n\n".join(part for part in parts if part) + "\n"


# -- words


def _span(span: Span) -> str:
    if not span.text:
        return ""
    text = escaped(span.text) if span.is_outside else span.text
    return f"**{text}**" if span.kind == "strong" else text


def _words(words: Words) -> str:
    return "".join(_span(span) for span in words)


def _badge(badge: Badge) -> str:
    return f"**{escaped(badge.text)}**"


def _sentences(words: Words) -> list[str]:
    """Return a line, one sentence a line where it is all of one kind."""
    if len(words) != 1:
        return [_words(words)]
    [span] = words
    return [_span(Span(part, span.kind)) for part in sentences(span.text)]


def _cell(words: Words) -> str:
    """Return the words of a cell; a line feed in it becomes ``<br>``."""
    parts = []
    for span in words:
        lines = span.text.replace("\r\n", "\n").split("\n") if span.is_outside else [span.text]
        parts.append("<br>".join(_span(Span(line, span.kind)) for line in lines))
    return "".join(parts).strip() or " "


# -- the page


def _cover(cover: Cover, mark: str) -> Iterator[str]:
    yield f"# {escaped(one_line(cover.title))}"
    yield " · ".join((_words(cover.subtitle) or cover.eyebrow, *(_badge(badge) for badge in cover.badges)))
    if cover.summary.strip():
        yield _prose(lines_of(cover.summary), "")
    yield f"> {_badge_of(cover.notice)}\n> {_words(cover.notice.words)}" if mark or cover.notice.words else ""
    yield "\n".join(_facts(cover.facts))
    yield "**Proof**"
    yield "\n".join(_facts(cover.seals))
    yield "\n".join(_sentences(own(cover.how)))


def _badge_of(notice: Notice) -> str:
    return f"**{notice.title}**\\"


def _section(section: Section, level: int) -> Iterator[str]:
    name = f"{section.number} " if section.number else ""
    title = _words(tuple(Span(one_line(span.text), span.kind) for span in section.title))
    # A heading's trailing number signs would be taken off; all of them are escaped already.
    yield f"{'#' * min(level, 6)} {name}{title}".rstrip()
    before: Block | None = None
    for block in section.blocks:
        if isinstance(block, Section):
            yield from _section(block, level + 1)
        else:
            if isinstance(block, Facts) and isinstance(before, (Facts, Listing)):
                yield "<!-- -->"  # or both would be one list
            yield from _block(block)
        before = block


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield "\n".join(_sentences(block.words))
    elif isinstance(block, Facts):
        yield "\n".join(_facts(block.rows))
    elif isinstance(block, Listing):
        if block.label:
            yield f"**{block.label}**"
        yield "\n".join(f"- {_cell(item)}" for item in block.items)
    elif isinstance(block, Notice):
        yield f"> {_badge_of(block)}\n> {_words(block.words)}"
    elif isinstance(block, Table):
        yield from _captioned(block.caption)
        rows = [
            [_cell(cell) for cell in row.cells] if not isinstance(row, Band) else [f"**{_cell(row.words)}**"]
            for row in block.rows
        ]
        titles = [escaped(column.title) for column in block.columns]
        yield _table(titles, rows, [column.is_number for column in block.columns])
        if block.note:
            yield _words(block.note)
    elif isinstance(block, (Curve, Bars, Matrix)):
        yield from _captioned(block.caption)
        yield from _chart(block)
        if block.note:
            yield _prose(lines_of(block.note), "")


def _captioned(caption: Words) -> Iterator[str]:
    yield f"**{_cell(caption)}**"


def _facts(facts: Sequence[Fact]) -> Iterator[str]:
    for fact in facts:
        badge = _badge(fact.badge) if fact.badge is not None else ""
        source = f" ({_words(fact.source)})" if fact.source else ""
        head = f"- **{_cell(fact.label)}:**"
        if fact.is_prose:
            yield f"{head}{source}\n{_prose(fact.lines, '  ')}"
        elif len(fact.lines) <= 1:
            line = _cell(fact.lines[0]).strip() if fact.lines else ""
            yield f"{head} {badge}{' ' if badge and line else ''}{line}{source}".rstrip()
        else:
            yield "\n".join(
                [f"{head}{source}", *(f"  - {_cell(line)}" for line in fact.lines if plain(line).strip())]
            )


def _prose(lines: Sequence[Words], indent: str) -> str:
    """Write lines of text: a sentence a line, a hard break where the text has one, a blank line between paragraphs."""
    written: list[str] = []
    blocks = itertools.groupby(lines, key=lambda line: bool(plain(line).strip()))
    for is_text, run in blocks:
        if not is_text:
            continue
        if written:
            written.append("")
        kept = list(run)
        for n, line in enumerate(kept, 1):
            parts = [indent + part for part in _sentences(line)]
            if n < len(kept):
                parts[-1] += "\\"
            written += parts
    return "\n".join(written)


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[bool]) -> str:
    rule = " | ".join("---:" if is_number else "---" for is_number in numbers)
    filled = ([*row, *[" "] * (len(titles) - len(row))] for row in rows)
    return "\n".join(
        [
            f"| {' | '.join(title or ' ' for title in titles)} |",
            f"| {rule} |",
            *(f"| {' | '.join(row)} |" for row in filled),
        ]
    )


# -- charts


def _chart(block: Curve | Bars | Matrix) -> Iterator[str]:
    if isinstance(block, Matrix):
        rows = [
            [escaped(one_line(label)) or " ", *(number(value) for value in row)]
            for label, row in zip(block.row_labels, block.values, strict=False)
        ]
        titles = ["", *(escaped(one_line(label)) for label in block.column_labels)]
        yield _table(titles, rows, [False, *[True] * len(block.column_labels)])
    elif isinstance(block, Bars):
        pairs = list(zip(block.labels, block.values, strict=True))
        largest = max(abs(value) for value in block.values) or 1.0
        rows = [
            [
                escaped(one_line(label)) or " ",
                number(value),
                ("−" if value < 0 else "") + "█" * round(_BAR * abs(value) / largest),
            ]
            for label, value in pairs[:MOST_BARS]
        ]
        yield _table(["Bar", escaped(one_line(block.y_name)) or "Value", " "], rows, [False, True, False])
        if len(pairs) > MOST_BARS:
            yield f"{len(pairs) - MOST_BARS:,} more bars are in the JSON of this card."
    else:
        points = charts.sampled(block.points, MOST_POINTS)
        heads = [escaped(one_line(block.x_name)) or "x", escaped(one_line(block.y_name)) or "y"]
        yield _table(heads, [[number(x), number(y)] for x, y in points], [True, True])
        if len(points) < len(block.points):
            yield f"{len(points)} of {len(block.points):,} points, evenly spaced."
