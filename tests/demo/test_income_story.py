"""What the four monitors of the income model see, and what they do not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import driftline
from driftline.configuration import read_configuration
from driftline.demo.data import read
from driftline.demo.playing import MONITORS
from driftline.registry import executions, lineage_questions
from driftline.reports.outcome import Status
from driftline.workspace import Workspace

if TYPE_CHECKING:
    from driftline.demo import Cell, Income, Story

OK, BAD = "Completed", "CompletedWithViolations"
KINDS = ("data-quality", "model-quality", "bias", "attribution")


@pytest.fixture(scope="session")
def income(story: Story) -> Income:
    return story.income


def of(income: Income, monitor: str) -> list[Cell]:
    return [cell for cell in income.cells if cell.execution.schedule == monitor]


def test_every_monitor_alarms_from_day_four_on_and_never_before(income: Income) -> None:
    """Two of them wait a day for the truth, so that day seven is still open."""
    for monitor in MONITORS:
        n_days = 6 if monitor in ("income-quality", "income-bias") else 7
        assert [c.day for c in of(income, monitor)] == list(range(1, n_days + 1))
        assert [c.execution.status for c in of(income, monitor)] == [OK] * 3 + [BAD] * (n_days - 3)


def test_each_kind_of_monitor_is_there() -> None:
    declared = read_configuration(read("driftline.toml"))
    assert tuple(declared.monitors[name].kind for name in MONITORS) == KINDS


def test_each_monitor_has_one_alert_from_its_second_bad_day_on(income: Income) -> None:
    assert [alert.schedule for alert in income.alerts] == list(MONITORS)
    for alert in income.alerts:
        bad = [c for c in of(income, alert.schedule) if c.day >= 4]
        assert [c.alert for c in bad] == [None] + [alert.id] * (len(bad) - 1)
        assert (alert.state, alert.n_windows) == ("open", len(bad))


def test_no_request_and_no_truth_is_lost(income: Income) -> None:
    assert income.captured.received == income.captured.stored == 700
    assert (income.captured.rows, income.labels) == (14_000, 12_000)
    assert {(c.execution.result or {})["rows"]["used"] for c in income.cells} == {2_000}


def test_data_quality_names_the_column(income: Income) -> None:
    report = income.reports["income-data"]
    assert {column for one in report.incidents for column in one.columns} == {"education_num", "probability"}


def test_model_quality_sees_it_for_women_and_not_over_all(income: Income) -> None:
    report = income.reports["income-quality"]
    by_place = {(o.segment, o.constraint.check): o for o in report.outcomes}
    recall = by_place["sex=Female", "recall"]
    assert recall.status is Status.VIOLATED
    assert recall.measurement.baseline is not None
    assert recall.measurement.value is not None
    assert recall.measurement.baseline > 0.5 > 0.2 > recall.measurement.value
    assert by_place["sex=Male", "recall"].status is not Status.VIOLATED
    assert by_place[None, "accuracy"].status is Status.PASSED
    assert any("sex=Female" in incident.title for incident in report.incidents)


def test_bias_names_women(income: Income) -> None:
    for cell in of(income, "income-bias"):
        assert all("sex=Female" in title for title in cell.incidents)
    report = income.reports["income-bias"]
    violated = {o.constraint.check for o in report.violations if o.constraint.column == "sex=Female"}
    assert {"bias_dppl", "bias_di", "bias_rd"} <= violated
    assert report.incidents[0].columns == ("sex=Female",)
    assert not [o for o in report.violations if "sex=Female" not in str(o.constraint.column)]


def test_attribution_names_the_feature(income: Income) -> None:
    report = income.reports["income-attribution"]
    changed = {o.constraint.column for o in report.violations if o.constraint.check == "attribution_change"}
    assert changed == {"education_num"}


def test_reports_are_easily_found(story: Story, income: Income) -> None:
    assert list(income.reports) == list(income.pages) == list(MONITORS)
    for monitor, page in income.pages.items():
        assert page.is_file()
        assert driftline.load_report(page.parent).recipe == income.reports[monitor].recipe
        assert page.parent.parent == story.folder / "income"


def test_from_the_alert_to_the_people_that_were_learnt_from(story: Story, income: Income) -> None:
    with Workspace(story.folder, database=str(story.folder / "registry.db")) as ws, ws.registry.read() as tx:
        for alert in income.alerts:
            (node,) = lineage_questions.training_data_of_alert(tx, alert.id)
            assert node.name == "income-training.parquet"
        assert {e.revision for m in MONITORS for e in executions.history(tx, schedule=m)} == {1}


def test_the_document_has_it(income: Income) -> None:
    document = json.loads(json.dumps(income.document()))
    assert len(document["windows"]) == 26
    assert {window["schedule"] for window in document["windows"]} == set(MONITORS)
    assert [alert["n_windows"] for alert in document["alerts"]] == [4, 3, 3, 4]
    assert [report["recipe"] for report in document["reports"].values()] == list(KINDS)
