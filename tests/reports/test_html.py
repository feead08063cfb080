"""The report as a page."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from driftline.reports.codec import report_id
from driftline.reports.html import POLICY, to_html
from driftline.reports.outcome import Outcome, Status
from driftline.reports.sorting import SCRIPT

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftline.reports.report import Report

VOID = {"meta", "br", "use", "path", "circle", "line", "link", "img", "input", "base"}
LEFT_OPEN = {"td", "th", "tr"}


class Page(HTMLParser):
    """Tags, attributes, text and heading order of a page; unbalanced tags raise."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self.open[-1] in LEFT_OPEN and self.open[-1] != tag:
            self.open.pop()
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif not self.open or self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())

    def ids(self) -> list[str]:
        return [attrs["id"] or "" for _, attrs in self.tags if "id" in attrs]


def test_the_page_is_whole_and_asks_for_nothing(any_report: Report) -> None:
    page = Page(to_html(any_report))
    assert page.scripts == [SCRIPT]
    for tag, attrs in page.tags:
        assert tag not in {
            "link",
            "img",
            "iframe",
            "object",
            "embed",
            "base",
            "form",
            "input",
            "foreignobject",
        }
        assert not [
            key for key in attrs if key.startswith("on") or key in {"src", "srcset", "action", "srcdoc"}
        ]
        for key in ("href", "xlink:href"):
            assert (attrs.get(key) or "#").startswith("#")
        assert "url(" not in (attrs.get("style") or "")
    policy = [attrs for tag, attrs in page.tags if tag == "meta" and "http-equiv" in attrs]
    assert policy == [{"http-equiv": "Content-Security-Policy", "content": POLICY}]
    style = re.search(r"<style>(.*?)</style>", to_html(any_report), re.DOTALL)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_the_policy_allows_one_script_and_nothing_from_outside() -> None:
    assert POLICY.startswith(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-"
    )
    assert POLICY.count("script-src") == 1
    assert "http" not in POLICY


def test_links_lead_somewhere_and_ids_are_unique(any_report: Report) -> None:
    page = Page(to_html(any_report))
    ids = page.ids()
    assert len(ids) == len(set(ids))
    targets = {(attrs.get("href") or "")[1:] for tag, attrs in page.tags if tag in ("a", "use")}
    labels = {attrs["aria-labelledby"] or "" for _, attrs in page.tags if "aria-labelledby" in attrs}
    assert targets | labels <= set(ids)


def test_headings_and_landmarks_are_in_order(any_report: Report) -> None:
    page = Page(to_html(any_report))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    tags = [tag for tag, _ in page.tags]
    assert tags.count("main") == tags.count("nav") == 1
    assert page.tags[0] == ("html", {"lang": "en"})
    heads = [attrs for tag, attrs in page.tags if tag == "th"]
    assert all(attrs.get("scope") in ("col", "row") for attrs in heads)


def test_the_same_report_gives_the_same_page(churn_report: Report) -> None:
    assert to_html(churn_report) == to_html(replace(churn_report))


def test_the_answers_stand_in_the_order_of_the_questions(churn_report: Report) -> None:
    text = Page(to_html(churn_report)).text
    wanted = [
        "63 of 222 constraints are violated, in 62 of 71 columns.",
        "It comes down to 4 incidents",
        "training.csv",
        "live/2026-11-23",
        "1 row breaks 59 columns",
        "Row 1 of 07-12-310.jsonl",
        "Kolmogorov–Smirnov",
        "Only 12 values, at least 30 are needed to compare.",
        "3 columns with violations",
        "59 columns hit by nothing but incident 2",
        "8 columns without findings",
        "Distances of numbers are exact",
        "Where SageMaker mode would answer differently",
        report_id(churn_report),
        "pyarrow 26.0.0",
    ]
    at = 0
    for piece in wanted:
        found = text.find(piece, at)
        assert found >= 0, piece
        at = found


def test_every_violation_is_a_row_with_its_numbers(churn_report: Report) -> None:
    html = to_html(churn_report)
    body = html[html.index("<table data-sortable>") : html.index("</table>")]
    rows = re.findall(r"<tr>(.*?)</tr>", body)[1:]
    assert len(rows) == 63
    first = Page("".join(rows[0])).text
    assert first == "Day Mins" + "Completeness" + "95.21%" + "at least 99%" + "92.4% to 97.1%" + "3.1e-6" + (
        "4e-5" + "16" + "2,333" + "334" + "1" + "Critical"
    )
    assert 'data-v="0.9521"' in rows[0]


def test_cells_without_a_number_sort_last(
    make_outcome: Callable[..., Outcome], make_report: Callable[..., Report]
) -> None:
    report = make_report([make_outcome("ks", "a", Status.VIOLATED, value=float("nan"))])
    assert '<td class="num" data-v="">not a number</td>' in to_html(report)


@pytest.mark.parametrize("bad", ["<script>window", "<img", "<style>body", "\u202e", "\x1b", "\x00"])
def test_hostile_text_is_shown_and_inert(hostile_report: Report, bad: str) -> None:
    html = to_html(hostile_report)
    assert bad not in html
    html.encode("utf-8")
    page = Page(html)
    assert "<script>window.__dlx=1</script>" in page.text
    assert "a\\u202egnp.exe" in page.text


def test_the_mode_that_was_not_used_is_named(churn_report: Report) -> None:
    text = Page(to_html(replace(churn_report, mode="sagemaker", matching="position"))).text
    assert "Where the default mode would answer differently" in text
    assert "SageMaker mode, with the original's numbers and quirks" in text
    assert "Columns were paired by position: the first column with the first" in text


def test_nothing_wrong_is_said_in_words(passed_report: Report) -> None:
    page = Page(to_html(passed_report))
    assert "All 22 constraints hold in 11 columns." in page.text
    assert not {"incidents", "violations", "undetermined"} & set(page.ids())


def test_undetermined_is_grouped_by_reason(undetermined_report: Report) -> None:
    html = to_html(undetermined_report)
    section = html[html.index('<section id="undetermined"') : html.index('<section id="guide"')]
    assert section.count("<li>") == 2
    text = Page(section).text
    assert "The column has no value at all. Data type, 11 constraints." in text
    assert "The figures differ from column to column. Kolmogorov–Smirnov, 11 constraints." in text


def test_segments_are_named(
    make_outcome: Callable[..., Outcome], make_report: Callable[..., Report], passed_report: Report
) -> None:
    view = replace(passed_report.columns[0], name="a")
    report = make_report(
        [
            make_outcome("ks", "a", Status.VIOLATED, value=0.3, segment="r=<1>"),
            make_outcome("ks", "a", segment="r=2"),
        ],
        [view, replace(view, segment="r=2")],
        segments="r",
    )
    html = to_html(report)
    assert "Rows were also split by r." in Page(html).text
    assert html.count('<article class="card"') == 2
    assert 'only <span class="name">r=&lt;1&gt;</span>' in html
    assert html.index('id="c0"') < html.index('id="c1"')


def test_only_the_first_two_hundred_columns_are_drawn(wide_report: Report) -> None:
    html = to_html(wide_report)
    assert html.count('class="chart"') == 200
    assert "100 more columns, in figures only" in Page(html).text
    assert all(f'id="c{i}"' in html or f"id=c{i}>" in html for i in range(300))


def test_ten_thousand_columns_stay_below_five_megabytes(thousands_report: Report) -> None:
    html = to_html(thousands_report)
    assert len(html.encode()) <= 5_000_000
    assert set(re.findall(r"number (\d{5})", html)) == {f"{i:05d}" for i in range(10_000)}
    Page(html)


def test_the_worst_names_stay_below_five_megabytes(thousands_report: Report) -> None:
    evil = ['<"&\u202e' * 40 + f"{i:05d}" for i in range(10_000)]
    outcomes = [
        replace(o, constraint=replace(o.constraint, column=evil[i // 2]), reason=evil[i // 2] * 5)
        for i, o in enumerate(thousands_report.outcomes)
    ]
    columns = [replace(c, name=evil[i]) for i, c in enumerate(thousands_report.columns)]
    report = replace(
        thousands_report, outcomes=tuple(outcomes), columns=tuple(columns), notes=tuple(evil),
        compat_differences=tuple(evil), current=replace(thousands_report.current, sources=tuple(evil)),
    )  # fmt: skip
    html = to_html(report)
    assert len(html.encode()) <= 5_000_000
    assert "more not shown here; the JSON report lists every violation." in html


def test_time_and_other_figures_are_shown(make_report: Callable[..., Report], passed_report: Report) -> None:
    view = replace(
        passed_report.columns[0], kind="time",
        baseline_summary={"min": "2026-01-01T00:00:00Z", "own_figure": 7, "n_zero": 3},
        current_summary={"min": "2026-02-01T00:00:00Z"},
    )  # fmt: skip
    text = Page(to_html(make_report([], [view]))).text
    assert "Smallest2026-01-01T00:00:00Z2026-02-01T00:00:00Z" in text
    assert "Zeros30" in text
    assert "own figure7–" in text
