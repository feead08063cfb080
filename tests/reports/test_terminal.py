"""The report in a terminal."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len
from rich.console import Console

from driftline.reports.terminal import MAX_ROWS, print_report, render

if TYPE_CHECKING:
    from driftline.reports.report import Report


def shown(report: Report, width: int = 80) -> str:
    stream = io.StringIO()
    print_report(report, stream, console_width=width)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_lines_fit(any_report: Report, width: int) -> None:
    assert all(cell_len(line) <= width for line in shown(any_report, width).splitlines())


def test_a_pipe_gets_no_control_characters(any_report: Report) -> None:
    text = shown(any_report)
    assert all(ch.isprintable() or ch == "\n" for ch in text)


def test_the_verdict_comes_first(churn_report: Report) -> None:
    lines = shown(churn_report).splitlines()
    assert lines[0] == "✕ 63 of 222 constraints are violated, in 62 of 71 columns."
    assert lines[5:8] == [
        "  baseline  training.csv  2,333 rows, 71 columns",
        "  current   live/2026-11-23  334 rows, 71 columns",
        "  columns paired by name",
    ]


def test_what_happened_and_where(churn_report: Report) -> None:
    text = shown(churn_report)
    assert " 2 1 row breaks 59 columns\n   Row 1 of 07-12-310.jsonl fails" in text
    assert "Day Mins        Completeness  95.21%  min 99%       q 4e-5     ▁▃▅▇▃▁▁    ▁▁▆█▃▁" in text
    assert "Eve Mins        KS            0.1846  max 0.1       q 1.2e-22" in text
    assert "and 54 more violations; the JSON and HTML reports have them all" in text
    assert " 1 Only 12 values, at least 30 are needed to compare. VMail Message" in text
    assert "Where SageMaker mode would answer differently" in text


def test_nothing_wrong_is_a_short_reassurance(passed_report: Report) -> None:
    assert shown(passed_report) == (
        "✓ All 22 constraints hold in 11 columns.\n"
        "  334 rows held against a baseline of 2,333 rows; nothing needs attention.\n"
        "\n"
        "  baseline  training.csv  2,333 rows, 11 columns\n"
        "  current   live/2026-11-23  334 rows, 11 columns\n"
        "  columns paired by name"
    )


def test_undetermined_is_counted_with_its_reasons(undetermined_report: Report) -> None:
    text = shown(undetermined_report)
    assert text.startswith("? Nothing could be judged: all 22 constraints are undetermined.")
    assert "Could not be judged  22\n11 The column has no value at all." in text


def test_a_wide_report_is_cut(wide_report: Report) -> None:
    text = shown(wide_report)
    assert text.count(" KS ") == MAX_ROWS
    assert f"and {50 - MAX_ROWS} more violations" in text
    assert "and 40 more incidents" in text


def test_outside_text_is_no_markup(hostile_report: Report) -> None:
    text = shown(hostile_report, 200)
    assert "[bold red]rich[/bold red]" in text
    assert "line\\nbreak\\tand\\x1b[31mred" in text


class Ascii(io.StringIO):
    encoding = "ascii"  # type: ignore[assignment]


def test_where_only_ascii_can_be_shown(any_report: Report) -> None:
    stream = Ascii()
    print_report(any_report, stream, console_width=80)
    assert stream.getvalue().isascii()
    assert "\\u25" not in stream.getvalue()
    assert stream.getvalue()[0] in "x?+"


def test_colours_on_a_terminal_unless_refused(churn_report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    def painted() -> str:
        console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system="standard")
        with console.capture() as captured:
            console.print(render(churn_report, 80))
        return captured.get()

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1;31m✕ " in painted()
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;31m" not in painted()


def test_the_standard_output_is_the_default(
    passed_report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    print_report(passed_report)
    assert capsys.readouterr().out.startswith("✓ All 22 constraints hold")
