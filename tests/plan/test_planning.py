from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from declared import DECLARED, training

from driftline.errors import DriftlineError, UsageError
from driftline.registry import schedules
from driftline.registry.store import user_name

if TYPE_CHECKING:
    from declared import Site

    from driftline.plan import Plan


def told(plan: Plan) -> list[tuple[str, str, str]]:
    return [(step.sign, step.kind, step.name) for step in plan.changes]


def test_everything_is_made_in_an_order_that_holds(site: Site) -> None:
    plan = site.plan()
    assert told(plan) == [
        ("+", "model", "churn"),
        ("+", "version", "churn/3"),
        ("+", "endpoint", "churn-prod"),
        ("+", "deployment", "churn-prod/AllTraffic"),
        ("+", "baseline", "churn"),
        ("+", "target", "ops"),
        ("+", "schedule", "churn-quality"),
    ]
    assert plan.summary == "7 to create, 0 to change, 0 to remove, 0 unchanged"


def test_a_plan_changes_nothing(site: Site) -> None:
    site.plan()
    assert site.written() == 0
    assert {p.name for p in site.folder.iterdir()} <= {
        "churn.bin",
        "train.csv",
        "driftline.toml",
        "registry.db",
        "registry.db-wal",
        "registry.db-shm",
    }
    assert site.workspace.events.list() == []


def test_applying_again_writes_nothing(site: Site) -> None:
    first = site.apply(reason="new")
    written = site.written()
    assert len(first.changes) == 7
    assert written >= 7
    again = site.apply()
    assert not again
    assert again.summary == "0 to create, 0 to change, 0 to remove, 7 unchanged"
    assert site.written() == written


def test_who_and_why_stand_in_the_audit_log(site: Site) -> None:
    from driftline.registry import audit

    site.apply(reason="version 3 goes live")
    with site.workspace.registry.read() as tx:
        entries = list(audit.entries(tx))
    assert {(entry.who, entry.reason) for entry in entries} == {("ann", "version 3 goes live")}


def test_nobody_named_is_the_person_at_the_terminal(local: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from driftline.registry import audit

    monkeypatch.setenv("DRIFTLINE_USER", "bea")
    local.plan().apply()
    with local.workspace.registry.read() as tx:
        assert {entry.who for entry in audit.entries(tx)} == {"bea"} == {user_name()}


def test_only_what_differs_is_changed(site: Site) -> None:
    site.apply()
    text = DECLARED.replace('schedule = "cron(0 * ? * * *)"', 'schedule = "0 6 * * *"\ndelay = "10m"')
    plan = site.apply(text.replace('owner = "growth"', 'owner = "sales"'))
    assert told(plan) == [("~", "model", "churn"), ("~", "schedule", "churn-quality")]
    assert [str(c) for c in plan.changes[0].changes] == ["owner: growth → sales"]
    assert [str(c) for c in plan.changes[1].changes] == [
        "delay: PT0S → PT10M",
        "schedule: cron(0 * ? * * *) → 0 6 * * *",
    ]
    assert site.workspace.schedules.get("churn-quality").revision == 2


def test_what_the_registry_refuses_is_refused_before_anything_happens(site: Site) -> None:
    site.apply()
    written = site.written()
    (site.folder / "churn.bin").write_bytes(b"other bytes under the same version")
    with pytest.raises(DriftlineError) as caught:
        site.plan(DECLARED.replace('owner = "growth"', 'owner = "sales"'))
    assert caught.value.code == "E-VERSION-CHANGED"
    assert site.written() == written
    assert site.workspace.models.get("churn").owner == "growth"


def test_a_plan_that_was_overtaken_is_refused_as_a_whole(site: Site) -> None:
    site.apply()
    mine = site.plan(
        DECLARED.replace('owner = "growth"', 'owner = "sales"').replace(
            'kind = "log"', 'kind = "log"\nenabled = false'
        )
    )
    site.workspace.models.declare("churn", owner="risk")
    with pytest.raises(UsageError) as caught:
        mine.apply()
    assert caught.value.code == "E-PLAN"
    assert "look at the plan again" in str(caught.value)
    assert site.workspace.models.get("churn").owner == "risk"
    # Nothing of it was done: the target is as it was.
    assert told(site.plan(DECLARED.replace('owner = "growth"', 'owner = "risk"'))) == []


def test_of_two_that_do_the_same_the_second_is_told(site: Site) -> None:
    one, other = site.plan(), site.plan()
    one.apply()
    written = site.written()
    with pytest.raises(UsageError, match="has changed since"):
        other.apply()
    assert site.written() == written
    assert not site.plan()


def test_a_plan_that_lost_to_another_baseline_is_refused(site: Site) -> None:
    site.apply()
    (site.folder / "train.csv").write_text(training(seed=2, mean=11))
    mine = site.plan()
    (site.folder / "train.csv").write_text(training(seed=3, mean=12))
    site.apply()
    with pytest.raises(UsageError, match="has changed since"):
        mine.apply()


def test_changes_elsewhere_do_not_get_in_the_way(site: Site) -> None:
    mine = site.plan()
    site.workspace.models.declare("fraud")
    mine.apply()
    assert site.workspace.models.get("churn").owner == "growth"


def test_what_is_not_mentioned_is_left_alone(site: Site) -> None:
    site.apply()
    written = site.written()
    plan = site.apply("")
    assert not plan
    assert set(plan.left) == {
        ("schedule", "churn-quality"),
        ("target", "ops"),
        ("endpoint", "churn-prod"),
        ("model", "churn"),
        ("baseline", "churn"),
    }
    assert "not in the file, left alone: schedule churn-quality, target ops" in str(plan)
    assert site.written() == written


def test_prune_archives_in_an_order_that_holds(site: Site) -> None:
    site.apply()
    plan = site.apply("", prune=True)
    assert told(plan) == [
        ("-", "schedule", "churn-quality"),
        ("-", "target", "ops"),
        ("-", "endpoint", "churn-prod"),
        ("-", "model", "churn"),
    ]
    assert plan.summary == "0 to create, 0 to change, 4 to remove, 0 unchanged"
    assert site.workspace.models.list() == []
    assert site.workspace.schedules.list() == []
    assert not site.plan("", prune=True)


def test_what_was_pruned_comes_back(site: Site) -> None:
    site.apply()
    site.apply("", prune=True)
    plan = site.apply()
    assert {step.kind for step in plan.changes} == {"model", "endpoint", "deployment", "target", "schedule"}
    assert site.workspace.schedules.get("churn-quality").is_active
    assert [d.version for d in site.workspace.endpoints.serving("churn-prod")] == ["3"]
    assert not site.plan()


def test_prune_keeps_what_is_used(site: Site) -> None:
    site.apply()
    monitor = DECLARED[DECLARED.index("[monitors") : DECLARED.index("[targets")]
    plan = site.apply(monitor, prune=True)
    assert told(plan) == [("-", "target", "ops")]
    assert ("endpoint", "churn-prod") in plan.left
    assert ("model", "churn") in plan.left


def test_a_refused_database_does_not_hide_behind_the_rehearsal(
    local: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> bool:
        raise RuntimeError("out of order")

    monkeypatch.setattr(schedules, "declare", refuse)
    with pytest.raises(RuntimeError, match="out of order"):
        local.plan()


def test_the_document_says_what_the_text_says(local: Site) -> None:
    local.apply()
    plan = local.plan(DECLARED.replace('owner = "growth"', 'owner = "sales"'))
    document = plan.document()
    assert document["summary"] == {"create": 0, "change": 1, "remove": 0, "unchanged": 6}
    changed = [step for step in document["steps"] if step["action"] != "none"]
    assert changed == [
        {
            "action": "change",
            "kind": "model",
            "name": "churn",
            "changes": [{"what": "owner", "before": "growth", "after": "sales"}],
            "why": "",
        }
    ]
    assert str(plan) == (
        "~ model churn\n    owner: growth → sales\n\n0 to create, 1 to change, 0 to remove, 6 unchanged"
    )
