"""``driftline alert outbox``."""

from __future__ import annotations

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import (
    opened,
    page_option,
    print_document,
    reason_option,
    short_time,
    table,
    workspace_option,
)

__all__ = ["command"]


@click.command(name="outbox")
@click.option("--resend", is_flag=True, help="Send the dead letters again.")
@click.option("--target", metavar="NAME", help="Of one target only.")
@page_option
@reason_option
@workspace_option
@as_json
def command(
    resend: bool, target: str | None, limit: int, reason: str, workspace: str | None, json_: bool
) -> int:
    """See notifications that did not arrive; send them again. Leaves with 1 where there are any.

    \b
      driftline alert outbox --resend --target ops
    """
    from driftline.registry import targets
    from driftline.registry.moments import shown

    with opened(workspace) as ws:
        with ws.registry.read() as tx:
            letters = targets.dead_letters(tx, target=target, limit=limit)
        if resend and letters:
            ws.registry.act(
                lambda tx: [targets.redeliver(tx, one.event.id, one.target) for one in letters], reason=reason
            )
    if json_:
        print_document(
            {
                "resent": resend,
                "dead": [
                    {
                        "event": o.event.id,
                        "type": o.event.type,
                        "target": o.target,
                        "error": o.error,
                        "ended": shown(o.ended),
                    }
                    for o in letters
                ],
            }
        )
    elif resend:
        click.echo(f"{len(letters):,} to be sent again by the scheduler")
    else:
        table(
            ("event", "type", "target", "given up", "why"),
            ((o.event.id, o.event.short, o.target, short_time(o.ended), o.error or "") for o in letters),
            fold="why",
            empty="no dead letters",
        )
    return int(bool(letters) and not resend)
