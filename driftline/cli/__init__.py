"""The command line. Every command is one Python call; nothing heavy is imported before a command needs it.

Exit status: 0 nothing is violated · 1 violations were found · 2 input or usage error · 3 internal fault ·
4 nothing could be judged (or, with ``--strict``, not everything) · 130 interrupted.
"""

from __future__ import annotations

import os
import signal
import sys

from driftline.cli.streams import open_standard_streams, quiet_stdout

__all__ = ["main"]


def main() -> None:
    """Run the command line and leave with its exit status."""
    try:
        open_standard_streams()
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, _stop)
        code = _flushed(_status())
    except KeyboardInterrupt:
        # Also while the modules below are being imported.
        _say("driftline: interrupted")
        code = 130
    sys.exit(code)


def _flushed(code: int) -> int:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough (| head): that is no fault of the run, and its verdict stands.
        quiet_stdout()
    except OSError as error:
        _say(_unwritten(error))
        quiet_stdout()
        return 2
    return code


def _status() -> int:
    import click

    from driftline.cli.application import application
    from driftline.errors import DriftlineError, InternalError, printable

    try:
        outcome = application.main(standalone_mode=False, prog_name="driftline")
    except click.exceptions.NoArgsIsHelpError as error:
        _say(error.format_message())
        return 2
    except click.exceptions.ClickException as error:
        _say(f"driftline: E-USAGE: {printable(error.format_message(), 500)}; try 'driftline --help'")
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
    except OSError as error:
        _say(_unwritten(error))
        return 2
    except Exception as error:
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


def _unwritten(error: OSError) -> str:
    from driftline.errors import printable

    where = "standard output" if error.filename is None else printable(error.filename, 300)
    return f"driftline: E-WRITE: {where}: {printable(error.strerror or error)}"


def _say(line: str) -> None:
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except OSError:
        # There is nobody left to tell; the exit status still does.
        return
