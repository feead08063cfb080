"""A card on paper: PDF/A-3a and PDF/UA-1, the same bytes for the same card on every machine.

The page is typeset by typst from a template of ours; a card's words reach it as data only. Fonts are those beside this
file: what they do not have is spelled by its number, never left out. The PDF carries the card as JSON.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from driftline.cards.render import charts
from driftline.cards.render.blocks import (
    Badge,
    Band,
    Bars,
    Curve,
    Fact,
    Facts,
    Listing,
    Matrix,
    Notice,
    Paragraph,
    Row,
    Section,
    Span,
    Table,
)
from driftline.cards.render.document import to_json
from driftline.cards.render.fonts import FOLDER, MONO, SANS, bundled, read_face, with_others
from driftline.cards.render.page import page_of
from driftline.cards.render.text import direction, language, one_line, spelled, visible
from driftline.cards.render.values import at, lines_of
from driftline.errors import InternalError, SourceError
from driftline.reports import wording

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from driftline.cards.render.blocks import Block, Cover, Page, Words
    from driftline.cards.render.fonts import Faces
    from driftline.cards.view import CardView

__all__ = ["STANDARDS", "to_pdf"]

STANDARDS: Final = ("a-3a", "ua-1")
"""What the files keep to: PDF/A-3a (ISO 19005-3) for archives, PDF/UA-1 (ISO 14289-1) for readers who do not see."""

PAGE: Final = 476.0
"""Width of the text, in points: A4 without its margins."""

LABEL: Final = 116.0
"""Width of the names of facts."""

_WORD: Final = re.compile(
    r"\s+|[\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\uff00-\uff60]|[^\s\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\uff00-\uff60]+"
)
"""White space, an ideograph or a Hangul syllable, between which lines break anyhow, or a word."""

_BREAKS: Final = frozenset("/_-.:,;=&?#%@|+~\\")
_LONGEST_PIECE: Final = 8
_MOST_UNBROKEN: Final = 700

_MOST_STRETCH: Final = 1.35
_LEAST_TABLE: Final = 236.0
_KEPT_LINES: Final = 18
"""Tables of fewer lines are not broken over two pages."""

_KEPT_FACTS: Final = 30
"""Nor are facts of fewer."""


def to_pdf(view: CardView, *, fonts: Sequence[str | Path] = ()) -> bytes:
    """Typeset a version of a card.

    Parameters
    ----------
    view : CardView
    fonts : sequence of path, optional
        Folders with more fonts, asked for characters that ours do not have. The page is then the same only where these
        fonts are the same.

    Returns
    -------
    bytes
        A PDF that keeps to :data:`STANDARDS`, with an outline, and with the card as ``card.json`` inside. Its date is
        that of the version's text. The same bytes for the same view and the same version of typst.

    Raises
    ------
    SourceError
        ``E-FILE``: a folder of `fonts` does not exist. ``E-CARD-FONT``: a font in it is damaged.
    InternalError
        The page could not be typeset.

    Notes
    -----
    One page takes some milliseconds, the first one of a process some 50 more for the fonts.
    """
    import typst

    book, families, faces = _book(tuple(str(folder) for folder in fonts))
    page = page_of(view)
    inputs = {
        "page": json.dumps(_Setter(faces).page(page), ensure_ascii=False),
        "fonts": json.dumps({"sans": families, "mono": [MONO, *families]}),
        "document": to_json(view),
    }
    template = _template()
    compiler = typst.Compiler(root=str(FOLDER.parent), font_paths=book, sys_inputs=inputs)
    try:
        data = compiler.compile(input=template, format="pdf", pdf_standards=list(STANDARDS), timestamp=0)
    except typst.TypstError as error:
        raise InternalError(f"the card could not be typeset: {error.message}") from error
    if not isinstance(data, bytes):
        raise InternalError("the card could not be typeset: typst gave no file")
    return data


@cache
def _template() -> bytes:
    return (FOLDER.parent / "card.typ").read_bytes()


@cache
def _book(folders: tuple[str, ...]) -> tuple[Any, list[str], Faces]:
    """Return the fonts for typst, the names of their families in the order of asking, and what they hold."""
    import typst

    for folder in folders:
        if not Path(folder).is_dir():
            raise SourceError("is no folder", code="E-FILE", file=folder, fix="check the path")
    book = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FOLDER), *folders]
    )
    ours = {*SANS, MONO}
    others: dict[str, list[Any]] = {}
    for font in book.fonts():
        if font.family not in ours and font.path is not None:
            others.setdefault(font.family, []).append(font)
    faces = bundled()
    families = [*SANS]
    for family in sorted(others):
        # A character must be there in the font that is taken for plain text.
        plain_first = sorted(
            others[family], key=lambda f: (f.style != "normal", abs(f.weight - 400), f.path, f.index)
        )
        path = Path(plain_first[0].path)
        faces = with_others(
            faces, [read_face(path.read_bytes(), file=str(path), number=plain_first[0].index)]
        )
        families.append(family)
    return book, families, faces


class _Setter:
    """Turns blocks into plain data for the template, with words made visible and broken where they are too long."""

    def __init__(self, faces: Faces) -> None:
        self.faces = faces
        self.known: dict[str, bool] = {}

    # -- words

    def spell(self, text: str) -> str:
        """Return text of which every character can be drawn; line feeds stay."""
        text = visible(text.replace("\r\n", "\n")).replace("\t", "    ")
        if text.isascii() or all(self.has(ch) for ch in text):
            return text
        text = unicodedata.normalize("NFC", text)
        return "".join(
            ch if self.has(ch) else " " if unicodedata.category(ch) == "Zs" else spelled(ch) for ch in text
        )

    def has(self, ch: str) -> bool:
        if ch not in self.known:
            self.known[ch] = ch == "\n" or self.faces.has(ch)
        return self.known[ch]

    def text(self, text: str, room: float, size: float = 9.0, style: str = "sans") -> str | list[str]:
        """Return text, in pieces where a word of it is wider than the room that it has."""
        text = self.spell(text)
        if self.faces.width(text, size, style) <= room:
            return text
        pieces = [""]
        for word in _WORD.findall(text):
            if len(word) > 4 and self.faces.width(word, size, style) > room:
                first, *others = _cut(word, lambda part: self.faces.width(part, size, style) > room)
                pieces[-1] += first
                pieces += others
            else:
                pieces[-1] += word
        return pieces if len(pieces) > 1 else pieces[0]

    def words(self, words: Words, room: float, size: float = 9.0, style: str = "sans") -> dict[str, Any]:
        """Return a line of words."""
        whole = [span.text for span in words if span.is_outside and span.text.strip()]
        own = any(not span.is_outside and span.text.strip() for span in words)
        rtl = not own and bool(whole) and direction(whole[0]) == "rtl"
        return {"spans": [self.span(span, room, size, style) for span in words], "rtl": rtl}

    def label(self, text: str) -> list[Any]:
        """Return a short text that does not break."""
        return [self.spell(one_line(text)), "", language(text), direction(text)]

    def span(self, span: Span, room: float, size: float, style: str) -> list[Any]:
        if span.kind == "code":
            return [self.text(span.text, room, size * 0.92, "mono"), "code", "", ""]
        text = self.text(span.text, room, size, "bold" if span.kind == "strong" else style)
        kind = span.kind if span.kind in ("muted", "strong") else ""
        is_outside = span.kind == "given"
        return [
            text,
            kind,
            language(span.text) if is_outside else "",
            direction(span.text) if is_outside else "",
        ]

    def lines(self, lines: Sequence[Words], room: float, size: float = 9.0) -> list[dict[str, Any]]:
        return [self.words(line, room, size) for line in lines]

    # -- blocks

    def page(self, page: Page) -> dict[str, Any]:
        """Return the whole page."""
        when = at(page.moment) if 0 <= page.moment < _LATEST else at(0)
        title = one_line(page.title)
        return {
            "meta": {
                "title": f"{title} – model card, version {page.version}",
                "author": [one_line(page.author)],
                "description": f"Model card {visible(page.name)}, version {page.version}: {page.status.text}",
                "keywords": ["model card", visible(page.name), page.status.text, page.content_hash],
                "date": {
                    "year": when.year,
                    "month": when.month,
                    "day": when.day,
                    "hour": when.hour,
                    "minute": when.minute,
                    "second": when.second,
                },
            },
            "mark": {"text": self.spell(page.mark), "tone": page.status.tone},
            "status": self.badge(page.status),
            "running": self.words(
                (Span(self.shortened(page.title, 300, 8, "bold"), "given"),), 400, 8, "bold"
            ),
            "version-word": f"Version {page.version:,}",
            "foot": self.shortened(f"Model card {page.name}", 260, 7.5, "sans"),
            "short-hash": page.content_hash[:19] + "…",
            "cover": self.cover(page.cover),
            "sections": self.blocks(page.sections),
        }

    def shortened(self, text: str, room: float, size: float, style: str) -> str:
        """Return the begin of a text, as much of it as fits."""
        text = self.spell(one_line(text))
        if self.faces.width(text, size, style) <= room:
            return text
        width = self.faces.width("…", size, style)
        n = 0
        while n < len(text):
            width += self.faces.width(text[n], size, style)
            if width > room:
                break
            n += 1
        return text[:n].rstrip() + "…"

    def cover(self, cover: Cover) -> dict[str, Any]:
        width = self.faces.width(self.spell(cover.title), 1.0, "bold")
        size = next((size for size in (30, 26, 22, 18, 15) if width * size < 2.4 * PAGE), 12)
        return {
            "eyebrow": cover.eyebrow,
            "title": self.words((Span(cover.title, "given"),), PAGE, size, "bold"),
            "title-size": size,
            "subtitle": self.words(cover.subtitle, PAGE, 10.5) if cover.subtitle else None,
            "summary": self.lines(lines_of(cover.summary), PAGE, 10.5) if cover.summary.strip() else [],
            "badges": [self.badge(badge) for badge in cover.badges],
            "notice": self.notice(cover.notice),
            "facts": [self.fact(row) for row in cover.facts],
            "seals": [self.fact(row) for row in cover.seals],
            "how": f"{cover.how} This file holds the card as card.json, with which both can be computed again.",
        }

    def badge(self, badge: Badge) -> dict[str, Any]:
        return {
            "tone": badge.tone,
            "marked": badge.is_marked,
            "text": self.text(badge.text, 300, 9.5, "bold"),
        }

    def notice(self, notice: Notice) -> dict[str, Any]:
        return {
            "type": "notice",
            "tone": notice.tone,
            "title": notice.title,
            "line": self.words(notice.words, PAGE - 24) if notice.words else None,
        }

    def fact(self, fact: Fact) -> dict[str, Any]:
        room = PAGE - LABEL - 5
        return {
            "label": self.words(fact.label, LABEL - 7),
            "lines": self.lines(fact.lines, room),
            "source": self.words(fact.source, room, 7.6) if fact.source else None,
            "badge": self.badge(fact.badge) if fact.badge is not None else None,
        }

    def blocks(self, blocks: Sequence[Block], depth: int = 0) -> list[dict[str, Any]]:
        """Return blocks; charts that follow each other stand side by side."""
        found: list[dict[str, Any]] = []
        for block in blocks:
            data = self.block(block, depth)
            if data["type"] == "chart":
                if not found or found[-1]["type"] != "charts":
                    found.append({"type": "charts", "items": []})
                found[-1]["items"].append(data)
            else:
                found.append(data)
        return found

    def block(self, block: Block, depth: int) -> dict[str, Any]:
        if isinstance(block, Section):
            return {
                "type": "section",
                "title": self.words(block.title, PAGE - 60, (15, 11, 9.2, 9)[min(depth, 3)], "bold"),
                "anchor": block.anchor,
                "number": block.number,
                "listed": block.is_listed,
                "blocks": self.blocks(block.blocks, depth + 1),
            }
        if isinstance(block, Paragraph):
            return {"type": "paragraph", "role": block.role, "line": self.words(block.words, PAGE)}
        if isinstance(block, Facts):
            room = PAGE - LABEL - 5
            lines = sum(
                sum(self.height(line, room, 9) for line in row.lines) + len(row.source[:1]) + 0.7
                for row in block.rows
            )
            return {
                "type": "facts",
                "rows": [self.fact(row) for row in block.rows],
                "keep": lines < _KEPT_FACTS,
            }
        if isinstance(block, Listing):
            return {"type": "list", "label": block.label, "items": self.lines(block.items, PAGE - 16)}
        if isinstance(block, Notice):
            return self.notice(block)
        if isinstance(block, Table):
            return self.table(block)
        if isinstance(block, Matrix):
            return self.matrix(block)
        return self.chart(block)

    def table(self, table: Table) -> dict[str, Any]:
        widths = self.widths(table)
        rooms = [width - 9.5 for width in widths]
        rows: list[dict[str, Any]] = []
        lines = 0.0
        for row in table.rows:
            if isinstance(row, Band):
                rows.append({"band": True, "line": self.words(row.words, sum(widths) - 8, 8, "bold")})
                lines += 1.5
                continue
            is_long = sum(len(span.text) for cell in row.cells for span in cell) > _MOST_UNBROKEN
            cells = [
                {"line": self.words(cell, room, 8), "breakable": is_long}
                for cell, room in zip(row.cells, rooms, strict=True)
            ]
            lines += (
                max(self.height(cell, room, 8) for cell, room in zip(row.cells, rooms, strict=True)) + 0.6
            )
            rows.append({"band": False, "cells": cells})
        return {
            "type": "table",
            "caption": self.words(table.caption, PAGE, 8.4, "bold"),
            "columns": [
                {
                    "title": self.text(column.title, room, 7.6, "bold"),
                    "width": round(width, 2),
                    "number": column.is_number,
                }
                for column, width, room in zip(table.columns, widths, rooms, strict=True)
            ],
            "rows": rows,
            "keep": lines < _KEPT_LINES,
            "note": self.words(table.note, PAGE, 7.6) if table.note else None,
        }

    def widths(self, table: Table) -> list[float]:
        """Return the widths of columns: as wide as what they hold, as long as the page has room for that."""
        wants = []
        for i, column in enumerate(table.columns):
            cells = [self.line_width(row.cells[i], 8) for row in table.rows if isinstance(row, Row)]
            wants.append(max([self.faces.width(self.spell(column.title), 7.6, "bold"), *cells]) + 12)
        total = sum(wants)
        if total <= PAGE:
            stretch = max(1.0, min(PAGE / total, _MOST_STRETCH), _LEAST_TABLE / total)
            return [want * stretch for want in wants]
        # Columns that are content with less than their share leave the rest to the others.
        widths = [0.0] * len(wants)
        left, open_ = PAGE, set(range(len(wants)))
        while open_:
            shares = sum(table.columns[i].share for i in open_)
            content = {i for i in open_ if wants[i] <= left * table.columns[i].share / shares}
            if not content:
                for i in open_:
                    widths[i] = left * table.columns[i].share / shares
                break
            for i in sorted(content):
                widths[i] = wants[i]
            left -= sum(wants[i] for i in content)
            open_ -= content
        return widths

    def line_width(self, words: Words, size: float) -> float:
        """Return how wide a line of words is, where nothing breaks it."""
        styles = {"code": "mono", "strong": "bold"}
        return max(
            sum(
                self.faces.width(self.spell(part), size, styles.get(span.kind, "sans"))
                for span in words
                for part in [span.text]
            )
            if words
            else 0.0,
            0.0,
        )

    def height(self, words: Words, room: float, size: float) -> int:
        """Estimate how many lines words take."""
        return int(self.line_width(words, size) / room) + 1

    # -- charts

    def chart(self, block: Curve | Bars) -> dict[str, Any]:
        drawing = charts.curve(block) if isinstance(block, Curve) else charts.bars(block)
        notes = [block.note] if block.note else []
        if isinstance(block, Bars) and charts.left_out(block):
            left = wording.plural(charts.left_out(block), "shorter bar")
            notes.append(f"{left} not drawn; the JSON of this card has all of them.")
        return {
            "type": "chart",
            "caption": self.words(block.caption, charts.WIDTH - 8, 8.4, "bold"),
            "drawing": charts.as_data(drawing, self.label),
            "note": self.words((Span(" ".join(notes), "given"),), charts.WIDTH - 4, 7.6) if notes else None,
            "table": self.points(block) if isinstance(block, Curve) else None,
        }

    def points(self, block: Curve) -> dict[str, Any]:
        """Return some points of a line as a table of two rows."""
        for most in (8, 6, 5, 4, 3):
            points = charts.sampled(block.points, most)
            texts = [[wording.number(point[i], 3) for point in points] for i in (0, 1)]
            widest = max(self.faces.width(text, 6.4) for row in texts for text in row)
            if (widest + 4) * len(points) < charts.WIDTH - 68:
                break
        names = (block.x_name or "x", block.y_name or "y")
        return {
            "columns": [""] * len(points),
            "rows": [
                {"name": self.label(charts.shortened(self.spell(name), 66)), "values": row}
                for name, row in zip(names, texts, strict=True)
            ],
        }

    def matrix(self, block: Matrix) -> dict[str, Any]:
        n = max(1, len(block.column_labels))
        texts = [[wording.number(value, 3) for value in row] for row in block.values]
        values = [value for row in block.values for value in row]
        low, high = min(0.0, *values), max(0.0, *values)
        label = min(
            104.0 if n > 12 else 130.0,
            16.0 + max(self.faces.width(self.spell(text), 8) for text in block.row_labels) + 4,
        )
        cell = min(58.0, (PAGE - label) / n)
        inset = 1.2 if n > 12 else 2.5 if n > 8 else 4.0
        widest = max((self.faces.width(text) for row in texts for text in row), default=1.0)
        size = max(4.2, min(8.0, (cell - 2 * inset - 0.6) / max(widest, 0.1)))
        room = cell - 2 * inset - 0.5
        heads = [charts.wrapped(self.spell(text), room * 7.0 / size, 2) for text in block.column_labels]
        fits = all("…" not in line for head in heads for line in head) and not any(
            len(head) > 1 and " " not in text for head, text in zip(heads, block.column_labels, strict=True)
        )
        same = block.row_labels == block.column_labels
        rows_at = max(size, 6.0)
        rows = []
        for i, (text, row, figures) in enumerate(zip(block.row_labels, block.values, texts, strict=False)):
            shown = self.spell(text)
            name = f"{i + 1}  {shown}" if same and not fits else shown
            parts = charts.wrapped(name, (label - 2 * inset - 4) * 7.0 / rows_at, 2)
            cells: list[Any] = [
                [figure, _shade(value, low, high)] for figure, value in zip(figures, row, strict=True)
            ]
            rows.append(
                {"label": [self.label(part) for part in parts], "cells": cells + [None] * (n - len(cells))}
            )
        if fits:
            columns = [[self.label(part) for part in head] for head in heads]
        else:
            columns = [[self.label(str(i + 1))] for i in range(n)]
        legend = []
        if not fits and not same:
            legend = [
                [self.label(f"{i + 1} "), [self.text(text, PAGE, 7.4), "", language(text), direction(text)]]
                for i, text in enumerate(block.column_labels)
            ]
        return {
            "type": "matrix",
            "caption": self.words(block.caption, PAGE, 8.4, "bold"),
            "size": round(size, 2),
            "label-size": round(rows_at, 2),
            "inset": inset,
            "label-width": round(label, 2),
            "cell-width": round(cell, 2),
            "columns": columns,
            "rows": rows,
            "legend": legend,
            "note": self.words((Span(block.note, "given"),), PAGE, 7.6) if block.note else None,
        }


_LATEST: Final = 253_402_300_799_000_000
"""The last second of the year 9999."""


def _shade(value: float, low: float, high: float) -> int:
    """Return how dark a cell is, from 5 to 90."""
    if not low < high:
        return 5
    return 5 + round(85 * (value / 2 - low / 2) / (high / 2 - low / 2))


def _cut(word: str, is_wide: Callable[[str], bool]) -> list[str]:
    """Cut a word where it reads well: after marks that join names, and every few letters where these are too far apart."""
    parts: list[str] = [""]
    for ch in word:
        last = parts[-1]
        if len(last) > 2 and last[-1] in _BREAKS and ch not in _BREAKS and not unicodedata.combining(ch):
            parts.append("")
        parts[-1] += ch
    return [piece for part in parts for piece in (_chunks(part) if is_wide(part) else [part])]


def _chunks(part: str) -> list[str]:
    pieces = [""]
    for ch in part:
        if len(pieces[-1]) >= _LONGEST_PIECE and not unicodedata.combining(ch) and ch not in "\u200c\u200d":
            pieces.append("")
        pieces[-1] += ch
    return pieces
