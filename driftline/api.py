"""The short public API: baseline once, check every window, read the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftline.monitor.job import profile
from driftline.monitor.kinds import check, load_baseline
from driftline.monitor.kinds import make_baseline as baseline

if TYPE_CHECKING:
    import os

    from driftline.reports.diff import ReportDiff
    from driftline.reports.report import Report

__all__ = ["baseline", "check", "diff", "load_baseline", "load_report", "profile"]


def load_report(path: str | os.PathLike[str]) -> Report:
    """Read a report.

    Parameters
    ----------
    path : path
        A ``report.json``, or a folder that holds one.

    Returns
    -------
    Report

    Raises
    ------
    DocumentError
        If it is malformed, or of a schema this driftline does not know.
    InputError
        If there is nothing at `path`.
    """
    from pathlib import Path

    from driftline.documents import MAX_BYTES
    from driftline.errors import DocumentError, InputError
    from driftline.files import read_regular
    from driftline.reports.codec import from_json

    target = Path(path)
    fix = "give a report.json, or the folder that `driftline check -o` wrote"
    if not str(path):
        raise InputError("names no report", code="E-FILE", file=path, fix=fix)
    if target.is_dir():
        folder, target = target, target / "report.json"
        try:
            there = target.exists()
        except OSError:
            there = True  # Reading it says what is wrong.
        if not there:
            what = "is a baseline, not a report" if (folder / "baseline.json").exists() else "holds no report"
            raise InputError(what, code="E-FILE", file=folder, fix=fix)
    data = read_regular(target, max_bytes=MAX_BYTES)
    if data.strip() and not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        raise DocumentError("is not a report", code="E-DOCUMENT", file=target, fix=fix)
    return from_json(data, file=target)


def diff(before: Report | str | os.PathLike[str], after: Report | str | os.PathLike[str]) -> ReportDiff:
    """Tell what changed between two reports.

    Parameters
    ----------
    before, after : Report or path

    Returns
    -------
    ReportDiff
    """
    from driftline.reports.diff import diff_reports
    from driftline.reports.report import Report

    old = before if isinstance(before, Report) else load_report(before)
    new = after if isinstance(after, Report) else load_report(after)
    return diff_reports(old, new)
