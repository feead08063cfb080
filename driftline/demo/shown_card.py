"""The card of the income model in a terminal: who wrote and approved it, and what stands beside it after the week."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from driftline.demo.governance import AUTHOR, PROFILE, REVIEWER
from driftline.demo.playing import MONITORS
from driftline.demo.shown import hanging, indented, piece
from driftline.errors import printable
from driftline.reports.wording import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from driftline.demo.governance import Governed

__all__ = ["card"]

_WIDTH: Final = 13


def card(governed: Governed) -> Iterator[RenderableType]:
    """Give what there is to say about the card."""
    one = governed.card
    yield piece(
        (
            f"The card of the income model: version {one.approved_version}, written by {AUTHOR}, approved by {REVIEWER}.",
            "",
        )
    )
    yield indented(
        f"Nobody has changed it since; {plural(governed.n_evidence, 'baseline and report', 'baselines and reports')}"
        " stand beside it. Its monitors now:"
    )
    for monitor in sorted(governed.monitors, key=lambda one: MONITORS.index(one.schedule)):
        name = monitor.schedule.partition("-")[2].ljust(_WIDTH)
        alert = f"! {plural(monitor.open_alerts, 'open alert')}. " if monitor.open_alerts else "✓ "
        yield hanging(name, (alert + printable(monitor.headline, 300), "bold" if monitor.open_alerts else ""))
    yield indented(f"Annex IV ({PROFILE}): {governed.completeness.headline}")
    told = "all as it was written" if not governed.n_breaks else plural(governed.n_breaks, "break")
    yield indented(f"{plural(one.records, 'record')} of its chain, and every text, computed anew: {told}.")
