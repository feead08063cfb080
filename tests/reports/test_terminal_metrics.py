"""Metrics and exhibits in a terminal."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import metric_reports
import pytest
from metric_reports import LONG, metric_outcome, metric_report, odd_exhibits
from rich.cells import cell_len

from driftline.reports.exhibit import Exhibit
from driftline.reports.outcome import Outcome, Status
from driftline.reports.terminal import print_report
from driftline.reports.terminal_exhibits import MOST_SHOWN, shown_of
from driftline.reports.terminal_metrics import chosen

if TYPE_CHECKING:
    from driftline.reports.report import Report


def shown(report: Report, width: int = 80) -> str:
    stream = io.StringIO()
    print_report(report, stream, console_width=width)
    return stream.getvalue()


def metrics(text: str) -> list[str]:
    return text.partition("\nMetrics")[2].partition("\n\n")[0].splitlines()


def test_eighty_columns_hold_all_of_model_quality(quality_report: Report) -> None:
    lines = metrics(shown(quality_report))
    assert lines[1].split() == ["metric", "baseline", "current", "95%", "interval", "allowed", "evidence"]
    assert lines[3] == "all rows"
    assert lines[4] == "✕  Recall          58.75%   41.23%  38.11% to 44.3%   min 55.12%  q 3.1e-12"
    assert "sex=Female" in lines
    assert lines[-1] == "  and 1 more metric; the JSON and HTML reports have them all"


def test_long_words_where_there_is_room(quality_report: Report) -> None:
    assert "✕  False negative rate    41.25%   58.77%  55.7% to 61.89%   at most 44.88%   q 3.1e-12" in shown(
        quality_report, 120
    )


def test_features_stand_in_a_column_of_their_own(attribution_report: Report) -> None:
    lines = metrics(shown(attribution_report))
    assert lines[1].split()[:2] == ["of", "metric"]
    assert "✕  sex             Change            0      0.1923  0.05 either way" in lines


def test_no_columns_are_spoken_of(quality_report: Report) -> None:
    text = shown(quality_report)
    assert "paired" not in text
    assert "constraint" not in text


@pytest.mark.parametrize("width", [*range(40, 130, 7), 200])
def test_no_word_or_number_is_cut(width: int) -> None:
    outcomes = [
        metric_outcome(check, 0.123456, -123_456.7, Status.VIOLATED, column=of, low=-0.17, high=0.17, q_value=1e-9,
                       interval=(-0.1, 0.1))
        for of in ("sex=Female", LONG + "=1", "顧客の年齢区分（満年齢）=若い")
        for check in ("bias_cddpl", "bias_dppl")
    ]  # fmt: skip
    text = shown(metric_report("bias", outcomes), width)
    assert all(cell_len(line) <= width for line in text.splitlines())
    assert text.count("0.1235") >= 6
    assert text.count("−123,457") >= 6
    assert "…\n" not in text.partition("Metrics")[2].replace("number 1=1", "")


def test_groups_stand_together_the_violated_first() -> None:
    outcomes: list[Outcome] = []
    for segment in ("a=1", "a=2"):
        outcomes += [
            metric_outcome("recall", 0.5, 0.6, Status.PASSED, segment=segment, bound=0.4),
            metric_outcome(
                "f1", 0.5, 0.6, Status.VIOLATED if segment == "a=2" else Status.PASSED, segment=segment
            ),
        ]
    picked = chosen(metric_report("model-quality", outcomes))
    assert [(o.segment, o.constraint.check) for o in picked] == [
        ("a=2", "f1"), ("a=2", "recall"), ("a=1", "recall"), ("a=1", "f1"),
    ]  # fmt: skip


def test_curves_are_lines_of_blocks_and_small_tables_are_shown(quality_report: Report) -> None:
    text = shown(quality_report)
    assert "baseline  ▁▄▅▅▆▆▆▆▆▇▇▇▇▇▇▇▇███████████████  0% to 100%" in text
    assert "0                   5,810  437" in text
    assert "1 more figure in the HTML report" in text


def test_a_wide_matrix_and_long_families_are_left_to_the_page() -> None:
    kept = shown_of(odd_exhibits())
    assert [one.name for one in kept] == ["small", "curve", "point", "bars", "table"]
    many = [
        Exhibit(f"partial_dependence:{i}", "curve", "P", "", ("s", "x", "y"), (("a", 0, 1),))
        for i in range(30)
    ]
    assert len(shown_of(many)) == 2
    assert (
        len(shown_of([Exhibit(str(i), "table", "T", "", ("a",), (("x",),)) for i in range(30)])) == MOST_SHOWN
    )


def test_twenty_classes_of_bars_show_the_largest_changes() -> None:
    bars = Exhibit(
        "b",
        "bars",
        "B",
        "",
        ("feature", "baseline", "current"),
        tuple((f"f{i}", 0.5, 0.5 + i / 100) for i in range(20)),
    )
    text = shown(
        metric_report("attribution", [metric_outcome("ndcg", 0.99, 1.0, bound=0.9)], exhibits=(bars,))
    )
    assert text.index("f19") < text.index("f12")
    assert "f11" not in text
    assert "and 12 more rows in the HTML report" in text


def test_sixty_groups_stay_short() -> None:
    assert len(shown(metric_reports.bias(60)).splitlines()) < 90
