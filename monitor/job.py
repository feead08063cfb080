"""Jobs: the wiring between files, clocks and the pure engine. What the command line and the Python API call."""

from __future__ import annotations

import platform
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, cast

from driftline import __version__
from driftline.baselines.baseline import CONSTRAINTS, STATISTICS, Baseline, Segment
from driftline.baselines.describe import statistics_of
from driftline.baselines.suggestion import suggest
from driftline.capture.open import open_source
from driftline.documents import nearest
from driftline.errors import UsageError
from driftline.monitor.overrides import Overrides, read_overrides
from driftline.monitor.recipes.data_quality import refuse_inapplicable
from driftline.monitor.scan import scan

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Iterator, Mapping

    from driftline.baselines.profile import Profile
    from driftline.capture.source import Source
    from driftline.monitor.preprocessor import Preprocessor
    from driftline.reports.report import Report

    Progress = Callable[[int, int], None]
    Header = bool | Literal["auto"]

__all__ = ["check", "judge_profile", "make_baseline", "profile"]

MAX_SEGMENTS = 50
_MODES = ("default", "sagemaker")
_MAX_FILE = 2 << 30


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _refuse_segments(mode: str, by: str | None) -> None:
    if mode == "sagemaker" and by is not None:
        raise UsageError(
            "segments do not exist in compat mode", code="E-COMPAT", fix="leave out compat or by"
        )


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _versions() -> dict[str, str]:
    import numpy as np
    import pyarrow as pa

    return {
        "driftline": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "pyarrow": pa.__version__,
    }


def _mode(compat: str | None) -> str:
    mode = "default" if compat is None else compat
    if mode not in _MODES:
        close = nearest(mode, _MODES)
        raise UsageError(
            f"unknown mode {mode!r}",
            code="E-COMPAT",
            fix=f"did you mean {close!r}?" if close else 'use "sagemaker", or leave it out',
        )
    return mode


class _Opened:
    """A source, with the preprocessor that may stand in front of it."""

    def __init__(
        self,
        data: Any,
        *,
        format: str | None,  # noqa: A002
        header: Header,
        preprocessor: str | os.PathLike[str] | None,
        mode: str,
        keep: Collection[str] = (),
    ) -> None:
        self._preprocessor: Preprocessor | None = None
        handler = None
        if preprocessor is not None:
            from driftline.monitor.preprocessing import handler_of, open_preprocessor

            self._preprocessor = open_preprocessor(preprocessor, sort_keys=mode == "sagemaker")
            handler = handler_of(self._preprocessor)
        try:
            self.source: Source = open_source(
                data,
                format=format,
                header=header,
                keep=keep,
                record_handler=handler,
                strict_encoding=mode == "sagemaker",
            )
        except BaseException:
            self.close()
            raise

    @property
    def notes(self) -> tuple[str, ...]:
        notes = tuple(self.source.notes)
        pre = self._preprocessor
        if pre is not None and pre.n_dropped:
            notes += (f"the preprocessor dropped {pre.n_dropped:,} of {pre.n_records:,} records",)
        return notes

    def close(self) -> None:
        if self._preprocessor is not None:
            self._preprocessor.close()

    def __enter__(self) -> _Opened:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def profile(
    data: Any,
    *,
    format: str | None = None,  # noqa: A002
    header: Header = "auto",
    preprocessor: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Profile:
    """Fold data of any form into a :class:`~driftline.baselines.profile.Profile`.

    Parameters
    ----------
    data : object
        A frame, a path, a pattern, a URL: see :func:`driftline.capture.open.open_source`.
    format, header
        As there.
    preprocessor : path, optional
        A Python file with ``preprocess_handler``, run in a process of its own.
    threads : int, optional
    progress : callable, optional
        Called with (units done, units in all).

    Returns
    -------
    Profile

    Raises
    ------
    SourceError, SchemaError, PreprocessorError, UsageError
    """
    with _Opened(data, format=format, header=header, preprocessor=preprocessor, mode="default") as opened:
        return scan(opened.source, threads=threads, progress=progress)


def make_baseline(
    data: Any,
    *,
    compat: str | None = None,
    by: str | None = None,
    format: str | None = None,  # noqa: A002
    header: Header = "auto",
    preprocessor: str | os.PathLike[str] | None = None,
    uniqueness: bool = False,
    label: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    now: datetime | None = None,
) -> Baseline:
    """Make a baseline: statistics of the data, and the constraints they suggest.

    Parameters
    ----------
    data : object
        Training data, in any form that :func:`driftline.capture.open.open_source` reads.
    compat : {"sagemaker"}, optional
        Write the statistics and constraints that SageMaker Model Monitor would, sketches and quirks included.
    by : str, optional
        Column by whose values the rows are also kept apart, for checks per segment.
    format, header
        How files are read.
    preprocessor : path, optional
        A Python file with ``preprocess_handler``.
    uniqueness : bool, default False
        Also hold identifiers to be unique.
    label : str, optional
        Name for people.
    threads : int, optional
    progress : callable, optional
    now : datetime, optional
        Time to write into the baseline.

    Returns
    -------
    Baseline

    Raises
    ------
    SourceError, SchemaError, PreprocessorError, UsageError
    """
    mode = _mode(compat)
    _refuse_segments(mode, by)
    keep = () if by is None else (by,)
    with _Opened(
        data, format=format, header=header, preprocessor=preprocessor, mode=mode, keep=keep
    ) as opened:
        source = opened.source
        folded = scan(source, threads=threads, progress=progress)
        if mode == "sagemaker":
            from driftline.monitor.compat import suggested

            statistics, constraints = suggested(source)
        else:
            statistics, constraints = statistics_of(folded), suggest(folded, uniqueness=uniqueness)
        segments: tuple[Segment, ...] = ()
        notes = list(opened.notes)
        if not folded.n_rows:
            notes.append("the data has no rows: held to this baseline, nothing but the columns can be judged")
        if by is not None:
            from driftline.monitor.segment import scan_segments, segment_values

            values, left_out = segment_values(folded, by, MAX_SEGMENTS)
            if left_out:
                notes.append(f"{left_out:,} rarer values of {by!r} have no segment of their own")
            split = scan_segments(source, by, values, limits=folded.limits)
            segments = tuple(Segment(v, split[v]) for v in values if v in split)
        from driftline.baselines.baseline import write_statistics_text

        return Baseline(
            label or source.label,
            constraints,
            folded,
            write_statistics_text(statistics),
            mode,
            _stamp(now or _now()),
            source.sources,
            source.named,
            _versions(),
            by,
            segments,
            tuple(notes),
        )


def check(
    data: Any,
    baseline: Baseline | str | os.PathLike[str],
    *,
    compat: str | None = None,
    overrides: Mapping[str, Any] | bytes | None = None,
    overrides_file: object = "overrides",
    by: str | None = None,
    format: str | None = None,  # noqa: A002
    header: Header = "auto",
    preprocessor: str | os.PathLike[str] | None = None,
    explain_compat: bool = False,
    label: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    now: datetime | None = None,
) -> Report:
    """Hold live data to a baseline.

    Parameters
    ----------
    data : object
        In any form that :func:`driftline.capture.open.open_source` reads.
    baseline : Baseline or path
    compat : {"sagemaker"}, optional
        Give the numbers, quirks and words of SageMaker Model Monitor.
    overrides : mapping or bytes, optional
        Decisions on top of the baseline's constraints, see :mod:`driftline.monitor.overrides`; bytes are TOML.
    overrides_file : object
        Name of the TOML file, for errors.
    by : str, optional
        Column by whose values the rows are also judged apart; the baseline must have been made with the same.
    format, header
        How files are read.
    preprocessor : path, optional
        A Python file with ``preprocess_handler``.
    explain_compat : bool, default False
        Also run the other mode, and list where the two answer differently.
    label : str, optional
        Name for people.
    threads : int, optional
    progress : callable, optional
    now : datetime, optional
        Time of the run; `freshness` is measured from it.

    Returns
    -------
    Report

    Raises
    ------
    DriftlineError
        If anything given cannot be used; the message names file, field and fix.
    """
    mode = _mode(compat)
    if not isinstance(baseline, Baseline):
        from driftline.monitor.kinds import load_baseline

        baseline = cast("Baseline", load_baseline(baseline, kind="data-quality"))
    decided = read_overrides(overrides, file=overrides_file)
    if mode == "sagemaker" and not explain_compat and decided != Overrides():
        raise UsageError(
            "compat mode takes its thresholds from constraints.json alone",
            code="E-COMPAT",
            file=overrides_file,
            fix="edit monitoring_config there, or leave out the configuration",
        )
    _refuse_segments(mode, by)
    if by is not None and baseline.segment_column != by:
        made = "without segments" if baseline.segment_column is None else f"by {baseline.segment_column!r}"
        raise UsageError(
            f"the baseline was made {made}, so there is nothing to compare segments of {by!r} with",
            code="E-SEGMENTS",
            fix=f"make the baseline again with by={by!r} (--by on the command line)",
        )
    moment = now or _now()
    keep = {*baseline.names, *decided.columns}
    with _Opened(
        data, format=format, header=header, preprocessor=preprocessor, mode=mode, keep=keep
    ) as opened:
        source = opened.source
        decided.checked({*baseline.names, *(f.name for f in source.fields)}, file=overrides_file)
        refuse_inapplicable(baseline.constraints, decided, file=overrides_file)
        report: Report | None = None
        if mode == "default" or explain_compat:
            report = _default(source, baseline, decided, by, label, threads, progress, moment, opened)
        if mode == "default" and not explain_compat:
            assert report is not None
            return report
        from driftline.monitor.compat import compat_report, differences

        as_sagemaker = compat_report(
            source, baseline, label or source.label, _stamp(moment), _versions(), opened.notes
        )
        if report is None:
            return as_sagemaker
        told = differences(report, as_sagemaker)
        return replace(as_sagemaker if mode == "sagemaker" else report, compat_differences=told)


def judge_profile(
    current: Profile,
    baseline: Baseline,
    overrides: Overrides,
    *,
    label: str,
    now: datetime,
    notes: tuple[str, ...] = (),
    overrides_file: object = "overrides",
) -> Report:
    """Hold a profile that was folded before to a baseline: what :func:`check` does once it has read the data.

    Parameters
    ----------
    current : Profile
        Of columns with names.
    baseline : Baseline
    overrides : Overrides
    label : str
    now : datetime
    notes : tuple of str
        What reading the data has to tell.
    overrides_file : object
        Where the overrides are from, for errors.

    Returns
    -------
    Report

    Raises
    ------
    DriftlineError
        Where the overrides do not fit the columns.
    """
    overrides.checked({*baseline.names, *(c.name for c in current.columns)}, file=overrides_file)
    refuse_inapplicable(baseline.constraints, overrides, file=overrides_file)
    from driftline.monitor.engine import Run, compare

    run = Run(label, _stamp(now), now.timestamp(), _versions(), overrides, named=True, notes=notes)
    return replace(compare(baseline, current, run), companions=dict(_companions(current)))


def _default(
    source: Source,
    baseline: Baseline,
    decided: Overrides,
    by: str | None,
    label: str | None,
    threads: int | None,
    progress: Progress | None,
    moment: datetime,
    opened: _Opened,
) -> Report:
    limits = None if baseline.profile is None else baseline.profile.limits
    current = scan(
        source,
        threads=threads,
        limits=limits,
        like=baseline.profile,
        progress=progress,
        meanwhile=_import_the_rest,
    )
    from driftline.monitor.engine import Run, compare

    segments: Mapping[str | None, Profile] = {}
    notes = opened.notes
    if by is not None:
        from driftline.monitor.segment import scan_segments, segment_values

        values = [s.value for s in baseline.segments]
        # As many more as the baseline has, so that none of its own can hide one that it does not know.
        found, left_out = segment_values(current, by, MAX_SEGMENTS + len(values))
        strangers = [value for value in found if value not in values]
        segments = scan_segments(source, by, [*values, *strangers[:MAX_SEGMENTS]], limits=current.limits)
        if left_out or len(strangers) > MAX_SEGMENTS:
            notes += (
                f"more than {MAX_SEGMENTS} values of {by!r} have no segment in the baseline; rarer ones are left out",
            )
    run = Run(
        label or source.label,
        _stamp(moment),
        moment.timestamp(),
        _versions(),
        decided,
        source.named,
        notes,
        segments,
        by,
    )
    report = compare(baseline, current, run)
    return replace(report, companions=dict(_companions(current)))


def _import_the_rest() -> None:
    """Import what a check needs after its data are read: a tenth of a second that reading hides."""
    import driftline.monitor.engine
    import driftline.reports.codec
    import driftline.reports.html
    import driftline.reports.violations  # noqa: F401


def _companions(current: Profile) -> Iterator[tuple[str, Callable[[], bytes]]]:
    from driftline.baselines.baseline import write_statistics_text
    from driftline.baselines.sagemaker import write_constraints

    yield STATISTICS, lambda: write_statistics_text(statistics_of(current))
    yield CONSTRAINTS, lambda: write_constraints(suggest(current)).encode("utf-8", "surrogatepass")
