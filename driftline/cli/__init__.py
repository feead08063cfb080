"""The command line. Every command is one Python call; nothing heavy is imported before a command needs it.

Exit status: 0 nothing is violated · 1 violations were found · 2 input or usage error · 3 internal fault ·
4 nothing could be judged (or, with ``--strict``, not everything) · 130 interrupted.
"""

from __future__ import annotations

import os
import signal
import sys

from driftline.cli.streams import STANDARD_OUTPUT, open_standard_streams, silence

__all__ = ["main"]


def main() -> None:
    """Run the command line and leave with its exit status."""
    try:
        open_standard_streams()
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, _stop)
        code = _status()
    except KeyboardInterrupt:
        # Also while the modules below are being imported.
        _say("driftline: interrupted")
        code = 130
    sys.exit(code)


def _status() -> int:
    import click

    from driftline.cli.application import application
    from driftline.errors import DriftlineError, InternalError, printable

    try:
        outcome = application.main(standalone_mode=False, prog_name="driftline")
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        _say(error.format_message())
        return 2
    except click.exceptions.ClickException as error:
        said = printable(error.format_message().removesuffix("."), 500)
        # Only the help of a command knows the options of a command.
        context = getattr(error, "ctx", None)
        advice = f"try '{context.command_path if context else 'driftline'} --help'"
        _say(
            f"driftline: E-USAGE: {said} T{advice[1:]}"
            if said.endswith("?")
            else f"driftline: E-USAGE: {said}; {advice}"
        )
        return 2
    except click.exceptions.Abort:
        _say("driftline: interrupted")
        return 130
    except InternalError as error:
        _say(f"driftline: {error}")
        return 3
    except DriftlineError as error:
        _say(f"driftline: {error}")
        return 2
    except MemoryError:
        _say("driftline: E-MEMORY: the run needs more memory; give it more, or use fewer --threads")
        return 2
    except Exception as error:
        if isinstance(error, OSError) and error.filename is not None:
            code = "E-FILE"
            if error.filename == STANDARD_OUTPUT:
                code = "E-WRITE"
                silence()
            what = printable(error.strerror or error)
            _say(f"driftline: {code}: {printable(error.filename, 300)}: {what}")
            return 2
        if os.environ.get("DRIFTLINE_DEBUG"):
            raise
        _say(
            f"driftline: E-INTERNAL: {type(error).__name__}: {printable(error, 300)}; "
            "this is a fault of driftline: set DRIFTLINE_DEBUG=1 to see where, and please report it"
        )
        return 3
    return outcome if isinstance(outcome, int) else 0


def _stop(number: int, _: object) -> None:
    """Leave as if killed by the signal, but by way of every ``finally``: nothing half-written stays."""
    raise SystemExit(128 + number)


def _say(line: str) -> None:
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except OSError:
        # There is nobody left to tell; the exit status still does.
        return
