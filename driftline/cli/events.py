"""``driftline events``."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, short_time, workspace_option

if TYPE_CHECKING:
    from driftline.registry.outbox import Event

__all__ = ["command"]


@click.command(name="events")
@click.option(
    "--after", type=click.IntRange(0), default=0, metavar="NUMBER", help="Only events after this one."
)
@click.option(
    "--type", "kinds", multiple=True, metavar="PATTERN", help="Only such as alert.*; may be repeated."
)
@click.option("--follow", is_flag=True, help="Go on as events happen, until interrupted.")
@click.option("--limit", type=click.IntRange(1), help="Most events; all by default.")
@workspace_option
@as_json
def command(
    after: int, kinds: tuple[str, ...], follow: bool, limit: int | None, workspace: str | None, json_: bool
) -> int:
    """List every change of state, the oldest first; with --json one event a line.

    Each has a number; a program that remembers the last it has seen goes on from there with --after, and misses none.

    \b
      driftline events --type 'alert.*' --follow --json
    """
    from driftline.registry import outbox

    left = limit
    with opened(workspace) as ws:
        while left is None or left > 0:
            with ws.registry.read() as tx:
                page = outbox.read_events(tx, after=after)
            for event in page:
                after = event.seq
                if not _is_asked_for(event, kinds):
                    continue
                click.echo(json.dumps(_document(event)) if json_ else _line(event))
                if left is not None:
                    left -= 1
                    if not left:
                        break
            if not page:
                if not follow:
                    break
                time.sleep(1)
    return 0


def _is_asked_for(event: Event, kinds: tuple[str, ...]) -> bool:
    from fnmatch import fnmatchcase

    return not kinds or any(fnmatchcase(event.short, kind) for kind in kinds)


def _document(event: Event) -> dict[str, Any]:
    from driftline.registry.moments import shown

    return {
        "number": event.seq,
        "id": event.id,
        "type": event.type,
        "subject": event.subject,
        "time": shown(event.moment),
        "data": dict(event.data),
    }


def _line(event: Event) -> str:
    from driftline.errors import printable

    told = event.data.get("message") or event.data.get("title") or event.data.get("state") or ""
    what = f"{event.short:<24} {printable(event.subject, 100)}"
    return f"{event.seq:>6}  {short_time(event.moment)}  {what}  {printable(told, 200)}".rstrip()
