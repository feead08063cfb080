"""The table: results as a file, and as Markdown in the documentation; no number is typed by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["KEPT", "PAGE", "SCHEMA", "inserted", "table"]

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "benchmarks" / "results" / "capture-exam.json"
PAGE = ROOT / "docs" / "capture-reliability.md"
SCHEMA = "driftline.exam/v1"
_MARKED = re.compile(r"(<!-- exam: (?P<name>[a-z]+) -->\n).*?(<!-- exam: end -->)", re.DOTALL)
_HEADS = (
    *("", "fault", "how", "times", "events acknowledged", "of these lost", "files unreadable or partial"),
    *("rows twice", "host calls failed", "silent damage", "counts that do not add up", "besides"),
)


def _rows(document: Mapping[str, Any]) -> Iterable[Sequence[str]]:
    for found in document["verdicts"]:
        besides = "; ".join(f"{what}: {n:,}" for what, n in found["notes"].items() if n)
        figures = ("lost", "unreadable", "duplicates", "failed", "silent", "unbalanced")
        yield (
            *(found["id"], found["fault"], found["how"], f"{found['times']:,}", f"{found['acknowledged']:,}"),
            *(f"**{found[name]:,}**" if found[name] else "0" for name in figures),
            besides,
        )


def table(document: Mapping[str, Any]) -> str:
    """Return the results as Markdown."""
    machine = document["machine"]
    head = (
        f"Taken {document['taken'][:10]}, seed {document['seed']}, {document['minutes']:.0f} minutes, on "
        f"{machine['processors_used']} processors of {machine['processor']}, {machine['system']}, Python "
        f"{document['versions']['python']}, pyarrow {document['versions']['pyarrow']}."
    )
    missing = "".join(
        f" `{name}` did not run: it needs {needs}." for name, needs in document["missing"].items()
    )
    missing += "".join(f" `{name}` ran again on {when}." for name, when in document.get("again", {}).items())
    lines = ["| " + " | ".join(_HEADS) + " |", "|---|---|---|" + "---:|" * 8 + "---|"]
    lines += ["| " + " | ".join(row) + " |" for row in _rows(document)]
    total = sum(found["times"] for found in document["verdicts"])
    acknowledged = sum(found["acknowledged"] for found in document["verdicts"])
    lost = sum(found["lost"] for found in document["verdicts"])
    end = f"Together {total:,} faults and {acknowledged:,} acknowledged events, of which {lost:,} were lost."
    return "\n\n".join((head + missing, "\n".join(lines), end))


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
