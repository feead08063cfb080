"""Row judgement: which parts of a profile's row a card has, where, and who says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from driftline.cards.facts import is_measured
from driftline.cards.row_state import Found, Missing, Origin, RowState, State
from driftline.documents import encode
from driftline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from driftline.cards.facts import Facts
    from driftline.cards.profile import Part, Requirement

__all__ = ["Look", "is_something", "items_of"]

_GIVEN: Final = ("", "given", "people", "user")
_RUNNING: Final = ("monitors", "evidence", "plan_agrees")
_MOST_FOUND: Final = 20


def items_of(value: Any) -> list[Any]:
    """Return a list as it is; anything else has no items."""
    return value if isinstance(value, list) else []


def is_something(value: Any, without: tuple[str, ...] = ()) -> bool:
    """Tell whether a value says anything: text that is not blank and none of `without`, or what holds such."""
    if isinstance(value, str):
        return bool(value.strip()) and value not in without
    if isinstance(value, (Mapping, list, tuple)):
        inside = value.values() if isinstance(value, Mapping) else value
        return any(is_something(one) for one in inside)
    return value is not None


class Look:
    """A card, and what is known of it, looked at row by row."""

    def __init__(
        self,
        content: Mapping[str, Any],
        extensions: Mapping[str, Any],
        facts: Facts | None,
        provenance: Mapping[str, Any],
    ) -> None:
        self.facts = facts
        self.provenance = provenance
        self.tree: dict[str, Any] = {
            "content": content,
            "extensions": extensions,
            "facts": {} if facts is None else facts.document(),
            "evaluations": list(_evaluations(content, extensions)),
        }
        self.measured = {
            place for place, one in enumerate(self.tree["evaluations"]) if self.holds(one.get("measured_by"))
        }

    def holds(self, source: Any) -> bool:
        """Tell whether a monitor measured it: with a registry, only where it knows the run."""
        return is_measured(source) and (self.facts is None or source in self.facts.sources)

    def row(self, row: Requirement, reason: str | None) -> RowState:
        """Return what the card has of a row; `reason` is why it is not applicable, where the card says so."""
        found: list[Found] = []
        missing: list[Missing] = []
        n_there = 0
        for part in row.parts:
            here, lacks = self.each(part) if part.each is not None else self.any(part)
            found += here
            missing += lacks
            n_there += not lacks
        state: State = "partial" if found else "missing"
        if n_there == len(row.parts):
            state = "filled"
        note = ""
        if reason is not None:
            if found:
                note = "the card holds something of it all the same"
            state, missing = "not applicable", []
        return RowState(
            row.id,
            row.title,
            row.asks,
            row.reference,
            row.number_verified,
            state,
            reason or "",
            tuple(found),
            tuple(missing),
            note,
        )

    def any(self, part: Part) -> tuple[list[Found], list[Missing]]:
        """Look for a part that one place is enough for."""
        found = []
        for path in part.any:
            hits: dict[Origin, list[Any]] = {}
            for place, value in _walk(self.tree, path.split("."), ""):
                if is_something(value, part.without):
                    hits.setdefault(self.origin(place), []).append(value)
            for by, values in hits.items():
                found.append(Found(part.what, path.removeprefix("content."), _says(values), by))
        if found:
            return found[:_MOST_FOUND], []
        because = ""
        if self.facts is None and all(path.startswith("facts.") for path in part.any):
            because = "cannot be told without a workspace"
        return [], [Missing(part.what, part.add, because)]

    def each(self, part: Part) -> tuple[list[Found], list[Missing]]:
        """Look for a part that every item of a list must have."""
        assert part.each is not None
        lists = [value for _, value in _walk(self.tree, part.each.split("."), "")]
        items = [item for one in lists for item in items_of(one)]
        have: dict[Origin, list[Any]] = {}
        lack = []
        for place, item in enumerate(items):
            hit = next((key for key in part.has if _has(item, key, part.without)), None)
            if hit is None:
                lack.append(_called(item, place))
            else:
                by = self.origin_of_item(part.each, place, hit)
                have.setdefault(by, []).append(item[hit])
        path = part.each.removeprefix("content.")
        found = [
            Found(part.what, f"{path}[].{'|'.join(part.has)}", f"{len(values)} of {len(items)}", by)
            for by, values in have.items()
        ]
        if items and not lack:
            return found, []
        because = "there are none"
        if items:
            shown = ", ".join(lack[:5]) + (f" and {len(lack) - 5:,} more" if len(lack) > 5 else "")
            because = f"{len(lack)} of {len(items)} lack it: {shown}"
        return found, [Missing(part.what, part.add, because)]

    def origin_of_item(self, path: str, place: int, key: str) -> Origin:
        """Return where the value at the key of an item comes from."""
        if path == "evaluations":
            # A signature is a person's, whoever measured.
            return "monitors" if place in self.measured and key != "signatures" else "people"
        return self.origin(f"{path}.{place}.{key}")

    def origin(self, place: str) -> Origin:
        """Return where the value at a dotted place comes from."""
        root, _, inside = place.partition(".")
        if root == "facts":
            return "monitors" if inside.split(".")[0] in _RUNNING else "records"
        parts = inside.split(".")
        number = int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else None
        if root == "content" and parts[0] == "evaluation_details" and number in self.measured:
            return "monitors"
        if root == "extensions" and parts[0] == "evaluation" and number is not None:
            extra = self.tree["extensions"]["evaluation"][number]
            if isinstance(extra, Mapping) and self.holds(extra.get("measured_by")):
                return "monitors"
        whole = parts if root == "content" else place.split(".")
        for end in range(len(whole), 0, -1):
            source = self.provenance.get(".".join(whole[:end]))
            if isinstance(source, Mapping):
                said = str(source.get("source") or "")
                return "monitors" if is_measured(said) else "people" if said in _GIVEN else "records"
        return "people"


def _evaluations(content: Mapping[str, Any], extensions: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the evaluations with what the extensions say of each."""
    extras = [one for one in items_of(extensions.get("evaluation")) if isinstance(one, Mapping)]
    for job in items_of(content.get("evaluation_details")):
        joined: dict[str, Any] = dict(job) if isinstance(job, Mapping) else {}
        signatures: list[Any] = []
        for extra in extras:
            if extra.get("evaluation") == joined.get("name"):
                signatures += items_of(extra.get("signatures"))
                for key in ("sample_size", "measured_by", "procedure"):
                    if is_something(extra.get(key)):
                        joined.setdefault(key, extra[key])
        metadata = joined.get("metadata")
        source = metadata.get("source") if isinstance(metadata, Mapping) else None
        if is_measured(source):
            joined.setdefault("measured_by", source)
        if signatures:
            joined["signatures"] = signatures
        yield joined


def _walk(value: Any, path: list[str], place: str) -> Iterator[tuple[str, Any]]:
    """Yield what stands at a path, with its dotted place; ``key[]`` goes into every item of the list at ``key``."""
    if not path:
        yield place, value
        return
    if not isinstance(value, Mapping):
        return
    key = path[0].removesuffix("[]")
    if key not in value:
        return
    inner, here = value[key], f"{place}.{key}" if place else key
    if not path[0].endswith("[]"):
        yield from _walk(inner, path[1:], here)
        return
    for number, item in enumerate(items_of(inner)):
        yield from _walk(item, path[1:], f"{here}.{number}")


def _has(item: Any, key: str, without: tuple[str, ...]) -> bool:
    return isinstance(item, Mapping) and is_something(item.get(key), without)


def _called(item: Any, place: int) -> str:
    if isinstance(item, Mapping):
        for key in ("name", "title", "risk", "choice", "change"):
            if isinstance(item.get(key), str) and item[key].strip():
                return printable(item[key], 60)
    return f"item {place}"


def _says(values: list[Any]) -> str:
    first = values[0]
    if isinstance(first, str):
        said = printable(first, 80)
    elif isinstance(first, bool):
        said = "yes" if first else "no"
    elif isinstance(first, (Mapping, list)):
        # The beginning is enough, of charts with thousands of points too.
        some = dict(list(first.items())[:3]) if isinstance(first, Mapping) else first[:3]
        texts = [one for one in some if isinstance(one, str)] if isinstance(some, list) else []
        said = ", ".join(printable(one, 40) for one in texts) if texts else f"{len(first)} items"
        if texts and len(first) > len(texts):
            said += ", …"
    else:
        said = printable(encode(first), 80)
    return said if len(values) == 1 else f"{len(values)}, the first: {said}"
