"""Pieces of markup: outside text made safe, lists cut to a budget, the marks of a status."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from driftline.errors import printable
from driftline.reports import wording
from driftline.reports.outcome import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["CLASSES", "SYMBOLS", "chips", "fit", "icon", "name", "safe"]

CLASSES: Final[Mapping[Status, str]] = {
    Status.VIOLATED: "bad",
    Status.UNDETERMINED: "unsure",
    Status.PASSED: "good",
}
"""CSS class of each status."""

SYMBOLS: Final = (
    '<svg width="0" height="0" style="position:absolute" aria-hidden="true">'
    '<symbol id="i-bad" viewBox="0 0 16 16"><path fill="currentColor"'
    ' d="M5.1.8h5.8l4.3 4.3v5.8l-4.3 4.3H5.1L.8 10.9V5.1Zm.6 3.3L4.1 5.7 6.4 8l-2.3 2.3 1.6 1.6L8 9.6l2.3 2.3'
    ' 1.6-1.6L9.6 8l2.3-2.3-1.6-1.6L8 6.4Z"/></symbol>'
    '<symbol id="i-unsure" viewBox="0 0 16 16"><g fill="none" stroke="currentColor" stroke-width="1.6">'
    '<circle cx="8" cy="8" r="6.6"/><path d="M5.9 6.3c0-1.3.9-2 2.1-2s2.1.7 2.1 1.9c0 1.4-2.1 1.5-2.1 3.1"/>'
    '</g><circle cx="8" cy="11.7" r="1.05" fill="currentColor"/></symbol>'
    '<symbol id="i-good" viewBox="0 0 16 16"><path fill="currentColor"'
    ' d="M8 .7a7.3 7.3 0 1 0 0 14.6A7.3 7.3 0 0 0 8 .7Zm3.4 3.9 1.5 1.3-5.6 6.4L3.2 8.6l1.3-1.5 2.6 2.3Z"/>'
    "</symbol></svg>"
)
"""Shapes of the marks, once per page; :func:`icon` refers to them."""


def safe(text: object, limit: int = 200) -> str:
    r"""Escape outside text for element content and for quoted attributes.

    Parameters
    ----------
    text : object
        Anything; its ``str`` is shown.
    limit : int, default 200
        Longest text in characters before escaping; longer text ends in ``…``.

    Returns
    -------
    str
        One line in which markup is inert and control and bidirectional characters are shown escaped.

    Examples
    --------
    >>> safe("<b>\u202e")
    '&lt;b&gt;\\u202e'
    """
    return escape(printable(text, limit), quote=True)


def name(column: str | None, limit: int = 80) -> str:
    """Escape a column's name, kept apart from the text around it whatever its script."""
    return f'<span class="name">{escape(wording.name(column, limit), quote=True)}</span>'


def icon(status: Status) -> str:
    """Draw the mark of a status: a shape that needs no colour, silent to screen readers."""
    kind = CLASSES[status]
    return f'<svg class="i {kind}" aria-hidden="true"><use href="#i-{kind}"/></svg>'


def fit(pieces: Iterable[str], budget: int) -> tuple[str, int]:
    """Join pieces of markup until `budget` bytes are used.

    Returns
    -------
    markup : str
    left_out : int
        How many pieces did not fit; the first one always does.
    """
    kept: list[str] = []
    used = left_out = 0
    for piece in pieces:
        used += len(piece) if piece.isascii() else len(piece.encode())
        if left_out or (used > budget and kept):
            left_out += 1
        else:
            kept.append(piece)
    return "".join(kept), left_out


def chips(labels: Iterable[tuple[str | None, str]], anchors: Mapping[str | None, str], budget: int) -> str:
    """List columns, with what to call them, as small labels; each a link to its place in the page where it has one."""
    pieces = (
        f'<a href="#{anchors[column]}">{safe(label, 80)}</a>'
        if column in anchors
        else f"<span>{safe(label, 80)}</span>"
        for column, label in labels
    )
    markup, left_out = fit(pieces, budget)
    more = f'<span class="more">and {left_out:,} more, all in the JSON report</span>' if left_out else ""
    return f'<div class="chips">{markup}{more}</div>'
