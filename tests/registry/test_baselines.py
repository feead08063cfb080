"""Baselines: proposed, accepted, rejected, and what differs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.baselines.constraint import Constraints, Feature, InferredType, MonitoringConfig, Settings
from driftline.errors import UsageError
from driftline.registry import audit, baselines, models
from driftline.registry.baseline_diff import MOST_CHANGES, MOST_VALUES, diff_of
from driftline.registry.database import RegistryError
from driftline.registry.tables import canonical

if TYPE_CHECKING:
    from driftline.registry.baselines import Baseline
    from driftline.registry.store import Registry, Tx


def digest(n: int) -> str:
    return f"sha256:{n:064x}"


def propose(tx: Tx, n: int, **given_: Any) -> Baseline:
    said: dict[str, Any] = {
        "kind": "data-quality",
        "path": f"baselines/churn/{n}",
        "digest": digest(n),
    } | given_
    return baselines.propose(tx, "churn", **said)


def states(tx: Tx) -> list[str]:
    return [one.state for one in baselines.history(tx, "churn")]


def test_the_first_may_be_accepted_at_once(registry: Registry) -> None:
    with registry.write("ann", "first") as tx:
        models.declare(tx, "m")
        made = propose(tx, 1, model="m", spec={"data": "train.parquet"}, diff={"added": ["a"]}, accept=True)
        assert made == baselines.current(tx, "churn") == baselines.get(tx, "churn", 1)
        assert (made.version, made.state, made.proposed_by, made.decided_by) == (1, "current", "ann", "ann")
        assert (made.model, made.spec, made.diff) == ("m", {"data": "train.parquet"}, {"added": ["a"]})
        assert propose(tx, 1, model="m", accept=True) == made
        actions = [e.action for e in audit.entries(tx)]
    assert actions == ["model.created", "baseline.proposed", "baseline.accepted"]


def test_a_change_is_a_proposal_until_somebody_accepts_it(registry: Registry) -> None:
    with registry.write("ann") as tx:
        propose(tx, 1, accept=True)
    with registry.write("bot", "nightly") as tx:
        made = propose(tx, 2)
        assert (made.version, made.state, made.decided) == (2, "proposed", None)
        assert propose(tx, 2) == made
        assert baselines.current(tx, "churn").version == 1
        assert [one.version for one in baselines.proposals(tx)] == [2]
    with registry.write("eve", "looks right") as tx:
        done = baselines.accept(tx, "churn", 2)
        assert (done.proposed_by, done.decided_by, done.reason, done.state) == (
            "bot",
            "eve",
            "looks right",
            "current",
        )
        assert baselines.accept(tx, "churn", 2) == done
        assert states(tx) == ["superseded", "current"]
        first = baselines.get(tx, "churn", 1)
        assert first.decided_by == "ann"
        assert [e.action for e in audit.entries(tx)][-2:] == ["baseline.superseded", "baseline.accepted"]


def test_a_new_proposal_overtakes_the_one_that_waits(registry: Registry) -> None:
    with registry.write("ann") as tx:
        propose(tx, 1, accept=True)
        propose(tx, 2)
        assert propose(tx, 3).version == 3
        assert states(tx) == ["current", "superseded", "proposed"]
        with pytest.raises(RegistryError, match="E-BASELINE-STATE"):
            baselines.accept(tx, "churn", 2)
        # What is as it was needs no decision.
        assert propose(tx, 1).version == 1


def test_rejected_stays_rejected(registry: Registry) -> None:
    with registry.write("ann") as tx:
        propose(tx, 1, accept=True)
        propose(tx, 2)
    with registry.write("eve", "too wide") as tx:
        done = baselines.reject(tx, "churn", 2)
        assert (done.state, done.reason, done.decided_by) == ("rejected", "too wide", "eve")
        assert baselines.reject(tx, "churn", 2) == done
        for version in (1, 2):
            with pytest.raises(RegistryError, match="E-BASELINE-STATE"):
                (baselines.reject if version == 1 else baselines.accept)(tx, "churn", version)
        assert baselines.current(tx, "churn").version == 1
        assert propose(tx, 2).version == 3


def test_what_is_not_there_is_said(registry: Registry) -> None:
    with registry.write("ann") as tx:
        with pytest.raises(RegistryError, match="E-NO-BASELINE"):
            baselines.current(tx, "churn")
        propose(tx, 1)
        with pytest.raises(RegistryError, match=r"E-NO-CURRENT-BASELINE.*accept version 1"):
            baselines.current(tx, "churn")
        with pytest.raises(RegistryError, match="E-NO-BASELINE-VERSION"):
            baselines.get(tx, "churn", 2)
        with pytest.raises(RegistryError, match=r"E-NO-BASELINE.*did you mean 'churn'"):
            baselines.history(tx, "chrn")
        assert [one.name for one in baselines.list_baselines(tx)] == ["churn"]
        assert baselines.list_baselines(tx, after="churn") == []


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"kind": "vibes"}, "E-BASELINE-KIND"),
        ({"kind": "bias"}, "E-BASELINE-KIND"),
        ({"path": "../other"}, "E-PATH"),
        ({"path": "/etc"}, "E-PATH"),
        ({"digest": "abc"}, "E-DIGEST"),
        ({"model": "nope"}, "E-NO-MODEL"),
        ({"spec": {"url": "postgresql://u:hunter2@h/d"}}, "E-SECRET"),
        ({"spec": {"x": float("inf")}}, "E-VALUE"),
        ({"diff": {"x": "\0"}}, "E-TEXT"),
    ],
)
def test_bad_proposals_are_refused(registry: Registry, said: dict[str, Any], code: str) -> None:
    with registry.write("ann") as tx:
        propose(tx, 1)
        with pytest.raises((UsageError, RegistryError), match=code):
            propose(tx, 2, **said)
        with pytest.raises(UsageError, match="E-NAME"):
            baselines.propose(tx, "a\0", kind="bias", path="a", digest=digest(1))
        assert len(baselines.history(tx, "churn")) == 1


# --- what differs ---------------------------------------------------------------------------------------------------

AGE = Feature("age", InferredType.INTEGRAL, completeness=1.0, is_non_negative=True, kind="number")
PLAN = Feature("plan", InferredType.STRING, completeness=1.0, domains=("a", "b"), kind="text")


def test_everything_is_new_at_first() -> None:
    made = diff_of(None, Constraints((AGE, PLAN)))
    assert made == {
        "added": ["age", "plan"],
        "removed": [],
        "changed": [],
        "counts": {"added": 2, "removed": 0, "changed": 0},
    }


def test_bounds_settings_and_domains_are_told() -> None:
    old = Constraints((AGE, PLAN), settings={"ks": Settings(bound=0.1)})
    new = Constraints(
        (
            replace(PLAN, domains=("b", "c", "d")),
            replace(AGE, completeness=0.9, settings={"numeric_range": Settings(low=float("-inf"), high=5.0)}),
            Feature("x", InferredType.STRING),
        ),
        monitoring=MonitoringConfig(comparison_threshold=0.2),
    )
    made = diff_of(old, new)
    assert (made["added"], made["removed"]) == (["x"], [])
    told = {(c["feature"], c["what"]): (c["before"], c["after"]) for c in made["changed"]}
    assert told == {
        (None, "comparison_threshold"): (0.1, 0.2),
        (None, "ks.bound"): (0.1, None),
        ("plan", "domains"): (2, 3),
        ("age", "completeness"): (1.0, 0.9),
        ("age", "numeric_range.low"): (None, "-Infinity"),
        ("age", "numeric_range.high"): (None, 5.0),
    }
    (domain,) = (c for c in made["changed"] if c["what"] == "domains")
    assert (domain["came"], domain["went"]) == (["c", "d"], ["a"])
    canonical(made)


def test_lists_are_cut_and_counts_are_not() -> None:
    values = tuple(f"v{n}" for n in range(60))
    wide = tuple(Feature(f"f{n}", InferredType.STRING) for n in range(1500))
    made = diff_of(
        Constraints((replace(PLAN, domains=()), *wide)), Constraints((replace(PLAN, domains=values),))
    )
    assert len(made["removed"]) == MOST_CHANGES
    assert made["counts"]["removed"] == 1500
    (domain,) = made["changed"]
    assert len(domain["came"]) == MOST_VALUES
    assert domain["n_came"] == 60


_features = st.lists(
    st.builds(
        Feature,
        st.sampled_from("abcd"),
        st.sampled_from(InferredType),
        st.none() | st.floats(0, 1),
        st.none() | st.booleans(),
        st.none() | st.lists(st.sampled_from("xyz"), unique=True).map(tuple),
    ),
    unique_by=lambda f: f.name,
).map(tuple)


@given(_features, _features)
def test_a_difference_is_empty_where_nothing_differs(
    one: tuple[Feature, ...], other: tuple[Feature, ...]
) -> None:
    def keyed(features: tuple[Feature, ...]) -> dict[str, Any]:
        return {
            f.name: replace(f, domains=None if f.domains is None else tuple(sorted(f.domains)))
            for f in features
        }

    there, back = diff_of(Constraints(one), Constraints(other)), diff_of(Constraints(other), Constraints(one))
    assert (not any(there["counts"].values())) is (keyed(one) == keyed(other))
    assert sorted(there["added"]) == sorted(back["removed"])
    assert there["counts"]["changed"] == back["counts"]["changed"]
