"""The good files that lie in the folder of every case, and folders for cases."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from bad_input.case import BASELINE
from bad_input.making import parquet_bytes, table

if TYPE_CHECKING:
    from pathlib import Path

    from bad_input.processes import Forks

__all__ = ["clear", "good_files", "lay_out"]


def good_files(folder: Path, forks: Forks) -> Path:
    """Make ``train``, ``live``, ``drift.parquet``, a baseline and two reports."""
    folder.mkdir()
    for name, seed, n, shift in (("train", 1, 1000, 0.0), ("live", 2, 800, 0.0), ("drift", 3, 800, 5.0)):
        (folder / f"{name}.parquet").write_bytes(parquet_bytes(table(seed, n, shift=shift)))
    for *arguments, code in (
        ("baseline", "train.parquet", "-o", BASELINE, 0),
        ("check", "live.parquet", "-b", BASELINE, "-o", "good-report", 0),
        ("check", "drift.parquet", "-b", BASELINE, "-o", "drift-report", 1),
    ):
        ended = forks.run(tuple(arguments), folder)
        assert (ended.code, ended.err) == (code, ""), ended
    return folder


def lay_out(good: Path, folder: Path) -> None:
    """Copy the good files into a new folder."""
    shutil.copytree(good, folder)


def clear(folder: Path) -> None:
    """Remove a folder, whatever a case has closed in it."""
    for here, folders, _ in os.walk(folder):
        for name in folders:
            path = os.path.join(here, name)
            if not os.path.islink(path):
                os.chmod(path, 0o700)
    shutil.rmtree(folder)
