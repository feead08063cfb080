"""Lineage of a workspace: where things came from and what they led to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftline.registry import lineage
from driftline.rooms.room import Room

if TYPE_CHECKING:
    from collections.abc import Collection

    from driftline.registry.lineage import Graph, Node

__all__ = ["Lineage"]


class Lineage(Room):
    """``ws.lineage``. Things are named as the registry names them: ``models/churn/3``, ``alerts/01J…``, or by a digest."""

    def find(self, ref: str) -> Node:
        """Return the newest state of a thing.

        Raises
        ------
        RegistryError
            ``E-NO-NODE``.
        """
        return self._read(lambda tx: lineage.find(tx, ref))

    def up(
        self, ref: str, *, depth: int = 10, kinds: Collection[str] | None = None, limit: int = 1000
    ) -> Graph:
        """Return where something came from."""
        return self._read(lambda tx: lineage.ascendants(tx, ref, depth, kinds, limit))

    def down(
        self, ref: str, *, depth: int = 10, kinds: Collection[str] | None = None, limit: int = 1000
    ) -> Graph:
        """Return what came of something."""
        return self._read(lambda tx: lineage.descendants(tx, ref, depth, kinds, limit))

    def around(
        self, ref: str, *, depth: int = 2, kinds: Collection[str] | None = None, limit: int = 1000
    ) -> Graph:
        """Return what is near something, both ways."""
        return self._read(lambda tx: lineage.neighbourhood(tx, ref, depth, kinds, limit))

    def training_data_of_alert(self, alert: str) -> tuple[Node, ...]:
        """Return the data that the model was trained on of which an alert speaks."""
        return self._read(lambda tx: lineage.training_data_of_alert(tx, alert))

    def models_trained_on(self, data: str, **given: Any) -> tuple[Node, ...]:
        """Return the models that were trained on a data set, by its URI or digest."""
        return self._read(lambda tx: lineage.models_trained_on(tx, data, **given))
