"""Seeded mutations of good files: bytes flipped, cut, doubled, replaced, and structure that lies."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from bad_input.case import BASELINE
from bad_input.making import csv_bytes, json_lines

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["TARGETS", "mutate", "write"]

TARGETS: dict[str, tuple[str, tuple[str, ...]]] = {
    "parquet": ("x.parquet", ("check", "-b", BASELINE, "-o", "report", "--json", "--", "x.parquet")),
    "csv": ("x.csv", ("check", "-b", BASELINE, "-o", "report", "--json", "--", "x.csv")),
    "jsonl": ("x.jsonl", ("check", "-b", BASELINE, "-o", "report", "--json", "--", "x.jsonl")),
    "learnt-csv": ("x.csv", ("baseline", "-o", "own", "--", "x.csv")),
    "learnt-jsonl": ("x.jsonl", ("baseline", "-o", "own", "--", "x.jsonl")),
    "constraints": (f"{BASELINE}/constraints.json", ("check", "-b", BASELINE, "--json", "live.parquet")),
    "statistics": (f"{BASELINE}/statistics.json", ("check", "-b", BASELINE, "--json", "live.parquet")),
    "index": (f"{BASELINE}/baseline.json", ("check", "-b", BASELINE, "--json", "live.parquet")),
    "profile": (f"{BASELINE}/profile.arrow", ("check", "-b", BASELINE, "--json", "live.parquet")),
    "report": ("drift-report/report.json", ("show", "drift-report")),
    "diffed": ("drift-report/report.json", ("diff", "good-report", "drift-report")),
    "config": ("c.toml", ("check", "-b", BASELINE, "-c", "c.toml", "--json", "live.parquet")),
}
"""The file that is mutated, by what it stands for, and the command that then meets it."""

_CONFIG = (
    b'alpha = 0.01\n[checks.ks]\nbound = 0.2\nseverity = "critical"\n[columns.amount]\nrole = "feature"\n'
)
_TOKENS = (
    *(b"NaN", b"-1", b"1e999", b"null", b"true", b'""', b"[]", b"{}", b"9" * 30, b"\xff\xfe", b"\0"),
    *(b'"', b",", b"\n", b"\r\n", b"\\u0000", b"\\ud800", b"\xed\xa0\x80", b"<script>", b"\x1b[2J", b"0x10"),
)


def write(target: str, folder: Path) -> Path:
    """Lay a good file of this kind where the target is, if none is there, and return its path."""
    path = folder / TARGETS[target][0]
    if path.suffix == ".csv":
        path.write_bytes(csv_bytes(200))
    elif path.suffix == ".jsonl":
        path.write_bytes(json_lines(200))
    elif path.suffix == ".toml":
        path.write_bytes(_CONFIG)
    elif path.name == "x.parquet":
        path.write_bytes((folder / "live.parquet").read_bytes())
    return path


def mutate(data: bytes, seed: int) -> bytes:
    """Return `data` with one to six things wrong with it."""
    chance = random.Random(seed)
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        at = chance.randrange(len(changed) + 1)
        if chance.random() < 0.3:
            at = max(0, len(changed) - chance.randrange(1, 400))
        to = min(len(changed), at + chance.choice((1, 1, 2, 4, 8, 50, 300)))
        match chance.randrange(7):
            case 0:
                changed[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                for i in range(at, min(at + 1, len(changed))):
                    changed[i] ^= 1 << chance.randrange(8)
            case 2:
                del changed[at:to]
            case 3:
                changed[at:at] = changed[at:to] * chance.choice((1, 1, 5))
            case 4:
                changed[at:to] = bytes(to - at)
            case 5:
                changed[at : at + chance.randrange(3)] = chance.choice(_TOKENS)
            case _:
                del changed[at : len(changed) if chance.random() < 0.2 else at + 1]
        if not changed:
            break
    return bytes(changed)
