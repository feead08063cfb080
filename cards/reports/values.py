"""Values of a report: what counts as missing, and how metrics are gathered."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any, Final

from driftline.cards.shapes import MOST_BARS, MOST_POINTS, fitted, group, metric, thinned
from driftline.documents import MAX_DEPTH, Node
from driftline.errors import DocumentError, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["NOT_AVAILABLE", "Gathered", "numbers", "plain", "scalar"]

NOT_AVAILABLE: Final = "not available"
"""The value of a metric that has none, where it is to be kept."""

_MISSING: Final = frozenset(("nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"))
_LARGEST: Final = int(sys.float_info.max)


class Gathered:
    """Groups of metrics as they are found, and what is to be said of them.

    Parameters
    ----------
    keep_missing : bool
        Whether a metric without a value becomes one that says so; it is left out otherwise.
    """

    def __init__(self, *, keep_missing: bool) -> None:
        self.keep_missing = keep_missing
        self.groups: list[dict[str, Any]] = []
        self.warnings: list[str] = []

    def group(self, name: str, *, joined: bool = False) -> list[dict[str, Any]]:
        """Begin a group and return its metrics; with `joined`, go on with the one of that name where there is one."""
        made = group(name, [])
        for one in self.groups if joined else ():
            if one["name"] == made["name"]:
                found: list[dict[str, Any]] = one["metric_data"]
                return found
        self.groups.append(made)
        metrics: list[dict[str, Any]] = made["metric_data"]
        return metrics

    def warn(self, what: str) -> None:
        """Note something that a reader of the groups would miss."""
        self.warnings.append(what)

    def missing(self, into: list[dict[str, Any]], name: str, why: str | None = None) -> None:
        """Leave out a metric that has no value, or say that it has none."""
        told = f": {printable(why)}" if why else ""
        if self.keep_missing:
            into.append(metric(name, "string", NOT_AVAILABLE, notes=printable(why, 1000) if why else None))
        self.warn(f"{printable(fitted(name, 255), 300)} has no value{told}")

    def add(
        self,
        into: list[dict[str, Any]],
        name: str,
        value: object,
        kind: str = "number",
        why: str | None = None,
    ) -> None:
        """Add a simple metric; one without a value is missing."""
        if value is None:
            self.missing(into, name, why)
        else:
            into.append(metric(name, kind, value))

    def line(
        self,
        into: list[dict[str, Any]],
        name: str,
        xs: Sequence[float | None],
        ys: Sequence[float | None],
        *,
        x: str,
        y: str,
    ) -> None:
        """Add a line; points that lack a number are left out, and of more than 1,000 some."""
        whole = [[a, b] for a, b in zip(xs, ys, strict=True) if a is not None and b is not None]
        if not whole:
            self.missing(into, name, "there is no point with two numbers")
            return
        said = []
        if len(whole) < len(xs):
            said.append(f"{len(xs) - len(whole):,} of {len(xs):,} points have no value and are left out")
            self.warn(f"{printable(name, 300)}: {said[0]}")
        points, note = thinned(whole, MOST_POINTS)
        if note:
            said.append(note)
        into.append(metric(name, "linear_graph", points, notes="; ".join(said) or None, x=x, y=y))

    def bars(
        self,
        into: list[dict[str, Any]],
        name: str,
        labels: Sequence[str],
        values: Sequence[float | None],
        *,
        y: str,
    ) -> None:
        """Add bars; those that lack a number are left out."""
        found = [(label, value) for label, value in zip(labels, values, strict=True) if value is not None]
        if not found:
            self.missing(into, name, "there is no bar with a number")
            return
        note = None
        if len(found) < len(labels):
            note = f"{len(labels) - len(found):,} of {len(labels):,} bars have no value and are left out"
            self.warn(f"{printable(name, 300)}: {note}")
        if len(found) > MOST_BARS:
            self.missing(into, name, f"it has {len(found):,} bars, more than {MOST_BARS:,}")
            return
        into.append(
            metric(name, "bar_chart", [v for _, v in found], notes=note, x=[label for label, _ in found], y=y)
        )


def plain(value: Any, file: object, field: str = "", depth: int = MAX_DEPTH) -> Any:
    """Return a value as JSON has it: NumPy's numbers and arrays, and tuples, become numbers and lists.

    Raises
    ------
    DocumentError
        If there is something that JSON cannot hold, or it nests too deep.
    """
    if value is None or type(value) in (str, bool, float, int):
        return value
    if depth <= 0:
        raise DocumentError(
            f"the document nests deeper than {MAX_DEPTH} levels",
            code="E-JSON-DEPTH",
            file=file,
            field=field or None,
        )
    if isinstance(value, dict):
        made: dict[str, Any] = {}
        for key, inner in value.items():
            name = _key(key, file, field)
            if name in made:
                raise _refused(f"the key {name!r} occurs twice", file, field)
            made[name] = plain(inner, file, f"{field}.{name}" if field else name, depth - 1)
        return made
    if isinstance(value, (list, tuple)):
        return [plain(inner, file, f"{field}[{at}]", depth - 1) for at, inner in enumerate(value)]
    # Subclasses: NumPy's float64 is a float, the member of an enumeration of texts a text.
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int):
        return int(value)
    convert = getattr(value, "tolist", None)
    if callable(convert):
        return plain(convert(), file, field, depth - 1)
    raise _refused(f"a value of type {type(value).__name__} cannot stand in a report", file, field)


def _key(key: object, file: object, field: str) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    simple = plain(key, file, field) if hasattr(key, "tolist") else key
    if isinstance(simple, (bool, int, float)):
        return str(simple)
    raise _refused(f"a key of type {type(key).__name__} cannot stand in a report", file, field)


def _refused(message: str, file: object, field: str) -> DocumentError:
    return DocumentError(
        message, code="E-FIELD", file=file, field=field or None, fix="use text, numbers and lists"
    )


def scalar(node: Node, key: str | None = None) -> float | None:
    """Return a number; None where it is null, ``"NaN"`` or infinite.

    Raises
    ------
    DocumentError
        If it is something else.
    """
    value = node.value if key is None else node[key].value
    if value is None:
        return None
    if isinstance(value, str):
        if value.strip().casefold() in _MISSING:
            return None
        raise node.error(f"expected a number, found the text {printable(value, 40)!r}", key=key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise node.error(f"expected a number, found {_kind(value)}", key=key)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if abs(value) > _LARGEST:
        raise node.error("the number is larger than a double can hold", key=key)
    return value


def numbers(node: Node) -> list[float | None]:
    """Return a list of numbers, each None where it has no value."""
    return [scalar(item) for item in node.items()]


def _kind(value: object) -> str:
    return {bool: "a boolean", dict: "an object", list: "a list"}.get(type(value), type(value).__name__)
