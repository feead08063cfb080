"""Index: ``baseline.json``, which names the files of a baseline folder, their digests, and where they came from.

It is written last and read first. Its own ``id`` is the digest of everything else in it, so that nothing in the folder can
change unnoticed but the file that people are meant to edit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from driftline.documents import Node, decode, encode
from driftline.errors import DocumentError
from driftline.files import digest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["INDEX", "SCHEMA", "Index", "index_id", "read_index", "recipe_of", "texts_of", "write_index"]

INDEX: Final = "baseline.json"
SCHEMA: Final = "driftline.baseline/v1"

DATA_QUALITY: Final = "data-quality"
"""The recipe of an index that names none."""

_MODES: Final = ("default", "sagemaker")


@dataclass(frozen=True, slots=True)
class Index:
    """What ``baseline.json`` says about a baseline of model quality, bias or feature attribution.

    Attributes
    ----------
    recipe : str
        ``model-quality``, ``bias`` or ``attribution``.
    label : str
        Name for people.
    n_rows : int
    digest : str
        ``sha256:…`` of what the baseline knows.
    names : tuple of str
        Columns that data must have to be held to it.
    settings : mapping
        Plain JSON values: the settings the baseline was made with.
    mode : str
        ``default`` or ``sagemaker``.
    created : str or None
        ISO 8601, UTC.
    sources : tuple of str
    versions : mapping of str to str
    notes : tuple of str
    details : mapping
        Plain JSON values that only this recipe has.
    """

    recipe: str
    label: str
    n_rows: int
    digest: str
    names: tuple[str, ...]
    settings: Mapping[str, Any]
    mode: str = "default"
    created: str | None = None
    sources: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


def write_index(index: Index, files: Mapping[str, bytes]) -> bytes:
    """Return ``baseline.json`` over the other `files` of the folder.

    Parameters
    ----------
    index : Index
    files : mapping of str to bytes
        All other files by name, as they will be written.

    Returns
    -------
    bytes
        The same for the same arguments.
    """
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "recipe": index.recipe,
        "label": index.label,
        "created": index.created,
        "mode": index.mode,
        "n_rows": index.n_rows,
        "digest": index.digest,
        "names": list(index.names),
        "settings": dict(index.settings),
        "details": dict(index.details),
        "sources": list(index.sources),
        "versions": dict(index.versions),
        "notes": list(index.notes),
        "files": {name: digest(data) for name, data in files.items()},
    }
    document["id"] = index_id(document)
    return (encode(document, indent=2) + "\n").encode("utf-8", "surrogatepass")


def read_index(
    files: Mapping[str, bytes], *, file: str, recipe: str, editable: Collection[str] = ()
) -> Index:
    """Read ``baseline.json`` and hold every file that it names to its digest.

    Parameters
    ----------
    files : mapping of str to bytes
        With ``baseline.json``.
    file : str
        Folder they stand in, for errors.
    recipe : str
        The one expected.
    editable : collection of str
        Files that people may edit: a change is noted, not refused.

    Returns
    -------
    Index
        With a note for every file that was edited.

    Raises
    ------
    DocumentError
        If the index is malformed or of another recipe or schema, if a file is missing or is not the one it names, and if
        the index itself was changed.
    """
    where = f"{file}/{INDEX}"
    root = Node(decode(files[INDEX], file=where), where)
    if root.text("schema") != SCHEMA:
        raise root.error(
            f"expected {SCHEMA!r}, found {root.text('schema')!r}", key="schema", fix="upgrade driftline"
        )
    found = root.text("recipe", DATA_QUALITY)
    if found != recipe:
        raise DocumentError(
            f"is a baseline of {found}, expected one of {recipe}",
            code="E-BASELINE-KIND",
            file=where,
            field="recipe",
            fix=f"give a baseline made with the kind {recipe}",
        )
    notes = list(texts_of(root["notes"]))
    for name, expected in root["files"].object().items():
        if name not in files:
            raise DocumentError(
                f"{name} is missing", code="E-BASELINE", file=file, fix="make the baseline again"
            )
        if digest(files[name]) == expected:
            continue
        if name not in editable:
            raise DocumentError(
                "does not match the checksum in baseline.json: it was damaged or replaced",
                code="E-BASELINE-DAMAGED",
                file=f"{file}/{name}",
                fix="make the baseline again, or restore the file",
            )
        notes.append(f"{name} was edited after the baseline was made")
    if root.text("id") != index_id(root.object()):
        raise DocumentError(
            "the content is not the one that its id names: it was damaged, or changed after it was written",
            code="E-BASELINE-DAMAGED",
            file=where,
            fix="make the baseline again, or restore the file"
            + (f"; {' and '.join(sorted(editable))} is there to be edited" if editable else ""),
        )
    return Index(
        recipe,
        root.text("label"),
        root.integer("n_rows"),
        root.text("digest"),
        texts_of(root["names"]),
        root["settings"].object(),
        root.choice("mode", _MODES),
        root.text("created") if root.has("created") else None,
        texts_of(root["sources"]),
        {str(k): str(v) for k, v in root["versions"].object().items()},
        tuple(notes),
        root["details"].object(),
    )


def recipe_of(files: Mapping[str, bytes], *, file: str) -> str | None:
    """Tell of which recipe the baseline with these files is; None where there is no ``baseline.json``.

    Raises
    ------
    DocumentError
        If ``baseline.json`` is malformed.
    """
    if INDEX not in files:
        return None
    where = f"{file}/{INDEX}"
    return Node(decode(files[INDEX], file=where), where).text("recipe", DATA_QUALITY)


def index_id(document: Mapping[str, Any]) -> str:
    """Return ``sha256:…`` of everything in an index but its ``id``."""
    rest = {key: value for key, value in document.items() if key != "id"}
    return digest(encode(rest).encode("utf-8", "surrogatepass"))


def texts_of(node: Node) -> tuple[str, ...]:
    """Read a list of texts.

    Raises
    ------
    DocumentError
    """
    for item in node.items():
        if not isinstance(item.value, str):
            raise item.error("expected text")
    return tuple(node.value)
