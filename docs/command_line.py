"""Write ``docs/cli.md``: the help of every command, as the program prints it.

::

    python docs/command_line.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

__all__ = ["page"]

TARGET = Path(__file__).with_name("cli.md")
WIDTH = 98

_HEAD = """\
<!-- Written by docs/command_line.py; a test compares the two. -->

# Command line

Every command is one call in [Python](python.md). All of them print text for people, or one JSON object with `--json`, on
standard output; complaints and progress bars go to standard error, and progress bars only to a terminal. Colours follow
the terminal; `NO_COLOR` turns them off.

## Exit status

| status | meaning |
|---|---|
| 0 | nothing is violated |
| 1 | something is violated; for `diff`, something is newly violated |
| 2 | input or usage error: one line `driftline: E-CODE: file:line: what, and what to do` on standard error |
| 3 | a fault of driftline itself |
| 4 | `check` could judge nothing; with `--strict`, not everything |
| 130, 143 | interrupted, terminated; nothing half-written is left behind |

[Errors](errors.md) lists the codes.

## Environment

| variable | meaning |
|---|---|
| `DRIFTLINE_WORKSPACE` | the workspace, where `--workspace` does not say |
| `DRIFTLINE_DATABASE` | URL of the registry's database, where `driftline.toml` does not say; it may hold a password |
| `DRIFTLINE_USER` | who acts, for the audit log; otherwise the name of the account |
| `DRIFTLINE_THREADS` | threads to use where `--threads` does not say; otherwise the processors at hand, at most 16 |
| `DRIFTLINE_CACHE_DIR` | folder for compiled code; otherwise `driftline` in `XDG_CACHE_HOME`, or `~/.cache/driftline` |
| `DRIFTLINE_ENGINE` | compiled loops: `auto` (default) where they pay, `numpy` never, `compiled` always; same numbers |
| `VISUAL`, `EDITOR` | the editor of `driftline card edit` |
| `DRIFTLINE_DEBUG` | any value: show where a fault of driftline itself happened |
| `AWS_…` and the like | credentials and addresses of object stores, as the stores' own tools read them |
"""

_CALLS = {
    "demo": "",
    "baseline": "In Python: [`dl.baseline(…).save(folder)`](python.md#baseline).\n\n",
    "check": "In Python: [`dl.check(…)`](python.md#check), and `.save(folder)` for `-o`.\n\n",
    "show": "In Python: [`dl.load_report(path)`](python.md#load_report) or "
    "[`dl.load_baseline(path)`](python.md#load_baseline).\n\n",
    "diff": "In Python: [`dl.diff(before, after)`](python.md#diff).\n\n",
    "capture": "What it is about: [Capture](capture.md).\n\n",
    "init": "What it is about: [Workspaces](workspace.md).\n\n",
    "apply": "What it is about: [Workspaces](workspace.md); the file: [`driftline.toml`](configuration.md).\n\n",
    "schedule": "What it is about: [Schedules](schedules.md).\n\n",
    "scheduler": "What it is about: [Schedules](schedules.md), [Reliability of the loop](loop-reliability.md).\n\n",
    "alert": "What it is about: [Alerts](alerts.md), [Notifications](notifications.md).\n\n",
    "card": "What it is about: [Model cards](cards.md), [Cards as files](card-files.md), "
    "[What a card must say](card-checks.md).\n\n",
    "lineage": "What it is about: [Lineage](lineage.md).\n\n",
    "metrics": "What it is about: [Telemetry](telemetry.md).\n\n",
    "truth": "What it is about: [Ground truth](ground-truth.md).\n\n",
}


def page() -> str:
    """Return the page."""
    from driftline.cli.application import application

    settings = {**application.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(application, info_name="driftline", **settings)
    parts = [_HEAD, f"## `driftline`\n\n{_help(application, context)}"]
    parts += _sections(application, context)
    return "\n".join(parts)


def _sections(group: click.Group, context: click.Context) -> list[str]:
    parts = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(
            command, info_name=name, parent=context, terminal_width=WIDTH, max_content_width=WIDTH
        )
        path = inner.command_path.removeprefix("driftline ")
        parts.append(f"## `driftline {path}`\n\n{_CALLS.get(path, '')}{_help(command, inner)}")
        if isinstance(command, click.Group):
            parts += _sections(command, inner)
    return parts


def _help(command: click.Command, context: click.Context) -> str:
    text = "\n".join(line.rstrip() for line in command.get_help(context).split("\n"))
    return f"```text\n{text}\n```\n"


if __name__ == "__main__":
    TARGET.write_text(page(), "utf-8")
    sys.exit(0)
