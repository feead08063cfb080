"""The words of the manifest: what a case is, and the three ways in which it may end.

Nothing here runs anything: a case is data, and :mod:`bad_input.judging` holds driftline to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from bad_input.processes import Circumstances

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = [
    "ANY",
    "BASELINE",
    "Case",
    "Done",
    "Ending",
    "Make",
    "Refused",
    "Run",
    "Told",
    "as_data",
    "config",
    "refused",
    "refused_data",
    "told",
    "undetermined",
]

ANY = "<any>"
"""Stands in an expected line for words that are not driftline's own, such as those of pyarrow."""

BASELINE = "baseline"
"""Name of the good baseline that lies in the folder of every case, with ``train``, ``live`` and ``drift.parquet``."""

Make: TypeAlias = "Callable[[Path], Mapping[str, int] | None]"
"""Makes the input in a folder; may return resource limits that the run needs, see :func:`making.small_disk`."""


@dataclass(frozen=True)
class Refused:
    """Exit status 2, this one line on standard error, nothing on standard output, and nothing changed on the disk.

    Attributes
    ----------
    line : str
        What follows ``driftline:``; :data:`ANY` stands for foreign words.
    """

    line: str


@dataclass(frozen=True)
class Told:
    """A report that is true.

    Attributes
    ----------
    code : int
        Exit status: 0 passed, 1 violated, 4 nothing could be judged.
    facts : mapping of str to object
        Things that must be so, see :func:`judging.facts_of`.
    """

    code: int
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """Exit status 0, nothing on standard error.

    Attributes
    ----------
    says : tuple of str
        Pieces of text that standard output must hold.
    """

    says: tuple[str, ...] = ()


Ending: TypeAlias = Refused | Told | Done


@dataclass(frozen=True)
class Run:
    """One command and how it must end."""

    arguments: tuple[str, ...]
    ending: Ending
    how: Circumstances = Circumstances()  # noqa: RUF009


@dataclass(frozen=True)
class Case:
    """One bad input.

    Attributes
    ----------
    name : str
    make : callable
    runs : tuple of Run
        In this order, in one folder.
    most_mib : float
        Most memory that any of the runs may take at its peak.
    """

    name: str
    make: Make
    runs: tuple[Run, ...]
    most_mib: float = 512.0


def refused(name: str, arguments: tuple[str, ...], line: str, make: Make, **how: Any) -> Case:
    """A command that must be refused."""
    return Case(name, make, (Run(arguments, Refused(line), Circumstances(**how)),))


def refused_data(name: str, data: str, line: str, make: Make, *options: str, **how: Any) -> Case:
    """Data that must be refused in the same words whether they are learnt from or held to a baseline."""
    circumstances = Circumstances(**how)
    runs = (
        Run(("baseline", "-o", "out", *options, "--", data), Refused(line), circumstances),
        Run(("check", "-b", BASELINE, "-o", "out", *options, "--", data), Refused(line), circumstances),
    )
    return Case(name, make, runs)


def as_data(
    name: str, data: str, make: Make, *options: str, most_mib: float = 512.0, code: int = 0, **facts: Any
) -> Case:
    """Odd data that are data: a baseline can be made of them, and held to it they violate nothing.

    `facts` are keyword arguments with ``__`` for the dot of :func:`judging.facts_of`, or the mapping ``facts``.
    """
    given = facts.pop("facts", {})
    stated = {**given, **{key.replace("__", "."): value for key, value in facts.items()}}
    runs = (
        Run(("baseline", "-o", "own", *options, "--", data), Done()),
        Run(
            ("check", "-b", "own", "-o", "report", "--json", *options, "--", data),
            Told(code, {"violated": [], **stated}),
        ),
        Run(("show", "own"), Done()),
        Run(("show", "report"), Done()),
    )
    return Case(name, make, runs, most_mib)


def told(
    name: str, data: str, make: Make, code: int, *options: str, baseline: str = BASELINE, **facts: Any
) -> Case:
    """Data that are held to a baseline, and what the report must say."""
    given = facts.pop("facts", {})
    stated = {**given, **{key.replace("__", "."): value for key, value in facts.items()}}
    arguments = ("check", "-b", baseline, "-o", "report", "--json", *options, "--", data)
    runs = (Run(arguments, Told(code, stated)), Run(("show", "report"), Done()))
    return Case(name, make, runs)


def undetermined(
    name: str, data: str, make: Make, *options: str, baseline: str = BASELINE, **facts: Any
) -> Case:
    """Data of which nothing can be told: exit status 4, and a reason for each constraint."""
    return told(name, data, make, 4, *options, baseline=baseline, status="undetermined", violated=[], **facts)


def config(name: str, text: str | bytes, line: str) -> Case:
    """A configuration that must be refused; its file is called ``c.toml``."""
    data = text.encode() if isinstance(text, str) else text

    def make(folder: Path) -> None:
        (folder / "c.toml").write_bytes(data)

    return refused(name, ("check", "live.parquet", "-b", BASELINE, "-c", "c.toml", "-o", "out"), line, make)


def with_memory(case: Case, most_mib: float) -> Case:
    """Return the case with another bound on memory."""
    return replace(case, most_mib=most_mib)
