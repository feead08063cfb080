"""Names that look like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.registry.likeness import is_blank, is_like


@pytest.mark.parametrize(
    "name",
    [
        "Ann",
        " ann\t",
        "\uff41nn",
        "a\u200bnn",
        "ann\u200d",
        "\u202eann",
        "a\u00adnn",
        "ann\ufe0f",
        "a\u034fnn",
        "ann\u3164",
        "\ufeffann",
        "ann\u2800",
        "\u0430nn",
        "\u0410nn",
        "\u03b1nn",
    ],
)
def test_what_looks_like_ann_is_like_ann(name: str) -> None:
    assert is_like(name, "ann")
    assert is_like("ann", name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("paul", "pauI"),
        ("paul", "pau1"),
        ("Ian", "lan"),
        ("bob", "b0b"),
        ("amy", "arny"),
        ("ann smith", "ann\u00a0 smith"),
        ("BETH", "\u0412\u0415\u0422\u041d"),
        ("e\u0301va", "\u00e9va"),
        ("igor", "\u0456gor"),
        ("Igor", "\u0406gor"),
    ],
)
def test_two_drawings_of_one_name_are_alike(one: str, other: str) -> None:
    assert is_like(one, other)


def test_other_names_are_others() -> None:
    names = [
        "ann",
        "anna",
        "bob",
        "rene",
        "ren\u00e9",
        "ian",
        "lan",
        "ann smith",
        "annsmith",
        "\u0430\u043d\u043d\u0430",
    ]
    assert [(a, b) for a in names for b in names if a != b and is_like(a, b)] == []


@given(st.text(), st.text())
def test_likeness_is_mutual_and_of_oneself(one: str, other: str) -> None:
    assert is_like(one, one)
    assert is_like(one, other) == is_like(other, one)
    assert is_like(one, one.upper()) or one.casefold() != one.upper().casefold()


@pytest.mark.parametrize("name", ["", " ", "\u200b", "\u3164\u2800", "\u00a0\t"])
def test_nothing_is_seen_of_a_blank_name(name: str) -> None:
    assert is_blank(name)
    assert not is_blank(name + "a")
