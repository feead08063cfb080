"""``driftline demo``."""

from __future__ import annotations

import shlex
import sys

import click

from driftline.cli.options import as_json
from driftline.cli.streams import print_json

__all__ = ["command"]


@click.command(name="demo")
@click.option(
    "-o", "--output", default="driftline-demo", show_default=True, metavar="DIR", help="Folder to work in."
)
@as_json
def command(output: str, json_: bool) -> int:
    """Monitor a real model's traffic, start to finish, in a few seconds.

    A churn model is trained on real, bundled data and answers 334 real requests, which are captured as
    Parquet. The training data become the baseline, the traffic is held to it, and the report is printed and
    written as HTML. One of the requests is mangled: see whether you would have noticed.

    \b
      driftline demo
      driftline demo -o somewhere/else
    """
    from driftline.demo import tell
    from driftline.errors import printable

    def quoted(path: object) -> str:
        return shlex.quote(printable(path, 300))

    story = tell(output, (lambda _: None) if json_ else click.echo)
    if json_:
        print_json(story.report.to_json())
        return 0
    from driftline.reports.terminal import print_report

    click.echo()
    print_report(story.report, sys.stdout)
    click.echo(f"\nreport to open in a browser: {quoted(story.page)}")
    click.echo(
        f"run it again yourself:       {_own_name()} check {quoted(story.capture.parents[3])} "
        f"--baseline {quoted(story.baseline)}"
    )
    return 0


def _own_name() -> str:
    """Say how this program is called from here; in a fresh checkout it is not on the search path."""
    import shutil
    from pathlib import Path

    if shutil.which("driftline"):
        return "driftline"
    called = Path(sys.argv[0])
    return "python3 -m driftline" if called.name == "__main__.py" else shlex.quote(str(called))
