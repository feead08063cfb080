"""Imported: what an import found by itself, what it did not find, and what it wrote."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from driftline.registry import lineage, models
from driftline.registry.tables import deployments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftline.registry.store import Tx

__all__ = ["FIELDS", "Draft", "Imported", "ImportedVersion", "declare", "serve"]

FIELDS = (
    "version",
    "owner",
    "description",
    "tags",
    "created",
    "aliases",
    "framework",
    "artifacts",
    "artifacts.digest",
    "artifacts.size",
    "training.job",
    "training.experiment",
    "training.data",
    "training.code",
    "training.image",
    "training.parameters",
    "training.metrics",
)
"""What an import tries to fill in."""


@dataclass(frozen=True, slots=True)
class ImportedVersion:
    """What became of one version.

    Attributes
    ----------
    version : str
    filled, missing : tuple of str
        Of :data:`FIELDS`: those that were found by themselves, and those that nobody said.
    changed : bool
        Whether the registry knows more, or other things, than before.
    """

    version: str
    filled: tuple[str, ...]
    missing: tuple[str, ...]
    changed: bool


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    Attributes
    ----------
    model : str
        Its name here.
    versions : tuple of ImportedVersion
        In the order in which they were made.
    changed : bool
        Whether anything is not as it was before.
    notes : tuple of str
        What was left out or kept as it was, and why.
    """

    model: str
    versions: tuple[ImportedVersion, ...]
    changed: bool
    notes: tuple[str, ...] = ()

    @property
    def filled(self) -> tuple[str, ...]:
        """What was filled in for at least one version."""
        found = {name for one in self.versions for name in one.filled}
        return tuple(name for name in FIELDS if name in found)

    @property
    def missing(self) -> tuple[str, ...]:
        """What is missing of at least one version."""
        found = {name for one in self.versions for name in one.missing}
        return tuple(name for name in FIELDS if name in found)

    def __str__(self) -> str:
        lines = [f"{self.model}: {'changed' if self.changed else 'nothing new'}"]
        for one in self.versions:
            lines.append(f"  version {one.version}")
            lines.append(f"    filled in: {', '.join(one.filled) or 'nothing'}")
            if one.missing:
                lines.append(f"    missing: {', '.join(one.missing)}")
        lines += [f"  {note}" for note in self.notes]
        return "\n".join(lines)


@dataclass(slots=True)
class Draft:
    """What is known of a version, before it is written.

    Attributes
    ----------
    version : str
    artifacts : list of mapping
    training : dict
    aliases : list of str or None
        All that an import knows of; None where it knows nothing of aliases.
    description : str or None
    tags : dict of str to str
    origin : dict or None
    created : int or None
    given : set of str
        Of :data:`FIELDS`, what the caller said: neither filled in nor missing.
    """

    version: str
    artifacts: list[Mapping[str, Any]] = field(default_factory=list)
    training: dict[str, Any] = field(default_factory=dict)
    aliases: list[str] | None = None
    description: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    origin: dict[str, Any] | None = None
    created: int | None = None
    given: set[str] = field(default_factory=set)

    def known(self, name: str) -> bool:
        """Tell whether a field of a version has a value."""
        if name.startswith("training."):
            return bool(self.training.get(name.removeprefix("training.")))
        if name.startswith("artifacts."):
            key = name.removeprefix("artifacts.")
            return bool(self.artifacts) and all(a.get(key) is not None for a in self.artifacts)
        if name == "framework":
            return bool(self.tags.get("framework"))
        if name == "tags":
            return bool(self.tags.keys() - {"framework"})
        return bool(getattr(self, name, None))


def declare(
    tx: Tx,
    model: str,
    drafts: Sequence[Draft],
    *,
    owner: str | None = None,
    description: str | None = None,
    tags: Mapping[str, str] | None = None,
    risk_rating: str | None = None,
    given: frozenset[str] = frozenset(),
    notes: Sequence[str] = (),
    is_from_elsewhere: bool = False,
) -> Imported:
    """Write a model and its versions, and where they came from.

    Parameters
    ----------
    model : str
    drafts : sequence of Draft
    owner, description, tags, risk_rating
        Of the model. Tags are added to those that are there.
    given : frozenset of str
        Which of these the caller said.
    notes : sequence of str
    is_from_elsewhere : bool
        Owner, descriptions and risk rating that somebody gave here stay as they are.
    """
    told = list(notes)
    there = models.find(tx, model)
    if there is not None and is_from_elsewhere:
        for what, here, found in (
            ("owner", there.owner, owner),
            ("description", there.description, description),
            ("risk_rating", there.risk_rating, risk_rating),
        ):
            if here and found and here != found and what not in given:
                told.append(f"{what} stays as it is here")
        owner = owner if "owner" in given else there.owner or owner
        description = description if "description" in given else there.description or description
        risk_rating = there.risk_rating or risk_rating
    merged = None if not tags else {**(there.tags if there is not None else {}), **tags}
    changed = models.declare(
        tx, model, owner=owner, description=description, risk_rating=risk_rating, tags=merged
    )
    made = []
    for draft in drafts:
        one = _declare_version(tx, model, draft, told, is_from_elsewhere)
        changed |= one
        # A description and tags may be of the model or of the version.
        of_model = {"owner": owner, "description": description, "tags": tags}
        known = {name: bool(of_model.get(name)) or draft.known(name) for name in FIELDS}
        said = given | draft.given
        made.append(
            ImportedVersion(
                draft.version,
                tuple(name for name in FIELDS if known[name] and name not in said),
                tuple(name for name in FIELDS if not known[name]),
                one,
            )
        )
    return Imported(model, tuple(made), changed, tuple(told))


def _declare_version(tx: Tx, model: str, draft: Draft, told: list[str], is_from_elsewhere: bool) -> bool:
    before = models.find_version(tx, model, draft.version)
    artifacts: list[Mapping[str, Any]] | None = draft.artifacts or None
    description, tags, training, aliases = (
        draft.description,
        draft.tags or None,
        draft.training,
        draft.aliases,
    )
    if before is not None:
        if artifacts is not None and _knows_more(before.artifacts, artifacts):
            # The store cannot be read from here now; that makes nothing less known.
            told.append(f"version {draft.version}: artifacts stay as they are here")
            artifacts = None
        if is_from_elsewhere:
            description = before.description or description
        tags = {**before.tags, **tags} if tags else None
        training = {**before.training, **training}
        if aliases is not None:
            # Aliases that were given here stay; those that came from elsewhere follow what is said there.
            earlier = set((before.origin or {}).get("aliases") or ())
            aliases = sorted({a for a in before.aliases if a not in earlier} | set(aliases))
    origin = draft.origin
    if origin is not None and draft.aliases is not None:
        origin = {**origin, "aliases": sorted(draft.aliases)}
    changed = models.declare_version(
        tx,
        model,
        draft.version,
        artifacts=artifacts,
        training=training or None,
        description=description,
        origin=origin,
        tags=tags,
        created=draft.created,
    )
    if aliases is not None:
        changed |= _set_aliases(tx, model, draft.version, aliases)
    written = models.version(tx, model, draft.version)
    lineage.of_version(tx, model, draft.version, written.training, written.artifacts)
    return changed


def _knows_more(here: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]) -> bool:
    names = {a["name"] for a in here}
    is_listed = all(a.get("digest") for a in found)
    was_listed = bool(here) and all(a.get("digest") for a in here)
    if was_listed and not is_listed:
        return True
    return bool(here) and not was_listed and is_listed and not names <= {a["name"] for a in found}


def _set_aliases(tx: Tx, model: str, version: str, aliases: Sequence[str]) -> bool:
    changed = False
    before = models.version(tx, model, version).aliases
    for alias in aliases:
        changed |= models.set_alias(tx, model, alias, version)
    for alias in before:
        if alias not in aliases:
            changed |= models.set_alias(tx, model, alias, None)
    return changed


def serve(tx: Tx, endpoint: str, model: str, version: str) -> bool:
    """Say that an endpoint serves a version, declaring the endpoint where needed; False where nothing changed."""
    from driftline.registry import endpoints

    changed = endpoints.declare(tx, endpoint)
    changed |= endpoints.deploy(tx, endpoint, model, version)
    query = (
        sa.select(deployments.c.id).where(deployments.c.endpoint == endpoint).order_by(deployments.c.since)
    )
    for row in tx.all(query):
        lineage.of_deployment(tx, row.id)
    return changed
