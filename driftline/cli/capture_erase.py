"""``driftline capture erase``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from driftline.cli.options import as_json
from driftline.cli.stores import counted, existing, state_option
from driftline.cli.streams import print_json

__all__ = ["command"]


@click.command(name="erase")
@click.argument("captures", metavar="CAPTURES")
@click.option(
    "--event-id", "event_ids", multiple=True, metavar="ID", help="An event to forget; may be repeated."
)
@click.option(
    "--inference-id",
    "inference_ids",
    multiple=True,
    metavar="ID",
    help="A caller's id to forget; may be repeated.",
)
@click.option(
    "--ids-from",
    type=click.Path(dir_okay=False, exists=True),
    metavar="FILE",
    help="File with an id a line, taken as event id and as inference id.",
)
@state_option
@as_json
def command(
    captures: str,
    event_ids: tuple[str, ...],
    inference_ids: tuple[str, ...],
    ids_from: str | None,
    state: str | None,
    json_: bool,
) -> int:
    """Forget events by their id: every file that holds one is written anew without it, and the old one is removed at once.

    \b
      driftline capture erase captures/ --inference-id 4711
    """
    events, callers = set(event_ids), set(inference_ids)
    if ids_from is not None:
        listed = {
            line.strip() for line in Path(ids_from).read_text(encoding="utf-8").splitlines() if line.strip()
        }
        events |= listed
        callers |= listed
    if not events and not callers:
        raise click.UsageError("give --event-id, --inference-id or --ids-from")
    from driftline.capture.upkeep import erase

    archive = existing(captures, state)
    n = erase(archive, event_ids=events, inference_ids=callers)
    running = len(archive.waiting_logs())
    beside = Path(captures).parent
    if "://" not in captures and (beside / "profiles").is_dir():
        # What a workspace has kept of these files holds texts of their rows.
        from driftline.capture.target import target_of
        from driftline.monitor.keeper import FolderKeeper
        from driftline.monitor.kept import forget_stale

        names = {segment.endpoint for segment in archive.manifest.segments()}
        forget_stale(captures, FolderKeeper(target_of(beside)), endpoints=names)
    if json_:
        print_json(json.dumps({"erased": n, "logs_in_use": running}))
    else:
        click.echo(f"{counted(n, 'event')} forgotten")
        if running:
            click.echo(
                "what a running service has not stored yet is left out when it does, within a minute or so"
            )
    return 0
