"""A card as one HTML page: complete, inert, in order, and the same every time."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rendered_cards import HOSTILE, hostile, rich, small, view_of, with_live

from driftline.cards.render.html import to_html
from driftline.cards.render.text import visible

TAGS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "a",
        "div",
        "span",
        "header",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
    ),
    *(
        "p",
        "bdi",
        "code",
        "b",
        "strong",
        "small",
        "dl",
        "dt",
        "dd",
        "ul",
        "ol",
        "li",
        "nav",
        "main",
        "section",
        "table",
    ),
    *(
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "abbr",
        "figure",
        "figcaption",
        "svg",
        "desc",
        "path",
        "text",
    ),
    *("rect", "circle", "details", "summary", "footer", "br"),
}
VOID = {"meta", "br"}


class Reader(HTMLParser):
    """Reads a page strictly: every element closed, no unknown one, no handler, no address but places in the page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[int] = []
        self.words: list[str] = []
        self.header_cells_without_scope = 0
        self.tables = self.captions = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        given = dict(attrs)
        assert not [
            name for name in given if name.startswith("on") or name in ("style", "src", "srcdoc", "action")
        ]
        if "id" in given:
            self.ids.append(given["id"] or "")
        if "href" in given:
            self.links.append(given["href"] or "")
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        self.header_cells_without_scope += tag == "th" and "scope" not in given
        self.tables += tag == "table"
        self.captions += tag == "caption"
        if tag not in VOID and tag not in ("path", "rect", "circle"):
            self.stack.append(tag)
        if tag == "br":
            self.words.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.stack:
            self.words.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.stack == []
    assert len({*reader.ids}) == len(reader.ids)
    assert {link.removeprefix("#") for link in reader.links} <= {*reader.ids}
    assert all(link.startswith("#") for link in reader.links)
    return reader


@pytest.mark.parametrize(
    "view", [small(), rich(), rich(status="Draft"), with_live(rich()), view_of({})], ids=range(5)
)
def test_the_page_is_whole_and_in_order(view) -> None:
    reader = read(to_html(view))
    assert reader.headings.count(1) == 1
    main = reader.headings[reader.headings.index(2) :]
    assert all(after - before <= 1 for before, after in zip(main, main[1:], strict=False))
    assert reader.header_cells_without_scope == 0
    assert reader.tables == reader.captions


def test_the_policy_lets_in_its_own_style_only() -> None:
    page = to_html(rich())
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    [style] = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert "<script" not in page
    assert "://" not in re.sub(r"<(bdi|code)[^>]*>.*?</\1>", "", style)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_shows_as_itself(text: str) -> None:
    reader = read(to_html(hostile(text)))
    words = "".join(reader.words)
    for line in text.replace("\r\n", "\n").split("\n"):
        assert words.count(visible(line)) > 20


@settings(max_examples=25)
@given(st.text(max_size=60))
def test_any_text_shows_as_itself(text: str) -> None:
    words = (
        "".join(read(to_html(hostile(text.replace("\r", "") or "-"))).words)
        if _holdable(text)
        else visible(text)
    )
    for line in text.replace("\r", "").split("\n"):
        assert visible(line) in words


def _holdable(text: str) -> bool:
    return not any("\ud800" <= ch <= "\udfff" for ch in text)


def test_the_same_view_is_the_same_page() -> None:
    assert to_html(rich()) == to_html(rich())


def test_a_version_that_is_not_in_force_says_so_at_the_top_of_every_screen() -> None:
    assert 'class="mark unsure" role="status"' in to_html(rich(status="Draft"))
    assert "Draft – not approved" in to_html(rich(status="Draft"))
    assert 'class="mark' not in to_html(rich())


def test_texts_from_right_to_left_are_set_so() -> None:
    page = to_html(hostile(HOSTILE[6]))
    assert '<p dir="rtl"><bdi lang="ar">' in page


def test_every_chart_has_a_picture_with_words_and_its_figures() -> None:
    page = to_html(rich())
    assert page.count('<svg class="chart" role="img"') == page.count("<figcaption>") == 5
    assert page.count("<summary>Figures</summary>") == 5
    assert "Line chart of true_positive_rates over false_positive_rates, 201 points." in page
