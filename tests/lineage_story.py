"""A story for the tests of lineage: two versions of a model, an endpoint that changes between them, runs, an alert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from driftline.registry import endpoints, lineage, models
from driftline.registry.tables import baselines, deployments, executions, schedules

if TYPE_CHECKING:
    from driftline.registry.store import Registry, Tx

__all__ = ["DATA_1", "DATA_2", "HOUR", "START", "Story", "add_execution", "digest", "tell"]

HOUR = 3_600_000_000
START = 1_790_000_000_000_000 // HOUR * HOUR


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


DATA_1, DATA_2 = digest(1), digest(2)


@dataclass(frozen=True)
class Story:
    executions: tuple[str, str, str]
    alert: str = "ALERT1"


def add_execution(tx: Tx, number: str, hour: int, *, revision: int = 1, **more: Any) -> str:
    values: dict[str, Any] = {
        "id": number,
        "schedule": "churn-quality",
        "window_start": START + hour * HOUR,
        "window_end": START + (hour + 1) * HOUR,
        "revision": revision,
        "cause": "schedule",
        "scheduled": START + (hour + 1) * HOUR,
        "status": "CompletedWithViolations",
        "endpoint": "churn-prod",
        "kind": "data-quality",
        "config": {},
        "config_digest": digest(0),
        "baseline": "churn",
        "baseline_version": 1,
        "created": START,
        "modified": START,
        "started": START + (hour + 1) * HOUR,
        "ended": START + (hour + 1) * HOUR + 1_000_000,
        "attempts": 1,
        "not_before": START,
        "input_digest": digest(1000 + hour),
        "report": f"reports/{number}",
        "report_digest": digest(2000 + hour),
        "result": {
            "rows": {"captured": 10, "used": 9},
            "measurements": [
                {"feature": "age", "check": "drift", "metric": "ks", "value": 0.4, "bound": 0.1}
                | {"status": "violated", "severity": "critical"},
                {"feature": "plan", "check": "missing", "value": 0.0, "bound": 0.0, "status": "passed"},
                {"feature": "plan", "check": "drift", "value": None, "status": "undetermined"},
            ],
        },
        "token": 1,
    }
    tx.insert(executions, **(values | more))
    return number


def tell(registry: Registry) -> Story:
    """Version 1 serves for two hours, then version 2; the alert is about the second and third hour."""
    with registry.write("ann") as tx:
        models.declare(tx, "churn", owner="ann")
        for version, data, depth in (("1", DATA_1, 3), ("2", DATA_2, 5)):
            models.declare_version(
                tx,
                "churn",
                version,
                artifacts=[
                    {"uri": f"s3://models/churn/{version}.onnx", "digest": digest(10 + depth), "size": 7}
                ],
                training={
                    "job": f"train-{version}",
                    "data": [{"uri": "s3://data/train.csv", "digest": data, "size": 99}],
                    "code": "abc123",
                    "image": "trainer:1",
                    "parameters": {"depth": depth, "seed": 1},
                    "metrics": {"auc": 0.5 + depth / 10},
                },
            )
        endpoints.declare(tx, "churn-prod")
        for number, version, since, until in (("D1", "1", 0, 2), ("D2", "2", 2, None)):
            tx.insert(
                deployments,
                id=number,
                endpoint="churn-prod",
                variant="AllTraffic",
                model="churn",
                version=version,
                since=START + since * HOUR,
                until=None if until is None else START + until * HOUR,
            )
        tx.insert(
            baselines,
            name="churn",
            version=1,
            kind="data-quality",
            state="current",
            model="churn",
            path="baselines/churn/1",
            digest=digest(500),
            spec={"data": [{"uri": "train-copy.csv", "digest": DATA_1}]},
            proposed=START,
            proposed_by="ann",
        )
        tx.insert(
            schedules,
            name="churn-quality",
            endpoint="churn-prod",
            kind="data-quality",
            status="Scheduled",
            baseline="churn",
            config={},
            config_digest=digest(0),
            revision=1,
            since=START,
            cursor=START,
            failures=0,
            created=START,
            modified=START,
        )
        made = [add_execution(tx, f"RUN{hour}", hour) for hour in range(3)]
        for one in made:
            lineage.of_execution(tx, one)
        for one in made[1:]:
            lineage.of_alert(tx, "ALERT1", one)
    return Story((made[0], made[1], made[2]))
