"""A registry with two models and their monitors; shared by the tests of plans and of completeness."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftline.baselines.constraint import Constraints, Feature, InferredType
from driftline.baselines.sagemaker_constraints import write_constraints
from driftline.registry import alerts, baselines, endpoints, models, schedules, targets

if TYPE_CHECKING:
    from driftline.registry.store import Registry

CONSTRAINTS = write_constraints(
    Constraints((Feature("age", InferredType.INTEGRAL, completeness=0.9),))
).encode()


def house(registry: Registry) -> None:
    """Fill a registry: the model `churn` with two monitors, the model `fraud` with one, and targets."""
    with registry.write("bob", "set up") as tx:
        models.declare(tx, "churn", owner="ann")
        models.declare_version(tx, "churn", "3")
        models.declare(tx, "fraud")
        models.declare_version(tx, "fraud", "1")
        endpoints.declare(tx, "churn-prod", tags={"owner": "ops"})
        endpoints.declare(tx, "fraud-prod")
        endpoints.deploy(tx, "churn-prod", "churn", "3")
        endpoints.deploy(tx, "fraud-prod", "fraud", "1")
        baselines.propose(
            tx,
            "churn",
            kind="data-quality",
            path="baselines/churn/v1",
            digest="sha256:" + "1" * 64,
            model="churn",
            accept=True,
        )
        schedules.declare(
            tx,
            "churn-hourly",
            endpoint="churn-prod",
            kind="data-quality",
            baseline="churn",
            config={
                "schedule": "0 * * * *",
                "timezone": "Europe/Berlin",
                "start_offset": None,
                "end_offset": None,
                "delay": "PT10M",
                "inputs": "captured",
                "compat": None,
                "variant": None,
                "overrides": {"alpha": 0.01, "checks": {"ks": {"bound": 0.2}}},
                "tags": {"owner": "data team"},
                "description": "Every hour.",
                "alert_after_failures": 3,
                "alert_on_no_data": 0,
            },
        )
        alerts.update_rule(tx, "churn-hourly", datapoints_to_alert=2, evaluation_period=3)
        schedules.declare(
            tx, "churn-quality", endpoint="churn-prod", kind="model-quality", config={}, enabled=False
        )
        schedules.declare(tx, "fraud-bias", endpoint="fraud-prod", kind="bias", config={})
        targets.declare(tx, "pager", kind="webhook", config={"url_env": "PAGER_URL", "severity": "critical"})
        targets.declare(
            tx,
            "team",
            kind="webhook",
            config={"url": "https://hooks.example/x", "secret_file": "/run/key", "models": ["chu*"]},
        )
        targets.declare(tx, "off", kind="log", config={}, enabled=False)
        targets.declare(tx, "elsewhere", kind="log", config={"endpoints": ["other-*"]})
