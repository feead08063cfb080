from __future__ import annotations

import builtins
import copy
import inspect
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline import errors
from driftline.errors import DocumentError, DriftlineError, UsageError, printable

FAMILY = [e for e in vars(errors).values() if inspect.isclass(e) and issubclass(e, DriftlineError)]


@given(st.text(st.characters(exclude_categories=[]), max_size=300), st.integers(1, 250))
def test_printable_is_one_short_printable_line(text: str, limit: int) -> None:
    shown = printable(text, limit)
    assert len(shown) <= limit
    assert shown.isprintable()
    assert not any(
        unicodedata.bidirectional(ch) in {"LRE", "RLE", "LRO", "RLO", "LRI", "RLI"} for ch in shown
    )


@given(st.text(max_size=50))
def test_printable_text_is_left_alone(text: str) -> None:
    if text.isprintable():
        assert printable(text, 50) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a\\nb"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\u202egpj", "\\u202egpj"),
        ("\udcff", "\\udcff"),
        ("", ""),
        (None, "None"),
    ],
)
def test_printable_escapes(text: object, shown: str) -> None:
    assert printable(text) == shown


def test_long_text_ends_in_an_ellipsis() -> None:
    assert printable("x" * 201) == "x" * 199 + "…"
    assert printable("\n" * 10**7, 5) == "\\n\\n…"


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({}, "E-USAGE: wrong"),
        ({"file": "a.csv"}, "E-USAGE: a.csv: wrong"),
        ({"file": "a.csv", "line": 3}, "E-USAGE: a.csv:3: wrong"),
        ({"file": "a.csv", "line": 3, "field": "x.y"}, "E-USAGE: a.csv:3: x.y: wrong"),
        ({"field": "x", "fix": "mend it"}, "E-USAGE: x: wrong; mend it"),
        ({"code": "E-MINE", "line": 3}, "E-MINE: wrong"),
        ({"file": "a\nb", "field": "\u202e", "fix": "c\rd"}, "E-USAGE: a\\nb: \\u202e: wrong; c\\rd"),
    ],
)
def test_one_line(facts: dict[str, object], line: str) -> None:
    assert str(UsageError("wrong", **facts)) == line  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", FAMILY)
def test_every_error_has_a_code_and_survives_copying(kind: type[DriftlineError]) -> None:
    """Errors cross process boundaries; their facts must not stay behind."""
    error = kind("wrong", file="f", line=2, field="a", fix="mend it")
    assert error.code.startswith("E-")
    again = copy.copy(error)
    assert type(again) is kind
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_the_tree_is_the_one_in_the_docstring() -> None:
    """Name, depth and built-in family of every error stand there."""
    drawn = re.findall(r"^([│ ]*)[├└]── (\w+)(?: \((\w+)\))?", errors.__doc__ or "", re.M)
    parents = [DriftlineError]
    for indent, name, family in drawn:
        kind = getattr(errors, name)
        depth = len(indent) // 4 - 1
        assert kind.__bases__[0] is parents[depth]
        assert not family or issubclass(kind, getattr(builtins, family))
        parents[depth + 1 :] = [kind]
    assert {name for _, name, _ in drawn} == {kind.__name__ for kind in FAMILY} - {"DriftlineError"}
    assert set(errors.__all__) == {kind.__name__ for kind in FAMILY} | {"printable"}


def test_each_is_caught_as_the_built_in_it_resembles() -> None:
    with pytest.raises(ValueError, match="wrong"):
        raise UsageError("wrong")
    with pytest.raises(ValueError, match="wrong"):
        raise DocumentError("wrong")
    with pytest.raises(RuntimeError, match="wrong"):
        raise errors.PreprocessorError("wrong")
