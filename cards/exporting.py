"""Exporting: a version of a card becomes a file in a folder or an object store, and the registry knows of it."""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from driftline.errors import DriftlineError, UsageError, printable

if TYPE_CHECKING:
    from driftline.cards.session import Session
    from driftline.cards.view import CardView
    from driftline.registry.card_types import Export

__all__ = ["default_name", "export", "render"]

_LONGEST = 63


def default_name(card: str) -> str:
    """Return a name for an export job: the card's, cut to fit, the second and four random digits."""
    ending = f"-{int(time.time())}-{secrets.token_hex(2)}"
    return card[: _LONGEST - len(ending)].rstrip("-") + ending


def render(view: CardView, format: str) -> bytes:  # noqa: A002 - the word that users type
    """Draw a version of a card.

    Parameters
    ----------
    view : CardView
    format : {"pdf", "html", "md", "json"}

    Returns
    -------
    bytes
        The same for the same view.
    """
    if format == "pdf":
        from driftline.cards.render.pdf import to_pdf

        return to_pdf(view)
    if format == "html":
        from driftline.cards.render.html import to_html

        return to_html(view).encode()
    if format == "md":
        from driftline.cards.render.markdown import to_markdown

        return to_markdown(view).encode()
    from driftline.cards.render.document import to_json

    return to_json(view).encode()


def export(
    session: Session,
    card: str,
    output: str | os.PathLike[str],
    *,
    format: str = "pdf",  # noqa: A002 - the word that users type
    version: str | int = "latest",
    name: str | None = None,
    monitors: bool = False,
    reason: str = "",
) -> Export:
    """Write a version of a card into a file, and record it.

    Parameters
    ----------
    session : Session
    card : str
        Name or ARN.
    output : path or URL
        A folder, ``file://`` or ``s3://`` and the like: the file is then ``<output>/<card>/<job>.<format>``. A path that
        ends as files of this format do is the file itself.
    format : {"pdf", "html", "md", "json"}
    version : int, "latest" or "approved"
    name : str, optional
        Of the export job; see :func:`default_name`.
    monitors : bool
        Also the state of the model's monitors as it is now.
    reason : str

    Returns
    -------
    Export
        Completed; ``artifact`` is where the file is.

    Raises
    ------
    UsageError
        ``E-NO-CARD``, ``E-CARD-VERSION``, ``E-EXPORT``, ``E-EXPORT-EXISTS``; ``E-CARD-OUTPUT``: nothing can be written
        there; ``E-WRITE``, ``E-STORE``. What goes wrong after the job has begun is also recorded.
    """
    from driftline.cards.views import view_in
    from driftline.registry import cards

    folder, file = _place(output, format)
    found = session.read(lambda tx: cards.get(tx, card))
    job = name if name is not None else default_name(found.name)
    begun = session.act(
        lambda tx: cards.start_export(tx, card, job, output=folder, format=format, version=version), reason
    )
    try:
        gathered = session.read(lambda tx: view_in(tx, begun.card, begun.version, monitors=monitors))
        data = render(gathered, format)
        path = file or f"{begun.card}/{begun.name}.{format}"
        artifact = _write(folder, path, data)
    except BaseException as error:
        # Of what is not ours only the name: its words may quote the card, which events must not.
        why = str(error) if isinstance(error, DriftlineError) else type(error).__name__
        with suppress(DriftlineError):  # what went wrong first is what is told
            session.act(lambda tx: cards.fail_export(tx, begun.arn, printable(why, 1000)), reason)
        raise
    from driftline.files import digest

    return session.act(
        lambda tx: cards.finish_export(tx, begun.arn, artifact=artifact, digest=digest(data)), reason
    )


def _place(output: str | os.PathLike[str], format: str) -> tuple[str, str | None]:  # noqa: A002
    """Return the folder, and the file in it where one is named."""
    text = os.fspath(output)
    scheme = text.partition("://")[0] if "://" in text else ""
    if not text or scheme in ("http", "https"):
        raise UsageError(
            "nothing can be written to an address of the web" if text else "names no place",
            code="E-CARD-OUTPUT",
            field="output",
            fix="give a folder, or a URL such as s3://bucket/folder",
        )
    parent, _, last = text.rpartition("/")
    if last.lower().endswith(f".{format}") and last.lower() != f".{format}":
        return (parent or ("/" if text.startswith("/") else "."), last)
    return text, None


def _write(folder: str, path: str, data: bytes) -> str:
    from driftline.capture.target import target_of

    local = "://" not in folder or folder.startswith("file://")
    target = target_of(Path(folder.removeprefix("file://")).absolute() if local else folder)
    target.write(path, data)
    shown = target.shown(path)
    return f"file://{shown}" if folder.startswith("file://") else shown
