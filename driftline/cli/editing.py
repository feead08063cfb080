"""Editing a text in somebody's editor: opened again while it breaks a rule, and never lost."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from driftline.errors import DriftlineError, UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Pad", "editor", "problem_lines"]

T = TypeVar("T")

MARK: Final = "#! "
"""What the lines begin with that say what is wrong; they are taken out before the text is read."""

_MOST_TOLD: Final = 50
_MOST_BYTES: Final = 16 << 20
_USUAL: Final = ("sensible-editor", "editor", "nano", "vim", "vi")


def editor() -> list[str]:
    """Return the command that opens a file in the editor of the person at the terminal.

    Raises
    ------
    UsageError
        ``E-EDITOR``: there is none.
    """
    for variable in ("VISUAL", "EDITOR"):
        named = os.environ.get(variable, "").strip()
        if named:
            try:
                return shlex.split(named)
            except ValueError:
                raise UsageError(
                    "is no command: a quote is never closed",
                    code="E-EDITOR",
                    field=variable,
                    fix="correct the variable",
                ) from None
    if sys.stdin.isatty() and sys.stdout.isatty():
        for name in _USUAL:
            if shutil.which(name):
                return [name]
    raise UsageError(
        "there is no editor", code="E-EDITOR", fix="set EDITOR, or change fields with --set PATH=VALUE"
    )


class Pad:
    """A text that somebody edits, in a file of its own.

    The file is removed when all is done, or when nothing was changed; in all other cases it stays, and errors name it.

    Parameters
    ----------
    text : str
    name : str
        Of the file.
    """

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.folder = Path(tempfile.mkdtemp(prefix="driftline-"))
        self.path = self.folder / name
        self.path.write_text(text, "utf-8")

    def edit(self, command: Sequence[str], read: Callable[[bytes, str], T]) -> T | None:
        """Let the editor change the text, until it breaks no rule.

        Parameters
        ----------
        command : sequence of str
            The editor.
        read : callable
            Takes the text and the file's name, and makes of it what is wanted, or raises a DriftlineError.

        Returns
        -------
        object or None
            None where nothing was changed.

        Raises
        ------
        DriftlineError
            What `read` raised, where the person has given up, or nobody is there to correct it: then it says where the
            text is. ``E-EDITOR`` where the editor does not start.
        """
        before = self.text
        while True:
            self._open(command)
            text = self._read()
            if text == self.text or not text.strip():
                self.remove()
                return None
            try:
                return read(text.encode("utf-8"), str(self.path))
            except DriftlineError as error:
                if text == before or not sys.stdin.isatty():
                    raise self.keeping(error) from None
                before = text
                self._tell(text, error)

    def keeping(self, error: DriftlineError) -> DriftlineError:
        """Return an error that also says where the text is."""
        kept = f"the text is kept in {self.path}"
        error.fix = f"{error.fix}; {kept}" if error.fix else kept
        if error.file == str(self.path):
            error.file = None
        return error

    def remove(self) -> None:
        """Remove the file: nobody needs it any more."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _open(self, command: Sequence[str]) -> None:
        try:
            status = subprocess.run([*command, str(self.path)], check=False).returncode  # noqa: S603
        except OSError as error:
            self._give_up(f"{printable(command[0], 200)} does not start: {error.strerror}")
        if status:
            self._give_up(f"{printable(command[0], 200)} ended with status {status}")

    def _give_up(self, message: str) -> None:
        error = UsageError(
            message, code="E-EDITOR", fix="set EDITOR to a command that waits until you are done"
        )
        if self._read() == self.text:
            self.remove()
            raise error
        raise self.keeping(error)

    def _read(self) -> str:
        """Return the text without what was told at its top."""
        from driftline.files import read_regular

        try:
            text = read_regular(self.path, max_bytes=_MOST_BYTES).decode("utf-8")
        except UnicodeDecodeError:
            error = UsageError("the text is not UTF-8 any more", code="E-ENCODING", fix="save it as UTF-8")
            raise self.keeping(error) from None
        lines = text.split("\n")
        told = 0
        while told < len(lines) and lines[told].startswith(MARK.rstrip()):
            told += 1
        return "\n".join(lines[told:])

    def _tell(self, text: str, error: DriftlineError) -> None:
        """Write above the text what is wrong with it."""
        told = [
            "This is not stored yet. Put it right and save it;",
            "to give up, leave it as it is: the text stays in this file.",
            *(f"  {line}" for line in problem_lines(error)),
        ]
        self.path.write_text("".join(f"{MARK}{line}\n" for line in told) + text, "utf-8")


def problem_lines(error: DriftlineError) -> list[str]:
    """Return everything that an error complains about, a line each."""
    problems = getattr(error, "problems", ())
    if not problems:
        line = "" if error.line is None else f"line {error.line}: "
        field = "" if error.field is None else f"{printable(error.field)}: "
        return [f"{line}{field}{printable(error.message, 600)}" + (f"; {error.fix}" if error.fix else "")]
    lines = [
        f"{printable(one.path)}: {printable(one.what, 600)}"
        + (f"; {printable(one.fix, 200)}" if one.fix else "")
        for one in problems[:_MOST_TOLD]
    ]
    more = len(problems) - _MOST_TOLD
    return [*lines, f"and {more:,} more"] if more > 0 else lines
