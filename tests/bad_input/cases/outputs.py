"""Places to write that cannot be written."""

from __future__ import annotations

from pathlib import Path

from bad_input.case import BASELINE, Case, Done, Run, refused
from bad_input.making import files, nothing, small_disk, together

LEARN = ("baseline", "train.parquet", "-o")
CHECK = ("check", "live.parquet", "-b", BASELINE, "-o")
PAGE = ("show", "good-report", "--html")


def _closed(folder: Path) -> None:
    (folder / "closed").mkdir()
    (folder / "closed").chmod(0o500)


def _three(name: str, target: str, line: str, make, **how: object) -> Case:  # noqa: ANN001
    """The same place given to each command that writes."""
    runs = [refused(name, (*command, target), line, make, **how).runs[0] for command in (LEARN, CHECK, PAGE)]
    return Case(name, make, tuple(runs))


CASES: list[Case] = [
    refused("baseline-where-a-file-is", (*LEARN, "train.parquet"), "?", nothing),
    refused("report-where-a-file-is", (*CHECK, "train.parquet"), "?", nothing),
    refused("page-where-a-folder-is", (*PAGE, BASELINE), "?", nothing),
    _three("under-a-file", "train.parquet/out", "?", nothing),
    _three("no-name", "", "?", nothing),
    _three("name-too-long", "x" * 300, "?", nothing),
    _three("in-a-closed-folder", "closed/out", "?", _closed, powers=False),
    _three("below-a-closed-folder", "closed/a/b/out", "?", _closed, powers=False),
    _three("in-the-kernel", "/proc/1/out", "?", nothing),
    _three("full-disk", "disk/out", "?", small_disk("disk", 8)),
    _three("full-disk-below", "disk/a/b/out", "?", small_disk("disk", 8)),
    refused("page-into-a-device", (*PAGE, "/dev/full"), "?", nothing),
    refused("report-into-a-device", (*CHECK, "/dev/full"), "?", nothing),
    refused("standard-output-full-check", CHECK[:-1], "?", nothing, out="/dev/full"),
    refused("standard-output-full-json", (*CHECK[:-1], "--json"), "?", nothing, out="/dev/full"),
    refused("standard-output-full-show", ("show", BASELINE), "?", nothing, out="/dev/full"),
    refused("standard-output-full-diff", ("diff", "good-report", "drift-report"), "?", nothing, out="/dev/full"),
    refused("standard-output-full-help", ("--help",), "?", nothing, out="/dev/full"),
    refused("full-disk-in-an-existing-folder", (*CHECK, "disk"), "?", small_disk("disk", 8)),
    refused("old-baseline-stays", (*LEARN, "disk"), "?", together(small_disk("disk", 8), files({"disk/baseline.json": b"{}"}))),
]
