"""The report in a notebook cell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from driftline.reports.notebook import repr_html

if TYPE_CHECKING:
    from driftline.reports.report import Report


def test_it_is_a_small_fragment_without_script(any_report: Report) -> None:
    html = repr_html(any_report)
    assert html.startswith('<div class="dlr"><style>.dlr{')
    assert html.endswith("</div>")
    assert len(html.encode()) < 100_000
    tags = set(re.findall(r"<([a-z]+)", html))
    assert not tags & {"script", "iframe", "img", "link", "object"}
    assert not re.search(r"<[^>]+\son\w+=", html)
    style = html[html.index("<style>") + 7 : html.index("</style>")]
    style = re.sub(r"@media\([a-z0-9:-]+\)\{(.*?\})\}", r"\1", style)
    assert all(
        rule.strip().startswith(".dlr")
        for part in style.split("}")
        if part
        for rule in part.split("{")[0].split(",")
    )


def test_it_tells_the_verdict_and_the_incidents(churn_report: Report) -> None:
    html = repr_html(churn_report)
    assert "63 of 222 constraints are violated, in 62 of 71 columns." in html
    assert "<b>1 row breaks 59 columns</b> Row 1 of 07-12-310.jsonl" in html
    assert html.count('<tr><th scope="row">') == 7
    assert html.count('class="spark"') == 7
    assert "and 56 more violations." in html
    assert "1 constraint could not be judged: Only 12 values" in html


def test_ten_thousand_columns_stay_small(thousands_report: Report) -> None:
    assert len(repr_html(thousands_report).encode()) < 100_000


def test_hostile_text_is_inert(hostile_report: Report) -> None:
    html = repr_html(hostile_report)
    assert "<script" not in html
    assert "<img" not in html
    assert "\u202e" not in html
    assert html.count("</style>") == 1


def test_metrics_have_both_values_and_the_interval(quality_report: Report) -> None:
    html = repr_html(quality_report)
    assert (
        '<td class="n">58.75%</td><td class="n">41.23%</td><td>38.11% to 44.3%</td><td>at least 55.12%</td>'
        in html
    )
    assert "5 metrics could not be judged" in html
    assert "Column" not in html
    assert '<span class="q"><span class="name">sex=Female</span></span>' in html
