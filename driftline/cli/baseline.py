"""``driftline baseline``."""

from __future__ import annotations

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

__all__ = ["command"]


@click.command(name="baseline")
@click.argument("data", nargs=-1, required=True)
@click.option("-o", "--output", required=True, metavar="DIR", help="Folder to write the baseline into.")
@click.option(
    "--kind",
    metavar="KIND",
    default="data-quality",
    show_default=True,
    help="data-quality, model-quality, bias or attribution.",
)
@click.option(
    "-c",
    "--config",
    metavar="FILE.toml",
    help="For the other kinds: which column is which, where the model is.",
)
@click.option("--by", metavar="COLUMN", help="Also keep the rows apart by the values of this column.")
@click.option(
    "--compat", metavar="MODE", help='"sagemaker" writes what SageMaker Model Monitor would, quirks included.'
)
@click.option("--unique", is_flag=True, help="Also hold identifiers to be unique.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing.")
@as_json
@reading_options
def command(
    data: tuple[str, ...],
    output: str,
    kind: str,
    config: str | None,
    by: str | None,
    compat: str | None,
    unique: bool,
    quiet: bool,
    json_: bool,
    format_: str | None,
    header: bool | None,
    preprocessor: str | None,
    threads: int | None,
) -> int:
    """Learn what the training data looks like.

    DATA are files, folders, patterns or URLs of Parquet, CSV or JSON Lines. The folder gets statistics.json
    and constraints.json in SageMaker Model Monitor's form, and driftline's own profile. constraints.json is
    yours to edit.

    \b
      driftline baseline train.parquet -o baseline/
      driftline baseline 's3://bucket/train/*.parquet' -o baseline/ --by country
      driftline baseline validation.parquet -o bias/ --kind bias -c bias.toml
    """
    from driftline.baselines.folder import refuse_report
    from driftline.monitor.kinds import check_kind, make_baseline

    # Reading the data may take long; that it was for nothing is better known before.
    refuse_report(output)
    check_kind(kind)
    given = small_file(config)
    lean_memory()
    with progress_bar("reading", quiet=quiet) as progress:
        made = make_baseline(
            one_or_many(data),
            kind=kind,
            config=given,
            config_file=config or "config",
            compat=compat,
            by=by,
            format=format_,
            header=header_option(header),
            preprocessor=preprocessor,
            uniqueness=unique,
            threads=threads,
            progress=progress,
        )
    made.save(output)
    if json_:
        from driftline.baselines.baseline import INDEX

        print_json(made.files()[INDEX].decode("utf-8", "surrogatepass"))
    elif not quiet:
        from driftline.cli.shown import print_saved_baseline
        from driftline.cli.shown_metrics import print_saved_metrics_baseline

        tell = print_saved_baseline if kind == "data-quality" else print_saved_metrics_baseline
        tell(made, output)
    return 0
