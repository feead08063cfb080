"""Differences of plain values: applying one gives exactly the other value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from card_strategies import texts
from hypothesis import given
from hypothesis import strategies as st

from driftline.cards.convert.patch import Patch, apply, difference, moved, path_of, pointer

values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | texts(5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(3), inner, max_size=3),
    max_leaves=10,
)
objects = st.dictionaries(texts(3), values, max_size=4)


@given(old=objects, new=objects)
def test_applying_a_difference_gives_the_other_value(old: dict[str, Any], new: dict[str, Any]) -> None:
    before = json.dumps(old)
    patch = difference(old, new)
    assert json.dumps(apply(patch, old), sort_keys=True) == json.dumps(new, sort_keys=True)
    assert json.dumps(old) == before, "the value given is not changed"
    told = Patch(
        tuple((path_of(pointer(path)), one) for path, one in patch.put),
        tuple(path_of(pointer(path)) for path in patch.drop),
    )
    assert json.dumps(apply(told, old), sort_keys=True) == json.dumps(new, sort_keys=True)


@given(value=objects)
def test_no_difference(value: dict[str, Any]) -> None:
    assert not difference(value, value)


def test_one_is_not_true_and_not_a_fraction() -> None:
    assert difference({"a": 1}, {"a": True}).put == ((("a",), True),)
    assert difference({"a": 1}, {"a": 1.0}).put == ((("a",), 1.0),)


@pytest.mark.parametrize("place", ["/a/9", "/b/c", "/a/x", "/a/0/b"])
def test_what_does_not_fit_is_refused(place: str) -> None:
    with pytest.raises((KeyError, IndexError, TypeError, ValueError)):
        apply(Patch(((path_of(place), 1),)), {"a": [1]})


def test_what_still_holds_after_an_edit() -> None:
    patch = Patch(((("a", "new"), 1), (("a", "old"), 2), (("list", 0, "x"), 3)), (("gone",),))
    kept, left = moved(patch, {"a": {"old": 0}, "list": [{}]})
    assert kept.put == ((("a", "new"), 1),)
    assert left == ["a.old", "list.0.x", "gone"]
