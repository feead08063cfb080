"""Endpoints and batch jobs of a workspace, and what they serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftline.capture.event import DEFAULT_VARIANT
from driftline.registry import endpoints, lineage
from driftline.rooms.room import Room

if TYPE_CHECKING:
    import builtins
    from collections.abc import Mapping

    from driftline.registry.endpoints import Deployment, Endpoint
    from driftline.registry.store import Tx

__all__ = ["Endpoints"]


class Endpoints(Room):
    """``ws.endpoints``."""

    def list(
        self,
        *,
        text: str | None = None,
        kind: str | None = None,
        model: str | None = None,
        tag: str | None = None,
        after: str | None = None,
        limit: int = 100,
        archived: bool = False,
    ) -> builtins.list[Endpoint]:
        """Return endpoints and batch jobs by name; see :func:`driftline.registry.endpoints.list_endpoints`."""
        return self._read(
            lambda tx: endpoints.list_endpoints(
                tx, text=text, kind=kind, model=model, tag=tag, after=after, limit=limit, archived=archived
            )
        )

    def get(self, name: str) -> Endpoint:
        """Return an endpoint.

        Raises
        ------
        RegistryError
            ``E-NO-ENDPOINT``.
        """
        return self._read(lambda tx: endpoints.get(tx, name))

    def serving(self, name: str, moment: int | None = None) -> builtins.list[Deployment]:
        """Return what an endpoint serves, or served at a moment, one for each variant."""
        return self._read(lambda tx: endpoints.serving(tx, name, moment))

    def history(self, name: str) -> builtins.list[Deployment]:
        """Return all that an endpoint ever served, the newest last."""
        return self._read(lambda tx: endpoints.history(tx, name))

    def declare(
        self,
        name: str,
        *,
        kind: str = "endpoint",
        captures: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        status: str | None = None,
        reason: str = "",
    ) -> bool:
        """Say that there is an endpoint or a batch job; see :func:`driftline.registry.endpoints.declare`."""
        return self._act(
            lambda tx: endpoints.declare(
                tx, name, kind=kind, captures=captures, description=description, tags=tags, status=status
            ),
            reason,
        )

    def deploy(
        self,
        name: str,
        model: str,
        version: str,
        *,
        variant: str = DEFAULT_VARIANT,
        weight: float | None = None,
        since: int | None = None,
        reason: str = "",
    ) -> bool:
        """Say that an endpoint serves a version from now on; see :func:`driftline.registry.endpoints.deploy`."""

        def act(tx: Tx) -> bool:
            changed = endpoints.deploy(tx, name, model, version, variant=variant, weight=weight, since=since)
            _link(tx, name)
            return changed

        return self._act(act, reason)

    def undeploy(self, name: str, *, variant: str | None = None, reason: str = "") -> bool:
        """Say that an endpoint, or one variant of it, serves nothing from now on."""

        def act(tx: Tx) -> bool:
            changed = endpoints.undeploy(tx, name, variant=variant)
            _link(tx, name)
            return changed

        return self._act(act, reason)

    def archive(self, name: str, *, reason: str = "") -> bool:
        """Put an endpoint away; what it served ends now."""
        return self._act(lambda tx: endpoints.archive(tx, name), reason)


def _link(tx: Tx, endpoint: str) -> None:
    """Let the lineage know of what began and of what ended."""
    for one in endpoints.history(tx, endpoint)[-20:]:
        lineage.of_deployment(tx, one)
