"""``driftline model``: a group of commands."""

from __future__ import annotations

import click

from driftline.cli.application import Lazy

__all__ = ["COMMANDS", "command"]

COMMANDS = {
    "list": ("driftline.cli.model_list", "List models."),
    "show": ("driftline.cli.model_show", "Show one model, and where its versions serve."),
    "versions": ("driftline.cli.model_versions", "List the versions of a model."),
    "import": (
        "driftline.cli.model_import",
        "Bring a model in, from MLflow, from SageMaker's answers or from files.",
    ),
}


@click.command(name="model", cls=Lazy, commands_at=COMMANDS)
def command() -> None:
    """List models and their versions; import them.

    \b
      driftline model list
      driftline model import churn --artifact churn.onnx --data train.csv
    """
