"""Models: what there is to watch, their versions, and which bytes each version is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from driftline.capture.event import check_name
from driftline.errors import UsageError, printable
from driftline.registry.artifacts import artifact_of, check_artifacts, completed
from driftline.registry.database import RegistryError
from driftline.registry.given import (
    check_moment,
    check_no_secrets,
    check_page,
    check_tags,
    check_value,
    check_words,
    missing,
    says,
    tagged,
)
from driftline.registry.tables import deployments, model_versions, models

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from driftline.registry.store import Tx

__all__ = [
    "RISKS",
    "Model",
    "Version",
    "archive",
    "artifact_of",
    "declare",
    "declare_version",
    "get",
    "list_models",
    "restore",
    "set_alias",
    "version",
    "versions",
]

RISKS = ("low", "medium", "high", "unknown")
"""Risk ratings, in SageMaker's words."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model, whatever its versions.

    Attributes
    ----------
    name : str
    owner, description : str or None
    risk_rating : str or None
        One of :data:`RISKS`.
    tags : mapping of str to str
    created, modified : int
        Microseconds since 1970-01-01 UTC.
    archived : int or None
        When it was put away; None while it counts.
    """

    name: str
    owner: str | None
    description: str | None
    risk_rating: str | None
    tags: Mapping[str, str]
    created: int
    modified: int
    archived: int | None


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a model: which bytes it is, and how it came about.

    Attributes
    ----------
    model, version : str
    description : str or None
    aliases : tuple of str
        Names that stand for this version for now, such as ``champion``.
    artifacts : tuple of mapping
        ``name``, ``uri``, ``digest`` and ``size`` (the last two None where unknown).
    training : mapping
        How it was trained: ``job``, ``data``, ``code``, ``image``, ``parameters``, ``metrics``.
    origin : mapping or None
        Where it was imported from.
    tags : mapping of str to str
    created, modified : int
    """

    model: str
    version: str
    description: str | None
    aliases: tuple[str, ...]
    artifacts: tuple[Mapping[str, Any], ...]
    training: Mapping[str, Any]
    origin: Mapping[str, Any] | None
    tags: Mapping[str, str] = field(default_factory=dict)
    created: int = 0
    modified: int = 0


def _model(row: Any) -> Model:
    return Model(
        row.name,
        row.owner,
        row.description,
        row.risk_rating,
        row.tags,
        row.created,
        row.modified,
        row.archived,
    )


def _version(row: Any) -> Version:
    return Version(
        row.model,
        row.version,
        row.description,
        tuple(row.aliases),
        tuple(row.artifacts),
        row.training,
        row.origin,
        row.tags,
        row.created,
        row.modified,
    )


def find(tx: Tx, name: str) -> Model | None:
    """Return a model, archived ones too, or None."""
    row = tx.one(sa.select(models).where(models.c.name == check_name("a model", name)))
    return None if row is None else _model(row)


def get(tx: Tx, name: str) -> Model:
    """Return a model, archived ones too.

    Raises
    ------
    RegistryError
        ``E-NO-MODEL``.
    UsageError
        ``E-NAME``.
    """
    found = find(tx, name)
    if found is None:
        raise missing(tx, "model", name, models.c.name, models.c.archived.is_(None))
    return found


def declare(
    tx: Tx,
    name: str,
    *,
    owner: str | None = None,
    description: str | None = None,
    risk_rating: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> bool:
    """Say that there is a model, and what is known of it.

    Parameters
    ----------
    name : str
    owner, description, risk_rating : str, optional
        None leaves what was said before; ``""`` takes it back.
    tags : mapping of str to str, optional
        All of them; None leaves those that are there.

    Returns
    -------
    bool
        Whether anything changed. A model that was archived is brought back.

    Raises
    ------
    UsageError
        ``E-NAME``, ``E-TEXT``, ``E-RISK``.
    """
    before = find(tx, name)
    if risk_rating and risk_rating not in RISKS:
        raise UsageError(
            f"{printable(repr(risk_rating), 60)} is no risk rating",
            code="E-RISK",
            field="risk_rating",
            fix="use " + ", ".join(RISKS),
        )
    said: dict[str, Any] = {
        "owner": owner if owner is None else check_words("owner", owner, most=256),
        "description": description if description is None else check_words("description", description),
        "risk_rating": risk_rating,
    }
    values = {key: value or None for key, value in said.items() if value is not None}
    if tags is not None:
        values["tags"] = check_tags(tags)
    subject, data = f"models/{name}", {"model": name}
    if before is None:
        row = {"owner": None, "description": None, "risk_rating": None, "tags": {}} | values
        tx.insert(models, name=name, **row, created=tx.now, modified=tx.now)
        tx.record("model.created", subject, after=row, data=data)
        return True
    back = restore(tx, name)
    old, new = changes(before, values)
    if new:
        tx.execute(sa.update(models).where(models.c.name == name).values(**new, modified=tx.now))
        tx.record("model.changed", subject, before=old, after=new, data=data)
    return back or bool(new)


def changes(before: Any, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what of `values` is not yet so: as it was, and as it is to be."""
    was = {key: list(old) if isinstance(old := getattr(before, key), tuple) else old for key in values}
    new = {key: value for key, value in values.items() if was[key] != value}
    return {key: was[key] for key in new}, new


def archive(tx: Tx, name: str) -> bool:
    """Put a model away; what is known of it stays.

    Returns
    -------
    bool
        False where it was put away before.

    Raises
    ------
    RegistryError
        ``E-NO-MODEL``; ``E-MODEL-IN-USE``: an endpoint serves it.
    """
    found = get(tx, name)
    if found.archived is not None:
        return False
    serving = tx.all(
        sa.select(deployments.c.endpoint)
        .where(deployments.c.model == name, deployments.c.until.is_(None))
        .distinct()
        .order_by(deployments.c.endpoint)
        .limit(5)
    )
    if serving:
        raise RegistryError(
            f"the model {name!r} is served by {', '.join(row.endpoint for row in serving)}",
            code="E-MODEL-IN-USE",
            fix="deploy another model there, or archive the endpoint, first",
        )
    tx.execute(sa.update(models).where(models.c.name == name).values(archived=tx.now, modified=tx.now))
    tx.record("model.archived", f"models/{name}", data={"model": name})
    return True


def restore(tx: Tx, name: str) -> bool:
    """Bring an archived model back; False where it was not archived.

    Raises
    ------
    RegistryError
        ``E-NO-MODEL``.
    """
    if get(tx, name).archived is None:
        return False
    tx.execute(sa.update(models).where(models.c.name == name).values(archived=None, modified=tx.now))
    tx.record("model.restored", f"models/{name}", data={"model": name})
    return True


def list_models(
    tx: Tx,
    *,
    text: str | None = None,
    owner: str | None = None,
    tag: str | None = None,
    after: str | None = None,
    limit: int = 100,
    archived: bool = False,
) -> list[Model]:
    """Return models by name.

    Parameters
    ----------
    text : str, optional
        Found in the name, the owner or the description; ASCII letters of either case are alike.
    owner : str, optional
    tag : str, optional
        ``name`` or ``name=value``.
    after : str, optional
        Only names after this one: the last of the page before.
    limit : int
    archived : bool
        Those that were put away too.
    """
    query = sa.select(models).order_by(models.c.name).limit(check_page(limit))
    if not archived:
        query = query.where(models.c.archived.is_(None))
    if text:
        query = query.where(says(tx, text, models.c.name, models.c.owner, models.c.description))
    if owner is not None:
        query = query.where(models.c.owner == check_words("owner", owner))
    if tag is not None:
        query = query.where(tagged(tx, tag, models.c.tags))
    if after is not None:
        query = query.where(models.c.name > check_words("after", after))
    return [_model(row) for row in tx.execute(query)]


# --- versions -------------------------------------------------------------------------------------------------------


def find_version(tx: Tx, model: str, name: str) -> Version | None:
    """Return a version, or None."""
    row = tx.one(
        sa.select(model_versions).where(
            model_versions.c.model == check_name("a model", model),
            model_versions.c.version == check_name("a version", name),
        )
    )
    return None if row is None else _version(row)


def version(tx: Tx, model: str, name: str) -> Version:
    """Return a version by its name, or by an alias.

    Raises
    ------
    RegistryError
        ``E-NO-MODEL``, ``E-NO-VERSION``.
    """
    found = find_version(tx, model, name)
    if found is not None:
        return found
    get(tx, model)
    for other in versions(tx, model):
        if name in other.aliases:
            return other
    raise missing(tx, "version", name, model_versions.c.version, model_versions.c.model == model)


def versions(tx: Tx, name: str) -> list[Version]:
    """Return the versions of a model, the newest last.

    Raises
    ------
    RegistryError
        ``E-NO-MODEL``.
    """
    get(tx, name)
    query = (
        sa.select(model_versions)
        .where(model_versions.c.model == name)
        .order_by(model_versions.c.created, model_versions.c.version)
    )
    return [_version(row) for row in tx.execute(query)]


def declare_version(
    tx: Tx,
    model: str,
    version: str,
    *,
    artifacts: Iterable[Mapping[str, Any]] | None = None,
    training: Mapping[str, Any] | None = None,
    aliases: Iterable[str] | None = None,
    description: str | None = None,
    origin: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    created: int | None = None,
) -> bool:
    """Say that a model has a version, and what is known of it.

    Parameters
    ----------
    model, version : str
        The model must be declared.
    artifacts : iterable of mapping, optional
        ``uri``, and where known ``name``, ``digest`` (``sha256:…``) and ``size`` in bytes; all there are. Of a version that
        is there they may be added to and completed, and may move to another URI with the same digest, but never change.
    training, origin : mapping, optional
    aliases : iterable of str, optional
        All that stand for this version; taken from other versions where they have them.
    description : str, optional
        ``""`` takes it back.
    tags : mapping of str to str, optional
    created : int, optional
        When it was made, of a version that is new here.

    Returns
    -------
    bool
        Whether anything changed. What is None is left as it was.

    Raises
    ------
    RegistryError
        ``E-NO-MODEL``; ``E-VERSION-CHANGED``: the artifacts are not those of the version.
    UsageError
        ``E-NAME``, ``E-TEXT``, ``E-ARTIFACT``, ``E-DIGEST``, ``E-SECRET``.
    """
    before = find_version(tx, model, version)
    get(tx, model)
    values: dict[str, Any] = {}
    if artifacts is not None:
        values["artifacts"] = check_artifacts(artifacts)
        if before is not None:
            values["artifacts"] = completed(before, values["artifacts"])
    if training is not None:
        values["training"] = check_value("training", dict(training))
        check_no_secrets("training", values["training"])
    if origin is not None:
        values["origin"] = check_value("origin", dict(origin))
        check_no_secrets("origin", values["origin"])
    if description is not None:
        values["description"] = check_words("description", description) or None
    if tags is not None:
        values["tags"] = check_tags(tags)
    wanted = None if aliases is None else sorted({check_name("an alias", alias) for alias in aliases})
    subject, data = f"models/{model}/{version}", {"model": model, "model_version": version}
    if before is None:
        row = {"description": None, "artifacts": [], "training": {}, "origin": None, "tags": {}} | values
        made = tx.now if created is None else check_moment("created", created)
        tx.insert(
            model_versions,
            model=model,
            version=version,
            aliases=[],
            **row,
            created=made,
            modified=tx.now,
        )
        tx.record("model.version_created", subject, after=row | {"created": made}, data=data)
        new: dict[str, Any] = row
    else:
        old, new = changes(before, values)
        if new:
            _write(tx, model, version, **new)
            tx.record("model.version_changed", subject, before=old, after=new, data=data)
    moved = False
    if wanted is not None:
        kept = before.aliases if before is not None else ()
        for alias in sorted({*kept, *wanted}):
            if alias not in wanted:
                moved |= set_alias(tx, model, alias, None)
            else:
                moved |= set_alias(tx, model, alias, version)
    return bool(new) or moved


def _write(tx: Tx, model: str, version: str, **values: Any) -> None:
    tx.execute(
        sa.update(model_versions)
        .where(model_versions.c.model == model, model_versions.c.version == version)
        .values(**values, modified=tx.now)
    )


def set_alias(tx: Tx, model: str, alias: str, version: str | None) -> bool:
    """Let an alias such as ``champion`` stand for a version, and for no other.

    Parameters
    ----------
    model, alias : str
    version : str or None
        None takes the alias away.

    Returns
    -------
    bool
        Whether anything changed.

    Raises
    ------
    RegistryError
        ``E-NO-MODEL``, ``E-NO-VERSION``; ``E-ALIAS``: a version has this name.
    """
    check_name("an alias", alias)
    there = versions(tx, model)
    names = [one.version for one in there]
    if version is not None and version not in names:
        raise missing(tx, "version", version, model_versions.c.version, model_versions.c.model == model)
    if version is not None and alias in names and alias != version:
        raise RegistryError(
            f"{alias!r} is the name of a version of {model!r}, and cannot stand for another",
            code="E-ALIAS",
            fix="choose another alias",
        )
    had = [one for one in there if alias in one.aliases]
    if [one.version for one in had] == ([] if version is None else [version]):
        return False
    for one in had:
        if one.version != version:
            _write(tx, model, one.version, aliases=[a for a in one.aliases if a != alias])
    for one in there:
        if one.version == version and alias not in one.aliases:
            _write(tx, model, one.version, aliases=sorted((*one.aliases, alias)))
    before = had[0].version if had else None
    tx.record(
        "model.alias_moved",
        f"models/{model}",
        before={"alias": alias, "version": before},
        after={"alias": alias, "version": version},
        data={"model": model, "alias": alias, "model_version": version, "model_version_before": before},
    )
    return True
