"""Models of a workspace, and their versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftline.registry import lineage, models
from driftline.rooms.room import Room

if TYPE_CHECKING:
    import builtins
    import os
    from collections.abc import Iterable, Mapping

    from driftline.registry.importing.imported import Imported
    from driftline.registry.importing.mlflow import Client
    from driftline.registry.models import Model, Version
    from driftline.registry.store import Tx

__all__ = ["Models"]


class Models(Room):
    """``ws.models``."""

    def list(
        self,
        *,
        text: str | None = None,
        owner: str | None = None,
        tag: str | None = None,
        after: str | None = None,
        limit: int = 100,
        archived: bool = False,
    ) -> builtins.list[Model]:
        """Return models by name; see :func:`driftline.registry.models.list_models`."""
        return self._read(
            lambda tx: models.list_models(
                tx, text=text, owner=owner, tag=tag, after=after, limit=limit, archived=archived
            )
        )

    def get(self, name: str) -> Model:
        """Return a model.

        Raises
        ------
        RegistryError
            ``E-NO-MODEL``.
        """
        return self._read(lambda tx: models.get(tx, name))

    def versions(self, name: str) -> builtins.list[Version]:
        """Return the versions of a model, the newest last."""
        return self._read(lambda tx: models.versions(tx, name))

    def version(self, name: str, version: str) -> Version:
        """Return a version by its name or by an alias such as ``champion``."""
        return self._read(lambda tx: models.version(tx, name, version))

    def declare(
        self,
        name: str,
        *,
        owner: str | None = None,
        description: str | None = None,
        risk_rating: str | None = None,
        tags: Mapping[str, str] | None = None,
        reason: str = "",
    ) -> bool:
        """Say that there is a model; return whether anything changed. See :func:`driftline.registry.models.declare`."""
        return self._act(
            lambda tx: models.declare(
                tx, name, owner=owner, description=description, risk_rating=risk_rating, tags=tags
            ),
            reason,
        )

    def declare_version(
        self,
        name: str,
        version: str,
        *,
        artifacts: Iterable[Mapping[str, Any]] | None = None,
        training: Mapping[str, Any] | None = None,
        aliases: Iterable[str] | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        created: int | None = None,
        reason: str = "",
    ) -> bool:
        """Say that a model has a version, and where it came from; return whether anything changed.

        Parameters as for :func:`driftline.registry.models.declare_version`.
        """
        listed = None if artifacts is None else [dict(one) for one in artifacts]
        named = None if aliases is None else [*aliases]

        def act(tx: Tx) -> bool:
            changed = models.declare_version(
                tx,
                name,
                version,
                artifacts=listed,
                training=training,
                aliases=named,
                description=description,
                tags=tags,
                created=created,
            )
            made = models.version(tx, name, version)
            lineage.of_version(tx, name, version, made.training, made.artifacts)
            return changed

        return self._act(act, reason)

    def set_alias(self, name: str, alias: str, version: str | None, *, reason: str = "") -> bool:
        """Let an alias stand for a version; None takes it away."""
        return self._act(lambda tx: models.set_alias(tx, name, alias, version), reason)

    def bring(self, name: str, *, reason: str = "", **given: Any) -> Imported:
        """Write down a version from what you have, and fill in the rest.

        Parameters as for :func:`driftline.registry.importing.plain.bring_your_own`.
        """
        from driftline.registry.importing.plain import bring_your_own

        return self._act(lambda tx: bring_your_own(tx, model=name, **given), reason)

    def from_mlflow(self, client_or_uri: Client | str, name: str, **given: Any) -> Imported:
        """Bring a registered model of MLflow; see :func:`driftline.registry.importing.mlflow.from_mlflow`."""
        from driftline.registry.importing.mlflow import from_mlflow

        return from_mlflow(self._house.registry, client_or_uri, name, **given)

    def from_sagemaker(
        self, answers: Iterable[str | os.PathLike[str] | Mapping[str, Any]], name: str, **given: Any
    ) -> Imported:
        """Bring models of SageMaker; see :func:`driftline.registry.importing.sagemaker.from_sagemaker`."""
        from driftline.registry.importing.sagemaker import from_sagemaker

        return from_sagemaker(self._house.registry, answers, name, **given)

    def archive(self, name: str, *, reason: str = "") -> bool:
        """Put a model away; what is known of it stays."""
        return self._act(lambda tx: models.archive(tx, name), reason)

    def restore(self, name: str, *, reason: str = "") -> bool:
        """Bring an archived model back."""
        return self._act(lambda tx: models.restore(tx, name), reason)
