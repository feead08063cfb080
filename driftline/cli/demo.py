"""``driftline demo``."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import click

from driftline.cli.options import as_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftline.demo import Cell, Story

__all__ = ["command"]


@click.command(name="demo")
@click.option(
    "-o", "--output", default="driftline-demo", show_default=True, metavar="DIR", help="Folder to work in."
)
@as_json
def command(output: str, json_: bool) -> int:
    """Watch a real model for a week, start to finish, in less than a minute.

    A churn model is trained on real, bundled data and answers real requests for seven days, which pass in seconds. They
    are captured, and every six hours the scheduler holds them to the training data. One request is mangled, one night is
    quiet, and from day four on something upstream is different: see whether you would have noticed.

    DIR becomes a workspace with a driftline.toml, to look around and to go on with. Another demo there replaces this one.

    \b
      driftline demo
      driftline demo -o somewhere/else
    """
    from driftline.demo import tell

    if json_:
        from driftline.cli.workspaces import print_document

        print_document(tell(output, lambda _: None).document())
        return 0
    _print(tell(output, click.echo, _print_day))
    return 0


def _print_day(cells: Sequence[Cell], before: Sequence[Cell]) -> None:
    from driftline.demo.shown import day, head
    from driftline.reports.terminal import print_to

    if not before:
        print_to(lambda _: head())
    print_to(lambda _: day(cells, before))
    sys.stdout.flush()


def _print(story: Story) -> None:
    from rich.console import Group

    from driftline.demo.shown import closing, span
    from driftline.errors import printable
    from driftline.reports.terminal import print_report, print_to

    def quoted(path: object) -> str:
        return shlex.quote(printable(path, 300))

    print_to(lambda _: Group(*closing(story)))
    when = span(story.mangled)
    click.echo(f"\n{when[:1].upper()}{when[1:]}, in full:\n")
    print_report(story.report, sys.stdout)
    program, place = _own_name(), quoted(story.folder)
    click.echo(f"\nreports to open in a browser:  {quoted(story.page)}\n{'':31}{quoted(story.drift_page)}")
    click.echo(f"go on by hand:  {program} schedule history churn-quality -w {place}")
    for alert in story.alerts:
        click.echo(f"{'':16}{program} alert show {alert.id} -w {place}")
        click.echo(f"{'':16}{program} lineage data alerts/{alert.id} -w {place}")
    click.echo(f"{'':16}{program} scheduler -w {place}")


def _own_name() -> str:
    """Say how this program is called from here; in a fresh checkout it is not on the search path."""
    import shutil
    from pathlib import Path

    if shutil.which("driftline"):
        return "driftline"
    called = Path(sys.argv[0])
    return "python3 -m driftline" if called.name == "__main__.py" else shlex.quote(str(called))
