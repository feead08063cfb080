"""Export: a version of a card as a file that people read, or another tool."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from driftline.errors import DriftlineError, UsageError, printable
from driftline.registry import cards

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftline.cards.view import CardView
    from driftline.registry.card_types import Export
    from driftline.registry.store import Tx

    Act = Callable[[Callable[[Tx], Any], str], Any]

__all__ = ["FORMATS", "RECORDED", "Exported", "export_to", "exported", "format_of"]


FORMATS: Final = {
    "pdf": ".pdf",
    "html": ".html",
    "md": ".md",
    "json": ".json",
    "toml": ".toml",
    "sagemaker": ".sagemaker.json",
    "huggingface": ".huggingface.md",
    "model-card-toolkit": ".mct.json",
    "cyclonedx": ".cdx.json",
    "spdx": ".spdx.json",
}
"""What a card can be written as, and how such a file's name ends."""

_CONVERTERS: Final = {
    "huggingface": "driftline.cards.convert.huggingface",
    "model-card-toolkit": "driftline.cards.convert.model_card_toolkit",
    "cyclonedx": "driftline.cards.convert.cyclonedx",
    "spdx": "driftline.cards.convert.spdx",
}

RECORDED: Final = ("pdf", "html", "md", "json")
"""What people file away; such an export is a link of the card's chain, with the digest of the file."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A version of a card as a file.

    Attributes
    ----------
    name : str
        Of the file, where none is named: ``churn-card-v3.pdf``.
    card : str
    version : int
    format : str
        One of :data:`FORMATS`.
    data : bytes
    lost : tuple of str
        What the card says and this format has no place for.
    """

    name: str
    card: str
    version: int
    format: str
    data: bytes
    lost: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """``sha256:<hex>`` of the bytes."""
        return f"sha256:{hashlib.sha256(self.data).hexdigest()}"


def format_of(file: str) -> str | None:
    """Tell the format from the name of a file; None where it does not tell.

    Examples
    --------
    >>> format_of("card.PDF"), format_of("card.cdx.json"), format_of("card.txt")
    ('pdf', 'cyclonedx', None)
    """
    fits = [(len(end), name) for name, end in FORMATS.items() if file.lower().endswith(end)]
    return max(fits)[1] if fits else None


def exported(
    view: CardView,
    format: str = "pdf",  # noqa: A002 - the word that users type
    *,
    plain: bool = False,
) -> Exported:
    """Write a version of a card as bytes; nothing is recorded.

    Parameters
    ----------
    view : CardView
    format : str
        One of :data:`FORMATS`. ``json`` has the whole chain of hashes and can be verified by itself; ``toml``, ``md`` and
        ``json`` can be read back by :func:`driftline.rooms.card_files.from_file`.
    plain : bool
        Of other tools' forms, only what they have a place for themselves; otherwise the rest is kept in driftline's own
        fields, as far as the form allows any.

    Raises
    ------
    UsageError
        ``E-CARD-FORMAT``.
    """
    if format not in FORMATS:
        from driftline.documents import nearest

        close = nearest(format, FORMATS)
        raise UsageError(
            f"{printable(format, 60)!r} is no format of a card",
            code="E-CARD-FORMAT",
            fix=f"did you mean {close!r}?" if close else "use one of " + ", ".join(FORMATS),
        )
    data, lost = _written(view, format, plain)
    version = view.version.version
    return Exported(
        f"{view.card.name}-v{version}{FORMATS[format]}", view.card.name, version, format, data, lost
    )


def _written(view: CardView, form: str, plain: bool) -> tuple[bytes, tuple[str, ...]]:
    content, extensions = view.version.content, view.version.extensions
    if form in _CONVERTERS:
        import importlib

        from driftline.cards.convert.converted import Meta

        version = view.version
        meta = Meta(view.card.name, version.version, version.content_hash, version.created, keep=not plain)
        written = importlib.import_module(_CONVERTERS[form]).write(content, extensions, meta)
        return written.data, tuple(written.lost)
    if form == "sagemaker":
        from driftline.cards.content import serialise

        lost = (f"extensions.{name}" for name in extensions if name != "schema_version")
        return f"{serialise(content)}\n".encode(), tuple(lost)
    if form in ("toml", "md"):
        from driftline.cards.text import write_card
        from driftline.rooms.card_files import document_of

        return write_card(document_of(view.card, view.version), form), ()
    from driftline.cards.exporting import render

    return render(view, form), ()


def export_to(
    act: Act,
    view: CardView,
    output: str = ".",
    format: str | None = None,  # noqa: A002 - the word that users type
    reason: str = "",
    *,
    plain: bool = False,
) -> tuple[Exported, str]:
    """Write a version of a card to a file, and keep in the card's chain that this was done.

    Parameters
    ----------
    act : callable
        Does something in a transaction, for a reason.
    view : CardView
    output : str
        File, folder, or URL of one.
    format : str, optional
        One of :data:`FORMATS`; told from the ending of the file's name otherwise, and PDF where that has none.
    reason : str
    plain : bool
        See :func:`exported`.

    Returns
    -------
    Exported
    str
        Where the file is.

    Raises
    ------
    DriftlineError
        If the file cannot be written; the failure is kept, too.
    UsageError
        ``E-CARD-FORMAT``: the name ends in what no format does, and `format` is not given.
    """
    is_url = "://" in output
    folder, _, last = output.rpartition("/")
    told = format_of(last)
    is_folder = told is None if is_url else not last or Path(output).is_dir()
    if format is None and told is None and not is_folder and Path(last).suffix:
        raise UsageError(
            f"no format of a card ends in {printable(Path(last).suffix, 60)!r}",
            code="E-CARD-FORMAT",
            file=output,
            fix="say which one is meant, with --format: " + ", ".join(FORMATS),
        )
    made = exported(view, format or (None if is_folder else told) or "pdf", plain=plain)
    if is_folder:
        folder, last = output.rstrip("/") or "/", made.name
    file = (f"{folder}/{last}" if folder else last) if is_url or folder not in ("", ".") else last
    if made.format not in RECORDED:
        _write(file, made.data)
        return made, file
    job = act(lambda tx: _started(tx, made, folder or "."), reason)
    try:
        _write(file, made.data)
    except DriftlineError as error:
        message = error.message
        act(lambda tx: cards.fail_export(tx, job.arn, message), reason)
        raise
    act(lambda tx: cards.finish_export(tx, job.arn, artifact=file, digest=made.digest), reason)
    return made, file


def _started(tx: Tx, made: Exported, folder: str) -> Export:
    from driftline.registry.ids import new_id

    job = f"{made.card[:36].rstrip('-')}-{new_id(tx.now)}"
    return cards.start_export(tx, made.card, job, output=folder, format=made.format, version=made.version)


def _write(file: str, data: bytes) -> None:
    if "://" in file:
        from driftline.capture.target import target_of

        folder, _, name = file.rpartition("/")
        target_of(folder).write(name, data)
    else:
        from driftline.files import write_whole

        write_whole(file, data)
