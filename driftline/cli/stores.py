"""What the commands about captures share: which store is meant, and how sizes and counts are written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from driftline.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftline.capture.archive import Archive
    from driftline.capture.captures import Stats

__all__ = ["account", "counted", "existing", "size", "state_option"]


def state_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--state``."""
    return click.option(
        "--state",
        type=click.Path(file_okay=False),
        metavar="DIR",
        help="Local folder of what is not on the object store yet; only where captures lie on one.",
    )(function)


def existing(root: str, state: str | None) -> Archive:
    """Open captures that are there.

    Raises
    ------
    SourceError
        ``E-NO-STORE`` where there are none; nothing is made then.
    """
    from driftline.capture.archive import Archive
    from driftline.capture.layout import STATE

    place = Path(state) if state is not None else None
    if place is None and "://" not in root:
        place = Path(root) / STATE
    if place is not None and not (place / "manifest.db").exists():
        raise SourceError(
            "holds no captures", code="E-NO-STORE", file=root, fix="name the folder that capture writes to"
        )
    return Archive(root, state=state)


def counted(n: int, what: str) -> str:
    """Write a number with what it counts, such as ``1 file`` and ``2,000 files``."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def size(n_bytes: int) -> str:
    """Write a number of bytes for people, in units of 1,024."""
    value = float(n_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def account(stats: Stats) -> str:
    """Write what became of the events as lines that add up."""
    lines = [f"received     {stats.received:>12,}", f"  stored     {stats.stored:>12,}"]
    lines.append(f"  duplicate  {stats.duplicate:>12,}")
    lines.append(f"  quarantined{stats.quarantined:>12,}{_reasons(stats.quarantine)}")
    lines.append(f"  dropped    {sum(stats.dropped.values()):>12,}{_reasons(stats.dropped)}")
    lines.append(f"  waiting    {stats.waiting:>12,}")
    for name, n in (("replayed", stats.replayed), ("erased", stats.erased), ("expired", stats.expired)):
        if n:
            lines.append(f"{name:<13}{n:>12,}")
    if stats.damaged_bytes or stats.damaged_records:
        lines.append(
            f"damaged      {stats.damaged_bytes:>12,} bytes of logs, {stats.damaged_records:,} records"
        )
    if stats.torn_bytes:
        lines.append(f"torn         {stats.torn_bytes:>12,} bytes of records that were never acknowledged")
    if stats.balance:
        lines.append(f"unaccounted  {stats.balance:>12,}")
    lines.append(
        f"kept         {stats.rows:>12,} rows in {counted(stats.segments, 'file')}, {size(stats.bytes)}"
    )
    return "\n".join(lines)


def _reasons(reasons: Any) -> str:
    return "" if not reasons else "  " + ", ".join(f"{reason} {n:,}" for reason, n in reasons.items())
