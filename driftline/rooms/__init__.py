"""Rooms: what a workspace holds, each kind of thing behind one short name.

Every call is one transaction. What changes something takes ``reason``, which stands in the audit log beside who acted.
"""

from __future__ import annotations

from driftline.rooms.alerts import Alerts
from driftline.rooms.baselines import Baselines
from driftline.rooms.cards import Cards
from driftline.rooms.endpoints import Endpoints
from driftline.rooms.events import Events
from driftline.rooms.executions import Executions
from driftline.rooms.lineage import Lineage
from driftline.rooms.models import Models
from driftline.rooms.reports import Reports
from driftline.rooms.room import House
from driftline.rooms.schedules import Schedules

__all__ = [
    "Alerts",
    "Baselines",
    "Cards",
    "Endpoints",
    "Events",
    "Executions",
    "House",
    "Lineage",
    "Models",
    "Reports",
    "Schedules",
]
