"""Holds a run to what the case says, and every run to what is always true."""

from __future__ import annotations

import json
import math
import os
import re
import stat
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Never

from bad_input.case import ANY, Case, Done, Refused, Run, Told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bad_input.processes import Circumstances, Ended

__all__ = ["check_line", "facts_of", "judge", "perform", "snapshot", "strict_json"]

CANARIES = (b"<script>alert", b"<img src=x", b"\x1b[", "\u202e".encode())
"""Pieces of hostile names and values that must never stand raw in what people look at."""

_SMALL = 4 << 20


def strict_json(data: bytes) -> Any:
    """Decode JSON as RFC 8259 has it: no NaN, no infinity."""

    def refuse(name: str) -> Never:
        raise AssertionError(f"{name} is not JSON")

    return json.loads(data.decode("utf-8", "surrogatepass"), parse_constant=refuse)


def snapshot(folder: Path) -> dict[str, tuple[int, int, int, bytes | str]]:
    """Everything in a folder: kind and mode, size, time of change, and the content of what is small."""
    found: dict[str, tuple[int, int, int, bytes | str]] = {}
    for here, folders, names in os.walk(os.fsencode(folder)):
        for name in folders + names:
            path = os.path.join(here, name)
            info = os.lstat(path)
            content: bytes | str = b""
            if stat.S_ISREG(info.st_mode) and info.st_size <= _SMALL and os.access(path, os.R_OK):
                with open(path, "rb") as stream:
                    content = stream.read()
            elif stat.S_ISLNK(info.st_mode):
                content = os.readlink(path)
            when = 0 if stat.S_ISDIR(info.st_mode) else info.st_mtime_ns
            found[os.fsdecode(path)] = (info.st_mode, info.st_size if when else 0, when, content)
    return found


def facts_of(report: Mapping[str, Any]) -> dict[str, Any]:
    """Boil a report down to facts.

    ``status``, ``rows``, ``columns`` (names), ``violated`` and ``undetermined`` (``"column/check"``, sorted), ``notes``,
    ``incidents`` (titles), and for each column ``"name.fact"`` with the facts of the current data: ``type``, ``n_missing``,
    ``mean``, …
    """
    found: dict[str, Any] = {
        "status": report["status"],
        "rows": report["current"]["n_rows"],
        "columns": [column["name"] for column in report["columns"]],
        "notes": report["notes"],
        "incidents": [incident["title"] for incident in report["incidents"]],
        "differences": report["compat_differences"],
    }
    for status in ("violated", "undetermined"):
        found[status] = sorted(
            (outcome["constraint"].get("column") or "")
            + "/"
            + outcome["constraint"]["check"]
            + (f"@{outcome['segment']}" if outcome.get("segment") else "")
            for outcome in report["outcomes"]
            if outcome["status"] == status
        )
    for column in report["columns"]:
        if column.get("segment"):
            continue
        found[f"{column['name']}.type"] = column.get("inferred_type")
        for key, value in (column.get("current_summary") or {}).items():
            found[f"{column['name']}.{key}"] = value
    return found


def _same(found: Any, expected: Any) -> bool:
    if isinstance(expected, float) and isinstance(found, int | float):
        return math.isclose(found, expected, rel_tol=1e-9)
    return bool(found == expected)


def _fits(text: str, pattern: str) -> bool:
    wild = ".+".join(re.escape(piece) for piece in pattern.split(ANY))
    return re.fullmatch(wild, text, re.DOTALL) is not None


def check_line(ended: Ended) -> None:
    """What is true of every refusal."""
    assert ended.code == 2, f"exit status {ended.code}"
    assert ended.out == b"", "standard output is not clean"
    assert ended.err.endswith("\n")
    line = ended.err[:-1]
    assert "\n" not in line, "more than one line"
    assert line.isprintable(), "the line holds characters that move a cursor"
    assert re.match(r"driftline: E-[A-Z][A-Z-]*: \S", line), "not of the form driftline: E-CODE: …"
    assert not re.search(r"Traceback|\bat 0x|File \"", line), "a traceback"
    assert "E-INTERNAL" not in line


def judge(run: Run, ended: Ended, folder: Path) -> None:
    """Compare how a run ended with how it had to.

    Raises
    ------
    AssertionError
        Where they differ.
    """
    assert ended.code is not None, "hangs"
    assert ended.code >= 0, f"died by signal {-ended.code}"
    ending = run.ending
    if isinstance(ending, Refused):
        check_line(ended)
        assert _fits(ended.err[len("driftline: ") : -1], ending.line), f"expected {ending.line}"
        return
    assert ended.err == "", "standard error is not clean"
    if isinstance(ending, Done):
        assert ended.code == 0, f"exit status {ended.code}"
        text = ended.out.decode()
        for line in text.split("\n"):
            assert line.isprintable(), f"a line that moves the cursor: {line!a}"
        for piece in ending.says:
            assert piece in text, f"standard output does not say {piece!r}"
        return
    _judge_report(ending, ended, folder / "report")


def _judge_report(ending: Told, ended: Ended, report: Path) -> None:
    found = facts_of(strict_json(ended.out))
    for key, expected in ending.facts.items():
        assert key in found, f"the report does not know {key!r}: {sorted(found)}"
        if callable(expected):
            assert expected(found[key]), f"{key} is {found[key]!r}"
        else:
            assert _same(found[key], expected), f"{key} is {found[key]!r}, expected {expected!r}"
    assert ended.code == ending.code, f"exit status {ended.code}, expected {ending.code}"
    if ended.code == 0:
        assert found["status"] != "violated"
    for name in ("report.json", "statistics.json", "constraints.json", "constraint_violations.json"):
        if (report / name).exists():
            strict_json((report / name).read_bytes())
    assert (report / "report.json").read_bytes() == ended.out
    page = (report / "report.html").read_bytes()
    for canary in CANARIES:
        assert canary not in page, f"raw in the page: {canary!r}"


def perform(
    case: Case, start: Callable[[tuple[str, ...], Path, Circumstances], Ended], folder: Path
) -> list[Ended]:
    """Make the input of a case in a folder that holds the good files, run its commands, and judge each.

    Raises
    ------
    AssertionError
        With the command and how it ended.
    """
    limits = case.make(folder) or {}
    ends = []
    try:
        for run in case.runs:
            how = replace(run.how, limits={**run.how.limits, **limits})
            before = snapshot(folder) if isinstance(run.ending, Refused) else None
            ended = start(run.arguments, folder, how)
            ends.append(ended)
            try:
                judge(run, ended, folder)
                assert ended.peak_mib <= case.most_mib, f"took {ended.peak_mib:.0f} MiB"
                if before is not None:
                    after = snapshot(folder)
                    assert after.keys() == before.keys(), (
                        f"left behind: {sorted(after.keys() ^ before.keys())}"
                    )
                    assert after == before, "something was changed"
            except AssertionError as error:
                shown = " ".join(map(ascii, run.arguments))
                out = ended.out[:1500].decode("utf-8", "backslashreplace")
                raise AssertionError(
                    f"{error}\n$ driftline {shown}\nexit {ended.code}\n{ended.err[:3000]}{out}"
                ) from None
    finally:
        for path in folder.iterdir():
            if os.path.ismount(path):
                subprocess.run(["umount", str(path)], check=False)
    assert not (folder / "canary").exists(), "a name was executed"
    return ends
