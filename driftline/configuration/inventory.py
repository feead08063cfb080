"""What there is: the workspace, models, endpoints and baselines of a configuration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from driftline.capture.event import DEFAULT_VARIANT
from driftline.configuration.specs import (
    KINDS,
    BaselineSpec,
    EndpointSpec,
    ModelSpec,
    TrainedSpec,
    VariantSpec,
    VersionSpec,
    WorkspaceSpec,
)
from driftline.errors import DriftlineError

if TYPE_CHECKING:
    from driftline.configuration.table import Table

__all__ = [
    "MODES",
    "RISKS",
    "baseline",
    "endpoint",
    "kind_of",
    "mode_of",
    "model",
    "settings_of",
    "workspace",
]

RISKS = ("low", "medium", "high", "unknown")
MODES = ("sagemaker",)
FORMATS = ("parquet", "csv", "jsonl", "sagemaker")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def workspace(table: Table | None) -> WorkspaceSpec:
    """Read ``[workspace]``."""
    if table is None:
        return WorkspaceSpec()
    table.known("captures", "database", "database_env", "database_file")
    given = [key for key in ("database", "database_env", "database_file") if key in table]
    for key in given[1:]:
        table.add(key, f"says again where the database is, as {given[0]} does", "keep one of them")
    database = table.text("database") or ("postgresql" if given else "sqlite")
    if "database" in table and database != "sqlite":
        authority = database.partition("://")[2].partition("/")[0]
        if (
            not database.startswith(("postgresql://", "postgres://", "postgresql+psycopg://"))
            or not authority
        ):
            # What stands here may hold a password: it is not shown.
            table.add(
                "database",
                "expected sqlite or the URL of a PostgreSQL database",
                'write "postgresql://host/name"',
            )
        elif ":" in authority.rpartition("@")[0] or "password=" in database:
            table.add(
                "database",
                "the URL holds a password",
                'put the URL into an environment variable: database_env = "DATABASE_URL"',
            )
    return WorkspaceSpec(
        captures=table.place("captures") or "captures",
        database=database,
        database_env=table.variable("database_env"),
        database_file=table.place("database_file"),
    )


def model(name: str, table: Table) -> ModelSpec:
    """Read ``[models.<name>]``."""
    table.known("owner", "description", "risk_rating", "tags", "versions")
    rows = table.rows("versions")
    versions = tuple(_version(row) for row in rows)
    table.alike(
        (version.version, (*row.path, "version"))
        for version, row in zip(versions, rows, strict=True)
        if version.version
    )
    return ModelSpec(
        name=name,
        owner=table.text("owner", limit=200),
        description=table.text("description"),
        risk_rating=table.choice("risk_rating", RISKS, "unknown"),
        tags=table.tags(),
        versions=versions,
    )


def _version(table: Table) -> VersionSpec:
    table.known("version", "artifact", "digest", "created", "description", "tags", "trained")
    if "version" not in table:
        table.missing("version", 'give it a name: version = "1"')
    digest = table.text("digest")
    if digest is not None and not _DIGEST.fullmatch(digest):
        table.add(
            "digest", "expected sha256: and 64 hexadecimal digits in lower case", "take it from sha256sum"
        )
    if digest is not None and "artifact" not in table:
        table.missing("artifact", "say of what the digest is, or leave the digest out")
    return VersionSpec(
        version=table.name("version", "a version") or "",
        artifact=table.place("artifact"),
        artifact_digest=digest,
        created=table.moment("created"),
        description=table.text("description"),
        tags=table.tags(),
        trained=_trained(table.table("trained")),
    )


def _trained(table: Table | None) -> TrainedSpec | None:
    if table is None:
        return None
    table.known("data", "job", "code", "image", "parameters", "metrics")
    parameters: dict[str, str | int | float | bool] = {}
    given = table.table("parameters")
    for key, value in given.values.items() if given is not None else ():
        if isinstance(value, (str, int, float, bool)):
            parameters[key] = value
        elif given is not None:
            given.add(key, "expected text, a number or a boolean", "write it as text")
    metrics: dict[str, float] = {}
    given = table.table("metrics")
    for key in given.values if given is not None else ():
        if given is not None:
            metrics[key] = given.number(key, 0.0, low=-1e300, high=1e300)
    return TrainedSpec(
        data=table.places("data"),
        job=table.text("job"),
        code=table.text("code"),
        image=table.text("image"),
        parameters=parameters,
        metrics=metrics,
    )


def endpoint(name: str, table: Table) -> EndpointSpec:
    """Read ``[endpoints.<name>]``."""
    table.known("kind", "model", "version", "variants", "captures", "description", "tags")
    kind = table.choice("kind", ("endpoint", "batch"), "endpoint")
    if "variants" in table:
        for key in ("model", "version"):
            if key in table:
                table.add(
                    key, "stands beside variants, which say it themselves", f"remove {key}, or the variants"
                )
        if kind == "batch":
            table.add("variants", "a batch job has no variants", "say which model and version it runs")
        rows = table.rows("variants")
        variants = tuple(_variant(row) for row in rows)
        table.alike(
            (one.name, (*row.path, "name")) for one, row in zip(variants, rows, strict=True) if one.name
        )
        if isinstance(table.values["variants"], list) and not rows:
            table.add("variants", "the array is empty", 'say model = "…" instead')
        elif rows and not sum(one.weight for one in variants):
            table.add("variants", "all weights are 0", "give at least one some of the traffic")
    else:
        if "model" not in table:
            table.missing("model", 'say what it serves: model = "…", or variants')
        variants = (
            VariantSpec(
                DEFAULT_VARIANT, table.name("model", "a model") or "", table.name("version", "a version")
            ),
        )
    return EndpointSpec(
        name=name,
        kind=kind,
        variants=variants,
        captures=table.place("captures"),
        description=table.text("description"),
        tags=table.tags(),
    )


def _variant(table: Table) -> VariantSpec:
    table.known("name", "model", "version", "weight")
    for key in ("name", "model"):
        if key not in table:
            table.missing(key, f'write {key} = "…"')
    return VariantSpec(
        name=table.name("name", "a variant") or "",
        model=table.name("model", "a model") or "",
        version=table.name("version", "a version"),
        weight=table.number("weight", 1.0, low=0.0, high=1e9),
    )


def kind_of(table: Table, *alone: str) -> str:
    """Read ``kind`` of a baseline or a monitor; `alone` are keys that only data quality has."""
    kind = table.choice("kind", KINDS, "data-quality")
    for key in alone:
        if kind != "data-quality" and key in table:
            table.add(key, f"has no meaning for the kind {kind}", f"remove {key}")
    return kind


def settings_of(table: Table, kind: str) -> dict[str, Any]:
    """Read ``settings`` of a baseline of another kind than data quality, as they are, after their reader has seen them."""
    if kind == "data-quality":
        for key in ("settings", "config"):
            if key in table:
                message = "has no meaning for the kind data-quality"
                table.add(key, message, f"remove {key}, or say which kind it is")
        return {}
    if "settings" in table and "config" in table:
        table.add("config", "stands beside settings, which say it themselves", "remove one of them")
    elif "settings" not in table and "config" not in table and "folder" not in table:
        table.missing(
            "settings", f'say what is what: settings = {{ label = "…" }}, or config = "{kind}.toml"'
        )
    given = table.values.get("settings")
    if "settings" not in table:
        return {}
    if not isinstance(given, dict):
        table.table("settings")
        return {}
    from driftline.monitor.kinds import read_settings

    try:
        read_settings(kind, given, file=table.problems.file)
    except DriftlineError as error:
        path = (error.field or "").split(".") if error.field else []
        table.problems.take((*table.path, "settings", *path), error)
    return given


def mode_of(table: Table) -> str | None:
    """Read ``compat``, with which rows are not kept apart."""
    if "compat" not in table:
        return None
    if "by" in table:
        table.add("by", "segments do not exist in compat mode", "leave out compat or by")
    return table.choice("compat", MODES, "sagemaker")


def baseline(name: str, table: Table) -> BaselineSpec:
    """Read ``[baselines.<name>]``."""
    table.known(
        *("kind", "data", "folder", "model", "by", "compat", "preprocessor", "format", "header", "unique"),
        *("settings", "config"),
    )
    if "data" not in table and "folder" not in table:
        table.add(None, "has neither data nor a folder", 'say data = "train.csv" or folder = "baseline/"')
    if "folder" in table:
        for key in (
            "data",
            "by",
            "compat",
            "preprocessor",
            "format",
            "header",
            "unique",
            "settings",
            "config",
        ):
            if key in table:
                message = "stands beside folder, which is taken as it is"
                table.add(key, message, f"remove {key}, or the folder")
    header = table.boolean("header", default=True) if "header" in table else None
    kind = kind_of(table, "by", "unique")
    return BaselineSpec(
        name=name,
        kind=kind,
        data=table.places("data"),
        folder=table.place("folder"),
        model=table.name("model", "a model"),
        by=table.text("by"),
        compat=mode_of(table),
        preprocessor=table.place("preprocessor"),
        format=table.choice("format", FORMATS, "") or None,
        header=header,
        unique=table.boolean("unique", default=False),
        settings=settings_of(table, kind),
        config=table.place("config"),
    )
