"""Profiles: what a law, a standard or an organisation wants to find in a card, as data.

Two come with driftline, in ``profiles/``; an organisation's own is a TOML file of the same form.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from driftline.documents import Node, nearest
from driftline.errors import DocumentError, UsageError, printable

__all__ = ["Part", "Profile", "Requirement", "load_profile", "profiles", "read_profile"]

ROOTS: Final = ("content.", "extensions.", "facts.")
"""What a path may begin with."""

MOST_BYTES: Final = 1 << 20
MOST_ROWS: Final = 500
_FOLDER: Final = Path(__file__).parent / "profiles"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a requirement asks for.

    Attributes
    ----------
    what : str
    any : tuple of str
        Paths, ``[]`` for every item of a list: one of them must hold something.
    each : str or None
        A list, every item of which must have one of `has`; ``evaluations`` are the card's, with their extras.
    has : tuple of str
    without : tuple of str
        Words that say nothing, such as ``Unknown``; ``except`` in the file.
    add : str
        Where to write what is missing.
    """

    what: str
    any: tuple[str, ...]
    each: str | None
    has: tuple[str, ...]
    without: tuple[str, ...]
    add: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row of a profile.

    Attributes
    ----------
    id : str
        Such as ``2(g)``.
    title, asks : str
    reference : str
        Where it stands.
    number_verified : bool
        Whether the number of the reference was checked against the publication.
    parts : tuple of Part
        All must be there.
    """

    id: str
    title: str
    asks: str
    reference: str
    number_verified: bool
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """What is wanted of a card.

    Attributes
    ----------
    name, title : str
    disclaimer : str
        What the answer does not mean.
    caution : str
    rows : tuple of Requirement
    """

    name: str
    title: str
    disclaimer: str
    caution: str
    rows: tuple[Requirement, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the rows."""
        return tuple(row.id for row in self.rows)


def profiles() -> list[str]:
    """Return the names of the profiles that come with driftline."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


@cache
def load_profile(name: str) -> Profile:
    """Return a profile that comes with driftline.

    Raises
    ------
    UsageError
        ``E-CARD-PROFILE``.
    """
    known = profiles()
    if name not in known:
        close = nearest(name[:100], known)
        raise UsageError(
            f"there is no profile {printable(repr(name), 60)}",
            code="E-CARD-PROFILE",
            field="profile",
            fix=f"did you mean {close!r}?" if close else "use " + " or ".join(known),
        )
    return read_profile((_FOLDER / f"{name}.toml").read_bytes(), file=f"{name}.toml")


def read_profile(data: bytes, *, file: object = "profile.toml") -> Profile:
    """Read a profile.

    Parameters
    ----------
    data : bytes
        TOML.
    file : object
        Name used in errors.

    Raises
    ------
    DocumentError
        For malformed TOML, unknown keys, rows of one id, and paths that begin with none of :data:`ROOTS`.
    """
    if len(data) > MOST_BYTES:
        raise DocumentError(
            f"the profile has {len(data):,} bytes, at most {MOST_BYTES:,} are read",
            code="E-CONFIG",
            file=file,
        )
    try:
        given = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise DocumentError("not valid UTF-8", code="E-CONFIG", file=file, fix="save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise DocumentError(f"not TOML: {error}", code="E-CONFIG", file=file) from None
    except RecursionError:
        raise DocumentError("nests too deep", code="E-CONFIG", file=file, fix="flatten it") from None
    root = Node(given, file).known("name", "title", "disclaimer", "caution", "row")
    nodes = root["row"].items()
    if not 0 < len(nodes) <= MOST_ROWS:
        raise root.error(f"expected 1 to {MOST_ROWS} rows, found {len(nodes):,}", key="row")
    rows = tuple(_row(node) for node in nodes)
    seen: set[str] = set()
    for node, row in zip(nodes, rows, strict=True):
        if row.id in seen:
            raise node.error(f"the row {printable(row.id, 60)} occurs twice", key="id")
        seen.add(row.id)
    return Profile(
        root.text("name"), root.text("title"), root.text("disclaimer", ""), root.text("caution", ""), rows
    )


def _row(node: Node) -> Requirement:
    node.known("id", "title", "asks", "reference", "number_verified", "part")
    parts = tuple(_part(part) for part in node["part"].items())
    if not parts:
        raise node.error("a row needs a part", key="part")
    return Requirement(
        node.text("id"),
        node.text("title"),
        node.text("asks", ""),
        node.text("reference", ""),
        node.boolean("number_verified", default=True),
        parts,
    )


def _part(node: Node) -> Part:
    node.known("what", "any", "each", "has", "except", "add")
    paths, has = _texts(node, "any"), _texts(node, "has")
    each = node.text("each") if node.has("each") else None
    if (each is None) == (not paths) or (each is None) == bool(has):
        raise node.error("expected either any, or each together with has")
    for path in paths:
        if not path.startswith(ROOTS):
            raise node.error(f"{printable(repr(path), 80)} begins with none of {', '.join(ROOTS)}", key="any")
    if each is not None and each != "evaluations" and not each.startswith(ROOTS):
        raise node.error(f"{printable(repr(each), 80)} begins with none of {', '.join(ROOTS)}", key="each")
    usual = paths[0] if paths else f"{each}[].{has[0]}"
    return Part(
        node.text("what"),
        paths,
        each,
        has,
        _texts(node, "except"),
        node.text("add", usual.removeprefix("content.")),
    )


def _texts(node: Node, key: str) -> tuple[str, ...]:
    inner = node.get(key)
    if inner is None:
        return ()
    found: list[Any] = [one.value for one in inner.items()]
    if not all(isinstance(one, str) and one for one in found):
        raise node.error("expected a list of texts", key=key)
    return tuple(found)
