"""Commands as processes: forked from one that has everything imported, or started afresh like a user's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Circumstances", "Ended", "Forks", "fresh"]

_KEPT = ("PATH", "HOME", "VIRTUAL_ENV", "DRIFTLINE_CACHE_DIR", "XDG_CACHE_HOME")
_PYTHON = (sys.executable, "-W", "error")


@dataclass(frozen=True)
class Circumstances:
    """Under what conditions a command runs.

    Attributes
    ----------
    environment : mapping of str to str
        Variables beside the usual ones.
    limits : mapping of str to int
        Resource limits by the end of their name: ``AS`` bytes of address space, ``FSIZE`` bytes of a file, …
    out : str or None
        A file or device to stand for standard output.
    powers : bool
        False takes from root what root may do beyond permissions.
    seconds : float
        It must have ended by then.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    out: str | None = None
    powers: bool = True
    seconds: float = 60.0


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit status (negative for a signal, None for too late), and what it said."""

    code: int | None
    out: bytes
    err: str
    seconds: float = 0.0
    peak_mib: float = 0.0


def _environment(changes: Mapping[str, str], temporary: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {
        **kept,
        "LANG": "C.UTF-8",
        "COLUMNS": "100",
        "TMPDIR": str(temporary),
        "OPENBLAS_NUM_THREADS": "1",
        **changes,
    }


class Forks:
    """A fork server; a context manager."""

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="driftline-forks-")
        self._server = subprocess.Popen(
            [*_PYTHON, str(Path(__file__).with_name("fork_server.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment({}, Path(self._folder.name)),
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        self._server.wait(60)
        self._server.stdout.close()
        self._folder.cleanup()

    def run(self, arguments: tuple[str, ...], folder: Path, how: Circumstances = Circumstances()) -> Ended:
        """Run ``driftline`` with `arguments` in `folder`."""
        out, err = (Path(self._folder.name) / name for name in ("out", "err"))
        temporary = Path(self._folder.name) / "tmp"
        temporary.mkdir(exist_ok=True)
        request = {
            "arguments": arguments,
            "folder": str(folder),
            "environment": {"TMPDIR": str(temporary), **how.environment},
            "limits": dict(how.limits),
            "powers": how.powers,
            "seconds": how.seconds,
            "out": how.out or str(out),
            "err": str(err),
        }
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(request).encode() + b"\n")
        self._server.stdin.flush()
        answer = json.loads(self._server.stdout.readline())
        left = sorted(p.name for p in temporary.iterdir())
        assert left == [], f"left behind in the folder for temporary files: {left}"
        return Ended(
            answer["code"],
            b"" if how.out else out.read_bytes(),
            err.read_bytes().decode("utf-8", "backslashreplace"),
            answer["seconds"],
            answer["peak_kib"] / 1024,
        )


def fresh(arguments: tuple[str, ...], folder: Path, how: Circumstances = Circumstances()) -> Ended:
    """Run ``python -m driftline`` as a user does; of the circumstances, the environment and the time count."""
    done = subprocess.run(
        [*_PYTHON, "-m", "driftline", *arguments],
        cwd=folder,
        env=_environment(how.environment, folder.parent),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=how.seconds,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr.decode("utf-8", "backslashreplace"))
