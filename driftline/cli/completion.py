"""``driftline completion``."""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command(name="completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the completion script for a shell.

    \b
      driftline completion bash > ~/.local/share/bash-completion/completions/driftline
    """
    from click.shell_completion import get_completion_class

    from driftline.cli.application import application

    cls = get_completion_class(shell)
    assert cls is not None
    click.echo(cls(application, {}, "driftline", "_DRIFTLINE_COMPLETE").source())
    return 0
