"""``driftline truth stats``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from driftline.cli.options import as_json
from driftline.cli.streams import print_json

if TYPE_CHECKING:
    from driftline.capture.labelled import Coverage

__all__ = ["command"]

_YEARS = ("0001-01-01", "9999-12-31")
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


@click.command(name="stats")
@click.argument("captures", metavar="CAPTURES")
@click.option("--endpoint", required=True, metavar="NAME", help="Endpoint or batch job.")
@click.option("--variant", metavar="NAME", help="Count one variant only.")
@click.option("--from", "start", metavar="TIME", default=_YEARS[0], help="Events from this time on.")
@click.option("--to", "end", metavar="TIME", default=_YEARS[1], help="Events before this time.")
@click.option("--as-of", metavar="TIME", help="Only labels that had been imported by then.")
@as_json
def command(
    captures: str, endpoint: str, variant: str | None, start: str, end: str, as_of: str | None, json_: bool
) -> int:
    """Say how much of what was captured has a label, and how late it came.

    \b
      driftline truth stats captures/ --endpoint churn --from 2026-11-23 --to 2026-11-24
    """
    from driftline.capture.labelled import labelled

    coverage = labelled(captures, endpoint, start, end, variant=variant, as_of=as_of).coverage()
    if json_:
        print_json(json.dumps({**asdict(coverage), "share": coverage.share}, indent=2))
    else:
        click.echo(_account(coverage))
    return 0


def _account(coverage: Coverage) -> str:
    share = "" if coverage.share is None else f"  {coverage.share:.1%}"
    lines = [f"rows         {coverage.rows:>12,}", f"  labelled   {coverage.labelled:>12,}{share}"]
    if coverage.lag_p50 is not None and coverage.lag_p90 is not None and coverage.lag_max is not None:
        lags = (("half", coverage.lag_p50), ("nine tenths", coverage.lag_p90), ("all", coverage.lag_max))
        lines.append("after        " + ", ".join(f"{_duration(lag)} ({name})" for name, lag in lags))
    for name, n in (
        ("corrected", coverage.corrected),
        ("duplicates", coverage.duplicates),
        ("misfits", coverage.misfits),
        ("unmatched", coverage.unmatched),
    ):
        lines.append(f"{name:<13}{n or 0:>12,}")
    return "\n".join(lines)


def _duration(seconds: float) -> str:
    """Write a duration in its largest unit."""
    for unit, size in _UNITS:
        if abs(seconds) >= size or size == 1:
            amount = f"{seconds / size:.3g}"
            return f"{amount} {unit}" + ("" if amount == "1" else "s")
    return ""
