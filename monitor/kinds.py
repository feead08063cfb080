"""Kinds: the four monitors behind the same doors."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from driftline.baselines.kinds import KINDS, baseline_of
from driftline.documents import nearest
from driftline.errors import DocumentError, InputError, UsageError, printable

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from typing import Literal

    from driftline.baselines.protocol import AnyBaseline
    from driftline.reports.report import Report

    Progress = Callable[[int, int], None]
    Header = bool | Literal["auto"]

__all__ = [
    "KINDS",
    "LABELLED",
    "check",
    "check_kind",
    "load_baseline",
    "make_baseline",
    "read_settings",
    "settings_document",
]

LABELLED: Final = frozenset(("model-quality", "bias"))
"""Kinds that compare predictions with the truth."""

_JOBS: Final = {
    "data-quality": "driftline.monitor.job",
    "model-quality": "driftline.monitor.quality.job",
    "bias": "driftline.monitor.bias.job",
    "attribution": "driftline.monitor.attribution.job",
}
_INDEX: Final = "baseline.json"
_FIX: Final = "make a baseline with `driftline baseline`"


def _job(kind: str) -> Any:
    return importlib.import_module(_JOBS[kind])


def check_kind(kind: str) -> str:
    """Return `kind`.

    Raises
    ------
    UsageError
        ``E-KIND`` if there is no such kind.
    """
    if kind not in KINDS:
        close = nearest(kind, KINDS)
        raise UsageError(
            f"there is no kind of monitor called {printable(kind, 60)!r}",
            code="E-KIND",
            fix=f"did you mean {close!r}?" if close else f"use one of {', '.join(KINDS)}",
        )
    return kind


def read_settings(kind: str, given: Mapping[str, Any] | bytes | None, *, file: object = "config") -> Any:
    """Read what a monitor of a kind other than data quality needs to be told.

    Parameters
    ----------
    kind : str
    given : mapping or bytes
        TOML where bytes.
    file : object
        Name used in errors.

    Returns
    -------
    object
        The settings of that kind.

    Raises
    ------
    DriftlineError
        Naming the field and the nearest known key.
    """
    return _job(check_kind(kind)).read_settings(given, file=file)


def settings_document(kind: str, settings: Any) -> dict[str, Any]:
    """Return settings of :func:`read_settings` as plain values, from which it reads the same."""
    document: dict[str, Any] = _job(check_kind(kind)).settings_document(settings)
    return document


def make_baseline(
    data: Any,
    *,
    kind: str = "data-quality",
    config: Mapping[str, Any] | bytes | None = None,
    config_file: object = "config",
    compat: str | None = None,
    by: str | None = None,
    format: str | None = None,  # noqa: A002
    header: Header = "auto",
    preprocessor: str | os.PathLike[str] | None = None,
    uniqueness: bool = False,
    model: Any = None,
    label: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    now: datetime | None = None,
) -> Any:
    """Make a baseline: what the data are like, and what later data are held to.

    Parameters
    ----------
    data : object
        Training or validation data, in any form that :func:`driftline.capture.open.open_source` reads. For model quality
        and bias they hold the predictions and the truth.
    kind : {"data-quality", "model-quality", "bias", "attribution"}
    config : mapping or bytes, optional
        What a kind other than data quality must be told: which column is the label, which the facets, where the model is.
        Bytes are TOML.
    config_file : object
        Name of the TOML file, for errors.
    compat : {"sagemaker"}, optional
        Give the numbers, quirks and files of SageMaker Model Monitor and Clarify.
    by : str, optional
        Data quality only: column by whose values the rows are also kept apart.
    format, header
        How files are read.
    preprocessor : path, optional
        A Python file with ``preprocess_handler``, run in a process of its own.
    uniqueness : bool, default False
        Data quality only: also hold identifiers to be unique.
    model : object, optional
        Attribution only: the model itself, where the configuration does not say where it is.
    label : str, optional
        Name for people.
    threads : int, optional
    progress : callable, optional
        Called with (units done, units in all).
    now : datetime, optional
        Time to write into the baseline.

    Returns
    -------
    Baseline, QualityBaseline, BiasBaseline or AttributionBaseline

    Raises
    ------
    DriftlineError
        If anything given cannot be used; the message names file, field and fix.
    """
    job = _job(check_kind(kind))
    given: dict[str, Any] = {
        "compat": compat,
        "format": format,
        "header": header,
        "preprocessor": preprocessor,
        "label": label,
        "threads": threads,
        "progress": progress,
        "now": now,
    }
    if kind != "attribution":
        _refuse(kind, "model", given=model is not None)
    if kind == "data-quality":
        _refuse(kind, "config", given=config is not None)
        return job.make_baseline(data, by=by, uniqueness=uniqueness, **given)
    _refuse(kind, "by", given=by is not None)
    _refuse(kind, "uniqueness", given=uniqueness)
    if kind == "attribution":
        given["model"] = model
    return job.make_baseline(data, job.read_settings(config, file=config_file), **given)


def _refuse(kind: str, name: str, *, given: bool) -> None:
    if given:
        raise UsageError(
            f"a baseline of the kind {kind} takes no {name}",
            code="E-KIND",
            field=name,
            fix=f"leave out {name}, or name another kind",
        )


def check(
    data: Any,
    baseline: AnyBaseline | str | os.PathLike[str],
    *,
    kind: str | None = None,
    compat: str | None = None,
    overrides: Mapping[str, Any] | bytes | None = None,
    overrides_file: object = "overrides",
    by: str | None = None,
    format: str | None = None,  # noqa: A002
    header: Header = "auto",
    preprocessor: str | os.PathLike[str] | None = None,
    explain_compat: bool = False,
    config: Mapping[str, Any] | bytes | None = None,
    config_file: object = "config",
    model: Any = None,
    label: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    now: datetime | None = None,
) -> Report:
    """Hold live data to a baseline of any kind.

    Parameters
    ----------
    data : object
        In any form that :func:`driftline.capture.open.open_source` reads.
    baseline : baseline or path
        What :func:`make_baseline` made; its folder; or SageMaker's own files.
    kind : str, optional
        Needed only where SageMaker's file is of two kinds: an ``analysis.json`` with bias and explanations.
    compat : {"sagemaker"}, optional
        Give the numbers, quirks and words of SageMaker Model Monitor and Clarify.
    overrides : mapping or bytes, optional
        Decisions on top of the baseline's constraints, see :mod:`driftline.monitor.overrides`; bytes are TOML.
    overrides_file : object
        Name of the TOML file, for errors.
    by : str, optional
        Data quality only: column by whose values the rows are also judged apart.
    format, header
        How files are read.
    preprocessor : path, optional
        A Python file with ``preprocess_handler``.
    explain_compat : bool, default False
        Data quality only: also run the other mode, and list where the two answer differently.
    config : mapping or bytes, optional
        What SageMaker's own baseline of model quality, bias or attribution does not say: which columns are which. A
        baseline of driftline's knows.
    config_file : object
        Name of the TOML file, for errors.
    model : object, optional
        Attribution only: the model itself, where the baseline does not say where it is.
    label : str, optional
        Name for people.
    threads : int, optional
    progress : callable, optional
    now : datetime, optional
        Time of the run.

    Returns
    -------
    Report

    Raises
    ------
    DriftlineError
        If anything given cannot be used; the message names file, field and fix.
    """
    if not hasattr(baseline, "recipe"):
        baseline = load_baseline(baseline, kind=kind)
    found = str(baseline.recipe)
    if kind is not None and kind != found:
        raise UsageError(
            f"the baseline is of the kind {found}, not {check_kind(kind)}",
            code="E-KIND",
            fix="leave the kind out, or give another baseline",
        )
    given: dict[str, Any] = {
        "compat": compat,
        "overrides": overrides,
        "overrides_file": overrides_file,
        "format": format,
        "header": header,
        "preprocessor": preprocessor,
        "label": label,
        "threads": threads,
        "progress": progress,
        "now": now,
    }
    if found != "attribution":
        _refuse(found, "model", given=model is not None)
    if found == "data-quality":
        _refuse(found, "config", given=config is not None)
        report: Report = _job(found).check(data, baseline, by=by, explain_compat=explain_compat, **given)
        return report
    _refuse(found, "by", given=by is not None)
    _refuse(found, "explain_compat", given=explain_compat)
    if found == "attribution":
        given["model"] = model
    job = _job(found)
    settings = None if config is None else job.read_settings(config, file=config_file)
    told: Report = job.check(data, baseline, settings=settings, **given)
    return told


def load_baseline(path: Any, *, kind: str | None = None) -> AnyBaseline:
    """Read a baseline: the folder that ``driftline baseline`` wrote, or SageMaker's own files.

    Parameters
    ----------
    path : path
        A folder with ``baseline.json``; or with SageMaker's ``constraints.json`` (and, for drift, ``statistics.json``) or
        Clarify's ``analysis.json``; or the path of one of these files.
    kind : str, optional
        Needed only where an ``analysis.json`` has bias and explanations.

    Returns
    -------
    Baseline, QualityBaseline, BiasBaseline or AttributionBaseline

    Raises
    ------
    DocumentError
        If a file is malformed or damaged.
    InputError
        If there is nothing at `path`.
    """
    if kind is not None:
        check_kind(kind)
    try:
        folder, files = _files(path)
    except TypeError:
        raise UsageError(
            f"expected a baseline or a path, found an object of type {type(path).__name__}",
            code="E-BASELINE",
            fix="give what driftline.baseline() made, or the folder it was saved in",
        ) from None
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"cannot be read: {getattr(error, 'strerror', None) or error}",
            code="E-FILE",
            file=getattr(error, "filename", None) or path,
            fix="check the path and the permissions",
        ) from None
    return baseline_of(files, file=str(folder), kind=kind)


_ALONE: Final = ("constraints.json", _INDEX, "analysis.json")
_MAX_FILE: Final = 2 << 30
_MOST_FILES: Final = 10_000


def _files(path: Any) -> tuple[Path, dict[str, bytes]]:
    from driftline.files import read_regular

    folder = Path(path)
    if not str(path):
        raise InputError("names no folder", code="E-BASELINE", file=path, fix="say where the baseline is")
    only: str | None = None
    if folder.is_file():
        if folder.name not in _ALONE and folder.suffix != ".json":
            raise DocumentError(
                "is not a baseline",
                code="E-BASELINE",
                file=folder,
                fix="give a folder, or a file called " + ", ".join(_ALONE),
            )
        only = None if folder.name in _ALONE else folder.name
        folder = folder.parent
    elif folder.is_dir():
        if (folder / "report.json").exists() and not (folder / _INDEX).exists():
            raise DocumentError(
                "is a report, not a baseline",
                code="E-BASELINE",
                file=folder,
                fix="give the folder of a baseline; to hold data to the data of this report, its constraints.json",
            )
    else:
        missing = "is not a folder" if folder.exists() else "does not exist"
        raise InputError(missing, code="E-BASELINE", file=folder, fix=_FIX)
    if only is not None:
        return folder / only, _alone(folder / only)
    files: dict[str, bytes] = {}
    for name in (_INDEX, "constraints.json", "statistics.json", "analysis.json", "analysis_config.json"):
        target = folder / name
        if (
            not target.exists()
            and name == "statistics.json"
            and (folder / "statistics_partial.json").exists()
        ):
            target = folder / "statistics_partial.json"
        if target.exists():
            files[name] = read_regular(target, max_bytes=_MAX_FILE)
    if _INDEX in files:
        for name in _named(files[_INDEX], f"{folder}/{_INDEX}"):
            if name not in files and (folder / name).exists():
                files[name] = read_regular(folder / name, max_bytes=_MAX_FILE)
    return folder, files


def _named(index: bytes, file: str) -> list[str]:
    """Return the files that an index names, none outside of its folder."""
    from driftline.documents import decode

    document = decode(index, file=file)
    named = document.get("files") if isinstance(document, dict) else None
    names = [name for name in named if isinstance(name, str)] if isinstance(named, dict) else []
    return [n for n in names[:_MOST_FILES] if n not in ("", ".", "..") and not set("/\\\0") & set(n)]


def _alone(path: Path) -> dict[str, bytes]:
    """Read a file of SageMaker's under another name, as what its content says it is."""
    from driftline.documents import decode
    from driftline.files import read_regular

    data = read_regular(path, max_bytes=_MAX_FILE)
    document = decode(data, file=path)
    keys = set(document) if isinstance(document, dict) else set()
    if "explanations" in keys or any(key.endswith("_bias_metrics") for key in keys):
        return {"analysis.json": data}
    if "features" in keys or any(key.endswith("_constraints") for key in keys):
        return {"constraints.json": data}
    raise DocumentError(
        "is not a baseline",
        code="E-BASELINE",
        file=path,
        fix="give a folder, or a file called " + ", ".join(_ALONE),
    )
