"""Cards as files: what a file says, whichever tool wrote it."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from driftline.errors import DocumentError, UsageError, printable
from driftline.rooms.card_draft import Draft

if TYPE_CHECKING:
    from driftline.cards.text import CardDocument
    from driftline.registry.card_types import Card, CardVersion

__all__ = ["FORMATS", "MOST_BYTES", "document_of", "from_file", "kind_of", "name_from"]

FORMATS: Final = ("toml", "json", "md", "sagemaker", "huggingface", "model-card-toolkit", "cyclonedx", "spdx")
"""What a card can be read from."""

MOST_BYTES: Final = 16 << 20
"""Longest file that is read."""

_CONVERTERS: Final = {
    "huggingface": "driftline.cards.convert.huggingface",
    "model-card-toolkit": "driftline.cards.convert.model_card_toolkit",
    "cyclonedx": "driftline.cards.convert.cyclonedx",
    "spdx": "driftline.cards.convert.spdx",
}

_MARKS: Final = (
    ("cyclonedx", {"bomFormat"}),
    ("spdx", {"@context", "@graph", "spdxVersion", "spdxId"}),
    ("model-card-toolkit", {"model_details", "model_parameters", "quantitative_analysis", "considerations"}),
    ("sagemaker", {"ModelCardName", "ModelCardArn", "Content"}),
    ("json", {"schema", "card", "content", "extensions"}),
)
"""Keys by which a JSON document is known, the surest first."""


def from_file(data: bytes, file: str, format: str | None = None) -> Draft:  # noqa: A002 - the word that users type
    """Return what a file says.

    Parameters
    ----------
    data : bytes
    file : str
        Its name, for messages; its ending may tell what it is.
    format : str, optional
        One of :data:`FORMATS`; told from what the file says otherwise.

    Raises
    ------
    DocumentError
        What the file says is no card, or breaks a rule. ``E-CARD-FILE``: it says nothing at all.
    UsageError
        ``E-CARD-FORMAT``.
    """
    draft = _read(data, file, format or kind_of(data, file))
    if not (draft.said or draft.name or draft.model or draft.tags or draft.policy or draft.lost):
        raise DocumentError(
            "says nothing of any card",
            code="E-CARD-FILE",
            file=file,
            fix="see whether it was saved whole; an exported card shows what a file says",
        )
    return draft


def _read(data: bytes, file: str, kind: str) -> Draft:
    if kind in _CONVERTERS:
        import importlib

        found = importlib.import_module(_CONVERTERS[kind]).read(data, file)
        return Draft(found.content, found.extensions, name=_as_name(found.name), lost=tuple(found.lost))
    if kind == "sagemaker":
        return _from_sagemaker(data, file)
    if kind not in FORMATS:
        from driftline.documents import nearest

        close = nearest(kind, FORMATS)
        raise UsageError(
            f"a card is not read from {printable(kind, 60)!r}",
            code="E-CARD-FORMAT",
            fix=f"did you mean {close!r}?" if close else "use one of " + ", ".join(FORMATS),
        )
    return (_from_export(data, file) if kind == "json" else None) or _from_text(data, file, kind)


def kind_of(data: bytes, file: str) -> str:
    """Tell what a file is: by what it says, and by its name only where that tells nothing.

    Raises
    ------
    DocumentError
        ``E-CARD-FILE``: a JSON document that is no card of any kind.
    """
    from driftline.cards.text import format_of

    begin = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if begin.startswith(b"{"):
        return _kind_of_json(data, file)
    if begin.startswith(b"+++"):
        return "md"
    told = format_of(file)
    if begin.startswith(b"---") or told == "md":
        return "huggingface"
    return told or "toml"


def _kind_of_json(data: bytes, file: str) -> str:
    from driftline.cards.limits import SECTIONS
    from driftline.documents import decode

    value: dict[str, Any] = decode(data, file=file, max_bytes=MOST_BYTES)
    if str(value.get("schema")).startswith("driftline."):
        return "json"
    keys = set(value)
    for kind, marks in _MARKS:
        if keys & marks:
            return kind
    if not keys or keys & set(SECTIONS):
        return "sagemaker"
    raise DocumentError(
        "is no model card that driftline knows",
        code="E-CARD-FILE",
        file=file,
        fix="say what it is with --format: " + ", ".join(FORMATS),
    )


def _from_sagemaker(data: bytes, file: str) -> Draft:
    """Read content, or what SageMaker's describe-model-card answers, in which content is a text."""
    from driftline.cards.content import parse
    from driftline.documents import decode

    value: Any = decode(data, file=file, max_bytes=MOST_BYTES)
    name = tags = None
    if isinstance(value, dict) and "Content" in value:
        name = value.get("ModelCardName")
        tags = {
            one["Key"]: one.get("Value", "")
            for one in value.get("Tags") or ()
            if isinstance(one, dict) and isinstance(one.get("Key"), str)
        }
        value = value["Content"] or "{}"
    return Draft(parse(value, file), name=name if isinstance(name, str) else None, tags=tags or None)


def _from_export(data: bytes, file: str) -> Draft | None:
    """Read the document that has a card's whole chain; None where it is another one."""
    from driftline.cards.render.document import SCHEMA
    from driftline.documents import Node, decode

    value = decode(data, file=file, max_bytes=MOST_BYTES)
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        return None
    root = Node(value, file)
    card, version = root["card"], root["version"]
    tags, extensions = card.get("tags"), root.get("extensions")
    return Draft(
        dict(root["content"].object()),
        {} if extensions is None else dict(extensions.object()),
        tags=None if tags is None else {key: tags.text(key) for key in tags.object()} or None,
        name=card.text("name"),
        model=card.text("model") if card.has("model") else None,
        base_version=version.integer("version"),
        base_hash=root.text("content_hash"),
    )


def _from_text(data: bytes, file: str, form: str) -> Draft:
    from driftline.cards.text import read_card

    found = read_card(data, file, form)
    base = found.base
    return Draft(
        found.content,
        found.extensions,
        tags=found.tags,
        policy=found.policy,
        name=found.name,
        model=found.model,
        base_version=None if base is None else base.version,
        base_hash=None if base is None else base.content_hash,
    )


def document_of(card: Card, version: CardVersion) -> CardDocument:
    """Return a version as a document that can be written to a file, and goes out from this version."""
    from driftline.cards.text import Base, CardDocument
    from driftline.registry.card_given import DEFAULT_POLICY

    return CardDocument(
        version.content,
        version.extensions,
        name=card.name,
        tags=dict(card.tags) or None,
        policy=None if dict(card.policy) == DEFAULT_POLICY else dict(card.policy),
        model=card.model,
        base=Base(version.version, version.content_hash),
    )


def _as_name(text: str | None) -> str | None:
    from driftline.registry.card_given import check_card_name

    try:
        return check_card_name(text)
    except UsageError:
        return None


def name_from(file: str) -> str | None:
    """Return the name of the card that a file is about where it does not say: that of the file.

    Examples
    --------
    >>> name_from("cards/income-card.toml"), name_from("model card.md")
    ('income-card', None)
    """
    return _as_name(PurePath(file).name.partition(".")[0])
