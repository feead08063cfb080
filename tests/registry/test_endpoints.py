"""Endpoints, and what they served when."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftline.errors import UsageError
from driftline.registry import audit, endpoints, models
from driftline.registry.database import RegistryError
from driftline.registry.tables import deployments, schedules

if TYPE_CHECKING:
    from driftline.registry.store import Registry, Tx


def prepare(tx: Tx) -> None:
    endpoints.declare(tx, "prod")
    for model in ("churn", "fraud"):
        models.declare(tx, model)
        for version in ("1", "2"):
            models.declare_version(tx, model, version)


def served(tx: Tx, start: int, end: int, variant: str | None = None) -> list[tuple[str, str]]:
    return [(d.model, d.version) for d in endpoints.served_in(tx, "prod", start, end, variant)]


def test_declaring_again_changes_and_records_nothing(registry: Registry) -> None:
    with registry.write("ann") as tx:
        said: dict[str, Any] = {"captures": "s3://bucket/c", "description": "d", "tags": {"a": "b"}}
        assert endpoints.declare(tx, "prod", **said)
        assert not endpoints.declare(tx, "prod", **said)
        assert not endpoints.declare(tx, "prod")
        assert endpoints.declare(tx, "prod", status="OutOfService")
        assert not endpoints.declare(tx, "prod")
        assert endpoints.get(tx, "prod").status == "OutOfService"
        assert endpoints.declare(tx, "prod", captures="")
        assert endpoints.get(tx, "prod").captures is None
        with pytest.raises(RegistryError, match="E-ENDPOINT-KIND"):
            endpoints.declare(tx, "prod", kind="batch")
        assert [e.action for e in audit.entries(tx)] == [
            "endpoint.created",
            "endpoint.changed",
            "endpoint.changed",
        ]


@pytest.mark.parametrize(
    ("name", "said", "code"),
    [
        ("x" * 10_240, {}, "E-NAME"),
        ("a\0", {}, "E-NAME"),
        ("ground_truth", {}, "E-NAME"),
        ("prod", {"kind": "lambda"}, "E-ENDPOINT"),
        ("prod", {"status": "Fine"}, "E-ENDPOINT"),
        ("prod", {"captures": "s3://key:hunter2@bucket/c"}, "E-SECRET"),
        ("prod", {"captures": "s3://bucket/c?secret_key=hunter2"}, "E-SECRET"),
        ("prod", {"description": "\ud800"}, "E-TEXT"),
    ],
)
def test_bad_endpoints_are_refused(registry: Registry, name: str, said: dict[str, Any], code: str) -> None:
    with registry.write("ann") as tx:
        with pytest.raises(UsageError, match=code) as caught:
            endpoints.declare(tx, name, **said)
        assert "hunter2" not in str(caught.value)
        assert endpoints.list_endpoints(tx) == []


def test_deploying_closes_what_was_there(registry: Registry) -> None:
    with registry.write("ann", "release") as tx:
        prepare(tx)
        assert endpoints.deploy(tx, "prod", "churn", "1", since=1000)
        assert not endpoints.deploy(tx, "prod", "churn", "1")
        assert not endpoints.deploy(tx, "prod", "churn", "1", since=1500)
        assert endpoints.deploy(tx, "prod", "churn", "2", since=2000)
        assert endpoints.deploy(tx, "prod", "fraud", "1")
        told = [(d.model, d.version, d.since, d.until) for d in endpoints.history(tx, "prod")]
        assert told == [
            ("churn", "1", 1000, 2000),
            ("churn", "2", 2000, tx.now),
            ("fraud", "1", tx.now, None),
        ]
        assert [d.model for d in endpoints.serving(tx, "prod")] == ["fraud"]
        assert [d.version for d in endpoints.serving(tx, "prod", 1999)] == ["1"]
        assert [d.version for d in endpoints.serving(tx, "prod", 2000)] == ["2"]
        assert endpoints.serving(tx, "prod", 999) == []
        assert served(tx, 0, 1000) == []
        assert served(tx, 0, 1001) == [("churn", "1")]
        assert served(tx, 1500, 2000) == [("churn", "1")]
        assert served(tx, 1999, tx.now + 1) == [("churn", "1"), ("churn", "2"), ("fraud", "1")]
        event = next(e for e in audit.entries(tx, newest_first=True))
        assert event.change["before"]["version"] == "2"


def test_history_is_not_rewritten(registry: Registry) -> None:
    with registry.write("ann") as tx:
        prepare(tx)
        endpoints.deploy(tx, "prod", "churn", "1", since=2000)
        for version in ("1", "2"):
            with pytest.raises(RegistryError, match=r"E-SINCE.*later than that"):
                endpoints.deploy(tx, "prod", "churn", version, since=1999)
        with pytest.raises(RegistryError, match=r"E-SINCE.*to come"):
            endpoints.deploy(tx, "prod", "churn", "2", since=tx.now + 1)
        assert endpoints.undeploy(tx, "prod")
        assert not endpoints.undeploy(tx, "prod")
        with pytest.raises(RegistryError, match=r"E-SINCE.*until later"):
            endpoints.deploy(tx, "prod", "churn", "2", since=3000)
        assert endpoints.serving(tx, "prod") == []
        assert endpoints.deploy(tx, "prod", "churn", "2")


def test_variants_are_apart(registry: Registry) -> None:
    with registry.write("ann") as tx:
        prepare(tx)
        endpoints.deploy(tx, "prod", "churn", "1", variant="blue", weight=0.9, since=10)
        endpoints.deploy(tx, "prod", "churn", "2", variant="green", weight=1, since=10)
        assert len(endpoints.serving(tx, "prod")) == 2
        assert not endpoints.deploy(tx, "prod", "churn", "1", variant="blue", weight=0.9)
        assert endpoints.deploy(tx, "prod", "churn", "1", variant="blue", weight=0.5)
        assert served(tx, 0, 20, "green") == [("churn", "2")]
        assert endpoints.undeploy(tx, "prod", variant="blue")
        assert [d.variant for d in endpoints.serving(tx, "prod")] == ["green"]
        assert [e.name for e in endpoints.list_endpoints(tx, model="churn")] == ["prod"]
        assert endpoints.list_endpoints(tx, model="fraud") == []


def test_an_alias_is_deployed_as_the_version_it_stands_for(registry: Registry) -> None:
    with registry.write("ann") as tx:
        prepare(tx)
        models.set_alias(tx, "churn", "champion", "1")
        endpoints.deploy(tx, "prod", "churn", "champion")
        models.set_alias(tx, "churn", "champion", "2")
        assert endpoints.serving(tx, "prod")[0].version == "1"


def test_two_deployments_at_one_instant_leave_the_last(registry: Registry) -> None:
    with registry.write("ann") as tx:
        prepare(tx)
        for version in ("1", "2", "1", "2"):
            assert endpoints.deploy(tx, "prod", "churn", version)
        assert served(tx, 0, tx.now + 1) == [("churn", "2")]
        assert [d.until is None for d in endpoints.history(tx, "prod")] == [False, False, False, True]


@pytest.mark.parametrize("weight", [-1, float("nan"), float("inf"), "1", True, 10**30])
def test_bad_weights_are_refused(registry: Registry, weight: Any) -> None:
    with registry.write("ann") as tx:
        prepare(tx)
        with pytest.raises(UsageError, match="E-WEIGHT"):
            endpoints.deploy(tx, "prod", "churn", "1", weight=weight)


def test_what_is_not_there_cannot_be_deployed(registry: Registry) -> None:
    with registry.write("ann") as tx:
        prepare(tx)
        for given_, code in (
            (("prd", "churn", "1"), "E-NO-ENDPOINT.*did you mean 'prod'"),
            (("prod", "chrn", "1"), "E-NO-MODEL.*did you mean 'churn'"),
            (("prod", "churn", "9"), "E-NO-VERSION"),
        ):
            with pytest.raises(RegistryError, match=code):
                endpoints.deploy(tx, *given_)
        models.archive(tx, "churn")
        with pytest.raises(RegistryError, match="E-ARCHIVED"):
            endpoints.deploy(tx, "prod", "churn", "1")
        for moment in (-1, 10**30, "1"):
            with pytest.raises(UsageError, match="E-MOMENT"):
                endpoints.serving(tx, "prod", moment)  # type: ignore[arg-type]


def test_an_endpoint_is_not_archived_before_its_schedules(registry: Registry) -> None:
    with registry.write("ann") as tx:
        prepare(tx)
        endpoints.deploy(tx, "prod", "churn", "1")
        tx.insert(
            schedules,
            name="churn-quality",
            endpoint="prod",
            kind="data-quality",
            status="Scheduled",
            config={},
            config_digest="",
            revision=1,
            since=0,
            cursor=0,
            failures=0,
            created=0,
            modified=0,
        )
        for status in ("Scheduled", "Pending", "Failed"):
            tx.execute(sa.update(schedules).values(status=status))
            with pytest.raises(RegistryError, match=r"E-ENDPOINT-IN-USE.*churn-quality"):
                endpoints.archive(tx, "prod")
        tx.execute(sa.update(schedules).values(status="Stopped"))
        assert endpoints.archive(tx, "prod")
        assert not endpoints.archive(tx, "prod")
        assert endpoints.serving(tx, "prod") == []
        assert endpoints.list_endpoints(tx) == []
        with pytest.raises(RegistryError, match="E-ARCHIVED"):
            endpoints.deploy(tx, "prod", "churn", "1")
        assert endpoints.declare(tx, "prod")
        assert endpoints.deploy(tx, "prod", "churn", "1")
        assert len(endpoints.history(tx, "prod")) == 2


_moves = st.lists(
    st.tuples(st.sampled_from(["1", "2", None]), st.sampled_from(["a", "b"]), st.integers(0, 60)), max_size=12
)


@given(_moves, st.integers(0, 50), st.integers(1, 20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_history_agrees_with_a_diary(
    registry: Registry, moves: list[tuple[str | None, str, int]], start: int, length: int
) -> None:
    with registry.write("ann") as tx:
        kept = tx.connection.begin_nested()
        prepare(tx)
        diary: dict[tuple[str, int], str] = {}
        for version, variant, since in moves:
            if version is not None:
                with suppress(RegistryError):
                    endpoints.deploy(tx, "prod", "churn", version, variant=variant, since=since)
                    diary |= {(variant, t): version for t in range(since, 80)}
        for t in range(start, start + length):
            now = {d.variant: d.version for d in endpoints.serving(tx, "prod", t)}
            assert now == {variant: version for (variant, at), version in diary.items() if at == t}
        window = {(d.variant, d.version) for d in endpoints.served_in(tx, "prod", start, start + length)}
        assert window == {
            (variant, version) for (variant, at), version in diary.items() if start <= at < start + length
        }
        assert tx.all(sa.select(deployments).where(deployments.c.until < deployments.c.since)) == []
        kept.rollback()
