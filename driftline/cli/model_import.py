"""``driftline model import``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, reason_option, workspace_option

if TYPE_CHECKING:
    from driftline.registry.importing.imported import Imported
    from driftline.workspace import Workspace

__all__ = ["command"]


@click.command(name="import")
@click.argument("name", metavar="MODEL")
@click.argument("more", metavar="[FILE]...", nargs=-1)
@click.option(
    "--sagemaker",
    multiple=True,
    metavar="FILE",
    help="What SageMaker's describe and search calls answered, as JSON; several files or folders in a row.",
)
@click.option(
    "--mlflow", metavar="URI", help="Read MLflow's registry and runs there; MODEL is its name in MLflow."
)
@click.option("--as", "named", metavar="NAME", help="Name here, where MLflow's does not do.")
@click.option(
    "--version", metavar="VERSION", help="Of this version; of MLflow also an alias, and all by default."
)
@click.option("--artifact", "artifacts", multiple=True, metavar="FILE", help="A file or folder of the model.")
@click.option("--data", multiple=True, metavar="FILE", help="What it was trained on.")
@click.option("--owner", metavar="NAME", help="Who answers for it.")
@click.option("--description", metavar="TEXT", help="What it is for.")
@click.option("--risk", type=click.Choice(["low", "medium", "high", "unknown"]), help="Its risk rating.")
@click.option("--tag", "tags", multiple=True, metavar="NAME=VALUE", help="A tag of the version.")
@click.option("--job", metavar="NAME", help="The training job.")
@click.option("--code", metavar="URI", help="The code it was trained with.")
@click.option("--endpoint", metavar="NAME", help="What serves this version from now on.")
@reason_option
@workspace_option
@as_json
def command(
    name: str,
    more: tuple[str, ...],
    sagemaker: tuple[str, ...],
    mlflow: str | None,
    reason: str,
    workspace: str | None,
    json_: bool,
    **given: Any,
) -> int:
    """Bring a model in, from MLflow, from SageMaker's answers or from files.

    What can be found out is filled in: sizes, digests and times of files; of MLflow's runs also parameters, metrics,
    data sets and code. Importing again changes nothing where nothing changed.

    \b
      driftline model import churn --artifact churn.onnx --data train.csv --owner growth
      driftline model import churn --mlflow http://127.0.0.1:5000 --version champion --endpoint churn-prod
      driftline model import churn --sagemaker describe_model.json describe_training_job.json
    """
    if more and not sagemaker:
        raise click.UsageError(f"unexpected argument {more[0]!r}: files follow --artifact or --sagemaker")
    if mlflow and sagemaker:
        raise click.UsageError("--sagemaker and --mlflow stand side by side: import one after the other")
    with opened(workspace) as ws:
        if mlflow:
            imported = _mlflow(ws, name, mlflow, given, reason)
        elif sagemaker:
            imported = _sagemaker(ws, name, [*sagemaker, *more], given, reason)
        else:
            imported = _plain(ws, name, given, reason)
    if json_:
        print_document(
            {
                "model": imported.model,
                "changed": imported.changed,
                "versions": [
                    {
                        "version": one.version,
                        "changed": one.changed,
                        "filled": list(one.filled),
                        "missing": list(one.missing),
                    }
                    for one in imported.versions
                ],
                "notes": list(imported.notes),
            }
        )
    else:
        click.echo(str(imported))
    return 0


_OF_FILES = ("artifacts", "data", "owner", "description", "risk", "tags", "job", "code")


def _mlflow(ws: Workspace, name: str, uri: str, given: dict[str, Any], reason: str) -> Imported:
    from driftline.registry.importing.mlflow import from_mlflow

    extra = [f"--{key.rstrip('s')}" for key in _OF_FILES if given[key]]
    if extra:
        raise click.UsageError(f"{extra[0]} stands beside --mlflow, which knows it")
    if given["endpoint"] and not given["version"]:
        raise click.UsageError("an endpoint serves one version: name it with --version")
    # MLflow is read before the transaction begins, in which nobody else could write.
    return from_mlflow(
        ws.registry,
        uri,
        name,
        version=given["version"],
        endpoint=given["endpoint"],
        name=given["named"],
        reason=reason,
    )


def _sagemaker(ws: Workspace, name: str, files: list[str], given: dict[str, Any], reason: str) -> Imported:
    from driftline.registry.importing.sagemaker import from_sagemaker

    extra = [option for option in ("artifacts", "data", "code", "named") if given[option]]
    if extra:
        shown = {"named": "--as"}.get(extra[0], f"--{extra[0].rstrip('s')}")
        raise click.UsageError(f"{shown} stands beside --sagemaker, whose answers say it")
    return from_sagemaker(
        ws.registry,
        files,
        name,
        version=given["version"],
        job=given["job"],
        owner=given["owner"],
        description=given["description"],
        risk_rating=given["risk"],
        tags=_tags(given) or None,
        endpoint=given["endpoint"],
        reason=reason,
    )


def _tags(given: dict[str, Any]) -> dict[str, str]:
    tags = {}
    for tag in given["tags"]:
        key, sign, value = tag.partition("=")
        if not sign:
            raise click.UsageError(f"--tag {tag!r} has no value: write NAME=VALUE")
        tags[key] = value
    return tags


def _plain(ws: Workspace, name: str, given: dict[str, Any], reason: str) -> Imported:
    from driftline.errors import UsageError

    if given["named"]:
        raise click.UsageError("--as is for --mlflow")
    if not given["artifacts"] and not given["version"]:
        raise UsageError(
            "nothing says what to import",
            fix="give --artifact FILE, --mlflow URI or --sagemaker FILE",
            field="MODEL",
        )
    tags = _tags(given)
    return ws.models.bring(
        name,
        reason=reason,
        version=given["version"],
        artifacts=given["artifacts"],
        training_data=given["data"],
        owner=given["owner"],
        description=given["description"],
        risk_rating=given["risk"],
        tags=tags or None,
        job=given["job"],
        code=given["code"],
        endpoint=given["endpoint"],
    )
