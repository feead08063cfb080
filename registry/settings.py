"""Settings: what a workspace was told once, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from driftline.registry.tables import settings

if TYPE_CHECKING:
    from driftline.registry.store import Tx

__all__ = ["get", "put"]


def get(tx: Tx, name: str) -> Any:
    """Return a setting, or None."""
    row = tx.one(sa.select(settings.c.value).where(settings.c.name == name))
    return None if row is None else row.value


def put(tx: Tx, name: str, value: Any) -> bool:
    """Change a setting; return whether it was another."""
    before = get(tx, name)
    if before == value:
        return False
    tx.insert(settings, "update", name=name, value=value, modified=tx.now)
    tx.record("setting.changed", f"settings/{name}", before=before, after=value)
    return True
