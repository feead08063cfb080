"""A card as one HTML page that needs nothing else: no network, no second file, no script.

All outside text is escaped, and the page's Content-Security-Policy forbids everything but its own style sheet, which it
knows by its digest.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Final

from driftline.cards.render import charts
from driftline.cards.render.blocks import (
    LANGUAGE,
    Band,
    Bars,
    Curve,
    Facts,
    Listing,
    Matrix,
    Notice,
    Paragraph,
    Section,
    Table,
    given,
    own,
    plain,
)
from driftline.cards.render.page import page_of
from driftline.cards.render.text import direction, language, one_line, visible
from driftline.cards.render.values import lines_of, number
from driftline.reports import wording

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from driftline.cards.render.blocks import Badge, Block, Cover, Fact, Page, Row, Span, Tone, Words
    from driftline.cards.view import CardView

__all__ = ["to_html"]

MOST_LISTED: Final = 200
"""Points and bars of a chart that are listed below it."""

_LONG_TITLE: Final = 90

_MARKS: Final = {
    "good": '<path fill="currentColor" d="M8 .7a7.3 7.3 0 1 0 0 14.6A7.3 7.3 0 0 0 8 .7Zm3.4 3.9 1.5 1.3-5.6'
    ' 6.4L3.2 8.6l1.3-1.5 2.6 2.3Z"/>',
    "unsure": '<path fill="currentColor" fill-rule="evenodd" d="M8 .9 15.6 14.4H.4ZM7.2 5.4v4.4h1.6V5.4Z'
    'm0 5.7v1.6h1.6v-1.6Z"/>',
    "bad": '<path fill="currentColor" fill-rule="evenodd" d="M5.1.8h5.8l4.3 4.3v5.8l-4.3 4.3H5.1L.8 10.9V5.1Z'
    'm2.1 3v5h1.6v-5Zm0 6.4v1.7h1.6v-1.7Z"/>',
    "calm": '<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.7"/>',
}


def to_html(view: CardView) -> str:
    """Render a version of a card as one self-contained HTML page.

    Parameters
    ----------
    view : CardView

    Returns
    -------
    str
        An HTML 5 document without scripts; the same text for the same view.
    """
    page = page_of(view)
    style, digest = _style()
    policy = f"default-src 'none'; style-src '{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    title = f"{one_line(page.title)} – model card, version {page.version}"
    return (
        f'<!doctype html>\n<html lang="{LANGUAGE}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f'<a class="skip" href="#main">Skip to the card</a>\n{_top(page)}\n'
        f'<div class="wrap">\n{_cover(page.cover)}\n<div class="body">\n{_contents(page)}\n<main id="main">\n'
        f"{''.join(_section(section, 2) for section in page.sections)}</main>\n</div>\n"
        f"<footer>Model card {_outside(page.name)}, version {page.version:,}, <code>{escape(page.content_hash)}</code>."
        " This page is complete: it loads nothing from anywhere.</footer>\n</div>\n</body>\n</html>\n"
    )


@cache
def _style() -> tuple[str, str]:
    from importlib import resources

    text = resources.files("driftline.cards.render").joinpath("card.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return text, f"sha256-{digest}"


# -- words


def _outside(text: str) -> str:
    known = language(text)
    tag = f' lang="{known}"' if known else ""
    return f"<bdi{tag}>{escape(visible(text))}</bdi>"


def _span(span: Span) -> str:
    if span.kind == "code":
        return f"<code>{escape(visible(span.text))}</code>"
    if span.kind == "given":
        return _outside(span.text)
    text = escape(span.text)
    return {"muted": f'<span class="muted">{text}</span>', "strong": f"<strong>{text}</strong>"}.get(
        span.kind, text
    )


def _words(words: Words) -> str:
    return "".join(_span(span) for span in words)


def _direction(words: Words) -> str:
    """Return the attribute that sets a line from right to left, where all of it is such a text."""
    outside = [span.text for span in words if span.is_outside and span.text.strip()]
    is_all = outside and not any(not span.is_outside and span.text.strip() for span in words)
    return ' dir="rtl"' if is_all and direction(outside[0]) == "rtl" else ""


def _icon(tone: Tone) -> str:
    return f'<svg class="i" viewBox="0 0 16 16" aria-hidden="true">{_MARKS[tone]}</svg>'


def _badge(badge: Badge) -> str:
    about = f' title="{escape(badge.about)}"' if badge.about else ""
    mark = _icon(badge.tone) if badge.is_marked else ""
    return f'<span class="badge {badge.tone}"{about}>{mark}{_outside(badge.text)}</span>'


# -- cover


def _top(page: Page) -> str:
    if not page.mark:
        return '<div class="edge"></div>'
    return (
        f'<div class="mark {page.status.tone}" role="status">{_icon(page.status.tone)}'
        f"<span>{escape(visible(page.mark))}</span></div>"
    )


def _cover(cover: Cover) -> str:
    long = ' class="long"' if len(cover.title) > _LONG_TITLE else ""
    title = given(cover.title)
    subtitle = f'<p class="subtitle">{_words(cover.subtitle)}</p>' if cover.subtitle else ""
    summary = f'<div class="summary">{_prose(lines_of(cover.summary))}</div>' if cover.summary.strip() else ""
    return (
        f'<header><div class="brand"><b>{escape(cover.eyebrow)}</b><span>driftline</span></div>\n<div class="cover">'
        f"<h1{long}{_direction(title)}>{_words(title)}</h1>{subtitle}"
        f'<div class="badges">{"".join(_badge(badge) for badge in cover.badges)}</div>{summary}{_notice(cover.notice)}'
        f"{_facts(cover.facts)}<h2>Proof</h2>{_facts(cover.seals)}"
        f'<p class="how">{escape(cover.how)}</p></div></header>'
    )


def _notice(notice: Notice) -> str:
    return (
        f'<div class="notice {notice.tone}" role="note"><b>{_icon(notice.tone)}{escape(visible(notice.title))}</b>'
        f"<p>{_words(notice.words)}</p></div>"
    )


def _contents(page: Page) -> str:
    return f'<nav aria-label="Contents"><h2>Contents</h2>{_entries(page.sections)}</nav>'


def _entries(sections: Sequence[Section]) -> str:
    items = []
    for section in sections:
        inner = [one for one in section.sections() if one.is_listed]
        link = f'<a href="#{section.anchor}"><span>{section.number}</span><span>{_words(section.title)}</span></a>'
        items.append(f"<li>{link}{_entries(inner) if inner else ''}</li>")
    return f"<ol>{''.join(items)}</ol>"


# -- blocks


def _section(section: Section, level: int) -> str:
    tag = f"h{min(level, 6)}"
    name = f'<span class="n">{section.number}</span>' if section.number else ""
    return (
        f'<section id="{section.anchor}" aria-labelledby="h-{section.anchor}"><{tag} id="h-{section.anchor}">{name}'
        f"{_words(section.title)}</{tag}>\n{''.join(_blocks(section, level))}</section>\n"
    )


def _blocks(section: Section, level: int) -> Iterator[str]:
    """Yield the blocks of a section; charts that follow each other stand side by side."""
    drawn: list[str] = []
    for place, block in enumerate(section.blocks):
        if isinstance(block, (Curve, Bars)):
            drawn.append(_chart(block, f"{section.anchor}-chart-{place}"))
            continue
        if drawn:
            yield f'<div class="charts">{"".join(drawn)}</div>\n'
            drawn = []
        yield _section(block, level + 1) if isinstance(block, Section) else _block(block)
    if drawn:
        yield f'<div class="charts">{"".join(drawn)}</div>\n'


def _block(block: Block) -> str:
    if isinstance(block, Paragraph):
        kind = f' class="{block.role}"' if block.role else ""
        return f"<p{kind}>{_words(block.words)}</p>\n"
    if isinstance(block, Facts):
        return f"{_facts(block.rows)}\n"
    if isinstance(block, Listing):
        label = f'<p class="label">{escape(block.label)}</p>' if block.label else ""
        items = "".join(f"<li{_direction(item)}>{_words(item)}</li>" for item in block.items)
        return f'{label}<ul class="items">{items}</ul>\n'
    if isinstance(block, Notice):
        return _notice(block)
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Matrix):
        return _matrix(block)
    return ""


def _facts(rows: Sequence[Fact]) -> str:
    return f'<dl class="facts">{"".join(_fact(row) for row in rows)}</dl>'


def _fact(fact: Fact) -> str:
    badge = _badge(fact.badge) if fact.badge is not None else ""
    source = f"<small>{_words(fact.source)}</small>" if fact.source else ""
    return f"<div><dt>{_words(fact.label)}</dt><dd>{badge}{_prose(fact.lines)}{source}</dd></div>"


def _prose(lines: Sequence[Words]) -> str:
    """Write lines; an empty one ends a paragraph."""
    paragraphs: list[list[Words]] = [[]]
    for line in lines:
        if plain(line).strip():
            paragraphs[-1].append(line)
        elif paragraphs[-1]:
            paragraphs.append([])
    return "".join(
        f"<p{_direction(lines[0])}>{'<br>'.join(_words(line) for line in lines)}</p>"
        for lines in paragraphs
        if lines
    )


def _table(table: Table) -> str:
    heads = "".join(
        f'<th scope="col"{_number(column.is_number)}>'
        f"{_outside(column.title) if column.is_outside else escape(column.title)}</th>"
        for column in table.columns
    )
    parts: list[str] = []
    rows: list[str] = []
    for row in table.rows:
        if isinstance(row, Band):
            if rows:
                parts.append(f"<tbody>{''.join(rows)}</tbody>")
            band = f'<th scope="rowgroup" colspan="{len(table.columns)}">{_words(row.words)}</th>'
            rows = [f'<tr class="band">{band}</tr>']
        else:
            rows.append(_row(row, table))
    parts.append(f"<tbody>{''.join(rows)}</tbody>")
    note = f'<p class="note">{_words(table.note)}</p>' if table.note else ""
    return (
        f"{_region('scroll', table.caption)}<table><caption>{_words(table.caption)}</caption>"
        f"<thead><tr>{heads}</tr></thead>{''.join(parts)}</table></div>{note}\n"
    )


def _region(kind: str, caption: Words) -> str:
    """Open a region that can be moved sideways with the keyboard."""
    return f'<div class="{kind}" role="region" tabindex="0" aria-label="{escape(one_line(plain(caption)))}">'


def _number(is_number: bool) -> str:
    return ' class="num"' if is_number else ""


def _row(row: Row, table: Table) -> str:
    cells = []
    for i, (cell, column) in enumerate(zip(row.cells, table.columns, strict=True)):
        kind = f"{_number(column.is_number)}{_direction(cell)}"
        cells.append(
            f'<th scope="row"{kind}>{_words(cell)}</th>' if i == 0 else f"<td{kind}>{_words(cell)}</td>"
        )
    return f"<tr>{''.join(cells)}</tr>"


def _matrix(block: Matrix) -> str:
    values = [value for row in block.values for value in row]
    low, high = min(0.0, *values), max(0.0, *values)
    is_wide = len(block.column_labels) > 10
    # Long names over narrow columns: numbers instead, which stand beside the names of the rows or below the matrix.
    is_numbered = is_wide and max(len(label) for label in block.column_labels) > 8
    same = block.row_labels == block.column_labels
    heads = "".join(
        f'<th scope="col"><abbr title="{escape(one_line(label))}">{n}</abbr></th>'
        if is_numbered
        else f'<th scope="col">{_outside(label)}</th>'
        for n, label in enumerate(block.column_labels, 1)
    )
    rows = "".join(
        f'<tr><th scope="row">{f"{n} " if is_numbered and same else ""}{_outside(label)}</th>'
        + "".join(f'<td class="h{_step(value, low, high)}">{wording.number(value, 4)}</td>' for value in row)
        + "</tr>"
        for n, (label, row) in enumerate(zip(block.row_labels, block.values, strict=False), 1)
    )
    wide = " wide" if is_wide else ""
    note = f'<p class="note">{_outside(block.note)}</p>' if block.note else ""
    if is_numbered and not same:
        legend = "; ".join(f"{n} {_outside(label)}" for n, label in enumerate(block.column_labels, 1))
        note = f'<p class="note">Columns: {legend}</p>{note}'
    return (
        f"{_region(f'scroll matrix{wide}', block.caption)}<table><caption>{_words(block.caption)}</caption>"
        f"<thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
        f"{note}\n"
    )


def _step(value: float, low: float, high: float) -> int:
    """Return how dark a cell is, in twentieths."""
    return round(18 * (value / 2 - low / 2) / (high / 2 - low / 2)) if low < high else 0


def _chart(block: Curve | Bars, name: str) -> str:
    drawing = charts.curve(block) if isinstance(block, Curve) else charts.bars(block)
    note = f'<p class="note">{_outside(block.note)}</p>' if block.note else ""
    if isinstance(block, Bars) and charts.left_out(block):
        left = wording.plural(charts.left_out(block), "shorter bar")
        note += f'<p class="note">{left} not drawn.</p>'
    caption = f"<figcaption>{_words(block.caption)}</figcaption>"
    return f"<figure>{caption}{charts.svg(drawing, name)}{note}{_listed(block)}</figure>"


def _listed(block: Curve | Bars) -> str:
    if isinstance(block, Curve):
        heads = [block.x_name or "x", block.y_name or "y"]
        points = charts.sampled(block.points, MOST_LISTED)
        rows = [(f'<td class="num">{number(x)}</td>', f'<td class="num">{number(y)}</td>') for x, y in points]
        total, what = len(block.points), "points"
    else:
        heads = ["Bar", block.y_name or "Value"]
        pairs = list(zip(block.labels, block.values, strict=True))[:MOST_LISTED]
        rows = [
            (f'<th scope="row">{_outside(label)}</th>', f'<td class="num">{number(x)}</td>')
            for label, x in pairs
        ]
        total, what = len(block.values), "bars"
    shown = "all" if len(rows) == total else f"{len(rows):,} of"
    titles = "".join(f'<th scope="col" class="num">{_outside(head)}</th>' for head in heads)
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return (
        f"<details><summary>Figures</summary>{_region('scroll', own('Figures'))}<table>"
        f"<caption>{shown} {total:,} {what}</caption><thead><tr>{titles}</tr></thead>"
        f"<tbody>{body}</tbody></table></div></details>"
    )
