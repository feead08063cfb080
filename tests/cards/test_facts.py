"""Facts: what the registry knows, and what a card only says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from card_plans import house

from driftline.cards.completeness import check_profile
from driftline.cards.extensions import problems
from driftline.cards.facts import Facts, change_log_of, claims, facts_of
from driftline.cards.post_market import plan_of
from driftline.registry import executions, schedules
from driftline.registry.card_types import CardVersion, Evidence
from driftline.registry.database import RegistryError
from driftline.registry.store import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOUR = 3_600_000_000


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry.create(tmp_path / "registry.db") as made:
        house(made)
        yield made


def version(number: int, reason: str = "") -> CardVersion:
    moment = 1_795_417_200_000_000 + number
    digest = "sha256:" + f"{number:064x}"
    return CardVersion("churn", number, {}, {}, {}, digest, "Draft", "ann", reason, moment, moment, "ann")


def evidence(kind: str, status: str) -> Evidence:
    return Evidence(f"executions/{kind}", "s", kind, status, None, "reports/x", "", f"{kind} is well.", 1)


def facts(registry: Registry, model: str | None = "churn", **given: Any) -> Facts:
    with registry.read() as tx:
        return facts_of(tx, model, **given)


def test_the_registry_is_asked(registry: Registry) -> None:
    made = facts(
        registry,
        versions=[version(2), version(1)],
        records=5,
        evidence=[evidence("data-quality", "passed"), evidence("bias", "baseline")],
    )
    assert made.model == "churn"
    assert made.monitors == {"data-quality": ("churn-hourly",)}
    assert made.evidence == {"data-quality": ("data-quality is well.",)}
    assert made.earlier_versions == ("version 1",)
    assert (made.records, made.targets, made.plan_agrees) == (5, ("pager", "team"), None)
    assert "plan_agrees" not in made.document()
    with pytest.raises(RegistryError):
        facts(registry, "churm")


def test_of_a_card_without_a_model_little_is_known(registry: Registry) -> None:
    made = facts(registry, None, versions=[version(1)], records=1)
    assert made == Facts(records=1)


def test_the_plan_is_held_against_the_monitors(registry: Registry) -> None:
    with registry.read() as tx:
        extensions = {"post_market_plan": plan_of(tx, "churn")}
    assert facts(registry, extensions=extensions).plan_agrees is True
    with registry.write("ann", "") as tx:
        schedules.stop(tx, "churn-hourly")
    made = facts(registry, extensions=extensions)
    assert made.plan_agrees is False
    assert made.plan_differences[0] == "changed schedules[churn-hourly].state: 'active' is now 'stopped'"
    row = next(one for one in check_profile({}, extensions, "eu-annex-iv", facts=made).rows if one.id == "9")
    assert row.state == "partial"
    assert {one.what for one in row.missing} == {
        "a monitor that is running",
        "the plan says what the monitors do",
    }


def test_runs_that_are_claimed_are_looked_up(registry: Registry) -> None:
    with registry.write("driftline", "") as tx:
        run = executions.plan(tx, schedules.get(tx, "churn-hourly"), 0, HOUR, scheduled=HOUR)
        assert run is not None
    true = [f"executions/{run.id}", "baselines/churn/1"]
    false = [
        "executions/01JUNKNOWN",
        "executions/" + "x" * 10_000,
        "baselines/churn/9",
        "baselines/none/1",
        "baselines/churn",
        "baselines/churn/٣",
        "baselines/../1",
        "baselines/churn/" + "9" * 5000,
    ]
    extensions = {"evaluation": [{"evaluation": one, "measured_by": one} for one in [*true, *false, "Ann"]]}
    content = {"evaluation_details": [{"name": "e", "metadata": {"source": true[0]}}]}
    assert claims(content, extensions) == [*true, *false]
    assert facts(registry, content=content, extensions=extensions).sources == frozenset(true)


def test_a_run_of_another_model_is_none_of_this_one(registry: Registry) -> None:
    extensions = {"evaluation": [{"evaluation": "e", "measured_by": "baselines/churn/1"}]}
    assert facts(registry, "fraud", extensions=extensions).sources == frozenset()


def test_versions_become_a_change_log() -> None:
    made = change_log_of([version(2, "Retrained."), version(1)])
    assert [(one["version"], one["description"], one["author"]) for one in made] == [
        ("1", "version 1 of the card", "ann"),
        ("2", "Retrained.", "ann"),
    ]
    assert made[0]["date"] == "2026-11-23T07:00:00.000001Z"
    assert problems({"change_log": made}) == []
