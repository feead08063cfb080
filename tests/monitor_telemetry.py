"""Short words for filling a registry, and for reading its metrics back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftline.registry import tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftline.registry.store import Registry

__all__ = ["HOUR", "World", "measured"]

HOUR = 3_600_000_000


class World:
    """Fills a registry, and reads its metrics back."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._n = 0
        with registry.write("ann", "test") as tx:
            self.now = tx.now
            tx.insert(
                tables.endpoints,
                name="churn",
                kind="endpoint",
                status="InService",
                tags={},
                created=tx.now,
                modified=tx.now,
            )

    def schedule(
        self, name: str, *, status: str = "Scheduled", since: int | None = None, **given: Any
    ) -> None:
        values = {"next_due": self.now + HOUR, **given}
        config = {"schedule": "0 * * * *", "timezone": "UTC", **values.pop("config", {})}
        with self.registry.write("ann", "test") as tx:
            tx.insert(
                tables.schedules,
                name=name,
                endpoint="churn",
                kind="data-quality",
                status=status,
                config=config,
                config_digest="sha256:0",
                revision=1,
                since=self.now - 1000 * HOUR if since is None else since,
                cursor=self.now,
                failures=0,
                created=self.now,
                modified=self.now,
                **values,
            )

    def execution(
        self,
        schedule: str,
        status: str = "Completed",
        *,
        hours: float = 1,
        measurements: Sequence[Mapping[str, Any]] = (),
        result: Mapping[str, Any] | None = None,
        **given: Any,
    ) -> None:
        """Add an execution whose window ended so many hours ago, and that ran five minutes later for 90 seconds."""
        self._n += 1
        end = self.now - int(hours * HOUR)
        started = end + 300_000_000
        values: dict[str, Any] = {
            "model": "churn-model",
            "not_before": end,
            "revision": 1,
            "cause": "schedule",
            **given,
        }
        if result is None and status.startswith("Completed"):
            result = {
                "counts": {
                    name: sum(one["status"] == name for one in measurements)
                    for name in ("passed", "violated", "undetermined")
                },
                "rows": {"captured": 500, "used": 480},
                "severity": "warning",
                "measurements": list(measurements),
            }
        with self.registry.write("ann", "test") as tx:
            tx.insert(
                tables.executions,
                id=f"{self._n:026d}",
                schedule=schedule,
                window_start=end - HOUR,
                window_end=end,
                scheduled=end,
                status=status,
                endpoint="churn",
                kind="data-quality",
                config={},
                config_digest="sha256:0",
                created=end,
                modified=end,
                started=None if status in ("Pending", "Skipped") else started,
                ended=None if status in ("Pending", "InProgress", "Stopping") else started + 90_000_000,
                attempts=1,
                result=result,
                token=1,
                **values,
            )

    def add(self, table: str, **values: Any) -> None:
        with self.registry.write("ann", "test") as tx:
            tx.insert(tables.metadata.tables[table], **values)

    def samples(self, **given: Any) -> dict[tuple[str, ...], float]:
        """Return the values by name and values of labels, in the order in which the labels are declared."""
        from prometheus_client.parser import text_string_to_metric_families

        from driftline.monitor.telemetry import metrics_text
        from driftline.monitor.telemetry.metric import METRICS

        labels = {metric.name: metric.labels for metric in METRICS}
        with self.registry.read() as tx:
            text = metrics_text(tx, **given).decode()
        found: dict[tuple[str, ...], float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                assert set(sample.labels) == set(labels[sample.name])
                key = (
                    sample.name.removeprefix("driftline_"),
                    *(sample.labels[name] for name in labels[sample.name]),
                )
                assert key not in found
                found[key] = sample.value
        return found


def measured(
    feature: str, status: str = "passed", value: float | None = 0.05, check: str = "ks"
) -> dict[str, Any]:
    return {
        "feature": feature,
        "check": check,
        "value": value,
        "bound": 0.1,
        "status": status,
        "severity": "warning",
    }
