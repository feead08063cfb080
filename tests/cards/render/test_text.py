"""Text from outside, made visible."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.cards.render.text import direction, language, lines, one_line, sentences, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain – Ünï 模型 😀", "plain – Ünï 模型 😀"),
        ("a\u202eb\u2066c\u200bd", "a[U+202E]b[U+2066]c[U+200B]d"),
        ("a\x00\x1b\x7f\x85", "a[U+0000][U+001B][U+007F][U+0085]"),
        ("\ud800x", "[U+D800]x"),
        ("\ue000\U000f0000\u0378", "[U+E000][U+F0000][U+0378]"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("no\u00a0break", "no\u00a0break"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क\u094d\u200dष", "क\u094d\u200dष"),
        ("x\u200cy \u200d", "x[U+200C]y [U+200D]"),
    ],
)
def test_what_cannot_be_seen_is_spelled(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text())
def test_nothing_is_lost_and_all_is_printable(text: str) -> None:
    shown = one_line(text)
    assert all(ch.isprintable() or ch in "\u200c\u200d" or ch.isspace() for ch in shown)
    assert "\n" not in shown
    assert len(shown) >= len(text)


def test_lines_end_where_any_of_them_does() -> None:
    assert lines("a\r\nb\rc\n\nd\u2028e") == ["a", "b", "c", "", "d[U+2028]e"]


def test_direction_is_that_of_the_first_letter() -> None:
    assert direction("42 % نموذج churn") == "rtl"
    assert direction("churn מודל") == "ltr"
    assert direction("42 %") == "ltr"


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("نموذج", "ar"),
        ("מודל", "he"),
        ("模型", "zh"),
        ("模型の", "ja"),
        ("모델", "ko"),
        ("विवरण", "hi"),
        ("ภาษา", "th"),
        ("é", ""),
    ],
)
def test_language_follows_from_the_script(text: str, tag: str) -> None:
    assert language(text) == tag


@given(st.text(st.sampled_from("ab. !?A1(é")))
def test_sentences_joined_are_the_line(text: str) -> None:
    assert " ".join(sentences(text)) == text


def test_numbers_and_abbreviations_do_not_end_sentences() -> None:
    assert sentences("See no. 3. It is 0.5. e.g. this. Then that!") == [
        "See no. 3. It is 0.5. e.g. this.",
        "Then that!",
    ]
