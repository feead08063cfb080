"""What differs between two versions of a card: field by field, and as rendered text.

Items of lists are told apart by what they are called, not by their place: an evaluation that is put before another is no
change of either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from driftline.documents import encode
from driftline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from driftline.cards.view import CardView
    from driftline.registry.card_types import CardVersion

__all__ = ["SCHEMA", "Change", "compare", "diff_document", "differences", "text_diff", "worded"]

SCHEMA: Final = "driftline.card-diff/v1"
"""Name and version of the document that :func:`diff_document` makes."""

Kind = Literal["added", "removed", "changed", "reordered"]

_KEYS: Final[tuple[tuple[str, ...], ...]] = (
    ("evaluation", "group", "metric", "slice"),
    ("profile", "row"),
    ("check", "column", "source"),
    ("signer", "date"),
    ("name", "role"),
    ("name", "split"),
    ("name", "version"),
    ("name",),
    ("algorithm_name",),
    ("title",),
    ("risk",),
    ("choice",),
    ("trade_off",),
    ("form",),
    ("change",),
    ("activity",),
    ("group",),
)
"""What items may be known by; the first that all items have, and no two share, is taken."""


@dataclass(frozen=True, slots=True)
class Change:
    """One place at which two documents differ.

    Attributes
    ----------
    path : str
        Dotted; items of lists by name or number in square brackets:
        ``evaluation_details[holdout].metric_groups[all].metric_data[recall].value``. Shown printably.
    kind : {"added", "removed", "changed", "reordered"}
        ``reordered``: the items of a list stand in another order; `old` and `new` are what they are known by.
    old, new : object
        JSON values as they are; None where there was, or is, nothing.
    """

    path: str
    kind: Kind
    old: Any
    new: Any


def differences(old: CardVersion | Mapping[str, Any], new: CardVersion | Mapping[str, Any]) -> list[Change]:
    """Return where two versions of a card differ, in content and extensions.

    Parameters
    ----------
    old, new : CardVersion or mapping
        Versions, or mappings with ``content`` and ``extensions``.

    Returns
    -------
    list of Change
        In the order of the old document, then of the new one. Empty exactly where both say the same: order of keys, and
        whether a whole number is written as 1 or 1.0, say nothing. Paths of extensions begin with ``extensions``.

    Examples
    --------
    >>> old = {"content": {"intended_uses": {"risk_rating": "Low"}}}
    >>> new = {"content": {"intended_uses": {"risk_rating": "High"}}, "extensions": {"metric_rationale": "Cost."}}
    >>> for line in worded(differences(old, new)):
    ...     print(line)
    changed intended_uses.risk_rating: 'Low' is now 'High'
    added extensions.metric_rationale: 'Cost.'
    """
    before, after = _parts(old), _parts(new)
    found = list(compare(before[0], after[0]))
    found += compare(before[1], after[1], "extensions")
    return found


def _parts(version: CardVersion | Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    if isinstance(version, Mapping):
        return version.get("content") or {}, version.get("extensions") or {}
    return version.content, version.extensions


def compare(old: Any, new: Any, path: str = "") -> Iterator[Change]:
    """Yield where two JSON values differ; `path` is where they stand."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key, value in old.items():
            here = _below(path, key)
            if key in new:
                yield from compare(value, new[key], here)
            else:
                yield Change(here, "removed", value, None)
        for key, value in new.items():
            if key not in old:
                yield Change(_below(path, key), "added", None, value)
    elif _is_list(old) and _is_list(new) and _has_objects(old, new):
        yield from _compare_lists(old, new, path)
    elif not _same(old, new):
        yield Change(path, "changed", old, new)


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def _has_objects(old: Sequence[Any], new: Sequence[Any]) -> bool:
    return all(isinstance(item, Mapping) for item in (*old, *new)) and bool(old or new)


def _compare_lists(
    old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]], path: str
) -> Iterator[Change]:
    keys = next((keys for keys in _KEYS if _tells_apart(old, keys) and _tells_apart(new, keys)), None)
    if keys is None:
        for place in range(max(len(old), len(new))):
            here = f"{path}[{place}]"
            if place >= len(new):
                yield Change(here, "removed", old[place], None)
            elif place >= len(old):
                yield Change(here, "added", None, new[place])
            else:
                yield from compare(old[place], new[place], here)
        return
    before = {_key(item, keys): item for item in old}
    after = {_key(item, keys): item for item in new}
    for key, item in before.items():
        here = f"{path}[{_spelled(key)}]"
        if key in after:
            yield from compare(item, after[key], here)
        else:
            yield Change(here, "removed", item, None)
    for key, item in after.items():
        if key not in before:
            yield Change(f"{path}[{_spelled(key)}]", "added", None, item)
    stayed = [key for key in before if key in after]
    order = [key for key in after if key in before]
    # Where an item was put between others counts too, or two texts that differ would have no difference.
    if stayed != order or (_places(old, new, keys)):
        yield Change(
            path, "reordered", [_spelled(_key(item, keys)) for item in old], [_spelled(k) for k in after]
        )


def _places(
    old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]], keys: tuple[str, ...]
) -> bool:
    """Tell whether an item that is new stands before one that was there: at the end, it is just added."""
    before = {_key(item, keys) for item in old}
    is_new = [_key(item, keys) not in before for item in new]
    first = is_new.index(True) if True in is_new else len(is_new)
    return not all(is_new[first:])


def _tells_apart(items: Sequence[Mapping[str, Any]], keys: tuple[str, ...]) -> bool:
    if not all(isinstance(item.get(keys[0]), str) for item in items):
        return False
    if not all(item.get(key) is None or isinstance(item[key], str) for item in items for key in keys):
        return False
    return len({_key(item, keys) for item in items}) == len(items)


def _key(item: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[str | None, ...]:
    return tuple(item.get(key) for key in keys)


def _spelled(key: tuple[str | None, ...]) -> str:
    parts = list(key)
    while parts and parts[-1] is None:
        parts.pop()
    return " / ".join("-" if part is None else _word(part, "[]/") for part in parts)


def _below(path: str, key: str) -> str:
    word = _word(key, "[].")
    return f"{path}.{word}" if path else word


def _word(text: str, special: str) -> str:
    """Return a name as it can stand in a path: printable, in quotes where it could be taken for something else."""
    plain = (
        text and text == text.strip() and text.isprintable() and not any(ch in text for ch in special + '"')
    )
    if plain and text != "-" and len(text) <= 255:
        return text
    return '"' + printable(text.replace("\\", "\\\\").replace('"', '\\"'), 300) + '"'


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, bool) or isinstance(new, bool) or old is None or new is None:
        return old is new
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return old.keys() == new.keys() and all(_same(value, new[key]) for key, value in old.items())
    if _is_list(old) and _is_list(new):
        return len(old) == len(new) and all(_same(a, b) for a, b in zip(old, new, strict=True))
    if isinstance(old, str) or isinstance(new, str):
        return isinstance(old, str) and isinstance(new, str) and old == new
    return bool(old == new)


def diff_document(changes: Sequence[Change]) -> dict[str, Any]:
    """Return differences as JSON has them."""
    counts = {
        kind: sum(one.kind == kind for one in changes)
        for kind in ("added", "removed", "changed", "reordered")
    }
    return {
        "schema": SCHEMA,
        "counts": counts,
        "changes": [{"path": one.path, "kind": one.kind, "old": one.old, "new": one.new} for one in changes],
    }


def worded(changes: Sequence[Change], *, width: int = 160) -> list[str]:
    """Return differences as lines that any terminal can show.

    Parameters
    ----------
    changes : sequence of Change
    width : int
        Most characters of a value.
    """
    lines = []
    for one in changes:
        old, new = _excerpt(one.old, width), _excerpt(one.new, width)
        says = {
            "added": new,
            "removed": old,
            "changed": f"{old} is now {new}",
            "reordered": "the items stand in another order",
        }[one.kind]
        lines.append(f"{one.kind} {one.path}: {says}" if one.path else f"{one.kind}: {says}")
    return lines


def _excerpt(value: Any, width: int) -> str:
    if isinstance(value, str):
        return printable(repr(value[: width + 1]), width)
    # Of a chart with ten thousand points, the beginning is enough.
    return printable(encode(_cut(value, width)), width)


def _cut(value: Any, left: int) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _cut(inner, left) for key, inner in list(value.items())[:left]}
    if _is_list(value):
        return [_cut(inner, left) for inner in list(value)[:left]]
    return value[: left + 1] if isinstance(value, str) else value


def text_diff(old: CardView, new: CardView, *, lines: int = 3) -> str:
    """Return the unified diff of two versions of a card as they are rendered in Markdown.

    Parameters
    ----------
    old, new : CardView
    lines : int
        Unchanged lines shown around a change.

    Returns
    -------
    str
        Empty where both are rendered the same.
    """
    import difflib

    from driftline.cards.render.markdown import to_markdown

    # Only at line feeds: other characters that end a line for Python may stand inside a field.
    before, after = (to_markdown(view).split("\n") for view in (old, new))
    left, right = (f"{printable(view.card.name)} version {view.version.version}" for view in (old, new))
    found = difflib.unified_diff(before, after, left, right, n=lines, lineterm="")
    return "".join(line + "\n" for line in found)
