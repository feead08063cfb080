"""Alerts of a workspace: see them, handle them, and the rules that raise them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftline.registry import alerts
from driftline.rooms.room import Room

if TYPE_CHECKING:
    import builtins
    from collections.abc import Sequence
    from datetime import timedelta

    from driftline.registry.alerts import Alert, LogEntry, Rule

__all__ = ["Alerts"]


class Alerts(Room):
    """``ws.alerts``."""

    def list(
        self,
        *,
        state: str | Sequence[str] | None = None,
        severity: str | None = None,
        model: str | None = None,
        endpoint: str | None = None,
        schedule: str | None = None,
        open_only: bool = False,
        after: str | None = None,
        limit: int = 100,
    ) -> builtins.list[Alert]:
        """Return alerts, those opened last first; see :func:`driftline.registry.alerts.list_alerts`."""
        return self._read(
            lambda tx: alerts.list_alerts(
                tx,
                state=state,
                severity=severity,
                model=model,
                endpoint=endpoint,
                schedule=schedule,
                open_only=open_only,
                after=after,
                limit=limit,
            )
        )

    def get(self, alert: str) -> Alert:
        """Return an alert by its id.

        Raises
        ------
        RegistryError
            ``E-NO-ALERT``.
        """
        return self._read(lambda tx: alerts.get(tx, alert))

    def log(self, alert: str) -> builtins.list[LogEntry]:
        """Return what happened to an alert, in order."""
        return self._read(lambda tx: alerts.log(tx, alert))

    def acknowledge(self, alert: str, comment: str = "") -> Alert:
        """Say that somebody is at it."""
        return self._act(lambda tx: alerts.acknowledge(tx, alert, comment), comment)

    def snooze(self, alert: str, duration: timedelta, comment: str) -> Alert:
        """Put an alert off for a while, at most 90 days."""
        length = round(duration.total_seconds() * 1_000_000)
        return self._act(lambda tx: alerts.snooze(tx, alert, tx.now + length, comment), comment)

    def unsnooze(self, alert: str, comment: str = "") -> Alert:
        """Take a snooze back."""
        return self._act(lambda tx: alerts.unsnooze(tx, alert, comment), comment)

    def comment(self, alert: str, text: str) -> Alert:
        """Write something into the log of an alert."""
        return self._act(lambda tx: alerts.comment(tx, alert, text), text)

    def resolve(self, alert: str, reason: str) -> Alert:
        """Close an alert by hand."""
        return self._act(lambda tx: alerts.resolve(tx, alert, reason), reason)

    def rules(self, schedule: str) -> builtins.list[Rule]:
        """Return the alert rules of a schedule."""
        return self._read(lambda tx: alerts.rules(tx, schedule))

    def update_rule(self, schedule: str, name: str = "default", *, reason: str = "", **given: Any) -> Rule:
        """Change an alert rule, and look at the stored runs again; see :func:`driftline.registry.alerts.update_rule`."""
        return self._act(lambda tx: alerts.update_rule(tx, schedule, name, **given), reason)
