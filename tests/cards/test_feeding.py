"""Feeding: every report and baseline reaches the card once, and the text only where the policy and the status allow it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import metric_reports
import pytest
import sqlalchemy as sa
from captured import Clock
from postgres import Server, server

from driftline.cards import feeding
from driftline.cards.content import serialise
from driftline.cards.drafting import MOST_CHARACTERS, duration
from driftline.cards.feeding import checked, feed
from driftline.cards.monitors import monitors_of
from driftline.cards.validation import problems
from driftline.errors import InputError
from driftline.registry import baselines, cards, endpoints, executions, models, schedules
from driftline.registry.executions import Finding
from driftline.registry.folders import folder_digest
from driftline.registry.store import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from driftline.reports.report import Report

HOUR = 3_600_000_000
DAY = 24 * HOUR
START = 1_795_392_000_000_000


@dataclass
class Site:
    """A registry with a model, its endpoint and its monitors; reports lie in memory."""

    registry: Registry
    clock: Clock
    folders: dict[str, dict[str, bytes]] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)

    def files(self, path: str) -> Mapping[str, bytes]:
        self.read.append(path)
        return self.folders.get(path, {})

    def declare(self) -> None:
        with self.registry.write("ann") as tx:
            models.declare(tx, "income", owner="ann")
            models.declare_version(tx, "income", "1")
            endpoints.declare(tx, "prod")
            endpoints.deploy(tx, "prod", "income", "1", since=START - DAY)
            for kind in ("model-quality", "bias"):
                schedules.declare(
                    tx, f"income-{kind}", endpoint="prod", kind=kind, config={"schedule": "cron(0 * ? * * *)"},
                    since=START,
                )  # fmt: skip

    def card(
        self, evaluations: str = "evidence", content: dict[str, Any] | None = None, **policy: str
    ) -> None:
        text = {"model_overview": {"model_id": "income"}} if content is None else content
        with self.registry.write("ann", "first") as tx:
            cards.create(tx, "income", text, model="income", policy={"evaluations": evaluations, **policy})

    def run(
        self,
        hour: int,
        report: Report | None = None,
        *,
        kind: str = "model-quality",
        cause: str | None = None,
        broken: bool = False,
    ) -> str:
        """Run the monitor on an hour; return the execution's id."""
        found = metric_reports.quality() if report is None else report
        self.clock.at += HOUR
        files = {"report.json": found.to_json().encode()}
        digest = folder_digest(files)
        path = f"reports/{kind}/{hour}-{digest[-12:]}"
        self.folders[path] = {} if broken else files
        start = START + hour * HOUR
        with self.registry.write("driftline") as tx:
            schedule = schedules.get(tx, f"income-{kind}")
            window = (start, start + HOUR)
            if cause is None:
                planned = executions.plan(tx, schedule, *window, scheduled=window[1])
            else:
                planned = executions.revise(tx, schedule, *window, cause=cause)
            assert planned is not None
            (taken,) = executions.claim(tx, "me", lease=HOUR, execution=planned.id)
            status = "CompletedWithViolations" if found.violations else "Completed"
            message = f"{len(found.violations)} violations"
            result = {"counts": found.counts, "judged": found.judged_anything}
            finding = Finding(status, message, report=path, report_digest=digest, result=result)
            assert executions.finish(tx, taken, finding)
        return planned.id

    def accept(self, name: str = "income-quality") -> None:
        statistics = {"regression_metrics": {"mae": {"value": 1.5}}}
        files = {"statistics.json": json.dumps(statistics).encode()}
        path = f"baselines/{name}/v1"
        self.folders[path] = files
        with self.registry.write("ann") as tx:
            baselines.propose(
                tx, name, kind="model-quality", model="income", path=path, digest=folder_digest(files), spec={},
                diff=None, accept=True,
            )  # fmt: skip

    def feed(self, owner: str = "p1", *, wait: bool = True) -> int:
        return feed(self.registry, self, owner, wait=wait)

    def evidence(self) -> list[Any]:
        with self.registry.read() as tx:
            return cards.evidence(tx, "income")

    def version(self, which: str | int = "latest") -> Any:
        with self.registry.read() as tx:
            assert cards.verify(tx) == []
            return cards.version(tx, "income", which)

    def jobs(self) -> dict[str, dict[str, Any]]:
        content = self.version().content
        assert problems(content) == []
        return {job["name"]: job for job in content.get("evaluation_details", [])}


QUALITY = "Model quality: income-model-quality"
PASSED = metric_reports.metric_report("model-quality", [metric_reports.metric_outcome("recall", 0.5, 0.5)])


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with server() as made:
        yield made


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "registry.db"
    Registry.create(path).close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path, template: Path) -> Iterator[Site]:
    clock = Clock(START + 30 * DAY)
    if request.param == "sqlite":
        shutil.copy(template, tmp_path / "registry.db")
        opened = Registry.open(tmp_path / "registry.db", clock=clock)
    else:
        made: Server = request.getfixturevalue("postgres")
        opened = Registry.create(made.database(), root=tmp_path, clock=clock)
    with opened as registry:
        there = Site(registry, clock)
        there.declare()
        yield there


def test_reports_and_baselines_become_evidence_once(site: Site) -> None:
    site.card()
    site.accept()
    first, second = site.run(0), site.run(1, PASSED)
    assert site.feed() == 3
    assert site.feed() == site.feed("p2") == 0
    found = {one.source: one for one in site.evidence()}
    assert set(found) == {"baselines/income-quality/1", f"executions/{first}", f"executions/{second}"}
    one = found[f"executions/{first}"]
    assert (one.schedule, one.kind, one.status) == ("income-model-quality", "model-quality", "violated")
    assert one.window == (START, START + HOUR)
    assert one.summary == "6 violations"
    assert found[f"executions/{second}"].status == "passed"
    assert found["baselines/income-quality/1"].status == "baseline"
    assert site.version().version == 1
    assert site.read == []


def test_what_cannot_be_told_is_undetermined(site: Site) -> None:
    site.card()
    unknown = metric_reports.metric_outcome("auc", 0.5, 0.5, metric_reports.Status.UNDETERMINED)
    site.run(0, replace(PASSED, outcomes=(*PASSED.outcomes, unknown)))
    site.run(1, replace(PASSED, outcomes=(unknown,)))
    assert site.feed() == 2
    assert {one.status for one in site.evidence()} == {"undetermined"}


def test_without_a_card_nothing_is_written(site: Site) -> None:
    site.run(0)
    assert site.feed() == 0
    with site.registry.read() as tx:
        assert tx.one(sa.text("SELECT name FROM settings WHERE name = 'cards.feed'")) is None
        assert tx.one(sa.text("SELECT name FROM leases WHERE name = 'cards.feed'")) is None


def test_off_means_nothing(site: Site) -> None:
    site.card("off")
    site.run(0)
    assert site.feed() == 0
    assert site.evidence() == []


def test_a_new_card_gets_what_is_current(site: Site) -> None:
    site.accept()
    for hour in range(3):
        site.run(hour)
    newest = site.run(0, metric_reports.bias(), kind="bias")
    site.clock.at += HOUR
    site.card("draft")
    assert site.feed() == 3
    sources = {one.source for one in site.evidence()}
    assert {"baselines/income-quality/1", f"executions/{newest}"} < sources
    assert site.version().version == 2
    assert set(site.jobs()) == {"Baseline, model quality: income-quality", QUALITY, "Bias: income-bias"}
    assert site.jobs()[QUALITY]["metadata"]["window_end"] == "2026-11-23T03:00:00Z"


def test_a_draft_by_driftline_has_the_evaluation(site: Site) -> None:
    site.card(
        "draft",
        {
            "intended_uses": {"purpose_of_model": "x"},
            "additional_information": {"ethical_considerations": "y"},
        },
    )
    run = site.run(0)
    assert site.feed() == 1
    made = site.version()
    assert (made.version, made.status, made.author) == (2, "Draft", "driftline")
    assert made.reason == f"{QUALITY}, 2026-11-23T00:00:00Z to 2026-11-23T01:00:00Z: violated"
    assert list(made.content) == ["intended_uses", "evaluation_details", "additional_information"]
    job = site.jobs()[QUALITY]
    assert job["metadata"]["execution"] == run
    assert job["evaluation_job_arn"].endswith(f"monitoring-schedule/income-model-quality/execution/{run}")


def test_drafts_are_throttled_unless_the_verdict_changes(site: Site) -> None:
    site.card("draft", every="PT3H")
    runs = []
    for hour, report in enumerate([None, None, None, None, PASSED, PASSED, None]):
        runs.append(site.run(hour, report))
        assert site.feed() == 1
    written = [
        (v, site.version(v).content["evaluation_details"][0]["metadata"]["execution"]) for v in range(2, 6)
    ]
    # The fourth comes three hours after the first; the fifth and the seventh say something else.
    assert written == [(2, runs[0]), (3, runs[3]), (4, runs[4]), (5, runs[6])]
    assert site.version().version == 5
    assert len(site.evidence()) == 7
    assert len(site.jobs()) == 1


def test_several_reports_at_once_make_one_draft(site: Site) -> None:
    site.card("draft")
    for hour in range(3):
        site.run(hour)
    site.run(0, metric_reports.bias(), kind="bias")
    assert site.feed() == 4
    assert site.version().version == 2
    assert site.jobs()[QUALITY]["metadata"]["window_end"] == "2026-11-23T03:00:00Z"


def test_older_windows_and_looks_by_hand_do_not_replace(site: Site) -> None:
    site.card("draft", every="PT1M")
    newest = site.run(5)
    site.feed()
    site.run(2, PASSED)
    site.run(7, PASSED, cause="manual")
    assert site.feed() == 2
    assert site.jobs()[QUALITY]["metadata"]["execution"] == newest
    late = site.run(5, PASSED, cause="late-data")
    assert site.feed() == 1
    assert site.jobs()[QUALITY]["metadata"]["execution"] == late


@pytest.mark.parametrize(("status", "told"), [("PendingReview", "under review"), ("Archived", "archived")])
def test_what_is_under_review_or_archived_is_left_alone(site: Site, status: str, told: str) -> None:
    site.card("draft")
    site.feed()
    with site.registry.write("ann", "done") as tx:
        cards.set_status(tx, "income", status)
    site.run(0)
    assert site.feed() == 1
    assert (site.version().version, site.version().status) == (1, status)
    assert site.evidence()[0].summary == f"6 violations (not in the card's text, which is {told})"


def test_an_approved_card_keeps_its_approved_text(site: Site) -> None:
    site.card("draft")
    approved = site.version()
    with site.registry.write("ann") as tx:
        cards.set_status(tx, "income", "PendingReview")
    with site.registry.write("bob") as tx:
        cards.set_status(tx, "income", "Approved", content_hash=approved.content_hash)
    site.run(0)
    assert site.feed() == 1
    assert (site.version().version, site.version().status) == (2, "Draft")
    assert (site.version("approved").version, site.version("approved").content) == (1, approved.content)


def test_what_people_wrote_under_the_same_name_stays(site: Site) -> None:
    mine = {"name": QUALITY, "evaluation_observation": "by hand"}
    site.card("draft", {"evaluation_details": [mine]})
    site.run(0)
    site.run(1, PASSED)
    site.feed()
    found = site.version().content["evaluation_details"]
    assert found[0] == mine
    assert [job["name"] for job in found] == [QUALITY, QUALITY]


def test_beside_what_people_wrote_drafts_are_throttled_as_well(site: Site) -> None:
    site.card("draft", {"evaluation_details": [{"name": QUALITY}]}, every="P1D")
    for hour in range(3):
        site.run(hour)
        site.feed()
    assert site.version().version == 2
    assert len(site.evidence()) == 3


def test_a_report_that_is_gone_or_changed_is_evidence_only(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.card("draft")
    site.run(0, broken=True)
    assert site.feed() == 1
    assert site.evidence()[0].summary == "6 violations (not in the card's text: E-DIGEST)"
    assert site.version().version == 1
    assert "is gone" in caplog.text
    site.run(1)
    path = next(reversed(site.folders))
    site.folders[path]["report.json"] += b" "
    assert site.feed() == 1
    assert "its digest is another" in caplog.text


def test_a_report_that_cannot_be_read_is_evidence_only(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a fault of ours")

    site.card("draft")
    monkeypatch.setattr("driftline.cards.evidence.evaluation_of_report", broken)
    site.run(0)
    assert site.feed() == 1
    assert site.evidence()[0].summary == "6 violations (not in the card's text: RuntimeError)"


def job_of(n: int, size: int) -> dict[str, Any]:
    bars = {"name": "bars", "type": "bar_chart", "value": [1] * (size // 3)}
    return {
        "name": f"Bias: other-{n}",
        "metadata": {"source": f"executions/{n}", "ended": f"2026-11-{n + 1:02}T00:00:00Z"},
        "metric_groups": [{"name": "g", "metric_data": [bars, {"name": "n", "type": "number", "value": 1}]}],
    }


def test_for_want_of_room_the_oldest_charts_go_first(site: Site) -> None:
    site.card("draft", {"evaluation_details": [job_of(2, 30_000), job_of(1, 30_000), job_of(3, 30_000)]})
    site.run(0)
    assert site.feed() == 1
    jobs = site.jobs()
    assert len(serialise(site.version().content)) <= MOST_CHARACTERS
    sizes = {name: len(job["metric_groups"][0]["metric_data"]) for name, job in jobs.items()}
    assert sizes == {"Bias: other-2": 2, "Bias: other-1": 1, "Bias: other-3": 2, QUALITY: sizes[QUALITY]}
    assert jobs["Bias: other-1"]["evaluation_observation"] == "Its charts were left out for want of room."


def test_without_any_room_there_is_evidence_only(site: Site) -> None:
    notes = {f"k{i}": "x" * 1000 for i in range(97)}
    site.card("draft", {"additional_information": {"custom_details": notes}})
    site.run(0)
    assert site.feed() == 1
    assert site.version().version == 1
    assert "no room left in its 100,000 characters" in site.evidence()[0].summary


def test_a_policy_that_asks_for_drafts_gets_the_first_at_once(site: Site) -> None:
    site.card()
    site.run(0)
    assert site.feed() == 1
    with site.registry.write("ann") as tx:
        cards.set_policy(tx, "income", {"evaluations": "draft"})
    assert site.feed() == 0
    assert site.version().version == 2
    with site.registry.write("ann", "not wanted") as tx:
        cards.revise(tx, "income", content={"model_overview": {"model_id": "income"}})
    assert site.feed() == 0
    assert site.version().version == 3


def test_one_process_at_a_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.card()
    site.run(0)
    others = []
    told = feeding._told

    def meanwhile(*given: Any) -> int:
        others.append(site.feed("p2"))
        return told(*given)

    monkeypatch.setattr(feeding, "_told", meanwhile)
    assert site.feed("p1") == 1
    assert others == [0]
    assert len(site.evidence()) == 1


def test_who_lost_the_lease_writes_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.card()
    site.run(0)
    told = feeding._told

    def paused(*given: Any) -> int:
        with site.registry.write("x") as tx:
            tx.execute(sa.text("UPDATE leases SET owner = 'p2' WHERE name = 'cards.feed'"))
        return told(*given)

    with monkeypatch.context() as patch:
        patch.setattr(feeding, "_told", paused)
        assert site.feed("p1") == 0
    assert site.evidence() == []
    assert site.feed("p2") == 1


def test_a_process_that_dies_is_followed_by_another(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.card("draft")
    site.run(0)

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(feeding, "_go_on", dies)
        with pytest.raises(KeyboardInterrupt):
            site.feed("p1")
    assert site.version().version == 2
    with site.registry.write("x") as tx:
        tx.execute(sa.text("UPDATE leases SET until = 0 WHERE name = 'cards.feed'"))
    assert site.feed("p2") == 0
    assert site.version().version == 2
    assert len(site.evidence()) == 1
    site.run(1, PASSED)
    assert site.feed("p3") == 1


def test_some_at_a_time_without_waiting(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "_PAGE", 2)
    site.card()
    for hour in range(4):
        site.run(hour)
    first = site.feed(wait=False)
    assert 0 < first < 4
    assert first + site.feed() == 4


def test_events_about_other_things_do_not_pile_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "_FAR", 20)
    site.card()
    site.feed()
    with site.registry.write("ann") as tx:
        for n in range(30):
            tx.emit("thing.made", f"things/{n}", {})
    assert site.feed() == 0
    with site.registry.read() as tx:
        seq = tx.execute(sa.text("SELECT max(seq) FROM events")).scalar_one()
        value = tx.execute(sa.text("SELECT value FROM settings WHERE name = 'cards.feed'")).scalar_one()
    assert (json.loads(value) if isinstance(value, str) else value) == {"seq": seq}


def test_files_are_checked_when_they_are_shown() -> None:
    files = {"report.json": b"{}"}
    assert checked(files, "reports/x", folder_digest(files)) is files
    for wrong in ({}, {"report.json": b"{ }"}):
        with pytest.raises(InputError, match="E-DIGEST: reports/x"):
            checked(wrong, "reports/x", folder_digest(files))


def test_durations_of_policies() -> None:
    seconds = {
        "P1D": 86400,
        "PT6H": 21600,
        "P2W": 1209600,
        "PT90M": 5400,
        "P1DT2H": 93600,
        "P": 86400,
        "x": 86400,
    }
    assert {text: duration(text).total_seconds() for text in seconds} == seconds


def test_the_state_of_the_monitors(site: Site) -> None:
    site.card()
    site.run(0)
    with site.registry.write("ann") as tx:
        schedules.stop(tx, "income-bias")
        card = cards.get(tx, "income")
        bias, quality = monitors_of(tx, card)
        assert monitors_of(tx, replace(card, model=None)) == []
    assert (quality.schedule, quality.kind, quality.endpoint) == (
        "income-model-quality",
        "model-quality",
        "prod",
    )
    assert (quality.status, quality.last_status) == ("Scheduled", "CompletedWithViolations")
    assert quality.last_window == (START, START + HOUR)
    assert quality.headline == "6 violations"
    assert quality.open_alerts == 1
    assert quality.next_due is not None
    assert (bias.status, bias.last_status, bias.headline) == ("Stopped", None, "has not run yet")
    assert (bias.next_due, bias.open_alerts, bias.last_ended) == (None, 0, None)
