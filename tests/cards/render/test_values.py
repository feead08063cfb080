"""Values as words."""

from __future__ import annotations

import pytest

from driftline.cards.render.blocks import Span, plain
from driftline.cards.render.values import (
    dig,
    fact,
    is_stated,
    lines_of,
    moment,
    named,
    number,
    scalar,
    source_words,
)


@pytest.mark.parametrize("value", [None, "", " \n", [], {}, [""], {"a": None}, [[], {}]])
def test_nothing_is_not_stated(value: object) -> None:
    assert not is_stated(value)


@pytest.mark.parametrize("value", [0, 0.0, False, "x", [0], {"a": {"b": "x"}}])
def test_zero_and_false_are_stated(value: object) -> None:
    assert is_stated(value)


def test_numbers_have_six_digits() -> None:
    assert [number(x) for x in (0.9655172, 12345678, -0.5, 1e-9, 1e300, 2.0)] == [
        "0.965517",
        "12,345,678",
        "−0.5",
        "1e-9",
        "1e300",
        "2",
    ]


def test_moments_are_utc_whatever_their_year() -> None:
    assert moment(1_795_417_200_000_000) == "2026-11-23 07:00:00 UTC"
    assert moment(10**18) == "1,000,000,000,000,000,000 µs"


def test_identifiers_are_code_and_words_are_not() -> None:
    assert scalar("s3://bucket/key") == (Span("s3://bucket/key", "code"),)
    assert scalar("sha256: not quite") == (Span("sha256: not quite", "given"),)
    assert scalar(True) == (Span("yes"),)
    assert scalar(0.25) == (Span("0.25"),)


def test_lists_and_texts_have_their_lines() -> None:
    assert [plain(line) for line in lines_of(["a", "", "b\r\nc", 3])] == ["a", "b", "c", "3"]
    assert [plain(line) for line in lines_of({"k": "v", "n": None})] == ["k: v"]


def test_dig_follows_a_path_as_far_as_there_are_objects() -> None:
    assert dig({"a": {"b": 1}}, "a.b") == 1
    assert dig({"a": []}, "a.b") is None
    assert dig(None, "a") is None


def test_source_is_the_fields_own_or_that_of_its_part() -> None:
    provenance = {"a.b": {"source": "job 1", "moment": "2026-11-20T08:00:00Z"}, "c": {"source": ""}}
    assert plain(source_words(provenance, "a.b.x")) == "collected from job 1, 2026-11-20"
    assert source_words(provenance, "a") == ()
    assert source_words(provenance, "c") == ()


def test_a_name_that_is_missing_is_told() -> None:
    assert plain(named(" ")) == "without a name"
    assert plain(named("x")) == "x"


def test_a_fact_without_value_has_no_lines() -> None:
    assert fact("Label", None).lines == ()
