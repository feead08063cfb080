"""The report as a value: its verdict, and its doors to the renderers."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from driftline.reports.codec import to_json
from driftline.reports.html import to_html
from driftline.reports.notebook import repr_html
from driftline.reports.outcome import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftline.reports.report import Report


@pytest.mark.parametrize(
    ("statuses", "verdict", "judged"),
    [
        ([], Status.UNDETERMINED, False),
        ([Status.PASSED], Status.PASSED, True),
        ([Status.UNDETERMINED], Status.UNDETERMINED, False),
        ([Status.PASSED, Status.UNDETERMINED], Status.UNDETERMINED, True),
        ([Status.UNDETERMINED, Status.VIOLATED, Status.PASSED], Status.VIOLATED, True),
    ],
)
def test_cannot_tell_never_counts_as_passed(
    make_outcome: Callable[..., Outcome],
    make_report: Callable[..., Report],
    statuses: list[Status],
    verdict: Status,
    judged: bool,
) -> None:
    report = make_report(
        [make_outcome("ks", f"c{i}", status, value=0.2) for i, status in enumerate(statuses)]
    )
    assert report.status is verdict
    assert report.judged_anything is judged
    assert len(report.violations) == report.counts["violated"]
    assert len(report.undetermined) == report.counts["undetermined"]


def test_it_shows_itself(churn_report: Report) -> None:
    assert repr(churn_report) == (
        "<Report data-quality: violated (158 passed, 63 violated, 1 undetermined; incidents: 4)>"
    )
    assert churn_report.to_json() == to_json(churn_report)
    assert churn_report.to_html() == to_html(churn_report)
    assert churn_report._repr_html_() == repr_html(churn_report)


def test_reports_load_nothing_heavy() -> None:
    modules = ["codec", "diff", "html", "incident", "notebook", "report", "svg", "terminal", "violations"]
    code = "; ".join(f"import driftline.reports.{module}" for module in modules)
    heavy = "{'numpy', 'pandas', 'pyarrow', 'rich', 'scipy', 'numba', 'duckdb'}"
    code += f"; import sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
