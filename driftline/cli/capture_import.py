"""``driftline capture import``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from driftline.cli.options import as_json, header_option, lean_memory, progress_bar
from driftline.cli.stores import state_option
from driftline.cli.streams import print_json
from driftline.errors import InputError, UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftline.capture.archive import Archive
    from driftline.capture.imports import Imported

__all__ = ["command"]


@click.command(name="import")
@click.argument("source", nargs=-1, required=True)
@click.option("--to", "target", required=True, metavar="CAPTURES", help="Folder or URL to store them in.")
@click.option(
    "--endpoint",
    metavar="NAME",
    help="Endpoint, or name of the batch job; SageMaker's folders name it themselves.",
)
@click.option("--variant", metavar="NAME", help="AllTraffic where nothing names it.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(("sagemaker", "parquet", "csv", "jsonl")),
    help="Told from the names and the content by default.",
)
@click.option(
    "--outputs",
    multiple=True,
    metavar="PATH",
    help="Outputs of a batch job; by default what lies beside its inputs with .out behind the name.",
)
@click.option(
    "--id", "id_column", metavar="COLUMN", help="Join inputs and outputs by this column, not by position."
)
@click.option(
    "--time",
    metavar="TIME",
    help="When the job began, or what happened for records that do not say: 2026-11-23T07:00:00Z.",
)
@click.option("--model-version", metavar="TEXT", help="Version of the model that a batch job ran.")
@click.option(
    "--header/--no-header",
    default=None,
    help="Whether inputs in CSV begin with column names; told from the first line by default.",
)
@click.option(
    "--output-header/--no-output-header",
    default=None,
    help="Whether outputs in CSV do.",
)
@click.option(
    "--preprocessor",
    type=click.Path(dir_okay=False),
    metavar="FILE.py",
    help="Python file with preprocess_handler, run over every captured record in a confined process.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@state_option
@as_json
def command(
    source: tuple[str, ...],
    target: str,
    endpoint: str | None,
    variant: str | None,
    format_: str | None,
    outputs: tuple[str, ...],
    id_column: str | None,
    time: str | None,
    model_version: str | None,
    header: bool | None,
    output_header: bool | None,
    preprocessor: str | None,
    quiet: bool,
    state: str | None,
    json_: bool,
) -> int:
    """Bring in SageMaker's captured traffic, or a batch job's inputs and outputs.

    What was imported before is not stored again. Records that cannot be read go into quarantine; that is told, and
    is no failure. Files that cannot be read are: the exit status is 2, and the others are stored.

    \b
      driftline capture import s3://bucket/data-capture --to captures/
      driftline capture import inputs/ --outputs outputs/ --endpoint nightly --to captures/
    """
    from driftline.capture.archive import Archive
    from driftline.capture.find import everything
    from driftline.capture.window import moment_of

    lean_memory()
    paths = list(source)
    everything([*paths, *outputs])
    moment = None if time is None else moment_of(time)
    is_batch = bool(outputs) or id_column is not None or not _is_captured(paths, format_)
    if is_batch and endpoint is None:
        raise UsageError("a batch job needs a name", code="E-NAME", fix="give it one, with --endpoint")
    if is_batch and preprocessor is not None:
        raise UsageError("a preprocessor is run over captured records, not over files of a batch job")

    def archive() -> Archive:
        return Archive(target, state=state)

    with progress_bar("importing", quiet=quiet) as progress:
        if is_batch:
            from driftline.capture.batch import import_batch

            done = import_batch(
                archive,
                paths,
                list(outputs) or None,
                job=endpoint or "",
                variant=variant,
                id_column=id_column,
                time=moment,
                model_version=model_version,
                format=format_,
                header=header_option(header),
                output_header=header_option(output_header),
                progress=progress,
            )
        else:
            done = _sagemaker(archive, paths, endpoint, variant, moment, preprocessor, progress)
    if json_:
        print_json(done.to_json())
    elif not quiet:
        _print(done, target)
    for error in done.failures:
        click.echo(f"driftline: {error}", err=True)
    return 2 if done.failures else 0


def _is_captured(paths: list[str], format_: str | None) -> bool:
    """Tell whether the files are captured traffic; what is wrong with them is told by whoever reads them."""
    if format_ is not None:
        return format_ == "sagemaker"
    from driftline.capture.find import find
    from driftline.capture.sniff import settled

    try:
        return settled(find(paths)).format == "sagemaker"
    except InputError:
        return False


def _sagemaker(
    archive: Callable[[], Archive],
    paths: list[str],
    endpoint: str | None,
    variant: str | None,
    time: int | None,
    preprocessor: str | None,
    progress: Callable[[int, int], None] | None,
) -> Imported:
    from driftline.capture.imports import import_sagemaker

    if preprocessor is None:
        return import_sagemaker(
            archive, paths, endpoint=endpoint, variant=variant, time=time, progress=progress
        )
    from driftline.files import digest, read_regular
    from driftline.monitor.preprocessing import handler_of, open_preprocessor

    opened = open_preprocessor(preprocessor, sort_keys=False)
    try:
        return import_sagemaker(
            archive,
            paths,
            endpoint=endpoint,
            variant=variant,
            time=time,
            preprocessor=handler_of(opened),
            preprocessor_digest=digest(read_regular(preprocessor, max_bytes=1 << 20)),
            progress=progress,
        )
    finally:
        opened.close()


def _print(done: Imported, target: str) -> None:
    files = "1 file" if done.files == 1 else f"{done.files:,} files"
    dropped = sum(done.dropped.values())
    quarantined = sum(done.quarantined.values())
    line = (
        f"{files}: received {done.received:,} = stored {done.stored:,} + duplicate {done.duplicate:,} "
        f"+ quarantined {quarantined:,}"
    )
    click.echo(line + (f" + dropped {dropped:,} ({', '.join(sorted(done.dropped))})" if dropped else ""))
    if done.received and done.received == done.duplicate:
        click.echo("nothing new: all of it was stored before")
    if quarantined:
        reasons = ", ".join(f"{code} {n:,}" for code, n in sorted(done.quarantined.items()))
        click.echo(
            f"{quarantined:,} could not be read and {'lies' if quarantined == 1 else 'lie'} in quarantine: {reasons}; "
            f"see why: driftline capture replay {printable(target, 300)} --dry-run"
        )
    for note in done.notes:
        click.echo(f"note: {printable(note, 400)}")
