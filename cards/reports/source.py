"""Where a report comes from: a file, an object of a store, an address on the web."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import unquote, urlsplit

from driftline.cards.errors import ReportMissingError
from driftline.cards.reports.parsing import Parsed, parse
from driftline.documents import decode
from driftline.errors import DocumentError, DriftlineError, SourceError, printable
from driftline.files import read_regular

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MOST_BYTES", "Getter", "load", "read"]

MOST_BYTES: Final = 32 * 1024 * 1024
"""Longest report that is read."""

_STORES: Final = ("s3", "gs", "gcs", "abfs", "abfss")


class Getter(Protocol):
    """What asks the web, such as :class:`driftline.monitor.notify.guard.Guard`."""

    def get(self, url: str) -> Any:
        """Return an answer with ``status``, ``body`` and ``is_whole``."""


def load(
    source: str | os.PathLike[str],
    metric_type: str = "auto",
    *,
    keep_missing: bool = False,
    web: Getter | None = None,
) -> Parsed:
    """Read a report and return its groups of metrics.

    Parameters
    ----------
    source : path or URL
        See :func:`read`.
    metric_type, keep_missing
        See :func:`driftline.cards.reports.parse`.
    web : Getter, optional
        See :func:`read`.

    Raises
    ------
    ReportMissingError, SourceError, InputError, DocumentError, UsageError
    """
    return parse(
        read(source, web=web), metric_type, file=_shown(os.fspath(source)), keep_missing=keep_missing
    )


def read(source: str | os.PathLike[str], *, web: Getter | None = None) -> Mapping[str, Any]:
    """Read a report, whatever content type its store thinks it has.

    Parameters
    ----------
    source : path or URL
        A path, ``file:``, ``s3:`` (with the options of :mod:`driftline.capture.store`), ``http:`` or ``https:``.
    web : Getter, optional
        Asks the web; where not given, a guard that lets nobody lead it to addresses that are not public, nor unencrypted.

    Returns
    -------
    mapping

    Raises
    ------
    ReportMissingError
        ``E-FILE``: it is not there; also a FileNotFoundError.
    InputError
        ``E-FILE``: it is no file, too large or unreadable.
    SourceError
        ``E-STORE``, ``E-URL``: the store or the web does not give it.
    DocumentError
        ``E-CARD-REPORT``, ``E-JSON``: it is empty, damaged, or no object.
    """
    text = os.fspath(source)
    shown = _shown(text)
    data = _bytes(text, shown, web)
    if not data.strip():
        raise DocumentError("is empty", code="E-CARD-REPORT", file=shown, fix="check what writes it")
    document = decode(data, file=shown, max_bytes=MOST_BYTES)
    if not isinstance(document, dict) or not document:
        what = "is empty" if document in ({}, [], None) else "holds no object"
        raise DocumentError(what, code="E-CARD-REPORT", file=shown, fix="check what writes it")
    return document


def _shown(source: str) -> str:
    """Return what people see: a URL without credentials and options."""
    scheme, colon, rest = source.partition("://")
    if not colon or scheme == "file":
        return source
    authority, slash, path = rest.partition("?")[0].partition("#")[0].partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


def _bytes(source: str, shown: str, web: Getter | None) -> bytes:
    scheme = source.partition(":")[0].lower()
    if scheme in ("http", "https") and "://" in source:
        return _from_web(source, shown, web)
    if scheme in _STORES and "://" in source:
        return _from_store(source, shown)
    if scheme == "file" and source[4:5] == ":":
        return _from_file(_path(source), shown)
    if "://" in source:
        raise SourceError(
            f"reports are not read from {printable(scheme, 20)}",
            code="E-URL",
            file=shown,
            fix="give a path, or a URL that begins with file:, s3: or https:",
        )
    return _from_file(source, shown)


def _path(url: str) -> str:
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise SourceError(
            f"names the machine {printable(parts.netloc, 80)}",
            code="E-URL",
            file=url,
            fix="write file:///folder/file.json",
        )
    return unquote(parts.path)


def _from_file(path: str, shown: str) -> bytes:
    try:
        is_there = os.path.lexists(path)
    except ValueError:
        is_there = False
    if not is_there:
        raise ReportMissingError("does not exist", file=shown, fix="check the path")
    return read_regular(path, max_bytes=MOST_BYTES)


def _from_store(url: str, shown: str) -> bytes:
    from driftline.capture.store import remote

    is_one, found = remote(url)
    if not is_one or len(found) != 1:
        raise ReportMissingError("there is no such object", file=shown, fix="check the key")
    if found[0].size > MOST_BYTES:
        raise _too_large(shown, found[0].size)
    return b"".join(found[0].chunks())


def _too_large(shown: str, size: int | None = None) -> SourceError:
    has = "is longer" if size is None else f"has {size:,} bytes, more"
    return SourceError(f"{has} than the limit of {MOST_BYTES:,} bytes", code="E-FILE", file=shown)


def _from_web(url: str, shown: str, web: Getter | None) -> bytes:
    if web is None:
        import importlib

        # A sibling of this layer: found when a report is on the web, and not before.
        guard = importlib.import_module("driftline.monitor.notify.guard")
        web = guard.Guard(total_seconds=60, body_cap=MOST_BYTES)
    try:
        answer = web.get(url)
    except DriftlineError as error:
        raise SourceError(
            error.message, code="E-URL", file=shown, fix=error.fix or "check the URL and the network"
        ) from None
    if answer.status in (404, 410):
        raise ReportMissingError(f"the server answers {answer.status}", file=shown, fix="check the URL")
    if answer.status != 200:
        raise SourceError(
            f"the server answers {answer.status}",
            code="E-URL",
            file=shown,
            fix="give the URL that it leads to" if 300 <= answer.status < 400 else "check the URL",
        )
    if not answer.is_whole:
        raise (
            _too_large(shown)
            if len(answer.body) >= MOST_BYTES
            else SourceError("broke off before its end", code="E-URL", file=shown, fix="try again")
        )
    return bytes(answer.body)
