"""The difference between two cards as plain values: what to set and what to remove, by JSON Pointer (RFC 6901).

Lists of the same length are compared item by item, others are set whole. So applying a difference is exact, whatever
stands in the lists.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from driftline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Patch", "apply", "difference", "lost_lines", "moved", "path_of", "pointer"]

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Patch:
    """What makes one value of another.

    Attributes
    ----------
    put : tuple of (path, value)
        Values to set; the containers are there.
    drop : tuple of path
        Keys to remove.
    """

    put: tuple[tuple[Path, Any], ...] = ()
    drop: tuple[Path, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.put or self.drop)


def pointer(path: Path) -> str:
    """Return a path as a JSON Pointer.

    Examples
    --------
    >>> pointer(("a/b", 0, "~")), path_of("/a~1b/0/~0")
    ('/a~1b/0/~0', ('a/b', '0', '~'))
    """
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def path_of(text: str) -> Path:
    """Return the path that a JSON Pointer says, list positions as text."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:])


def difference(old: Any, new: Any) -> Patch:
    """Return what makes `new` of `old`.

    Examples
    --------
    >>> difference({"a": [1], "b": 1}, {"a": [1.0], "c": {}})
    Patch(put=((('a', 0), 1.0), (('c',), {})), drop=(('b',),))
    """
    put: list[tuple[Path, Any]] = []
    drop: list[Path] = []
    _differ((), old, new, put, drop)
    return Patch(tuple(put), tuple(drop))


def _differ(path: Path, old: Any, new: Any, put: list[tuple[Path, Any]], drop: list[Path]) -> None:
    if isinstance(old, dict) and isinstance(new, dict):
        drop.extend((*path, key) for key in old if key not in new)
        for key, value in new.items():
            if key in old:
                _differ((*path, key), old[key], value, put, drop)
            else:
                put.append(((*path, key), value))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, value in enumerate(new):
            _differ((*path, place), old[place], value, put, drop)
    elif type(old) is not type(new) or repr(old) != repr(new):
        put.append((path, new))


def apply(patch: Patch, value: Any) -> Any:
    """Return a value with a patch applied; the value given is not changed.

    Raises
    ------
    KeyError, IndexError, TypeError
        If the value does not have what the patch speaks of.
    """
    root = [copy.deepcopy(value)]
    for path in patch.drop:
        inside, key = _inside(root, path)
        del inside[key]
    for path, one in patch.put:
        inside, key = _inside(root, path)
        inside[key] = copy.deepcopy(one)
    return root[0]


def _inside(root: list[Any], path: Path) -> tuple[Any, Any]:
    """Return the container of a path's last part, and that part as its key."""
    inside: Any = root
    key: Any = 0
    for part in path:
        inside = inside[key]
        key = int(part) if isinstance(inside, list) else str(part)
        if not isinstance(inside, (dict, list)) or (isinstance(inside, list) and not 0 <= key < len(inside)):
            raise KeyError(pointer(path))
    return inside, key


def moved(patch: Patch, value: Any) -> tuple[Patch, list[str]]:
    """Return of a patch what still holds after the value was changed by somebody, and the rest by dotted path.

    It holds where the place is empty and no list position leads to it: an edit may have moved the items.
    """
    put: list[tuple[Path, Any]] = []
    left: list[str] = []
    for path, one in patch.put:
        if _is_free(path, value):
            put.append((path, one))
        else:
            left.append(_dotted(path))
    left += [_dotted(path) for path in patch.drop]
    return Patch(tuple(put)), left


def _is_free(path: Path, value: Any) -> bool:
    inside = value
    for part in path[:-1]:
        if not isinstance(inside, dict) or part not in inside:
            return False
        inside = inside[part]
    return isinstance(inside, dict) and path[-1] not in inside


def lost_lines(patch: Patch, original: Any, system: str) -> Iterator[str]:
    """Yield what of the original a document does not say: dotted path and why. Empty containers say nothing."""
    for path, value in patch.put:
        found = _at(original, path)
        for leaf in _leaves(path, found if found is not None else value):
            yield f"{_dotted(leaf)}: {system} has no place for it"


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


def _leaves(path: Path, value: Any) -> Iterator[Path]:
    """Yield the paths to name for a value: sections and records, not each of their fields."""
    if value in ({}, []) or value is None:
        return
    if isinstance(value, dict) and len(path) < 3:
        for key, inner in value.items():
            yield from _leaves((*path, key), inner)
    else:
        yield path


def _dotted(path: Path) -> str:
    """Return a path as problems name it: without ``content`` before the sections."""
    shown = path[1:] if path[:1] == ("content",) and len(path) > 1 else path
    return ".".join(printable(part, 80) for part in shown)
