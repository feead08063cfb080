"""A card on paper and on screens: one model of the page, written as PDF, HTML and Markdown; and the card as JSON."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from driftline.cards.render.document import to_json
    from driftline.cards.render.html import to_html
    from driftline.cards.render.markdown import to_markdown
    from driftline.cards.render.pdf import to_pdf

_HOMES = {"to_html": "html", "to_json": "document", "to_markdown": "markdown", "to_pdf": "pdf"}

__all__ = ["to_html", "to_json", "to_markdown", "to_pdf"]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
