"""The table: results as a file, and as Markdown in the documentation; no number is typed by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["KEPT", "PAGE", "SCHEMA", "inserted", "kept", "table"]

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "benchmarks" / "results" / "loop-exam.json"
PAGE = ROOT / "docs" / "loop-reliability.md"
SCHEMA = "driftline.loop-exam/v1"
_MARKED = re.compile(r"(<!-- loop: (?P<name>[a-z]+) -->\n).*?(<!-- loop: end -->)", re.DOTALL)
_HEADS = ("", "case", "how", "tries", "failures", "besides")


def _rows(document: Mapping[str, Any]) -> Iterable[Sequence[str]]:
    for found in document["verdicts"]:
        failures = f"**{found['failures']:,}**" if found["failures"] else "0"
        besides = "; ".join(f"{what}: {n:,}" for what, n in found["notes"].items() if n)
        yield found["id"], found["case"], found["how"], f"{found['tries']:,}", failures, besides


def table(document: Mapping[str, Any]) -> str:
    """Return the results as Markdown."""
    machine, used = document["machine"], document["versions"]
    head = (
        f"Taken {document['taken'][:10]}, seed {document['seed']}, {document['minutes']:.0f} minutes, on "
        f"{machine['processors_used']} processors of {machine['processor']}, {machine['system']}, Python "
        f"{used['python']}, SQLite {used['sqlite']}, PostgreSQL {used['postgresql']}."
    )
    missing = "".join(
        f" `{name}` did not run: it needs {needs}." for name, needs in document["missing"].items()
    )
    missing += "".join(f" `{name}` ran again on {when}." for name, when in document.get("again", {}).items())
    lines = ["| " + " | ".join(_HEADS) + " |", "|---|---|---|---:|---:|---|"]
    lines += ["| " + " | ".join(row) + " |" for row in _rows(document)]
    tries = sum(found["tries"] for found in document["verdicts"])
    failures = sum(found["failures"] for found in document["verdicts"])
    return "\n\n".join(
        (
            head + missing,
            "\n".join(lines),
            f"Together {tries:,} tries and {failures:,} failure{'' if failures == 1 else 's'}.",
        )
    )


def inserted(page: str, document: Mapping[str, Any]) -> str:
    """Return the page with the table of these results in its place."""
    text = table(document)
    page, n = _MARKED.subn(lambda match: f"{match[1]}\n{text}\n\n{match[3]}", page)
    if n != 1:
        raise ValueError(f"{PAGE.name} has {n} places for the table, expected one")
    return page


def kept() -> dict[str, Any]:
    """Return the recorded results."""
    document: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8"))
    if document.get("schema") != SCHEMA:
        raise ValueError(f"{KEPT.name} is not of schema {SCHEMA}: examine again")
    return document
