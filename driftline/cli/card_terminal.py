"""How a model card looks in a terminal: the same page that is drawn as PDF and HTML, in letters."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from driftline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import RenderableType
    from rich.text import Text

    from driftline.cards.render.blocks import Badge, Block, Cover, Fact, Matrix, Notice, Page, Section, Words
    from driftline.cards.render.blocks import Table as TableBlock

__all__ = ["print_page"]

_WIDTH: Final = 100
_LABEL: Final = 26
_LONGEST: Final = 20_000
_TONES: Final = {"good": "green", "unsure": "yellow", "bad": "red", "calm": ""}
_MARKS: Final = {"good": "✓", "unsure": "…", "bad": "!", "calm": "·"}
_STYLES: Final = {"own": "", "given": "", "code": "", "muted": "dim", "strong": "bold"}


def print_page(page: Page) -> None:
    """Print a card: what it is, every section, and the state of its monitors; not the annexes."""
    from rich.console import Console

    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH
    with console.capture() as capture:
        for piece in _page(page):
            console.print(piece)
    # Nobody wants the spaces with which lines are filled.
    for line in capture.get().splitlines():
        sys.stdout.write(line.rstrip() + "\n")


def _page(page: Page) -> Iterator[RenderableType]:
    from rich.text import Text

    yield from _cover(page.cover)
    silent = []
    for section in page.sections:
        if not section.number.isdecimal():
            continue  # annexes are for those who have only the paper
        if _says_something(section):
            yield from _section(section, 0)
        else:
            silent.append(_line(section.title).plain)
    if silent:
        yield Text()
        yield Text(f"Nothing is said about: {', '.join(silent)}.", style="dim")


def _says_something(section: Section) -> bool:
    from driftline.cards.render.blocks import Paragraph

    return not all(isinstance(block, Paragraph) for block in section.blocks)


def _cover(cover: Cover) -> Iterator[RenderableType]:
    from rich.text import Text

    yield Text(printable(cover.title, 300), style="bold")
    yield _line(cover.subtitle)
    yield Text("   ").join(_badge(badge) for badge in cover.badges)
    yield from _notice(cover.notice)
    if cover.summary:
        yield Text()
        yield Text(printable(cover.summary, _LONGEST))
    yield Text()
    yield _rows((*cover.facts, *cover.seals))


def _badge(badge: Badge) -> Text:
    from rich.text import Text

    text = Text(f"{_MARKS[badge.tone]} ", style=_TONES[badge.tone])
    text.append(printable(badge.text, 100))
    return text


def _notice(notice: Notice) -> Iterator[RenderableType]:
    from rich.text import Text

    head = Text(f"{_MARKS[notice.tone]} {printable(notice.title, 300)}", style=_TONES[notice.tone])
    said = _line(notice.words)
    yield Text.assemble(head, ". ", said) if said else head


def _section(section: Section, depth: int) -> Iterator[RenderableType]:
    from rich.text import Text

    head = f"{section.number}  " if section.number else ""
    yield Text()
    yield Text.assemble(head, _line(section.title), style="bold underline" if not depth else "bold")
    for block in section.blocks:
        yield from _block(block, depth)


def _block(block: Block, depth: int) -> Iterator[RenderableType]:
    from rich.text import Text

    from driftline.cards.render import blocks

    match block:
        case blocks.Section():
            yield from _section(block, depth + 1)
        case blocks.Paragraph(words, role):
            if role != "lead":
                yield _line(words)
        case blocks.Facts():
            yield _rows(block.rows)
        case blocks.Listing(items, label):
            if label:
                yield Text(label, style="bold")
            for item in items:
                yield Text.assemble("- ", _line(item))
        case blocks.Notice():
            yield from _notice(block)
        case blocks.Table():
            yield from _table(block)
        case blocks.Matrix():
            yield from _grid(block.caption, ("", *block.column_labels), _matrix_rows(block), block.note)
        case blocks.Curve():
            yield from _shape(block.caption, [y for _, y in block.points], block.y_name, block.note)
        case blocks.Bars():
            rows = [(label, _number(value)) for label, value in zip(block.labels, block.values, strict=True)]
            yield from _grid(block.caption, ("", block.y_name), rows, block.note)


def _matrix_rows(block: Matrix) -> list[tuple[str, ...]]:
    return [
        (label, *map(_number, values)) for label, values in zip(block.row_labels, block.values, strict=True)
    ]


def _rows(rows: Sequence[Fact]) -> RenderableType:
    """Lay facts out as two columns: what it is, and what is said."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    made.add_column(style="dim", max_width=_LABEL, overflow="fold")
    made.add_column(overflow="fold")
    sources = list(dict.fromkeys(_line(row.source).plain for row in rows if row.source))
    for row in rows:
        said = Text("\n").join(_line(line) for line in row.lines)
        if row.badge is not None:
            said = Text.assemble(_badge(row.badge), "\n" if row.lines else "", said)
        if row.source:
            said = Text.assemble(said, (f" [{sources.index(_line(row.source).plain) + 1}]", "dim"))
        made.add_row(_line(row.label), said)
    for number, source in enumerate(sources, 1):
        made.add_row(Text(f"[{number}]"), Text(source, style="dim"))
    return made


def _table(block: TableBlock) -> Iterator[RenderableType]:
    from rich.table import Table

    from driftline.cards.render.blocks import Band

    made = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in block.columns:
        made.add_column(
            printable(column.title, 60), overflow="fold", justify="right" if column.is_number else "left"
        )
    for row in block.rows:
        if isinstance(row, Band):
            made.add_row(_line(row.words, "bold"))
        else:
            made.add_row(*(_line(cell) for cell in row.cells))
    yield from _captioned(block.caption)
    yield made
    if block.note:
        yield _line(block.note, "dim")


def _grid(
    caption: Words, heads: Sequence[str], rows: Iterable[Sequence[str]], note: str
) -> Iterator[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for place, head in enumerate(heads):
        made.add_column(Text(printable(head, 60)), overflow="fold", justify="right" if place else "left")
    for row in rows:
        made.add_row(*(Text(printable(cell, 63)) for cell in row))
    yield from _captioned(caption)
    yield made
    if note:
        yield Text(printable(note, _LONGEST), style="dim")


def _shape(caption: Words, values: Sequence[float], what: str, note: str) -> Iterator[RenderableType]:
    """Show a curve as what letters can say: how it runs, and between which values."""
    from rich.text import Text

    from driftline.reports.sparkline import spark

    low, high = min(values), max(values)
    name = printable(what, 63) or "it"
    yield from _captioned(caption)
    shape = spark([value - low for value in values])
    yield Text(f"{shape}  {name} runs from {_number(low)} to {_number(high)}, {len(values):,} points")
    if note:
        yield Text(printable(note, _LONGEST), style="dim")


def _captioned(caption: Words) -> Iterator[Text]:
    from rich.text import Text

    if caption:
        yield Text()
        yield _line(caption, "bold")


def _line(words: Words, style: str = "") -> Text:
    """Return a line with its marks; what comes from outside cannot move the cursor."""
    from rich.text import Text

    line = Text(style=style)
    for span in words:
        text = printable(span.text, _LONGEST) if span.is_outside else span.text
        line.append(text, style=_STYLES[span.kind])
    return line


def _number(value: float) -> str:
    from driftline.cards.render.values import number

    return number(value)
