"""The tree of commands, loaded one by one when they are called for."""

from __future__ import annotations

import importlib

import click

from driftline import __version__

__all__ = ["COMMANDS", "application"]

COMMANDS = {
    "demo": ("driftline.cli.demo", "Monitor a real model's traffic, start to finish, in a few seconds."),
    "baseline": ("driftline.cli.baseline", "Learn what the training data looks like."),
    "check": ("driftline.cli.check", "Hold live data to a baseline; say what is violated and why."),
    "show": ("driftline.cli.show", "Show a report or a baseline in the terminal."),
    "diff": ("driftline.cli.diff", "Tell what changed between two reports."),
    "completion": ("driftline.cli.completion", "Print the completion script for a shell."),
}
"""Module and one-line help of every command; help needs neither module nor NumPy."""


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from driftline.documents import nearest

            close = nearest(args[0], COMMANDS)
            hint = f"; did you mean {close!r}?" if close else ""
            raise click.UsageError(f"there is no command {args[0]!r}{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 nothing violated, 1 violations, 2 input or usage error, 3 internal fault, "
    "4 nothing could be judged.",
)
@click.version_option(__version__, "-V", "--version", message="driftline %(version)s")
def application() -> None:
    """Watch machine-learning models in production.

    Baseline once, compare every window, say what is violated and why:

    \b
      driftline baseline train.parquet -o baseline/
      driftline check today.parquet --baseline baseline/
    """
