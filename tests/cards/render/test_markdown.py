"""A card as Markdown: what GitHub's dialect makes of it, and what a diff shows."""

from __future__ import annotations

import difflib
import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rendered_cards import HOSTILE, content_file, hostile, rich, small, view_of

from driftline.cards.render.markdown import escaped, to_markdown
from driftline.cards.render.text import visible

TAGS = {
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "p",
    "ul",
    "li",
    "strong",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "blockquote",
    "br",
}


def rendered(text: str) -> str:
    """Render as GitHub does: CommonMark with tables and strikethrough, HTML let through."""
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)


def words(page: str) -> str:
    """Return what a reader sees, with white space as a browser shows it."""
    found = {tag.casefold() for tag in re.findall(r"</?([a-zA-Z][^\s/>]*)", page)}
    assert found <= TAGS, found - TAGS
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def squeezed(text: str) -> str:
    return " ".join(visible(text).split())


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_shows_as_itself(text: str) -> None:
    shown = words(rendered(to_markdown(hostile(text))))
    for line in text.split("\n"):
        assert shown.count(squeezed(line)) > 20


@settings(max_examples=200)
@given(st.text(st.sampled_from("ab1 .)-+=*_`~[]()<>#|\\&!$:;/\"'x\u00e9"), max_size=40))
def test_escaped_text_is_a_plain_line(text: str) -> None:
    page = rendered(f"{escaped(text)}\n")
    assert set(re.findall(r"</?(\w+)", page)) <= {"p"}
    assert words(page) == squeezed(text)
    cell = rendered(f"| a |\n| --- |\n| {escaped(text) or ' '} |\n")
    assert words(cell) == f"a {squeezed(text)}".strip()


@pytest.mark.parametrize(
    "text", ["http://evil.example", "HTTPS://evil.example", "www.evil.example", "mailto:a"]
)
def test_addresses_are_not_made_links(text: str) -> None:
    assert "\\" in escaped(text)


def test_plain_words_stay_readable() -> None:
    text = "feature_dim is 0.05 (at most 3), see a/b: x, y; 50 % of s3://bucket"
    assert escaped(text) == text


def test_a_changed_sentence_changes_one_line() -> None:
    before = content_file("seed_sample_card")
    before["intended_uses"]["purpose_of_model"] = "First sentence. Second sentence. Third one."
    after = content_file("seed_sample_card")
    after["intended_uses"]["purpose_of_model"] = "First sentence. Another sentence. Third one."
    both = [to_markdown(view_of(content)).splitlines() for content in (before, after)]
    changed = [
        line
        for line in difflib.unified_diff(*both, lineterm="", n=0)
        if line[0] in "+-" and line[:3] not in ("+++", "---")
    ]
    assert [line for line in changed if "ash:" not in line and "| " not in line] == [
        "-  Second sentence.",
        "+  Another sentence.",
    ]


def test_charts_are_tables() -> None:
    text = to_markdown(rich())
    assert "| stays | 1,520 | 130 | 22 | 3 |" in text
    assert "| uses the app | −0.083 | −████████ |" in text
    assert "11 of 201 points, evenly spaced." in text
    assert "| false_positive_rates | true_positive_rates |" in text


def test_paragraphs_and_breaks_of_a_text_stay() -> None:
    page = rendered(to_markdown(rich()))
    assert "trained staff:<br />" in page
    assert "- no automatic offers,<br />" in page


def test_the_status_stands_below_the_title() -> None:
    lines = to_markdown(small(status="PendingReview")).splitlines()
    assert lines[0] == "# model-card-test-model"
    assert lines[2] == "Model card churn-card · **In review** · **Version 1** · **Risk: Low**"
    assert "> **Not approved: this version waits for review**\\" in lines


def test_the_same_view_is_the_same_text() -> None:
    assert to_markdown(rich()) == to_markdown(rich())
