"""A card as a page: what every renderer draws, made from a view of one version.

::

    CardView → Page (cover, numbered sections, annexes) → HTML, Markdown, PDF
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from driftline.cards.render import record
from driftline.cards.render.blocks import Page, Section
from driftline.cards.render.content import parts
from driftline.cards.render.evaluation import evaluation
from driftline.cards.render.further import further
from driftline.cards.render.values import is_stated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from driftline.cards.view import CardView

__all__ = ["page_of"]


def page_of(view: CardView) -> Page:
    """Lay a version of a card out as sections, facts, tables and charts.

    Parameters
    ----------
    view : CardView
        Its content should be valid; what is of no known form is left out or shown as it is, never an error.

    Returns
    -------
    Page
        The same for the same view.
    """
    cover = record.cover(view)
    version = view.version
    annexes = (record.missing(view), record.guide())
    return Page(
        title=cover.title,
        name=view.card.name,
        version=version.version,
        status=record.status_badge(view),
        mark=record.mark(view),
        author=version.author,
        moment=version.created,
        content_hash=version.content_hash,
        cover=cover,
        sections=(
            *(_numbered(section, str(n)) for n, section in enumerate(_sections(view), 1)),
            *(_numbered(section, letter) for letter, section in zip("AB", annexes, strict=True)),
        ),
    )


def _sections(view: CardView) -> Iterator[Section]:
    content, extensions, provenance = view.version.content, view.version.extensions, view.version.provenance
    jobs = content.get("evaluation_details")
    told = dict(parts(content, provenance))
    before = [key for key in told if key not in ("additional_information", "model_package_details")]
    yield from (told[key] for key in before)
    yield evaluation(jobs if isinstance(jobs, list) and is_stated(jobs) else (), extensions, provenance)
    yield from (told[key] for key in told if key not in before)
    yield from further(extensions)
    yield from record.live(view)
    yield record.history(view)


def _numbered(section: Section, number: str) -> Section:
    """Give numbers to a section and those inside it; those that the table of contents does not list have no number."""
    counter = itertools.count(1)
    blocks = tuple(
        (_numbered(block, f"{number}.{next(counter)}") if block.is_listed else block)
        if isinstance(block, Section)
        else block
        for block in section.blocks
    )
    return replace(section, number=number, blocks=blocks)
