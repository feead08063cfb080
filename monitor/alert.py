"""Alert: when a series of runs becomes an alarm, m failures among the last n; see :mod:`driftline.registry.alert_rule`."""

from __future__ import annotations

from driftline.registry.alert_rule import MOST, AlertStatus, alert_states

__all__ = ["MOST", "AlertStatus", "alert_states"]
