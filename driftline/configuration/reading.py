"""Reading a configuration: bytes, then tables, then declarations, then the names they use."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from driftline.configuration import inventory, watching
from driftline.configuration.decoding import MAX_BYTES, decode_toml, unusable
from driftline.configuration.problem import Problems
from driftline.configuration.references import References
from driftline.configuration.specs import Configuration, WorkspaceSpec
from driftline.configuration.table import Table
from driftline.files import read_regular

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["SECTIONS", "read_configuration", "read_workspace"]

SECTIONS: Final = ("workspace", "models", "endpoints", "baselines", "monitors", "targets", "scheduler")
"""The tables of the file."""


def read_configuration(
    source: str | os.PathLike[str] | bytes,
    file: str | os.PathLike[str] | None = None,
    known: Mapping[str, Collection[str]] | None = None,
) -> Configuration:
    r"""Read ``driftline.toml``.

    Parameters
    ----------
    source : path or bytes
        The file, or its content.
    file : path, optional
        Name used in errors and, by its folder, for relative paths; the path by default.
    known : mapping of str to collection of str, optional
        Names that exist already and need not be declared: ``models``, ``endpoints`` and ``baselines``, and as
        ``versions`` those of models, written ``model/version``.

    Returns
    -------
    Configuration

    Raises
    ------
    ConfigurationError
        A :class:`~driftline.errors.DocumentError` with everything that is wrong with the declarations, each with
        its line, its key and what to do.
    DocumentError
        ``E-CONFIG`` for what is not TOML, not UTF-8, longer than 1 MiB or too deep.
    InputError
        ``E-FILE`` where there is no such file.

    Examples
    --------
    >>> read_configuration(b'[models.churn]\nrisk_rating = "high"').models["churn"].risk_rating
    'high'
    """
    if isinstance(source, bytes):
        data = source
    else:
        data = read_regular(source, max_bytes=MAX_BYTES)
        file = source if file is None else file
    name = None if file is None else os.fspath(file)
    values, text = decode_toml(data, file=name)
    problems = Problems(text, name)
    for path, message in unusable(values):
        problems.add(path, message, "correct it")
    root = Table(values, (), problems).known(*SECTIONS)
    models = {n: inventory.model(n, t) for n, t in root.named("models", "a model").items()}
    tables = root.named("endpoints", "an endpoint")
    endpoints = {n: inventory.endpoint(n, t) for n, t in tables.items()}
    baselines = {n: inventory.baseline(n, t) for n, t in root.named("baselines", "a baseline").items()}
    monitors = {n: watching.monitor(n, t) for n, t in root.named("monitors", "a monitor").items()}
    targets = {n: watching.target(n, t) for n, t in root.named("targets", "a target").items()}
    workspace = inventory.workspace(root.table("workspace"))
    scheduler = watching.scheduler(root.table("scheduler"))
    names = References(problems, known or {}, models=models, endpoints=endpoints, baselines=baselines)
    endpoints = {
        n: names.endpoint(spec, ("endpoints", n), alone="variants" not in tables[n])
        for n, spec in endpoints.items()
    }
    for n, baseline in baselines.items():
        names.baseline(baseline, ("baselines", n))
    for n, monitor in monitors.items():
        names.monitor(monitor, ("monitors", n))
    for n, target in targets.items():
        names.target(target, ("targets", n))
    if problems:
        raise problems.error()
    return Configuration(
        workspace=workspace,
        models=models,
        endpoints=endpoints,
        baselines=baselines,
        monitors=monitors,
        targets=targets,
        scheduler=scheduler,
        file=name,
        sections=frozenset(values),
    )


def read_workspace(source: str | os.PathLike[str]) -> WorkspaceSpec:
    """Read only where things are kept; whatever else the file says, it is not looked at.

    Parameters
    ----------
    source : path

    Returns
    -------
    WorkspaceSpec

    Raises
    ------
    DocumentError, InputError
        As for :func:`read_configuration`.
    """
    name = os.fspath(source)
    values, text = decode_toml(read_regular(source, max_bytes=MAX_BYTES), file=name)
    problems = Problems(text, name)
    spec = inventory.workspace(Table(values, (), problems).table("workspace"))
    if problems:
        raise problems.error()
    return spec
