"""The tree of commands, loaded one by one when they are called for."""

from __future__ import annotations

import importlib
from typing import Any

import click

from driftline import __version__

__all__ = ["COMMANDS", "Lazy", "application"]

COMMANDS = {
    "demo": (
        "driftline.cli.demo",
        "Watch two real models for a week, start to finish, in less than a minute.",
    ),
    "baseline": ("driftline.cli.baseline", "Learn what the training data looks like."),
    "check": ("driftline.cli.check", "Hold live data to a baseline; say what is violated and why."),
    "show": ("driftline.cli.show", "Show a report or a baseline in the terminal."),
    "diff": ("driftline.cli.diff", "Tell what changed between two reports."),
    "init": ("driftline.cli.init", "Make a workspace."),
    "apply": ("driftline.cli.apply", "Declare in one file what should be; shows a plan first."),
    "capture": ("driftline.cli.capture", "Keep what endpoints and batch jobs saw and answered."),
    "truth": ("driftline.cli.truth", "Bring in what turned out to be true."),
    "monitor": ("driftline.cli.monitor", "Run a monitor now, for any window."),
    "schedule": ("driftline.cli.schedule", "List, start and stop schedules; see what ran."),
    "scheduler": ("driftline.cli.scheduler", "Run what is due, until stopped."),
    "alert": ("driftline.cli.alert", "See and handle alerts."),
    "model": ("driftline.cli.model", "List models and their versions; import them."),
    "card": ("driftline.cli.card", "Write, review, approve, export and verify model cards."),
    "endpoint": ("driftline.cli.endpoint", "List endpoints and what they serve; deploy."),
    "baselines": ("driftline.cli.baselines", "Look at, accept and reject the workspace's baselines."),
    "events": ("driftline.cli.events", "List every change of state."),
    "lineage": ("driftline.cli.lineage", "Ask where something came from, and what it led to."),
    "audit": ("driftline.cli.audit", "Read and verify the audit log."),
    "metrics": ("driftline.cli.metrics", "Print the metrics for Prometheus."),
    "fsck": ("driftline.cli.fsck", "Verify the workspace."),
    "completion": ("driftline.cli.completion", "Print the completion script for a shell."),
}
"""Module and one-line help of every command; help needs neither module nor NumPy."""


class Lazy(click.Group):
    """A group whose commands are imported when they are called for.

    Parameters
    ----------
    commands : dict of str to (str, str)
        Module, which holds the ``command``, and one-line help of every command.
    """

    def __init__(
        self, *args: Any, commands_at: dict[str, tuple[str, str]] | None = None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.commands_at = commands_at or {}

    def leaves(self, *before: str) -> dict[str, click.Command]:
        """Give every command that is no group, by all of its words."""
        found: dict[str, click.Command] = {}
        for name in self.commands_at:
            command = self.get_command(click.Context(self), name)
            if isinstance(command, Lazy):
                found.update(command.leaves(*before, name))
            elif command is not None:
                found[" ".join((*before, name))] = command
        return found

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: D102
        return list(self.commands_at)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: D102
        if cmd_name not in self.commands_at:
            return None
        command = importlib.import_module(self.commands_at[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(  # noqa: D102
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands_at and not args[0].startswith("-"):
            from driftline.documents import nearest

            close = nearest(args[0], self.commands_at)
            hint = f"; did you mean {close!r}?" if close else ""
            raise click.UsageError(f"there is no command {args[0]!r}{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: D102
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.commands_at.items()])


@click.command(
    cls=Lazy,
    commands_at=COMMANDS,
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
