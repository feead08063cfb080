"""Material: what a plan reads, makes and compares before its transaction begins, so that nobody waits for files."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from driftline.monitor.kinds import settings_document
from driftline.plan.sources import artifacts_of, data_of, model_file_of, script_of, trained_on

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from driftline.baselines.attribution import AttributionBaseline
    from driftline.baselines.protocol import AnyBaseline as Made
    from driftline.configuration.specs import BaselineSpec, Configuration
    from driftline.monitor.running import Place
    from driftline.registry.baselines import Baseline
    from driftline.registry.store import Registry

    Progress = Callable[[int, int], None]

__all__ = ["Draft", "Material", "Verdict", "kept_place", "prepare", "whole_path", "written"]


@dataclass(frozen=True)
class Draft:
    """A version of a baseline that is to be proposed.

    Attributes
    ----------
    version : int
    against : int or None
        The version that is current, which `diff` compares with.
    path, digest : str
        Of the folder in the workspace; the path names the content, so that no two writers ever meet there.
    files : mapping of str to bytes
    spec : mapping
        What it was made from.
    diff : mapping
    """

    version: int
    against: int | None
    path: str
    digest: str
    files: Mapping[str, bytes]
    spec: Mapping[str, Any]
    diff: Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What must be done about a baseline.

    Attributes
    ----------
    draft : Draft or None
    accept : int or None
        The waiting version that is what is declared.
    same : mapping or None
        What it is made from now, though that gives the files of the current version.
    why : str
    """

    draft: Draft | None = None
    accept: int | None = None
    same: Mapping[str, Any] | None = None
    why: str = ""


@dataclass(frozen=True)
class Material:
    """What was found outside the registry.

    Attributes
    ----------
    artifacts : mapping
        Of versions that have them, by model and version.
    training_data : mapping
        By model and version.
    baselines : mapping of str to Verdict
    scripts : mapping of str to bytes
        Preprocessors by their path in the workspace.
    preprocessors : mapping of str to str
        That path, by monitor.
    """

    artifacts: Mapping[tuple[str, str], list[dict[str, Any]] | None] = field(default_factory=dict)
    training_data: Mapping[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    baselines: Mapping[str, Verdict] = field(default_factory=dict)
    scripts: Mapping[str, bytes] = field(default_factory=dict)
    preprocessors: Mapping[str, str] = field(default_factory=dict)


def prepare(
    registry: Registry, place: Place, configuration: Configuration, *, progress: Progress | None = None
) -> Material:
    """Read what the declarations speak of, and make the baselines that are new.

    Parameters
    ----------
    registry : Registry
    place : Place
        Of the workspace.
    configuration : Configuration
    progress : callable, optional
        Called with (units done, units in all) while data are read.

    Raises
    ------
    DriftlineError
        If a file cannot be used; the message names it and where it is declared.
    """
    artifacts: dict[tuple[str, str], list[dict[str, Any]] | None] = {}
    training_data: dict[tuple[str, str], list[dict[str, Any]]] = {}
    known = _versions_with_artifacts(registry, configuration)
    for model in configuration.models.values():
        for number, version in enumerate(model.versions):
            key = (model.name, version.version)
            where = f"models.{model.name}.versions[{number}]"
            artifacts[key] = artifacts_of(configuration, version, field=where, is_known=key in known)
            if version.trained is not None:
                training_data[key] = trained_on(configuration, version.trained.data)
    scripts: dict[str, bytes] = {}
    preprocessors: dict[str, str] = {}
    for monitor in configuration.monitors.values():
        if monitor.preprocessor is not None:
            path, content = script_of(
                configuration, monitor.preprocessor, f"monitors.{monitor.name}.preprocessor"
            )
            scripts[path], preprocessors[monitor.name] = content, path
    verdicts = {
        spec.name: _verdict(registry, place, configuration, spec, scripts, progress)
        for spec in configuration.baselines.values()
    }
    return Material(artifacts, training_data, verdicts, scripts, preprocessors)


def _versions_with_artifacts(registry: Registry, configuration: Configuration) -> set[tuple[str, str]]:
    from driftline.registry import models

    with registry.read() as tx:
        found = (
            models.find_version(tx, model.name, version.version)
            for model in configuration.models.values()
            for version in model.versions
        )
        return {(one.model, one.version) for one in found if one is not None and one.artifacts}


def _verdict(
    registry: Registry,
    place: Place,
    configuration: Configuration,
    spec: BaselineSpec,
    scripts: dict[str, bytes],
    progress: Progress | None,
) -> Verdict:
    from driftline.registry import baselines
    from driftline.registry.database import RegistryError

    with registry.read() as tx:
        now = tx.now
        try:
            versions = baselines.history(tx, spec.name)
        except RegistryError as error:
            if error.code != "E-NO-BASELINE":
                raise
            versions = []
    current = next((one for one in versions if one.state == "current"), None)
    newest = versions[-1] if versions else None
    made_from, made = _made_from(configuration, spec, scripts)
    if current is not None and current.spec == made_from:
        waits = newest is not None and newest.state == "proposed"
        return Verdict(
            why=f"version {newest.version} waits to be accepted or rejected" if waits and newest else ""
        )
    declared = [one for one in versions if not one.spec.get("by_hand")]
    last = declared[-1] if declared else None
    if last is not None and last.spec == made_from:
        if last.state == "proposed":
            return Verdict(accept=last.version, why=_how_to_accept(last))
        if last.state == "rejected":
            return Verdict(why=f"version {last.version}, made from these data, was rejected")
        if current is not None:
            # Somebody has edited it, and it was accepted: the file, which did not change, must not undo that.
            return Verdict(why=f"version {current.version}, proposed by hand, is current")
    if made is None:
        made = _make(configuration, spec, made_from, now, progress)
    before = None if current is None else place.baseline(current.path, current.digest)
    if before is not None and _content(before) == _content(made):
        return Verdict(same=made_from)
    return Verdict(_draft(spec, made, made_from, before, current, newest))


def _content(made: Made) -> dict[str, bytes]:
    """Return what a baseline says, without when and from where it was made."""
    from driftline.baselines.baseline import INDEX

    return {name: data for name, data in made.files().items() if name != INDEX}


def _how_to_accept(one: Baseline) -> str:
    return f"waits: driftline baselines accept {one.name} {one.version}, or apply with --accept-baselines"


def _made_from(
    configuration: Configuration, spec: BaselineSpec, scripts: dict[str, bytes]
) -> tuple[dict[str, Any], Made | None]:
    """Return what tells whether a baseline must be made anew, and the baseline itself where that takes reading it.

    The file of a model that is to be explained goes into `scripts`, by the path that the workspace keeps it under.
    """
    if spec.folder is not None:
        from driftline.monitor.kinds import load_baseline
        from driftline.registry.folders import folder_digest

        made = load_baseline(configuration.place(spec.folder), kind=spec.kind)
        return {"kind": spec.kind, "folder": spec.folder, "digest": folder_digest(made.files())}, made
    found: dict[str, Any] = {
        "kind": spec.kind,
        "data": data_of(configuration, spec.data, spec.format),
        "by": spec.by,
        "compat": spec.compat,
        "format": spec.format,
        "header": spec.header,
        "unique": spec.unique,
    }
    if spec.preprocessor is not None:
        path, _ = script_of(configuration, spec.preprocessor, f"baselines.{spec.name}.preprocessor")
        found["preprocessor"] = {"file": spec.preprocessor, "digest": "sha256:" + Path(path).stem}
    if spec.kind != "data-quality":
        told = settings_document(spec.kind, _settings(configuration, spec))

        def kept(text: str) -> str:
            path, content = model_file_of(configuration, text, f"baselines.{spec.name}.settings.model.file")
            scripts[path] = content
            return path

        found["settings"] = _at(told, "model", kept)
    return {key: value for key, value in found.items() if value not in (None, False)}, None


def _settings(configuration: Configuration, spec: BaselineSpec) -> Any:
    """Return what a baseline of another kind than data quality is told, from the file or from one beside it."""
    from driftline.files import read_regular
    from driftline.monitor.kinds import read_settings

    if spec.config is None:
        return read_settings(spec.kind, spec.settings, file=configuration.file)
    path = configuration.place(spec.config)
    return read_settings(spec.kind, read_regular(path, max_bytes=4 << 20), file=path)


def _at(settings: Mapping[str, Any], key: str, placed: Callable[[str], str]) -> dict[str, Any]:
    """Return settings with the file that one of their tables names where it is."""
    table = settings.get(key)
    if isinstance(table, dict) and isinstance(table.get("file"), str):
        return {**settings, key: {**table, "file": placed(table["file"])}}
    return dict(settings)


def _make(
    configuration: Configuration,
    spec: BaselineSpec,
    made_from: Mapping[str, Any],
    now: int,
    progress: Progress | None,
) -> Made:
    from driftline.monitor.kinds import make_baseline

    told: dict[str, Any] = {}
    if spec.kind != "data-quality":
        told = settings_document(spec.kind, _settings(configuration, spec))
        for key in ("model", "background"):
            told = _at(told, key, partial(whole_path, configuration))
    places = [configuration.place(text) for text in spec.data]
    script = None if spec.preprocessor is None else configuration.place(spec.preprocessor)
    made: Made = make_baseline(
        places[0] if len(places) == 1 else places,
        kind=spec.kind,
        config=told or None,
        compat=spec.compat,
        by=spec.by,
        format=spec.format,
        header="auto" if spec.header is None else spec.header,
        preprocessor=script,
        uniqueness=spec.unique,
        label=spec.name,
        progress=progress,
        now=datetime.fromtimestamp(now / 1e6, UTC),
    )
    if spec.kind == "attribution":
        # The workspace's own copy of the model, so that a run depends on nobody's checkout, and the workspace can be moved.
        made = replace(cast("AttributionBaseline", made), settings=made_from["settings"])
    return made


def _draft(
    spec: BaselineSpec,
    made: Made,
    made_from: Mapping[str, Any],
    before: Made | None,
    current: Baseline | None,
    newest: Baseline | None,
) -> Draft:
    from driftline.registry.baseline_diff import diff_between
    from driftline.registry.folders import baseline_path, folder_digest

    files = made.files()
    digest = folder_digest(files)
    version = 1 if newest is None else newest.version + 1
    path = baseline_path(spec.name, version, digest)
    diff = diff_between(before, made)
    against = None if current is None else current.version
    return Draft(version, against, path, digest, files, made_from, diff)


def kept_place(configuration: Configuration, root: str, text: str) -> str:
    """Return a path of the file as the registry keeps it: relative where the file is the workspace's own."""
    if "://" in text or "://" in root or configuration.file is None:
        return text
    if Path(configuration.file).absolute().parent == Path(root).absolute():
        return text
    return whole_path(configuration, text)


def whole_path(configuration: Configuration, text: str) -> str:
    """Return a path of the file that holds wherever a process is started."""
    return os.path.abspath(configuration.place(text))  # noqa: PTH100 - a link in the path stays one


def written(place: Place, material: Material) -> None:
    """Write what the transaction will name. Until it does, nobody looks there.

    Raises
    ------
    DriftlineError
    """
    from driftline.capture.target import target_of
    from driftline.registry.folders import stored_digest

    target = target_of(place.root)
    for verdict in material.baselines.values():
        draft = verdict.draft
        if draft is not None and stored_digest(target, draft.path) != draft.digest:
            place.write(draft.path, draft.files)
    for path, content in material.scripts.items():
        try:
            there = target.read(path).to_pybytes()
        except FileNotFoundError:
            there = None
        if there != content:
            target.write(path, content)
