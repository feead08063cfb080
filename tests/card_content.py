"""Contents of model cards for tests: the least that is valid, one value in its place, and any that is valid."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from driftline.cards.limits import (
    METRIC,
    RULES,
    Boolean,
    ByType,
    Choice,
    Items,
    Map,
    Number,
    Object,
    Text,
    keys,
)

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from driftline.cards.limits import Rule


def least(pattern: str, rule: Rule | None = None, kind: str = "number") -> Any:
    """Return the smallest valid value at a path pattern."""
    rule = RULES[pattern] if rule is None else rule
    match rule:
        case Text():
            return "x" * rule.low
        case Number(minimum):
            return 0 if minimum is None else minimum
        case Boolean():
            return True
        case Choice(texts):
            return kind if pattern == f"{METRIC}.type" else texts[0]
        case Items(_, low, _, of):
            return [least(f"{pattern}.*", of) for _ in range(low)]
        case Map():
            return {}
        case Object():
            return {
                key: least(_below(pattern, key), kind=kind)
                for key in keys(pattern)
                if RULES[_below(pattern, key)].required
            }
        case ByType(rules):
            return least(pattern, rules[kind])


def placed(pattern: str, value: Any, kind: str = "number") -> dict[str, Any]:
    """Return the smallest valid content that has `value` at a path pattern, at the first position of every list."""
    parts = pattern.split(".")

    def build(depth: int) -> Any:
        if depth == len(parts):
            return value
        here = ".".join(parts[:depth])
        if parts[depth] != "*":
            return least(here, kind=kind) | {parts[depth]: build(depth + 1)}
        if isinstance(RULES[here], Map):
            return {"key": build(depth + 1)}
        return [build(depth + 1)]

    content: dict[str, Any] = build(0)
    return content


def path_of(pattern: str) -> str:
    """Return the path of what :func:`placed` puts at a pattern."""
    parts = pattern.split(".")
    above = [RULES[".".join(parts[:i])] for i in range(len(parts))]
    keys_of = ("key" if isinstance(rule, Map) else "0" for rule in above)
    return ".".join(key if part == "*" else part for part, key in zip(parts, keys_of, strict=True))


def _below(pattern: str, key: str) -> str:
    return f"{pattern}.{key}" if pattern else key


_CHARACTERS = st.one_of(
    st.sampled_from(string.ascii_letters),
    st.characters(exclude_categories=("Cs",), exclude_characters="\x00"),
)
_NUMBERS = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))


def _value(pattern: str, rule: Rule) -> SearchStrategy[Any]:
    match rule:
        case Text(high, low):
            texts = st.text(_CHARACTERS, min_size=low, max_size=min(high or 12, 12))
            return texts.filter(str.strip) if low else texts
        case Number(minimum):
            return _NUMBERS if minimum is None else _NUMBERS.map(abs).filter(lambda x: x >= minimum)
        case Boolean():
            return st.booleans()
        case Choice(texts):
            return st.sampled_from(texts)
        case Items(high, low, _, of):
            below = f"{pattern}.*"
            items = _value(below, RULES[below] if of is None else of)
            return st.lists(items, min_size=low, max_size=max(low, min(high or 3, 3)))
        case Map():
            names = st.text(_CHARACTERS, min_size=1, max_size=8).filter(str.strip)
            return st.dictionaries(names, _value(f"{pattern}.*", RULES[f"{pattern}.*"]), max_size=3)
        case Object():
            return _metric() if pattern == METRIC else _object(pattern)
        case ByType():
            raise AssertionError(pattern)


def _object(pattern: str) -> SearchStrategy[Any]:
    of = {key: _value(_below(pattern, key), RULES[_below(pattern, key)]) for key in keys(pattern)}
    required = {key: value for key, value in of.items() if RULES[_below(pattern, key)].required}
    return st.fixed_dictionaries(required, optional={k: v for k, v in of.items() if k not in required})


def _metric() -> SearchStrategy[Any]:
    return st.one_of([_metric_of(kind) for kind in RULES[f"{METRIC}.type"].texts])  # type: ignore[union-attr]


def _metric_of(kind: str) -> SearchStrategy[Any]:
    members: dict[str, SearchStrategy[Any]] = {}
    for key in keys(METRIC):
        rule = RULES[f"{METRIC}.{key}"]
        members[key] = _value(f"{METRIC}.{key}", rule.rules[kind] if isinstance(rule, ByType) else rule)
    members["type"] = st.just(kind)
    if kind == "matrix":
        return _matrix(members)
    optional = ("notes", "x_axis_name", "y_axis_name")
    return st.fixed_dictionaries(
        {k: v for k, v in members.items() if k not in optional}, optional={k: members[k] for k in optional}
    )


@st.composite
def _matrix(draw: st.DrawFn, members: dict[str, SearchStrategy[Any]]) -> dict[str, Any]:
    n_rows, n_columns = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    label = st.text(_CHARACTERS, max_size=5)
    row = st.lists(_NUMBERS, min_size=n_columns, max_size=n_columns)
    metric = {
        "name": draw(members["name"]),
        "type": "matrix",
        "value": draw(st.lists(row, min_size=n_rows, max_size=n_rows)),
    }
    if draw(st.booleans()):
        metric["x_axis_name"] = draw(st.lists(label, min_size=n_rows, max_size=n_rows))
    if draw(st.booleans()):
        metric["y_axis_name"] = draw(st.lists(label, min_size=n_columns, max_size=n_columns))
    return metric


def contents() -> SearchStrategy[dict[str, Any]]:
    """Any content that a card may have, small."""
    return _object("")


def part_contents(pattern: str) -> SearchStrategy[dict[str, Any]]:
    """Any content of the object at a path pattern, small."""
    return _metric() if pattern == METRIC else _object(pattern)
