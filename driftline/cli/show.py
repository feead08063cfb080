"""``driftline show``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from driftline.cli.options import as_json
from driftline.cli.streams import print_json

if TYPE_CHECKING:
    from driftline.baselines.baseline import Baseline

__all__ = ["command"]


@click.command(name="show")
@click.argument("path", metavar="REPORT|BASELINE")
@click.option("--html", "html_", metavar="FILE", help="Write the report as one HTML page.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME",
    help="Show only this column of a baseline (repeatable).",
)
@as_json
def command(path: str, html_: str | None, columns: tuple[str, ...], json_: bool) -> int:
    """Show a report or a baseline in the terminal.

    \b
      driftline show report/
      driftline show baseline/ --column age
      driftline show report/report.json --html page.html
    """
    target = Path(path)
    folder = target if target.is_dir() else target.parent
    is_report = target.name == "report.json" or (target.is_dir() and (target / "report.json").is_file())
    documents = ("baseline.json", "constraints.json", "analysis.json")
    is_baseline = any((folder / name).is_file() for name in documents) and not is_report
    if is_baseline:
        return _baseline(path, html_, columns, json_)
    if columns:
        from driftline.errors import UsageError

        raise UsageError(
            "a report is shown with all its columns", code="E-USAGE", file=path, fix="leave out --column"
        )
    from driftline.api import load_report

    report = load_report(path)
    if html_ is not None:
        from driftline.files import write_whole

        write_whole(html_, report.to_html().encode("utf-8", "surrogatepass"))
    if json_:
        print_json(report.to_json())
    elif html_ is None:
        from driftline.reports.terminal import print_report

        print_report(report, sys.stdout)
    else:
        from driftline.errors import printable

        click.echo(printable(html_, 300))
    return 0


def _baseline(path: str, html_: str | None, columns: tuple[str, ...], json_: bool) -> int:
    from driftline.errors import UsageError
    from driftline.monitor.kinds import load_baseline

    if html_ is not None:
        raise UsageError("a baseline has no HTML form", code="E-USAGE", file=path, fix="leave out --html")
    baseline = load_baseline(path)
    if json_:
        from driftline.baselines.baseline import INDEX

        print_json(baseline.files()[INDEX].decode("utf-8", "surrogatepass"))
    elif baseline.recipe != "data-quality":
        from driftline.cli.shown_metrics import print_metrics_baseline

        if columns:
            raise UsageError(
                f"a baseline of the kind {baseline.recipe} has no columns to choose",
                code="E-USAGE",
                file=path,
                fix="leave out --column",
            )
        print_metrics_baseline(baseline)
    else:
        from driftline.cli.shown import print_baseline

        print_baseline(cast("Baseline", baseline), columns)
    return 0
