"""What can go wrong, as types a caller can catch.

::

    DriftlineError
    ├── InputError (ValueError)         the data or a file given to driftline cannot be used
    │   ├── DocumentError               a JSON or TOML document is malformed or out of its schema
    │   ├── SourceError                 a data file, folder, URL or frame cannot be read
    │   └── SchemaError                 the columns are not what the operation needs
    ├── UsageError (ValueError)         an argument, option or threshold makes no sense
    ├── PreprocessorError (RuntimeError) the user's preprocessor file failed
    └── InternalError (RuntimeError)    a fault of driftline itself

Every error carries a stable ``code`` and, where they are known, the ``file``, ``line`` and ``field`` it
speaks of and the ``fix`` to try. ``str(error)`` is the one line that the command line prints.
"""

from __future__ import annotations

__all__ = [
    "DocumentError",
    "DriftlineError",
    "InputError",
    "InternalError",
    "PreprocessorError",
    "SchemaError",
    "SourceError",
    "UsageError",
    "printable",
]


def printable(text: object, limit: int = 200) -> str:
    r"""Show outside text on one line: control characters, bidirectional marks and lone surrogates escaped.

    Parameters
    ----------
    text : object
        Anything; its ``str`` is shown.
    limit : int, default 200
        Longest result in characters; longer text ends in ``…``.

    Returns
    -------
    str
        Text that cannot move a cursor, break a line or reverse the reading direction.

    Examples
    --------
    >>> printable("a\nb")
    'a\\nb'
    """
    raw = str(text)
    if len(raw) <= limit and raw.isprintable():
        return raw
    shown = "".join(_shown(ch) for ch in raw[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _shown(ch: str) -> str:
    # isprintable() is False for controls, format characters (bidi marks), surrogates and unassigned points.
    if ch.isprintable():
        return ch
    return ch.encode("unicode_escape").decode("ascii")


class DriftlineError(Exception):
    """Root of every error driftline raises on purpose.

    Parameters
    ----------
    message : str
        What was expected and what was found, as one sentence without a final full stop.
    code : str, optional
        Stable identifier such as ``"E-CSV-COLUMNS"``.
    file : str, optional
        The file, URL or object the error speaks of.
    line : int, optional
        1-based line (or record) in ``file``.
    field : str, optional
        Dotted path of the key, or the column name.
    fix : str, optional
        What to try, as an imperative phrase.
    """

    default_code = "E-DRIFTLINE"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        file: object = None,
        line: int | None = None,
        field: str | None = None,
        fix: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.file = None if file is None else str(file)
        self.line = line
        self.field = field
        self.fix = fix

    def __str__(self) -> str:
        where = ""
        if self.file is not None:
            name = printable(self.file, 300) or repr("")
            where = name + (f":{self.line}" if self.line is not None else "") + ": "
        field = f"{printable(self.field) or repr('')}: " if self.field is not None else ""
        fix = f"; {self.fix}" if self.fix else ""
        return f"{self.code}: {where}{field}{printable(self.message, 1200)}{printable(fix, 600)}"


class InputError(DriftlineError, ValueError):
    """The data or a file given to driftline cannot be used."""

    default_code = "E-INPUT"


class DocumentError(InputError):
    """A JSON or TOML document is malformed or does not follow its schema."""

    default_code = "E-DOCUMENT"


class SourceError(InputError):
    """A data file, folder, URL or frame cannot be read."""

    default_code = "E-SOURCE"


class SchemaError(InputError):
    """The columns are not what the operation needs."""

    default_code = "E-SCHEMA"


class UsageError(DriftlineError, ValueError):
    """An argument, option or threshold makes no sense."""

    default_code = "E-USAGE"


class PreprocessorError(DriftlineError, RuntimeError):
    """The user's preprocessor file failed."""

    default_code = "E-PREPROCESSOR"


class InternalError(DriftlineError, RuntimeError):
    """A fault of driftline itself."""

    default_code = "E-INTERNAL"
