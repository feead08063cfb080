"""``driftline card show``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from driftline.cli.cards import (
    card_document,
    evidence_document,
    named,
    record_document,
    version_argument,
    version_document,
)
from driftline.cli.options import as_json
from driftline.cli.streams import print_whole
from driftline.cli.workspaces import opened, print_document, workspace_option

if TYPE_CHECKING:
    from driftline.cards.view import CardView, MonitorState

__all__ = ["command"]


@click.command(name="show")
@version_argument
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "md", "html"]),
    default="text",
    help="Print it as Markdown or HTML.",
)
@workspace_option
@as_json
def command(name: str, format_: str, workspace: str | None, json_: bool) -> int:
    """Show a card, and beside the text the state of its monitors, as it is now.

    VERSION is a number, latest (the default) or approved.

    \b
      driftline card show churn-card
      driftline card show churn-card@approved --format html > card.html
    """
    card, which = named(name)
    with opened(workspace) as ws:
        view = ws.cards.view(card, which, monitors=True)
    if json_:
        print_document(_document(view))
    elif format_ == "text":
        from driftline.cards.render.page import page_of
        from driftline.cli.card_terminal import print_page

        print_page(page_of(view))
    else:
        from driftline.cards.exporting import render

        print_whole(render(view, format_))
    return 0


def _document(view: CardView) -> dict[str, Any]:
    return {
        "card": card_document(view.card),
        "version": version_document(view.version),
        "records": [record_document(one) for one in view.records],
        "warnings": list(view.warnings),
        "monitors": [_monitor(one) for one in view.monitors],
        "evidence": [evidence_document(one) for one in view.evidence],
    }


def _monitor(state: MonitorState) -> dict[str, Any]:
    from driftline.registry.moments import shown

    plain = {name: getattr(state, name) for name in type(state).__slots__}
    window = None if state.last_window is None else [shown(moment) for moment in state.last_window]
    moments = {"last_ended": shown(state.last_ended), "next_due": shown(state.next_due)}
    return {**plain, "last_window": window, **moments}
