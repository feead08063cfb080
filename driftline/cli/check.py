"""``driftline check``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from driftline.cli.options import (
    as_json,
    header_option,
    lean_memory,
    one_or_many,
    progress_bar,
    reading_options,
    small_file,
)
from driftline.cli.streams import print_json

if TYPE_CHECKING:
    from driftline.reports.report import Report

__all__ = ["command", "exit_status"]


@click.command(name="check")
@click.argument("data", nargs=-1, required=True)
@click.option(
    "-b", "--baseline", required=True, metavar="DIR", help="The baseline's folder, or SageMaker's files."
)
@click.option("-o", "--output", metavar="DIR", help="Folder for the report: JSON, HTML, violations.")
@click.option("-c", "--config", metavar="FILE.toml", help="Checks and thresholds to change.")
@click.option("--kind", metavar="KIND", help="Where SageMaker's file is of two kinds: the one that is meant.")
@click.option(
    "--settings",
    metavar="FILE.toml",
    help="Which column is which, where the baseline does not say: SageMaker's does not.",
)
@click.option("--by", metavar="COLUMN", help="Also judge the rows apart by the values of this column.")
@click.option(
    "--compat", metavar="MODE", help='"sagemaker" gives SageMaker Model Monitor\'s numbers, quirks included.'
)
@click.option("--explain-compat", is_flag=True, help="Also run the other mode and say where the two differ.")
@click.option("--strict", is_flag=True, help="Exit with 4 if anything is undetermined.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even if violations are found.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing.")
@as_json
@reading_options
def command(
    data: tuple[str, ...],
    baseline: str,
    output: str | None,
    config: str | None,
    kind: str | None,
    settings: str | None,
    by: str | None,
    compat: str | None,
    explain_compat: bool,
    strict: bool,
    exit_zero: bool,
    quiet: bool,
    json_: bool,
    format_: str | None,
    header: bool | None,
    preprocessor: str | None,
    threads: int | None,
) -> int:
    """Hold live data to a baseline; say what is violated and why.

    The baseline knows of which kind it is: data-quality, model-quality, bias or attribution.

    \b
      driftline check today.parquet --baseline baseline/ -o report/
      driftline check 'captures/*.jsonl' --baseline baseline/ --compat sagemaker
    """
    from driftline.monitor.kinds import check

    if output is not None:
        from driftline.baselines.folder import refuse_baseline, refuse_same

        # Reading the data may take long; that it was for nothing is better known before.
        refuse_same(output, baseline)
        refuse_baseline(output)
    overrides, given = small_file(config), small_file(settings)
    lean_memory()
    with progress_bar("reading", quiet=quiet) as progress:
        report = check(
            one_or_many(data),
            baseline,
            kind=kind,
            compat=compat,
            config=given,
            config_file=settings or "settings",
            overrides=overrides,
            overrides_file=config or "overrides",
            by=by,
            format=format_,
            header=header_option(header),
            preprocessor=preprocessor,
            explain_compat=explain_compat,
            threads=threads,
            progress=progress,
        )
    if output is not None:
        report.save(output)
    if json_:
        print_json(report.to_json())
    elif not quiet:
        _print(report, output)
    return 0 if exit_zero and report.violations else exit_status(report, strict=strict)


def exit_status(report: Report, *, strict: bool = False) -> int:
    """Return 1 for violations, 4 where nothing could be judged (`strict`: not everything), else 0."""
    if report.violations:
        return 1
    if not report.judged_anything or (strict and report.undetermined):
        return 4
    return 0


def _print(report: Report, output: str | None) -> None:
    from driftline.reports.terminal import print_report

    print_report(report, sys.stdout)
    if output is not None:
        from driftline.errors import printable

        click.echo(f"\nreport: {printable(output, 300).rstrip('/')}/report.html")
