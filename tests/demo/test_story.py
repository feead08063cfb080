from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

from driftline.configuration import read_configuration
from driftline.demo.data import read
from driftline.files import digest
from driftline.monitor.schedule import duration_us
from driftline.registry import lineage_questions
from driftline.workspace import Workspace

if TYPE_CHECKING:
    from driftline.demo import Cell, Story

OK, BAD, NONE = "Completed", "CompletedWithViolations", "NoData"
WEEK = [
    (OK, OK, OK, OK),
    (OK, OK, BAD, OK),
    (NONE, OK, OK, OK),
    (OK, BAD, BAD, BAD),
    (BAD, BAD, BAD, BAD),
    (BAD, BAD, BAD, BAD),
    (BAD, BAD, BAD, BAD),
]


def at(story: Story, day: int, hour: int) -> Cell:
    (cell,) = [c for c in story.cells if (c.day, c.hour) == (day, hour)]
    return cell


def test_the_week_is_what_the_readme_says(story: Story) -> None:
    by_day = [tuple(c.execution.status for c in story.cells if c.day == day) for day in range(1, 8)]
    assert by_day == WEEK
    assert {c.execution.revision for c in story.cells} == {1}
    assert {c.execution.cause for c in story.cells} == {"schedule"}


def test_no_request_is_lost(story: Story) -> None:
    captured = story.captured
    assert captured.received == captured.stored == 1184
    assert captured.rows == sum((c.execution.result or {})["rows"]["used"] for c in story.cells)


def test_the_quiet_night_is_no_failure_and_no_alert(story: Story) -> None:
    night = at(story, 3, 0)
    assert night.execution.status == NONE
    assert (night.alert, night.execution.failure_reason, night.execution.error_code) == (None, None, None)


def test_the_mangled_row_is_one_incident_and_no_alert(story: Story) -> None:
    assert story.mangled == at(story, 2, 12)
    assert (story.mangled.n_violations, story.mangled.alert) == (59, None)
    (incident,) = story.report.incidents
    assert (incident.title, incident.where[0].row) == ("1 row breaks 59 columns", 1)
    assert (story.report.current.n_rows, story.report.baseline.n_rows) == (334, 2333)
    assert story.page.is_file()


def test_the_drift_is_one_alert_from_its_second_window_on(story: Story) -> None:
    (alert,) = story.alerts
    drifting = [c for c in story.cells if (c.day, c.hour) >= (4, 6)]
    assert [c.alert for c in drifting] == [None] + [alert.id] * 14
    assert (alert.state, alert.n_windows) == ("open", 15)
    assert alert.opened == drifting[1].execution.window_end
    assert {c.n_violations for c in drifting} == {2}
    assert [cause.columns for cause in alert.causes] == [("Day Mins",), ("Night Mins",)]
    assert {cause.windows for cause in alert.causes} == {15}
    assert story.drift_page.is_file()


def test_one_notification_is_sent_for_each_alert(story: Story) -> None:
    lines = (story.folder / "notifications.log").read_text("utf-8").splitlines()
    told = [json.loads(line) for line in lines]
    assert {one["type"] for one in told} == {"io.driftline.alert.opened.v1"}
    alerts = [alert.id for alert in (*story.alerts, *story.income.alerts)]
    assert sorted(one["data"]["alert"] for one in told) == sorted(alerts)
    assert story.notifications == dict.fromkeys(alerts, 1)


def test_from_the_alert_to_the_training_data(story: Story) -> None:
    (node,) = story.trained_on
    assert (node.name, node.digest) == ("training.csv", digest(read("churn-training.csv")))
    with Workspace(story.folder, database=str(story.folder / "registry.db")) as ws, ws.registry.read() as tx:
        assert lineage_questions.training_data_of_alert(tx, story.alerts[0].id) == story.trained_on


def test_profiles_are_kept(story: Story) -> None:
    profiles: list[dict[str, Any]] = [
        (c.execution.result or {})["profiles"] for c in story.cells if c.execution.status != NONE
    ]
    assert all(p["folded"] for p in profiles)
    assert any((story.folder / "profiles").iterdir())


def test_the_schedule_is_as_long_as_the_windows() -> None:
    from driftline.demo.week import HOURS
    from driftline.monitor.expression import Expression

    declared = read_configuration(read("driftline.toml"))
    monitor = declared.monitors["churn-quality"]
    assert Expression.parse(monitor.schedule).period_at(0) == duration_us(f"PT{HOURS}H")


def test_a_day_is_told_when_it_is_over(told: Any) -> None:
    assert [[c.day for c in day] for day in told.days] == [[day] * 4 for day in range(1, 8)]
    assert [line.split()[0] for line in told.lines] == [
        "trained",
        "trained",
        "applied",
        "approved",
        "playing",
    ]


def test_the_registry_is_in_the_folder_and_everything_is_the_owners(story: Story) -> None:
    for entry in (story.folder, *story.folder.rglob("*")):
        mode = stat.S_IMODE(entry.stat().st_mode)
        assert mode == (0o700 if entry.is_dir() else 0o600), entry
    with Workspace(story.folder, database=str(story.folder / "registry.db")) as ws, ws.registry.read() as tx:
        assert lineage_questions.endpoints_of_model(tx, "models/churn/1")[0].name == "endpoints/churn"


def test_the_document_has_all_of_it(story: Story) -> None:
    document = json.loads(json.dumps(story.document()))
    assert len(document["windows"]) == 28
    assert document["windows"][6]["incidents"] == ["1 row breaks 59 columns"]
    assert document["alerts"][0]["n_windows"] == 15
    assert document["report"]["status"] == "violated"
