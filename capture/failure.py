"""Foreign errors become ours: pyarrow, the operating system and zlib never speak to the user directly."""

from __future__ import annotations

import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa

from driftline.errors import DocumentError, DriftlineError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["as_source_error", "reading"]


@contextmanager
def reading(
    file: object, what: str = "cannot be read", *, code: str = "E-SOURCE", field: str | None = None
) -> Iterator[None]:
    """Turn what pyarrow and the operating system raise inside the block into a :class:`SourceError`.

    Parameters
    ----------
    file : object
        Name of the file or object for the error.
    what : str
        Begin of the message.
    code : str
        Code of the error for undecodable bytes; problems of the file system have ``E-FILE``.
    field : str, optional
        Column spoken of.
    """
    try:
        yield
    except FileNotFoundError:
        raise SourceError(
            "does not exist (any more)", code="E-FILE", file=file, fix="check the path"
        ) from None
    except PermissionError:
        raise SourceError(
            "may not be read: permission denied", code="E-FILE", file=file, fix="allow reading it"
        ) from None
    except MemoryError:
        raise SourceError(
            f"{what}: needs more memory than there is",
            code="E-MEMORY",
            file=file,
            field=field,
            fix="write it with smaller row groups, or read fewer columns",
        ) from None
    except pa.ArrowException as error:
        raise SourceError(f"{what}: {_short(error)}", code=code, file=file, field=field) from None
    except OSError as error:
        # pyarrow reports damaged Parquet pages as OSError without errno.
        kind = "E-FILE" if error.errno else code
        raise SourceError(
            f"{what}: {error.strerror or _short(error)}", code=kind, file=file, field=field
        ) from None
    except zlib.error as error:
        words = str(error).rpartition(": ")[2]
        raise SourceError(
            f"{what}: damaged gzip data, {words}", code="E-GZIP", file=file, fix="copy the file again"
        ) from None
    except DriftlineError:
        raise
    except (OverflowError, ValueError) as error:
        raise SourceError(f"{what}: {_short(error)}", code=code, file=file, field=field) from None


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split())
    text = text.removesuffix(".")
    return text if len(text) <= 240 else text[:239] + "…"


def as_source_error(error: DocumentError) -> SourceError:
    """Say the same as a :class:`SourceError`."""
    return SourceError(error.message, code=error.code, file=error.file, line=error.line, fix=error.fix)
