"""Places to write that cannot be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bad_input.case import BASELINE, Case, refused
from bad_input.making import files, nothing, small_disk, together

if TYPE_CHECKING:
    from pathlib import Path

LEARN = ("baseline", "train.parquet", "-o")
CHECK = ("check", "live.parquet", "-b", BASELINE, "-o")
PAGE = ("show", "good-report", "--html")


def _closed(folder: Path) -> None:
    (folder / "closed").mkdir()
    (folder / "closed").chmod(0o500)


def _three(name: str, target: str, line: str, make, **how: object) -> Case:
    """The same place given to each command that writes."""
    runs = [refused(name, (*command, target), line, make, **how).runs[0] for command in (LEARN, CHECK, PAGE)]
    return Case(name, make, tuple(runs))


CASES: list[Case] = [
    refused(
        "baseline-where-a-file-is",
        (*LEARN, "train.parquet"),
        "E-WRITE: train.parquet: is a file, expected a folder; choose another folder with -o",
        nothing,
    ),
    refused(
        "report-where-a-file-is",
        (*CHECK, "train.parquet"),
        "E-WRITE: train.parquet: is a file, expected a folder; choose another folder with -o",
        nothing,
    ),
    refused(
        "page-where-a-folder-is",
        (*PAGE, BASELINE),
        "E-WRITE: baseline: is not a regular file; name another file",
        nothing,
    ),
    _three(
        "under-a-file",
        "train.parquet/out",
        "E-WRITE: train.parquet/out: cannot be written: Not a directory; choose another place or make room",
        nothing,
    ),
    _three(
        "no-name",
        "",
        "E-WRITE: '': is not a name that a file can have; say where to write, for example -o report/",
        nothing,
    ),
    _three(
        "name-too-long",
        "x" * 300,
        "E-WRITE: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: cannot be written: File name too long; choose another place or make room",
        nothing,
    ),
    _three(
        "in-a-closed-folder",
        "closed/out",
        "E-WRITE: closed/out: cannot be written: Permission denied; choose another place or make room",
        _closed,
        powers=False,
    ),
    _three(
        "below-a-closed-folder",
        "closed/a/b/out",
        "E-WRITE: closed/a/b/out: cannot be written: Permission denied; choose another place or make room",
        _closed,
        powers=False,
    ),
    _three(
        "in-the-kernel",
        "/proc/1/out",
        "E-WRITE: /proc/1/out: cannot be written: No such file or directory; choose another place or make room",
        nothing,
    ),
    _three(
        "full-disk",
        "disk/out",
        "E-WRITE: disk/out: cannot be written: No space left on device; choose another place or make room",
        small_disk("disk", 8),
    ),
    _three(
        "full-disk-below",
        "disk/a/b/out",
        "E-WRITE: disk/a/b/out: cannot be written: No space left on device; choose another place or make room",
        small_disk("disk", 8),
    ),
    refused(
        "page-into-a-device",
        (*PAGE, "/dev/full"),
        "E-WRITE: /dev/full: is not a regular file; name another file",
        nothing,
    ),
    refused(
        "report-into-a-device",
        (*CHECK, "/dev/full"),
        "E-WRITE: /dev/full: is a file, expected a folder; choose another folder with -o",
        nothing,
    ),
    refused(
        "standard-output-full-check",
        CHECK[:-1],
        "E-WRITE: standard output: No space left on device",
        nothing,
        out="/dev/full",
    ),
    refused(
        "standard-output-full-json",
        (*CHECK[:-1], "--json"),
        "E-WRITE: standard output: No space left on device",
        nothing,
        out="/dev/full",
    ),
    refused(
        "standard-output-full-show",
        ("show", BASELINE),
        "E-WRITE: standard output: No space left on device",
        nothing,
        out="/dev/full",
    ),
    refused(
        "standard-output-full-diff",
        ("diff", "good-report", "drift-report"),
        "E-WRITE: standard output: No space left on device",
        nothing,
        out="/dev/full",
    ),
    refused(
        "standard-output-full-help",
        ("--help",),
        "E-WRITE: standard output: No space left on device",
        nothing,
        out="/dev/full",
    ),
    refused(
        "full-disk-in-an-existing-folder",
        (*CHECK, "disk"),
        "E-WRITE: disk: cannot be written: No space left on device; choose another place or make room",
        small_disk("disk", 8),
    ),
    refused(
        "old-baseline-stays",
        (*LEARN, "disk"),
        "E-WRITE: disk: cannot be written: No space left on device; choose another place or make room",
        together(small_disk("disk", 8), files({"disk/baseline.json": b"{}"})),
    ),
]
