"""``python -m loop``: injure the loop in every way, print the table, and record it if asked to."""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exam.verdict import Effort
from postgres import binary

from benchmarks.machine import machine, versions
from loop.rigs import RIGS
from loop.table import KEPT, PAGE, SCHEMA, inserted, kept, table

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; returns 1 where anything was wrong."""
    asked = _parser().parse_args(arguments)
    if asked.render:
        _render()
        return 0
    began = {"taken": datetime.now(UTC).replace(microsecond=0).isoformat(), "machine": machine()}
    start = time.monotonic()
    verdicts, missing = [], {}
    shares = sum(RIGS[name].share for name in asked.only or RIGS) or 1.0
    for name in asked.only or RIGS:
        rig = RIGS[name]
        effort = Effort(rig.sample, seed=asked.seed)
        if asked.minutes is not None and (rig.share or asked.only):
            effort = Effort(1 << 30, asked.minutes * 60 * rig.share / shares, asked.seed, rig.least)
        began_here = time.monotonic()
        found = rig.run(effort)
        if not found:
            missing[name] = rig.needs
        for verdict in found:
            verdicts.append(verdict)
            _say(f"{verdict.id}: {verdict.tries:,} tries, {'all well' if verdict.is_clean else 'WRONG'}")
            for example in verdict.examples:
                _say(f"    {example}")
        _say(f"{name} took {time.monotonic() - began_here:.0f} s")
    document: dict[str, Any] = {
        "schema": SCHEMA,
        **began,
        "versions": versions() | {"sqlite": sqlite3.sqlite_version, "postgresql": _postgresql()},
        "seed": asked.seed,
        "minutes": round((time.monotonic() - start) / 60, 1),
        "missing": missing,
        "verdicts": [verdict.to_json() for verdict in verdicts],
    }
    print(table(document))
    text = json.dumps(document, indent=1) + "\n"
    if asked.results is not None:
        asked.results.write_text(text, encoding="utf-8")
    if asked.record:
        if asked.only:
            text = json.dumps(_joined(kept(), document, asked.only), indent=1) + "\n"
        KEPT.write_text(text, encoding="utf-8")
        _render()
    return int(not all(verdict.is_clean for verdict in verdicts))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m loop",
        description="Injure the loop in every way, and print what that did to it. By default a sample.",
    )
    parser.add_argument("--minutes", type=float, help="examine for about so long")
    parser.add_argument("--only", nargs="+", choices=list(RIGS), metavar="RIG", help=", ".join(RIGS))
    parser.add_argument("--seed", type=int, default=1, help="where chance begins (1)")
    parser.add_argument("--results", type=Path, metavar="FILE", help="write the results to a file")
    parser.add_argument(
        "--record", action="store_true", help="keep the results, and write the page of the docs"
    )
    parser.add_argument(
        "--render", action="store_true", help="write the page from the kept results and leave"
    )
    return parser


def _joined(old: dict[str, Any], new: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Put the verdicts of rigs that ran again in the place of their old ones, and say so."""
    fresh = {verdict["id"]: verdict for verdict in new["verdicts"]}
    verdicts = [fresh.pop(verdict["id"], verdict) for verdict in old["verdicts"]]
    again = old.get("again", {}) | dict.fromkeys(names, f"{new['taken'][:10]} (seed {new['seed']})")
    return old | {"verdicts": [*verdicts, *fresh.values()], "again": again}


def _postgresql() -> str:
    said = subprocess.run(
        [binary("postgres"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    return said.split()[2]


def _render() -> None:
    PAGE.write_text(inserted(PAGE.read_text(encoding="utf-8"), kept()), encoding="utf-8")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
