"""Whole processes measured in turn: A B A B ..., so that a slow minute of the machine falls on all of them alike.

What one process used comes from the kernel when it ends (``wait4``): wall clock, processor time of all its threads, and
the largest resident set. Contenders are compared round by round, and what is quoted is the median of those comparisons
with the least and the greatest beside it.

This module imports nothing but the standard library, and so must whatever process uses it: a child's largest
resident set is never reported below what its parent held at the moment it was started.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "BenchmarkError",
    "Command",
    "Contender",
    "Spread",
    "Usage",
    "measure",
    "paired",
    "pin",
    "race",
    "read_through",
]


class BenchmarkError(RuntimeError):
    """A process that should have been measured failed."""


@dataclass(frozen=True, slots=True)
class Command:
    """A process to start.

    Attributes
    ----------
    arguments : tuple of str
        The program first.
    environment : mapping of str to str
        What differs from :func:`environment`.
    fresh : tuple of Path
        Files and folders that must not exist when it starts; removed before the clock runs.
    tells : bool
        Whether the last line it prints is a JSON object of further quantities that it measured itself.
    """

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    fresh: tuple[Path, ...] = ()
    tells: bool = False


@dataclass(frozen=True, slots=True)
class Contender:
    """One or more processes, run one after the other, that together do a job.

    Attributes
    ----------
    name : str
    commands : tuple of Command
    """

    name: str
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Usage:
    """What a contender used in one round.

    Attributes
    ----------
    wall : float
        Seconds from start to end.
    cpu : float
        Seconds of processor time, user and system, over all threads.
    peak : float
        Largest resident set in bytes; of the largest process, where there are several.
    told : mapping of str to float
        What the process measured itself, in seconds.
    """

    wall: float
    cpu: float
    peak: float
    told: Mapping[str, float] = field(default_factory=dict)

    def quantity(self, name: str) -> float:
        """Return ``wall``, ``cpu``, ``peak``, or something told."""
        return float(self.told[name] if name in self.told else getattr(self, name))

    def __add__(self, other: object) -> Usage:
        if not isinstance(other, Usage):
            return NotImplemented
        told = {**self.told, **other.told}
        return Usage(self.wall + other.wall, self.cpu + other.cpu, max(self.peak, other.peak), told)

    def to_json(self) -> dict[str, float]:
        """Return a plain mapping."""
        plain = {"wall": round(self.wall, 6), "cpu": round(self.cpu, 6), "peak": self.peak}
        return plain | {name: round(value, 6) for name, value in self.told.items()}

    @classmethod
    def of_json(cls, plain: Mapping[str, float]) -> Usage:
        """Rebuild from :meth:`to_json`."""
        told = {k: float(v) for k, v in plain.items() if k not in ("wall", "cpu", "peak")}
        return cls(float(plain["wall"]), float(plain["cpu"]), float(plain["peak"]), told)


@dataclass(frozen=True, slots=True)
class Spread:
    """A number measured several times.

    Attributes
    ----------
    least, median, greatest : float
    """

    least: float
    median: float
    greatest: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Return the spread of at least one value."""
        found = sorted(values)
        return cls(found[0], statistics.median(found), found[-1])


def pin(n: int = 2) -> int:
    """Keep this process, and all it starts, to `n` processors; return to how many."""
    processors = sorted(os.sched_getaffinity(0))[:n]
    os.sched_setaffinity(0, processors)
    return len(processors)


def read_through(paths: Iterable[Path]) -> None:
    """Bring files into the page cache, so that no disk is measured."""
    for path in paths:
        with path.open("rb", buffering=0) as file:
            while file.read(1 << 20):
                pass


def environment(changes: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a measured process: two threads for everybody, nothing of ours or Python's."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DRIFTLINE_", "PYTHON", "COVERAGE"))}
    threads = (
        "DRIFTLINE_THREADS",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "POLARS_MAX_THREADS",
    )
    return {**kept, **dict.fromkeys(threads, "2"), **changes}


def measure(command: Command) -> Usage:
    """Run a process to its end.

    Raises
    ------
    BenchmarkError
        If it cannot be started or does not exit with 0.
    """
    for path in command.fresh:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    # Files rather than pipes: nobody reads while the clock runs. Another folder, so that no import finds the sources.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        try:
            child = subprocess.Popen(
                command.arguments,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=tempfile.gettempdir(),
                env=environment(command.environment),
            )
        except OSError as error:
            raise BenchmarkError(f"{command.arguments[0]} cannot be started: {error}") from error
        _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        printed, complaint = out.read().decode(), err.read().decode(errors="replace")
    if child.returncode != 0:
        raise BenchmarkError(
            f"{' '.join(command.arguments)} ended with status {child.returncode}:\n{complaint[-2000:]}"
        )
    # Linux counts the resident set in KiB.
    return Usage(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024.0, _told(command, printed))


def _told(command: Command, printed: str) -> dict[str, float]:
    if not command.tells:
        return {}
    try:
        found: dict[str, Any] = json.loads(printed.splitlines()[-1])
        return {str(k): float(v) for k, v in found.items()}
    except (IndexError, ValueError, AttributeError) as error:
        raise BenchmarkError(
            f"{' '.join(command.arguments)} printed no measurements: {printed[-500:]!r}"
        ) from error


def once(contender: Contender) -> Usage:
    """Run a contender once."""
    first, *rest = (measure(command) for command in contender.commands)
    return sum(rest, first)


def race(
    contenders: Sequence[Contender], rounds: int, *, told: Callable[[str], None] | None = None
) -> dict[str, tuple[Usage, ...]]:
    """Run the contenders in turn, `rounds` times over.

    Parameters
    ----------
    contenders : sequence of Contender
    rounds : int
        Rounds that count; one more goes before them, so that byte code, compiled loops and caches are in place.
    told : callable, optional
        Called with a line for people after every process.

    Returns
    -------
    dict of str to tuple of Usage
        By contender, in the order of the rounds.

    Raises
    ------
    BenchmarkError
        If a process fails.
    """
    found: dict[str, list[Usage]] = {contender.name: [] for contender in contenders}
    for number in range(rounds + 1):
        for contender in contenders:
            usage = once(contender)
            if number:
                found[contender.name].append(usage)
            if told is not None:
                label = f"round {number} of {rounds}" if number else "to warm up"
                told(f"{label}: {contender.name}: {usage.wall:.3f} s, {usage.peak / (1 << 20):.0f} MiB")
    return {name: tuple(usages) for name, usages in found.items()}


def paired(
    subject: Sequence[Usage], rival: Sequence[Usage], quantity: str, by: Callable[[float, float], float]
) -> Spread:
    """Compare two contenders round by round.

    Parameters
    ----------
    subject, rival : sequence of Usage
    quantity : str
    by : callable
        Takes the subject's number and the rival's of the same round, such as ``operator.truediv``.
    """
    return Spread.of(
        by(a.quantity(quantity), b.quantity(quantity)) for a, b in zip(subject, rival, strict=True)
    )
