"""One text for equal values."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.reports.spelling import NON_FINITE, canonical, digest, spell, spell_value, unspell_value

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_the_canonical_text_reads_back_and_stays(value: object) -> None:
    text = canonical(value)
    assert json.loads(text) == value
    assert canonical(json.loads(text)) == text


def test_the_order_of_keys_does_not_matter() -> None:
    assert canonical({"b": 1, "a": [1.5, None, True]}) == canonical({"a": (1.5, None, True), "b": 1})
    assert canonical({"b": 1, "a": "ü"}) == '{"a":"ü","b":1}'


def test_lone_surrogates_can_be_stored() -> None:
    text = canonical({"a": "\ud800 ü 😀"})
    assert text == '{"a":"\\ud800 ü 😀"}'
    assert json.loads(text.encode("utf-8")) == {"a": "\ud800 ü 😀"}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_canonical_refuses_what_json_lacks(value: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical([value])


def test_the_agreed_spellings() -> None:
    assert [spell(x) for x in (math.inf, -math.inf, math.nan, 1.5, None)] == [
        "Infinity",
        "-Infinity",
        "NaN",
        1.5,
        None,
    ]
    with pytest.raises(ValueError, match="NaN stands where"):
        spell(math.nan, nan=False)


@given(st.none() | st.floats() | st.integers() | st.text() | st.sampled_from(sorted(NON_FINITE)))
def test_values_that_are_numbers_or_text_read_back(value: float | str | None) -> None:
    back = unspell_value(json.loads(canonical(spell_value(value))))
    assert back == value or (back != back and value != value)
    assert isinstance(back, str) == isinstance(value, str)


@pytest.mark.parametrize("value", [True, [], {"text": "a"}, {"text": "NaN", "more": 1}, {}])
def test_other_values_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="expected a number, text or null"):
        unspell_value(value)


def test_the_digest_is_sha256_of_utf8() -> None:
    assert digest("") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
