"""The demo's folder: begun anew each time, without touching what the demo did not make."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from driftline.errors import UsageError, printable
from driftline.files import write_whole

if TYPE_CHECKING:
    import os

__all__ = ["MARK", "begin"]

MARK = ".driftline-demo"
"""The file by which the demo knows its folder again."""

_FILES = (
    *("driftline.toml", "training.csv", "model.json", "notifications.log"),
    *("income-training.parquet", "income-validation.parquet", "income.py", "income-card.toml"),
    *("registry.db", "registry.db-shm", "registry.db-wal"),
)
_FOLDERS = {
    "baselines": ("churn", "income-data", "income-quality", "income-bias", "income-attribution"),
    "captures": (".driftline", "churn", "income", "ground_truth"),
    "drift": None,
    "income": None,
    "models": None,
    "profiles": None,
    "report": None,
    "reports": ("churn", "income"),
}
"""Folders that the demo makes, and what is in those in which others may put something, too."""


def begin(folder: str | os.PathLike[str], configuration: bytes) -> Path:
    """Make the demo's folder, or take away what an earlier demo made there.

    Parameters
    ----------
    folder : path
    configuration : bytes
        The demo's ``driftline.toml``; one that was edited is kept as ``driftline.toml.before``.

    Raises
    ------
    UsageError
        ``E-WRITE``: something is in the way that no demo made; or the folder cannot be written. Nothing is touched then.
    """
    place = Path(folder)
    mark = Path(str(folder) or "\0") / MARK
    foreign = (
        list(_foreign(place)) if mark.is_file() else [n for n in (*_FILES, *_FOLDERS) if _is_there(place / n)]
    )
    if foreign:
        raise UsageError(
            f"holds {printable(foreign[0], 80)}, which the demo did not make",
            code="E-WRITE",
            file=folder,
            fix="name another folder with -o",
        )
    write_whole(mark, b"driftline demo: the next one in this folder replaces what this one made.\n")
    edited = place / "driftline.toml"
    try:
        if edited.is_file() and edited.read_bytes() != configuration:
            edited.replace(place / "driftline.toml.before")
        for name in _FILES:
            (place / name).unlink(missing_ok=True)
        for name in _FOLDERS:
            if (place / name).is_dir():
                shutil.rmtree(place / name)
    except OSError as error:
        raise UsageError(
            f"cannot be written: {error.strerror or error}",
            code="E-WRITE",
            file=folder,
            fix="name another with -o",
        ) from None
    return place


def _foreign(place: Path) -> list[str]:
    """Give what somebody else has put where the demo's own things are."""
    found = [name for name in _FILES if (place / name).is_symlink() or (place / name).is_dir()]
    for name, own in _FOLDERS.items():
        inside = place / name
        if inside.is_symlink() or inside.is_file():
            found.append(name)
        elif own is not None and inside.is_dir():
            found += [f"{name}/{entry.name}" for entry in sorted(inside.iterdir()) if entry.name not in own]
    return found


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()
