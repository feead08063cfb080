"""Step: one thing that a plan does, and how it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from driftline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["ACTIONS", "Change", "Note", "Step", "diff_changes", "folded", "spelled", "summary"]

ACTIONS: Final = ("create", "change", "propose", "accept", "deploy", "archive", "none")

_SIGNS: Final = {
    "create": "+",
    "propose": "+",
    "change": "~",
    "accept": "~",
    "deploy": "+",
    "archive": "-",
    "none": " ",
}
_ENDINGS: Final = {
    "created": "create",
    "deployed": "deploy",
    "undeployed": "archive",
    "archived": "archive",
    "proposed": "propose",
    "accepted": "accept",
}
# Set from the clock of the transaction: another one each time.
_CLOCKS: Final = frozenset(("since", "created", "restarted"))
MOST_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be otherwise.

    Attributes
    ----------
    what : str
        Such as ``owner`` or ``overrides.checks.ks.bound``.
    before, after : str or None
        None where there is nothing.
    """

    what: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        what = printable(self.what)
        if self.before is None:
            return f"{what}: {printable(self.after, MOST_SHOWN)}" if self.after is not None else what
        after = "nothing" if self.after is None else printable(self.after, MOST_SHOWN)
        return f"{what}: {printable(self.before, MOST_SHOWN)} → {after}"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is declared, and what must be done about it.

    Attributes
    ----------
    action : str
        One of :data:`ACTIONS`.
    kind : str
        ``setting``, ``model``, ``version``, ``endpoint``, ``deployment``, ``baseline``, ``target`` or ``schedule``.
    name : str
        Such as ``churn``, of versions ``churn/3``, of deployments ``churn-prod/AllTraffic``.
    changes : tuple of Change
    why : str
        What should be known beside it; may be empty.
    """

    action: str
    kind: str
    name: str
    changes: tuple[Change, ...] = ()
    why: str = ""

    @property
    def sign(self) -> str:
        """``+``, ``~``, ``-``, or a blank where nothing is to be done."""
        if self.action == "deploy" and any(change.before is not None for change in self.changes):
            return "~"
        return _SIGNS[self.action]

    def __str__(self) -> str:
        verb = f", {self.action}" if self.action in ("propose", "accept", "deploy") else ""
        why = f"  ({printable(self.why, MOST_SHOWN)})" if self.why else ""
        lines = [f"{self.sign} {self.kind} {self.name}{verb}{why}"]
        lines += [f"    {change}" for change in self.changes]
        return "\n".join(lines)

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "action": self.action,
            "kind": self.kind,
            "name": self.name,
            "changes": [{"what": c.what, "before": c.before, "after": c.after} for c in self.changes],
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class Note:
    """An entry of the audit log, as it would be written."""

    action: str
    subject: str
    before: Any = None
    after: Any = None


@dataclass
class _Folded:
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


def folded(
    kind: str, name: str, notes: Iterable[Note], *, quiet: Mapping[str, Any] | None = None, why: str = ""
) -> Step:
    """Make one step of all that happens to one thing.

    Parameters
    ----------
    kind, name : str
    notes : iterable of Note
        In order. Alerts that are opened or resolved in consequence are only mentioned.
    quiet : mapping, optional
        Values, by what they are of, that go without saying where something is new.
    why : str
    """
    seen = _Folded()
    action, consequences = "none", []
    for note in notes:
        if note.action.startswith("alert."):
            consequences.append(note)
            continue
        action = _stronger(action, _action(note))
        before, after = dict(_flat(note, note.before)), dict(_flat(note, note.after))
        for key in {**before, **after}:
            seen.before.setdefault(key, before.get(key))
            seen.after[key] = after.get(key)
    changes = []
    for key, old in seen.before.items():
        new = seen.after[key]
        if action == "archive" or (old is None and new is None):
            continue
        if action == "create" and quiet is not None and key in quiet and quiet[key] == new:
            continue
        before_text, after_text = spelled(old), spelled(new)
        if before_text != after_text:
            changes.append(Change(key, before_text, after_text))
    if consequences:
        resolved = sum(note.action == "alert.resolved" for note in consequences)
        told = [f"{resolved} open alert(s) of it will be resolved"] if resolved else []
        if len(consequences) > resolved:
            told.append("its stored runs are judged anew")
        why = "; ".join(filter(None, [why, *told]))
    return Step(action, kind, name, tuple(changes), why)


def _action(note: Note) -> str:
    group, _, ending = note.action.rpartition(".")
    if group == "alert_rule":
        return "change"
    if group == "setting":
        return "create" if note.before is None else "change"
    return _ENDINGS.get(ending.removeprefix("version_"), "change")


def _stronger(one: str, other: str) -> str:
    if "create" in (one, other) and "archive" not in (one, other):
        return "create"
    if one == "propose" and other in ("accept", "change"):
        return "propose"
    return other if one in ("none", "change") else one


def _flat(note: Note, value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        if value is not None:
            yield note.action.rpartition(".")[2], value
        return
    prefix, inner = "", dict(value)
    if note.action.startswith("alert_rule."):
        prefix = f"alert {inner.pop('rule')}."
    elif note.action.startswith("schedule."):
        for key in ("schedule", "monitor"):
            if "config" in inner:
                inner.pop(key, None)
        inner |= inner.pop("config", None) or {}
    yield from _leaves(prefix, inner)


def _leaves(prefix: str, value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _leaves(f"{prefix}{key}.", item)
        elif key not in _CLOCKS and item not in (None, [], ()):
            yield prefix + key, item


def spelled(value: Any) -> str | None:
    """Write a value of a document for people; None for nothing."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return ", ".join(spelled(item) or "" for item in value)
    if isinstance(value, Mapping):
        name = value.get("uri") or value.get("name")
        if isinstance(name, str):
            facts = [str(value["digest"])[:19] + "…"] if value.get("digest") else []
            if isinstance(value.get("size"), int):
                facts.append(f"{value['size']:,} bytes")
            return f"{name} ({', '.join(facts)})" if facts else name
        return ", ".join(f"{key}={spelled(item)}" for key, item in value.items())
    return str(value)


def diff_changes(
    diff: Mapping[str, Any] | None, most: int = 10, *, noun: str = "column"
) -> tuple[Change, ...]:
    """Return the differences of two baselines, from :mod:`driftline.registry.baseline_diff`, as changes.

    Parameters
    ----------
    diff : mapping or None
    most : int
        So many are told; of the others how many there are.
    noun : str
        What it is that came or went.
    """
    if diff is None:
        return ()
    told = [Change(f"{noun} {name}", None, "added") for name in diff["added"]]
    told += [Change(f"{noun} {name}", "there", "removed") for name in diff["removed"]]
    changed = [one for one in diff["changed"] if not one["what"].endswith(".why")]
    for one in changed:
        what = one["what"] if one["feature"] is None else f"{one['feature']} {one['what']}"
        before, after = spelled(one["before"]), spelled(one["after"])
        if one["what"] == "domains":
            moved = [f"+ {value}" for value in one.get("came", ())] + [
                f"- {value}" for value in one.get("went", ())
            ]
            before, after = f"{before or 0} values", f"{after or 0} values: {', '.join(moved[:6])}"
        told.append(Change(what, "none" if before is None else before, after))
    # The reasons that stand beside the bounds change with them, and are no changes of their own.
    total = sum(diff["counts"].values()) - len(diff["changed"]) + len(changed)
    if total > most:
        return (*told[:most], Change(f"… and {total - most:,} more", None, None))
    return tuple(told)


def summary(steps: Iterable[Step]) -> dict[str, int]:
    """Count steps by what they come to."""
    counts = {"create": 0, "change": 0, "remove": 0, "unchanged": 0}
    words = {"+": "create", "~": "change", "-": "remove", " ": "unchanged"}
    for step in steps:
        counts[words[step.sign]] += 1
    return counts
