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
    """Watch two real models for a week, start to finish, in less than a minute.

    A churn model and an income model are trained on real, bundled data and answer real requests for seven days, which
    pass in seconds. Everything is captured. The scheduler holds what the one is asked to its training data every six hours,
    and looks at data, quality, bias and attribution of the other every day. One request is mangled, one night is quiet, and
    from day four on something upstream is different, for either: see whether you would have noticed.

    Before it is asked, the income model gets its card: one person writes it, another approves it, and what the monitors
    find is kept beside it.

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

    from driftline.demo import shown_card, shown_income
    from driftline.demo.playing import SCHEDULE
    from driftline.demo.shown import closing, span
    from driftline.errors import printable
    from driftline.reports.terminal import print_report, print_to

    def quoted(path: object) -> str:
        return shlex.quote(printable(path, 300))

    print_to(lambda _: Group(*closing(story)))
    when = span(story.mangled)
    click.echo(f"\n{when[:1].upper()}{when[1:]}, in full:\n")
    print_report(story.report, sys.stdout)
    click.echo()
    print_to(lambda _: Group(*shown_income.week(story.income), "", *shown_income.closing(story.income)))
    click.echo()
    print_to(lambda _: Group(*shown_card.card(story.governed)))
    program, place = _own_name(), quoted(story.folder)
    pages = [story.page, story.drift_page, *story.income.pages.values()]
    click.echo("\nreports to open in a browser:  " + f"\n{'':31}".join(quoted(page) for page in pages))
    click.echo(f"{'the approved card:':31}{quoted(story.governed.pdf)}")
    tries = [f"schedule history {SCHEDULE}"]
    tries += [f"alert show {alert.id}" for alert in story.alerts]
    tries += [f"lineage data alerts/{alert.id}" for alert in story.alerts]
    tries += ["schedule timeline income-bias --metric DI --feature sex=Female"]
    tries += [
        f"card check {story.governed.card.name}",
        f"card verify {story.governed.card.name}",
        "scheduler",
    ]
    click.echo("go on by hand:  " + f"\n{'':16}".join(f"{program} {one} -w {place}" for one in tries))


def _own_name() -> str:
    """Say how this program is called from here; in a fresh checkout it is not on the search path."""
    import shutil
    from pathlib import Path

    if shutil.which("driftline"):
        return "driftline"
    called = Path(sys.argv[0])
    return "python3 -m driftline" if called.name == "__main__.py" else shlex.quote(str(called))
