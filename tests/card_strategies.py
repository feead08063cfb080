"""Hypothesis strategies for cards: whatever the tables of limits allow, with texts that break careless formats."""

from __future__ import annotations

import string
from typing import Any

from hypothesis import strategies as st

from driftline.cards import limits
from driftline.cards.extension_kinds import (
    Choice,
    Date,
    Digest,
    Flag,
    Group,
    Json,
    ListOf,
    Number,
    Text,
    Uri,
    Whole,
)
from driftline.cards.extension_table import TABLE

HOSTILE = (
    "",
    " ",
    "\n",
    "\r\n",
    "two\nlines",
    "ends in a space \nand more",
    "\n\nstarts and ends\n\n",
    "tab\there",
    "a\rb\r\nc",
    '"',
    '""""""',
    "'''",
    '"""\nx',
    "back\\slash\\n",
    "ends in \\",
    "```\nopen fence",
    "~~~~",
    "# heading",
    "## Model overview",
    "### Model description\ntext",
    "+++",
    "---\nyaml: {a: &x [*x]}\n---",
    "key: value # no comment",
    "- [ ] list",
    "<script>alert(1)</script>",
    "<!-- hidden -->",
    "| a | b |\n|---|---|",
    "![x](javascript:alert(1))",
    "#let x = 1; $typst$",
    "{{ jinja }} {% x %}",
    "!!python/object/apply:os.system ['true']",
    "\u202ereversed\u202c",
    "\u200bzero\u200dwidth\ufeff",
    "\x07\x1b[31mred\x7f\x85\u2028\u2029",
    "שלום עולם",
    "模型卡片說明",
    "👩‍👩‍👧‍👦 🏳️‍🌈",
    "e\u0301 ﷽ \U0001f600\U0010ffff",
    "w" * 300,
    "several words " * 40,
    "null",
    "true",
    "1.5",
    "2026-11-23",
    "~",
    "=",
    "%YAML 1.2",
    "[More Information Needed]",
    "$json",
)
"""Texts that mean something to TOML, YAML, JSON, Markdown, HTML or a terminal."""

LETTERS = string.ascii_letters + string.digits + " \n#-*`\"'\\:{}[]<>&!|%@~+=\t\réß模🙂\u200d"


def texts(most: int | None = None, low: int = 0) -> st.SearchStrategy[str]:
    """Return texts of `low` to `most` characters, without NUL and surrogates."""
    high = min(most if most is not None else 300, 300)
    free = st.text(
        st.sampled_from(LETTERS) | st.characters(exclude_characters="\0", codec="utf-8"), max_size=60
    )
    found = (st.sampled_from(HOSTILE) | free).map(lambda text: text[:high])
    return found.filter(lambda text: bool(text.strip())) if low else found


def numbers() -> st.SearchStrategy[Any]:
    """Return finite numbers that canonical JSON has."""
    return st.integers(-(1 << 53) + 1, (1 << 53) - 1) | st.floats(allow_nan=False, allow_infinity=False)


def contents() -> st.SearchStrategy[dict[str, Any]]:
    """Return contents of cards."""
    return _object("")


def _object(pattern: str) -> st.SearchStrategy[dict[str, Any]]:
    if pattern == limits.METRIC:
        return st.sampled_from(sorted(limits.RULES[f"{pattern}.value"].rules)).flatmap(_metric)
    known = limits.keys(pattern)
    required = {
        key: _value(_join(pattern, key)) for key in known if limits.RULES[_join(pattern, key)].required
    }
    optional = {key: _value(_join(pattern, key)) for key in known if key not in required}
    return st.fixed_dictionaries(required, optional=optional)


def _join(pattern: str, key: str) -> str:
    return f"{pattern}.{key}" if pattern else key


def _metric(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    def rule(key: str) -> limits.Rule:
        return limits.RULES[f"{limits.METRIC}.{key}"]

    value = rule("value").rules[kind]
    axes = {}
    for key in ("x_axis_name", "y_axis_name"):
        axes[key] = st.text(max_size=5) if kind not in ("bar_chart", "matrix") else st.nothing()
    return st.fixed_dictionaries(
        {
            "name": texts(255, 1),
            "type": st.just(kind),
            "value": st.integers(1, 3).flatmap(
                lambda n: st.lists(st.lists(numbers(), min_size=n, max_size=n), min_size=1, max_size=3)
            )
            if kind == "matrix"
            else _of(value),
        },
        optional={
            "notes": texts(1024),
            **({} if kind in ("bar_chart", "matrix") else dict.fromkeys(axes, texts(63))),
        },
    )


def _value(pattern: str) -> st.SearchStrategy[Any]:
    rule = limits.RULES[pattern]
    if isinstance(rule, limits.Object):
        return _object(pattern)
    if isinstance(rule, limits.Map):
        return st.dictionaries(texts(60, 1), _value(f"{pattern}.*"), max_size=3)
    if isinstance(rule, limits.Items) and rule.of is None:
        return st.lists(_value(f"{pattern}.*"), min_size=rule.low, max_size=min(rule.high or 3, 3))
    return _of(rule)


def _of(rule: limits.Rule) -> st.SearchStrategy[Any]:
    match rule:
        case limits.Text(high, low):
            return texts(high, low)
        case limits.Number(minimum):
            return numbers() if minimum is None else st.integers(int(minimum), 99) | st.floats(minimum, 1e9)
        case limits.Boolean():
            return st.booleans()
        case limits.Choice(words):
            return st.sampled_from(words)
        case limits.Items(high, low, _, of) if of is not None:
            most = low if high == low else 60
            return st.lists(_of(of), min_size=low, max_size=most)
    raise AssertionError(rule)


def extensions() -> st.SearchStrategy[dict[str, Any]]:
    """Return extensions of cards."""
    return _field(TABLE).map(
        lambda found: {key: one for key, one in found.items() if key != "schema_version"}
    )


_JSON = st.recursive(
    st.none() | st.booleans() | numbers() | texts(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(20), inner, max_size=3),
    max_leaves=6,
)


def _field(field: Any) -> st.SearchStrategy[Any]:
    match field:
        case Text(_, most):
            return texts(most)
        case Uri():
            return st.sampled_from(
                ("s3://a/b", "https://example.org/?q=1#x", "data/train.csv", "mailto:a@b.example")
            )
        case Digest():
            return st.sampled_from(("sha256:" + "0" * 64, "sha256:" + "9f" * 32))
        case Date():
            return st.sampled_from(("2026-11-23", "2026-11-23T07:00:00Z"))
        case Number(_, low, high):
            return st.floats(low or 0.0, high if high is not None else 1e9) | st.just(int(low or 0))
        case Whole(_, low, high):
            return st.integers(low, min(high, low + 1000))
        case Flag():
            return st.booleans()
        case Choice(_, words):
            return st.sampled_from(words)
        case Json():
            return _JSON
        case ListOf(_, item, most, key):
            unique = (lambda one: tuple(repr(one.get(name)) for name in key)) if key else None
            return st.lists(_field(item), max_size=min(most, 2), unique_by=unique)
        case Group(_, fields, needs):
            required = {
                name: texts(inner.most, 1) if isinstance(inner, Text) else _field(inner)
                for name, inner in fields.items()
                if name in needs
            }
            optional = {
                name: st.deferred(lambda f=inner: _field(f))
                for name, inner in fields.items()
                if name not in needs
            }
            return st.fixed_dictionaries(required, optional=optional)
    raise AssertionError(field)
