"""What a folder holds, a baseline or a report, so that neither is ever written over the other.

Both kinds have a ``constraints.json`` and a ``statistics.json``: what a baseline is held to, and what the data of a
report would suggest. Written into the wrong folder, one destroys the other.
"""

from __future__ import annotations

import os
from pathlib import Path

from driftline.errors import UsageError

__all__ = ["refuse_baseline", "refuse_report", "refuse_same"]

_SHARED = ("constraints.json", "statistics.json", "statistics_partial.json", "analysis.json")
_REPORT = "report.json"


def refuse_baseline(folder: str | os.PathLike[str]) -> None:
    """Refuse to write a report into a folder that holds a baseline, driftline's own or SageMaker's.

    Raises
    ------
    UsageError
        With the code ``E-WRITE``.
    """
    held = {name: _is_there(folder, name) for name in ("baseline.json", _REPORT, *_SHARED)}
    if held["baseline.json"] or (not held[_REPORT] and any(held[name] for name in _SHARED)):
        raise _holds(folder, "a baseline, which a report would overwrite", "-o report/")


def refuse_report(folder: str | os.PathLike[str]) -> None:
    """Refuse to write a baseline into a folder that holds a report, driftline's own or SageMaker's.

    Raises
    ------
    UsageError
        With the code ``E-WRITE``.
    """
    if any(_is_there(folder, name) for name in (_REPORT, "constraint_violations.json")):
        raise _holds(folder, "a report, which a baseline would overwrite", "-o baseline/")


def refuse_same(folder: str | os.PathLike[str], baseline: str | os.PathLike[str]) -> None:
    """Refuse to write a report into the folder from which the baseline of the same run is read.

    Parameters
    ----------
    folder : path
        Where the report is to go.
    baseline : path
        The folder of the baseline, or a file in it. It may also be a report, whose ``constraints.json`` serves.

    Raises
    ------
    UsageError
        With the code ``E-WRITE``, whatever the two are called: links and dots are followed.
    """
    home = Path(baseline)
    if home.name in ("constraints.json", "baseline.json") and not home.is_dir():
        home = home.parent
    try:
        same = _is_there(home, "constraints.json") and Path(folder).samefile(home)
    except (OSError, ValueError):
        return  # One of them is not there; who reads or writes it says so.
    if same and os.fspath(folder) and os.fspath(baseline):
        raise _holds(folder, "the baseline of this check, which the report would overwrite", "-o report/")


def _is_there(folder: str | os.PathLike[str], name: str) -> bool:
    # Unlike pathlib's, this says no where it may not look (the writer then says why), and yes for a link that leads
    # nowhere. An empty name is no folder.
    return bool(os.fspath(folder)) and os.path.lexists(Path(folder) / name)


def _holds(folder: object, what: str, example: str) -> UsageError:
    return UsageError(
        f"holds {what}", code="E-WRITE", file=folder, fix=f"choose another folder, for example {example}"
    )
