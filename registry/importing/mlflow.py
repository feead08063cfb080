"""MLflow: models, versions, aliases and runs from its registry and tracking store.

Nothing is written there and nothing is downloaded. Any object with the methods of ``MlflowClient`` will do; ``mlflow``
itself is imported only where a URI is given, which takes seconds.
"""

from __future__ import annotations

import json
import math
import re
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from driftline.capture.event import check_name
from driftline.errors import InputError, UsageError, printable
from driftline.registry.given import check_no_secrets
from driftline.registry.importing.found import file_of, files_of, local_path, without_password
from driftline.registry.importing.imported import Draft, Imported, declare, serve
from driftline.registry.moments import shown
from driftline.registry.store import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from driftline.registry.store import Tx

__all__ = ["Client", "from_mlflow"]

MOST_VERSIONS = 10_000
_PAGE = 200
_OWNERS = ("owner", "user", "team")
_IMAGES = ("mlflow.docker.image.name", "mlflow.docker.image.id", "docker_image", "image")
_FILLERS = frozenset(("python_function", "loader_module"))
_RISKS = frozenset(("low", "medium", "high", "unknown"))


class Client(Protocol):
    """What is asked of MLflow: these methods of its ``MlflowClient``."""

    def get_registered_model(self, name: str) -> Any: ...  # noqa: D102
    def search_model_versions(  # noqa: D102
        self,
        filter_string: str | None = None,
        max_results: int = ...,
        order_by: Any = None,
        page_token: Any = None,
    ) -> Any: ...
    def get_model_version_by_alias(self, name: str, alias: str) -> Any: ...  # noqa: D102
    def get_model_version(self, name: str, version: str) -> Any: ...  # noqa: D102
    def get_run(self, run_id: str) -> Any: ...  # noqa: D102
    def get_experiment(self, experiment_id: str) -> Any: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class _Read:
    """What MLflow says, before anything is written."""

    drafts: tuple[Draft, ...]
    owner: str | None
    description: str | None
    tags: Mapping[str, str]
    risk_rating: str | None
    notes: tuple[str, ...]


def from_mlflow(
    tx_or_registry: Tx | Registry,
    client_or_uri: Client | str,
    model_name: str,
    *,
    version: str | int | None = None,
    endpoint: str | None = None,
    name: str | None = None,
    reason: str = "",
) -> Imported:
    """Bring a registered model of MLflow, and how it was trained, into the registry.

    Parameters
    ----------
    tx_or_registry : Tx or Registry
        With a registry, MLflow is read before the transaction begins; with a transaction, nobody else can write meanwhile.
    client_or_uri : Client or str
        An ``MlflowClient``, anything like it, or the URI of a server or database.
    model_name : str
        Its name in MLflow.
    version : str or int, optional
        A version or an alias; all versions where not given.
    endpoint : str, optional
        What serves this version from now on. Needs `version`.
    name : str, optional
        Its name here, where that of MLflow does not do.
    reason : str
        Why, for the audit log, where a registry is given; otherwise the transaction has one.

    Returns
    -------
    Imported

    Raises
    ------
    UsageError
        ``E-EXTRA``: the client of MLflow is not installed. ``E-MLFLOW``: there is no such store, model or version, or it
        cannot be reached. ``E-NAME``: the model needs another name here.
    InputError
        ``E-FILE``: a local artifact cannot be read.
    RegistryError
        ``E-VERSION-CHANGED``: the files of a version are not what they were when it was imported.

    Notes
    -----
    Importing again changes nothing where nothing changed; new versions appear, and aliases move as they moved there. What
    somebody said here about owner, description and risk rating stays. The digest of a data set is MLflow's own, written
    ``mlflow:…``: it says what was trained on then, which the file at that place may no longer be.
    """
    here = check_name("a model", model_name if name is None else name)
    if endpoint is not None and version is None:
        raise UsageError(
            "an endpoint serves one version",
            code="E-MLFLOW",
            field="version",
            fix="say which one: its number or an alias",
        )
    client = _client(client_or_uri) if isinstance(client_or_uri, str) else client_or_uri
    if isinstance(tx_or_registry, Registry):
        read = _read(client, model_name, None if version is None else str(version))
        return tx_or_registry.act(
            lambda tx: _write(tx, here, read, endpoint),
            reason=reason or f"imported from MLflow: {printable(model_name, 200)}",
        )
    return _write(
        tx_or_registry, here, _read(client, model_name, None if version is None else str(version)), endpoint
    )


def _write(tx: Tx, model: str, read: _Read, endpoint: str | None) -> Imported:
    imported = declare(
        tx,
        model,
        read.drafts,
        owner=read.owner,
        description=read.description,
        tags=read.tags,
        risk_rating=read.risk_rating,
        notes=read.notes,
        is_from_elsewhere=True,
    )
    if endpoint is None:
        return imported
    changed = serve(tx, endpoint, model, read.drafts[0].version)
    return Imported(imported.model, imported.versions, imported.changed or changed, imported.notes)


def _client(uri: str) -> Client:
    shown_uri = printable(without_password(uri), 200)
    if uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).is_file():
        # MLflow would make one there.
        raise UsageError(f"there is no store of MLflow at {shown_uri}", code="E-MLFLOW", fix="check the path")
    # What it and the libraries under it warn of is between them.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from mlflow import MlflowClient
        except ModuleNotFoundError as error:
            raise UsageError(
                f"the client of MLflow is not installed: there is no module {error.name}",
                code="E-EXTRA",
                fix="install it: pip install 'driftline[mlflow]'",
            ) from None
        with _Asked(f"{shown_uri} as a store"):
            made: Client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    return made


class _Asked:
    """Turns what MLflow refuses into one line; what else goes wrong passes."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is not None and isinstance(error, _refusals()):
            raise UsageError(
                f"MLflow refused {self.what}: {printable(_first_line(error), 300)}",
                code="E-MLFLOW",
                fix="check the names, and that MLflow can be reached",
            ) from None


def _refusals() -> tuple[type[BaseException], ...]:
    # Where mlflow was never imported, nothing can have raised its errors.
    module = sys.modules.get("mlflow.exceptions")
    own: tuple[type[BaseException], ...] = (LookupError, OSError)
    return own if module is None else (*own, module.MlflowException)


def _first_line(error: BaseException) -> str:
    # Addresses in it may hold passwords.
    return re.sub(r"//[^/@\s]*@", "//", str(error).strip().partition("\n")[0])


def _read(client: Client, model: str, wanted: str | None) -> _Read:
    with _Asked(f"the model {printable(repr(model), 80)}"):
        registered = client.get_registered_model(model)
    by_alias = {str(alias): str(number) for alias, number in dict(registered.aliases or {}).items()}
    with _Asked(f"version {printable(repr(wanted), 80)} of {printable(repr(model), 80)}"):
        if wanted is None:
            found = list(_versions(client, model))
        elif wanted.isdecimal() and wanted not in by_alias:
            found = [client.get_model_version(model, wanted)]
        else:
            found = [client.get_model_version_by_alias(model, wanted)]
    notes: list[str] = []
    if not found:
        notes.append("MLflow has no versions of it")
    tags = _tags(registered.tags, notes, "")
    owner = tagged = next((tags[key] for key in _OWNERS if tags.get(key)), None)
    drafts = []
    for one in sorted(found, key=lambda v: (v.creation_timestamp or 0, str(v.version).zfill(20))):
        run = _run(client, one, notes)
        draft = _draft(client, model, one, run, notes)
        draft.aliases = _aliases(by_alias, draft.version, notes)
        drafts.append(draft)
        if tagged is None:
            owner = one.user_id or _user(run) or owner
    risk = tags.get("risk_rating", "").lower()
    return _Read(
        tuple(drafts),
        owner,
        registered.description or None,
        tags,
        risk if risk in _RISKS else None,
        tuple(dict.fromkeys(notes)),
    )


def _versions(client: Client, model: str) -> Iterator[Any]:
    quote = '"' if "'" in model else "'"
    token = None
    for _ in range(MOST_VERSIONS // _PAGE):
        page = client.search_model_versions(
            f"name={quote}{model}{quote}", max_results=_PAGE, page_token=token
        )
        yield from page
        token = getattr(page, "token", None)
        if not token:
            return


def _aliases(by_alias: Mapping[str, str], version: str, notes: list[str]) -> list[str]:
    kept = []
    for alias, number in sorted(by_alias.items()):
        if number != version:
            continue
        try:
            kept.append(check_name("an alias", alias))
        except UsageError as error:
            notes.append(f"an alias was left out: {error.message}")
    return kept


def _tags(given: Any, notes: list[str], where: str) -> dict[str, str]:
    made: dict[str, str] = {}
    for key, value in sorted(dict(given or {}).items()):
        text = str(value)
        if key.startswith("mlflow."):
            continue
        if len(key) > 128 or len(text) > 256 or len(made) == 50 or "\0" in key + text:
            notes.append(f"{where}the tag {printable(key, 60)} was left out: tags are short, and at most 50")
            continue
        made[key] = text
    return made


def _run(client: Client, version: Any, notes: list[str]) -> Any:
    if not version.run_id:
        notes.append(f"version {version.version} names no run, so nothing says how it was trained")
        return None
    try:
        return client.get_run(version.run_id)
    except _refusals() as error:
        notes.append(
            f"version {version.version}: its run cannot be read: {printable(_first_line(error), 200)}"
        )
        return None


def _user(run: Any) -> str | None:
    return None if run is None else run.data.tags.get("mlflow.user") or run.info.user_id or None


def _draft(client: Client, model: str, version: Any, run: Any, notes: list[str]) -> Draft:
    number = check_name("a version", str(version.version))
    made = Draft(
        number,
        artifacts=_artifacts(client, model, version, notes),
        tags=_tags(version.tags, notes, f"version {number}: "),
        description=version.description or None,
        created=version.creation_timestamp * 1000 if version.creation_timestamp else None,
        origin={
            "system": "mlflow",
            "store": without_password(str(getattr(client, "tracking_uri", None) or "")) or None,
            "model": model,
            "version": number,
            "run": version.run_id or None,
        },
    )
    if run is not None:
        made.training = _training(client, run, notes)
        framework = _framework(run)
        if framework:
            made.tags.setdefault("framework", framework)
        signature = _signature(run)
        if signature and made.origin is not None:
            made.origin["schema"] = signature
    return made


def _artifacts(client: Client, model: str, version: Any, notes: list[str]) -> list[Mapping[str, Any]]:
    source = str(version.source or "")
    if source.startswith("models:/"):
        # A logged model: only the store knows where its files are.
        where = getattr(client, "get_model_version_download_uri", None)
        if where is not None:
            try:
                source = str(where(model, str(version.version)))
            except _refusals() as error:
                notes.append(
                    f"version {version.version}: MLflow does not say where it lies: {printable(_first_line(error), 200)}"
                )
    if not source:
        return []
    path = local_path(source) if "://" in source or source.startswith(("/", "file:")) else None
    if path is not None and path.exists():
        try:
            files = files_of(path, source) if path.is_dir() else [file_of(path, path.name, source)]
        except InputError as error:
            notes.append(f"version {version.version}: its artifacts have no digests: {error}")
        else:
            return [file.document() for file in files]
    name = source.rstrip("/").rpartition("/")[2] or source
    return [{"name": name, "uri": without_password(source), "digest": None, "size": None}]


def _training(client: Client, run: Any, notes: list[str]) -> dict[str, Any]:
    tags = dict(run.data.tags)
    made: dict[str, Any] = {
        "job": run.info.run_id,
        "name": getattr(run.info, "run_name", None),
        "status": run.info.status,
        "user": _user(run),
        "parameters": _without_secrets(run.data.params, notes),
        "metrics": {key: _number(value) for key, value in run.data.metrics.items()},
        "data": _data(run),
        "code": _code(tags),
        "image": next((tags[key] for key in _IMAGES if tags.get(key)), None),
    }
    for key, millis in (("started", run.info.start_time), ("ended", run.info.end_time)):
        made[key] = shown(millis * 1000) if millis else None
    try:
        made["experiment"] = client.get_experiment(run.info.experiment_id).name
    except _refusals() as error:
        notes.append(
            f"the experiment {run.info.experiment_id} cannot be read: {printable(_first_line(error), 200)}"
        )
    return {key: value for key, value in made.items() if value}


def _without_secrets(parameters: Mapping[str, str], notes: list[str]) -> dict[str, str]:
    made = {}
    for key, value in parameters.items():
        try:
            check_no_secrets("parameters", {key: value})
        except UsageError:
            notes.append(f"the parameter {printable(key, 60)} was left out: it may be a secret")
        else:
            made[key] = value
    return made


def _number(value: Any) -> float | str:
    number = float(value)
    return number if math.isfinite(number) else str(number)


def _code(tags: Mapping[str, str]) -> str | None:
    commit = tags.get("mlflow.source.git.commit")
    repository = without_password(tags.get("mlflow.source.git.repoURL") or "")
    if commit:
        return f"{repository}@{commit}" if repository else commit
    return tags.get("mlflow.source.name") or None


def _data(run: Any) -> list[dict[str, Any]]:
    made = []
    for item in getattr(getattr(run, "inputs", None), "dataset_inputs", None) or ():
        data = item.dataset
        one = {
            "name": data.name,
            "uri": _place(data.source),
            "digest": f"mlflow:{data.digest}" if data.digest else None,
            "rows": _document(data.profile).get("num_rows"),
            "role": next((tag.value for tag in item.tags or () if tag.key == "mlflow.data.context"), None),
        }
        made.append({key: value for key, value in one.items() if value is not None})
    return sorted(made, key=lambda one: (str(one.get("name")), str(one.get("uri")), str(one.get("digest"))))


def _document(text: Any) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except (TypeError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _place(source: Any) -> str | None:
    """Return the URI in the source of a data set, which MLflow keeps as a document of many forms."""
    said = _document(source)
    for key in ("uri", "url", "path"):
        if isinstance(said.get(key), str) and said[key]:
            return without_password(said[key])
    return None


def _signature(run: Any) -> dict[str, Any]:
    """Return what goes into the model and what comes out, as it was logged last; nothing where that is not known."""
    try:
        logged = json.loads(run.data.tags.get("mlflow.log-model.history") or "[]")[-1].get("signature") or {}
        said = {key: json.loads(logged[key]) for key in ("inputs", "outputs", "params") if logged.get(key)}
        return {key: value for key, value in said.items() if value}
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return {}


def _framework(run: Any) -> str | None:
    try:
        history = json.loads(run.data.tags.get("mlflow.log-model.history") or "[]")
        flavors = {flavor for entry in history for flavor in entry.get("flavors", ())} - _FILLERS
    except (AttributeError, TypeError, ValueError):
        return None
    return flavors.pop() if len(flavors) == 1 else None
