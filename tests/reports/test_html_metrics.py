"""The page of a report about metrics: its sections, tables and words."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import metric_reports
import pytest
from metric_reports import metric_outcome, metric_report

from driftline.baselines.metrics import METRICS
from driftline.reports.html import to_html
from driftline.reports.outcome import Status

if TYPE_CHECKING:
    from driftline.reports.report import Report


def section(page: str, name: str) -> str:
    found = re.search(rf'<section id="{name}".*?</section>', page, re.DOTALL)
    return "" if found is None else found[0]


def cells(markup: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", markup.partition("<tbody>")[2], re.DOTALL)
    return [
        [
            " ".join(re.sub(r"<[^>]+>", " ", c).split())
            for c in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)
        ]
        for row in rows
    ]


def test_the_answers_stand_in_the_order_of_the_questions(quality_report: Report) -> None:
    page = to_html(quality_report)
    ids = re.findall(r'<section id="(\w+)"', page)
    assert ids == ["incidents", "violations", "exhibits", "undetermined", "metrics", "guide", "provenance"]
    assert "columns were paired" not in page.lower()


@pytest.mark.parametrize("which", ["quality", "bias", "attribution"])
def test_a_violation_shows_both_values_the_interval_the_bound_and_the_evidence(
    request: pytest.FixtureRequest, which: str
) -> None:
    report: Report = request.getfixturevalue(f"{which}_report")
    rows = cells(section(to_html(report), "violations"))
    assert len(rows) == len(report.violations)
    first = {
        "quality": [
            "all rows",
            "Recall",
            "58.75% 16,281 rows",
            "41.23% 8,120 rows",
            "38.11% to 44.3%",
            "at least 55.12%",
        ],
        "bias": [
            "sex=Female",
            "Difference in positive proportions in predicted labels (DPPL)",
            "0.1301 16,281 rows",
            "0.3201 2,702 rows",
            "0.2901 to 0.3501",
            "−0.1701 to 0.1701",
        ],
        "attribution": [
            "all features",
            "Rank agreement (NDCG)",
            "100% 16,281 rows",
            "86.02% 8,120 rows",
            "84.2% to 87.71%",
            "at least 90%",
        ],
    }[which]
    assert rows[0][:6] == first
    assert (
        rows[0][6:]
        == {
            "quality": ["1e-12", "3.1e-12", "1", "Critical"],
            "bias": ["6.7e-9", "2e-8", "1", "Violated"],
            "attribution": ["3.3e-6", "1e-5", "1", "Violated"],
        }[which]
    )


def test_all_metrics_are_told_the_violated_ones_first(quality_report: Report) -> None:
    rows = cells(section(to_html(quality_report), "metrics"))
    states = [row[-1] for row in rows]
    assert states == ["Violated"] * 6 + ["Not judged"] * 5 + ["Passed"] * 6


def test_how_bounds_were_chosen_is_said_once_where_it_is_the_same_and_in_each_row_where_not() -> None:
    alike = [metric_outcome("recall", 0.3, 0.6, Status.VIOLATED, bound=0.5, why="by hand") for _ in range(3)]
    page = section(to_html(metric_report("model-quality", alike)), "violations")
    assert page.count("by hand") == 1
    other = replace(alike[0], constraint=replace(alike[0].constraint, why="from the baseline"))
    page = section(to_html(metric_report("model-quality", [*alike, other])), "violations")
    assert (page.count("by hand"), page.count("from the baseline")) == (3, 1)


@pytest.mark.parametrize("which", ["quality", "bias", "attribution"])
def test_the_guide_explains_each_metric_that_was_used(request: pytest.FixtureRequest, which: str) -> None:
    report: Report = request.getfixturevalue(f"{which}_report")
    guide = section(to_html(report), "guide")
    for check in {o.constraint.check for o in report.outcomes}:
        info = METRICS[check]
        assert info.title.replace("'", "&#x27;") in guide
        assert info.measures[1:].replace("'", "&#x27;") in guide
    assert ("Higher is better." in guide) is (which != "bias")


def test_a_group_leads_to_its_figure_and_a_feature_to_its_curve(
    bias_report: Report, attribution_report: Report
) -> None:
    assert '<a href="#x2"><span class="name">sex=Female</span></a>' in section(
        to_html(bias_report), "violations"
    )
    assert '<a href="#x1"><span class="name">sex</span></a>' in section(
        to_html(attribution_report), "violations"
    )
    assert '<h3><a href="#x2">Bias against sex=Female has grown</a>' in to_html(bias_report)


def test_metrics_that_could_not_be_judged_are_grouped_by_their_reason(bias_report: Report) -> None:
    undetermined = section(to_html(bias_report), "undetermined")
    assert undetermined.count('<li><svg class="i unsure"') == 2
    assert "21 metrics" in undetermined


def test_data_quality_has_no_styles_of_exhibits(churn_report: Report, quality_report: Report) -> None:
    assert ".x-band" not in to_html(churn_report)
    assert ".x-band" in to_html(quality_report)


def test_sixty_groups_fit_a_page() -> None:
    page = to_html(metric_reports.bias(60))
    assert len(page.encode()) < 5_000_000
    exhibits = section(page, "exhibits")
    assert exhibits.count("<figure") == 62
    assert "59 more like these without violations" in exhibits
    assert "Show all 1,260" in section(page, "metrics")
