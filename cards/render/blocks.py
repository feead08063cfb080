"""What a rendered card is made of: sections, facts, tables, charts; every renderer draws these and nothing else.

Words carry where they come from: our own ones are typeset as they are, those from outside are escaped, kept apart
from what stands around them, and shown whatever their script.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Badge",
    "Band",
    "Bars",
    "Block",
    "Cell",
    "Column",
    "Cover",
    "Curve",
    "Fact",
    "Facts",
    "Listing",
    "Matrix",
    "Notice",
    "Page",
    "Paragraph",
    "Row",
    "Section",
    "Span",
    "Table",
    "Tone",
    "Words",
    "code",
    "given",
    "muted",
    "own",
    "plain",
    "strong",
]

Kind: TypeAlias = Literal["own", "given", "code", "muted", "strong"]

Tone: TypeAlias = Literal["good", "unsure", "bad", "calm"]
"""What a mark says: well, wait, danger, nothing."""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line.

    Attributes
    ----------
    text : str
    kind : {"own", "given", "code", "muted", "strong"}
        ``given`` and ``code`` are words from outside; ``code`` in letters of equal width: identifiers and hashes.
    """

    text: str
    kind: Kind = "own"

    @property
    def is_outside(self) -> bool:
        """Tell whether the words come from outside."""
        return self.kind in ("given", "code")


Words: TypeAlias = tuple[Span, ...]
"""A line of text."""


def own(text: str) -> Words:
    """Return words of ours."""
    return (Span(text),)


def given(text: object) -> Words:
    """Return words from outside."""
    return (Span(str(text), "given"),)


def code(text: object) -> Words:
    """Return an identifier or a hash."""
    return (Span(str(text), "code"),)


def muted(text: str) -> Words:
    """Return words of ours that stand back."""
    return (Span(text, "muted"),)


def strong(text: str) -> Words:
    """Return words of ours that stand out."""
    return (Span(text, "strong"),)


def plain(words: Words) -> str:
    """Return a line without its marks."""
    return "".join(span.text for span in words)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of one line of words; ``lead`` explains the section that it opens, ``note`` what it stands below."""

    words: Words
    role: Literal["", "lead", "note"] = ""


@dataclass(frozen=True, slots=True)
class Badge:
    """A word with a colour and a mark; `about` says what it means."""

    tone: Tone
    text: str
    about: str = ""

    @property
    def is_marked(self) -> bool:
        """Tell whether it has a mark: what says neither well nor ill has none, unless it is a status."""
        return self.tone != "calm" or bool(self.about)


@dataclass(frozen=True, slots=True)
class Fact:
    """A field and what it says.

    Attributes
    ----------
    label : Words
    lines : tuple of Words
        One for each value; of prose, one for each line.
    source : Words
        Where it came from, if that is known.
    is_prose : bool
        Whether it is text of several sentences.
    badge : Badge, optional
        Stands before the lines.
    """

    label: Words
    lines: tuple[Words, ...]
    source: Words = ()
    is_prose: bool = False
    badge: Badge | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Fields one below the other; `title` names them for readers who hear the page."""

    rows: tuple[Fact, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of short texts, under a name where there is one."""

    items: tuple[Words, ...]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    title : str
    share : float
        How wide it is, beside the others.
    is_number : bool
        Whether it is aligned to the right.
    is_outside : bool
        Whether the title comes from outside.
    """

    title: str
    share: float = 1.0
    is_number: bool = False
    is_outside: bool = False


Cell: TypeAlias = Words


@dataclass(frozen=True, slots=True)
class Band:
    """A row that names those below it."""

    words: Words


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table; the first cell names it."""

    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes
    ----------
    caption : Words
        What its rows are.
    columns : tuple of Column
    rows : tuple of Row or Band
    note : Words
        What stands below it.
    """

    caption: Words
    columns: tuple[Column, ...]
    rows: tuple[Row | Band, ...]
    note: Words = ()


@dataclass(frozen=True, slots=True)
class Matrix:
    """Numbers by row and column, shaded by their size.

    Attributes
    ----------
    caption : Words
    row_labels, column_labels : tuple of str
        From outside.
    values : tuple of tuple of float
    note : str
        From outside.
    """

    caption: Words
    row_labels: tuple[str, ...]
    column_labels: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Curve:
    """A line through points.

    Attributes
    ----------
    caption : Words
    points : tuple of (float, float)
    x_name, y_name : str
        From outside; ``""`` where an axis has no name.
    note : str
        From outside.
    """

    caption: Words
    points: tuple[tuple[float, float], ...]
    x_name: str = ""
    y_name: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar for each of several labels.

    Attributes
    ----------
    caption : Words
    labels : tuple of str
        From outside.
    values : tuple of float
        As many.
    y_name : str
        What the bars measure; from outside, ``""`` where nothing is said.
    note : str
        From outside.
    """

    caption: Words
    labels: tuple[str, ...]
    values: tuple[float, ...]
    y_name: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a reader must not miss."""

    tone: Tone
    title: str
    words: Words


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page with a heading.

    Attributes
    ----------
    title : Words
    anchor : str
        Unique in the page; letters, digits and hyphens.
    blocks : tuple
        Blocks, and sections one level deeper.
    number : str
        ``3``, ``3.1`` or ``A``; ``""`` for headings that have none.
    is_listed : bool
        Whether the table of contents has it.
    """

    title: Words
    anchor: str
    blocks: tuple[Block, ...] = ()
    number: str = ""
    is_listed: bool = True

    def sections(self) -> Iterator[Section]:
        """Yield the sections one level deeper."""
        return (block for block in self.blocks if isinstance(block, Section))


Block: TypeAlias = "Paragraph | Facts | Listing | Table | Matrix | Curve | Bars | Notice | Section"


@dataclass(frozen=True, slots=True)
class Cover:
    """The first page.

    Attributes
    ----------
    eyebrow : str
        What kind of document this is.
    title : str
        Name of the model; from outside.
    subtitle : Words
    summary : str
        From outside; ``""`` where there is none.
    badges : tuple of Badge
        Status, version, risk.
    notice : Notice
        What the status means for whoever reads this.
    facts : tuple of Fact
        Names, people and dates.
    seals : tuple of Fact
        Hashes.
    how : str
        How the seals are checked.
    """

    eyebrow: str
    title: str
    subtitle: Words
    summary: str
    badges: tuple[Badge, ...]
    notice: Notice
    facts: tuple[Fact, ...]
    seals: tuple[Fact, ...]
    how: str


@dataclass(frozen=True, slots=True)
class Page:
    """A card, ready to be drawn.

    Attributes
    ----------
    title : str
        Of the document; from outside.
    name : str
        Of the card.
    version : int
    status : Badge
        As it stands on every page.
    mark : str
        What every page of a version that is not in force says; ``""`` for one that is.
    author : str
        Who wrote the version; from outside.
    moment : int
        When it was written, in microseconds since 1970-01-01 UTC.
    content_hash : str
    cover : Cover
    sections : tuple of Section
    """

    title: str
    name: str
    version: int
    status: Badge
    mark: str
    author: str
    moment: int
    content_hash: str
    cover: Cover
    sections: tuple[Section, ...] = field(default=())


LANGUAGE: Final = "en"
"""Language of our own words."""
