"""Jobs of model quality: a baseline, and a check of a window against it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from driftline.baselines.packing import pack
from driftline.baselines.quality import CONSTRAINTS, STATISTICS, QualityBaseline
from driftline.baselines.quality_documents import write_quality_constraints, write_quality_statistics
from driftline.errors import SchemaError, UsageError, printable
from driftline.files import digest
from driftline.monitor.job import _mode, _now, _Opened, _stamp, _versions
from driftline.monitor.overrides import Overrides, read_overrides
from driftline.monitor.quality.estimates import calibration_of
from driftline.monitor.quality.figures import figures_of
from driftline.monitor.quality.fold import Folded, fold, pack_folded
from driftline.monitor.quality.recipe import CALIBRATION, Known, settings_of
from driftline.monitor.quality.settings import Settings, read_settings, settings_document
from driftline.monitor.quality.suggest import constraints_of, statistics_of
from driftline.reports.report import Report, Side

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from typing import Literal

    Progress = Callable[[int, int], None]
    Header = bool | Literal["auto"]

__all__ = ["check", "make_baseline", "read_settings", "settings_document"]


def make_baseline(
    data: Any,
    settings: Settings,
    *,
    compat: str | None = None,
    format: str | None = None,  # noqa: A002
    header: Header = "auto",
    preprocessor: str | os.PathLike[str] | None = None,
    label: str | None = None,
    threads: int | None = None,  # noqa: ARG001
    progress: Progress | None = None,
    now: datetime | None = None,
) -> QualityBaseline:
    """Make a baseline of model quality: how good the model is on data whose truth is known.

    Parameters
    ----------
    data : object
        Rows with predictions and labels, in any form that :func:`driftline.capture.open.open_source` reads.
    settings : Settings
        See :func:`read_settings`.
    compat : {"sagemaker"}, optional
        Write the files that SageMaker Model Monitor would, nothing more.
    format, header
        How files are read.
    preprocessor : path, optional
        A Python file with ``preprocess_handler``.
    label : str, optional
        Name for people.
    threads : int, optional
        Rows are folded by one thread; kept so that all kinds have the same door.
    progress : callable, optional
    now : datetime, optional
        Time to write into the baseline.

    Returns
    -------
    QualityBaseline

    Raises
    ------
    SourceError, SchemaError, PreprocessorError, UsageError
        ``E-NO-LABELS`` where no row has both a label and a prediction.
    """
    mode = _mode(compat)
    moment = now or _now()
    with _Opened(
        data, format=format, header=header, preprocessor=preprocessor, mode=mode, keep=settings.names
    ) as opened:
        source = opened.source
        folded = fold(source, settings, progress=progress)
        _refuse_useless(folded, settings, source.label)
        notes = [*opened.notes, *_baseline_notes(folded)]
        figures = figures_of(folded, settings, seed=settings.seed, compat=mode == "sagemaker")
        parts = pack_folded(folded)
        calibration = calibration_of(folded, settings)
        if calibration is not None:
            parts[CALIBRATION] = calibration.pack()
        is_plain = mode == "sagemaker"
        return QualityBaseline(
            label or source.label,
            constraints_of(folded.problem, figures, settings, compat=is_plain),
            statistics_of(folded, figures, moment, compat=is_plain),
            pack(parts),
            settings_document(settings),
            settings.names,
            folded.n_rows,
            mode,
            _stamp(moment),
            source.sources,
            _versions(),
            tuple(notes),
        )


def _refuse_useless(folded: Folded, settings: Settings, file: str) -> None:
    if not folded.n_judged:
        some = f"{folded.n_rows:,} rows" if folded.n_rows else "no rows"
        raise SchemaError(
            f"no row has both a label and a prediction ({some}, {folded.n_labelled:,} of them with a label)",
            code="E-NO-LABELS",
            file=file,
            field=settings.label,
            fix="give rows whose truth is known, and name the columns of label and prediction",
        )
    if folded.confusion is not None and folded.problem == "binary":
        counts = folded.confusion.counts
        if not counts[1].sum() and not counts[:, 1].sum():
            raise SchemaError(
                f"the positive label {printable(settings.positive, 40)!r} occurs in no row; "
                f"all have {printable(folded.labels[0], 40)!r}",
                code="E-CLASSES",
                file=file,
                field=settings.label,
                fix="say which label is the positive one with `positive`",
            )


def _baseline_notes(folded: Folded) -> Iterator[str]:
    missing = folded.n_rows - folded.n_labelled
    if missing:
        yield f"{missing:,} of {folded.n_rows:,} rows have no label and are in no metric"
    without = folded.n_labelled - folded.n_judged
    if without:
        yield f"{without:,} labelled rows have no usable prediction and are in no metric"
    if folded.confusion is not None:
        classes = int((folded.confusion.counts.sum(axis=1) > 0).sum())
        if classes == 1:
            yield "all rows have the same label: what a metric would be with others is not known"


def check(
    data: Any,
    baseline: QualityBaseline | str | os.PathLike[str],
    *,
    settings: Settings | None = None,
    compat: str | None = None,
    overrides: Mapping[str, Any] | bytes | None = None,
    overrides_file: object = "overrides",
    format: str | None = None,  # noqa: A002
    header: Header = "auto",
    preprocessor: str | os.PathLike[str] | None = None,
    label: str | None = None,
    threads: int | None = None,  # noqa: ARG001
    progress: Progress | None = None,
    now: datetime | None = None,
) -> Report:
    """Hold the predictions of a window to a baseline of model quality.

    Parameters
    ----------
    data : object
        Rows with predictions and, as far as they are known, labels; a stream is read once.
    baseline : QualityBaseline or path
    settings : Settings, optional
        Which column is what, where the baseline does not say: SageMaker's files do not.
    compat : {"sagemaker"}, optional
        SageMaker's rule and words.
    overrides : mapping or bytes, optional
        See :mod:`driftline.monitor.overrides`; bytes are TOML. A column there is a slice.
    overrides_file : object
        Name of the TOML file, for errors.
    format, header
        How files are read.
    preprocessor : path, optional
        A Python file with ``preprocess_handler``.
    label : str, optional
        Name for people.
    threads : int, optional
        As :func:`make_baseline`.
    progress : callable, optional
    now : datetime, optional
        Time of the run.

    Returns
    -------
    Report

    Raises
    ------
    DriftlineError
        If anything given cannot be used; the message names file, field and fix.
    """
    mode = _mode(compat)
    if not isinstance(baseline, QualityBaseline):
        from driftline.monitor.kinds import load_baseline

        loaded = load_baseline(baseline, kind="model-quality")
        assert isinstance(loaded, QualityBaseline)
        baseline = loaded
    decided = read_overrides(overrides, file=overrides_file, recipe="model-quality")
    if mode == "sagemaker" and decided != Overrides():
        raise UsageError(
            "compat mode takes its thresholds from constraints.json alone",
            code="E-COMPAT",
            file=overrides_file,
            fix="edit the thresholds there, or leave out the configuration",
        )
    settings = settings_of(baseline, settings)
    decided.checked(settings.slices, file=overrides_file)
    settings = replace(settings, slices=tuple(n for n in settings.slices if not decided.for_column(n).ignore))
    known = Known.of(baseline, settings)
    moment = now or _now()
    with _Opened(
        data, format=format, header=header, preprocessor=preprocessor, mode=mode, keep=settings.names
    ) as opened:
        folded = known.fold(opened.source, progress)
        current = Side(
            label or opened.source.label,
            folded.n_rows,
            len(settings.names),
            digest(pack(pack_folded(folded))),
            opened.source.sources,
            _stamp(moment),
        )
        notes = opened.notes
    is_plain = mode == "sagemaker"
    found = known.compare(folded, decided, compat=is_plain)
    statistics = statistics_of(folded, found.figures, moment, compat=is_plain)
    constraints = constraints_of(folded.problem, found.figures, settings, compat=is_plain)
    companions: dict[str, Callable[[], bytes]] = {
        STATISTICS: lambda: write_quality_statistics(statistics, plain=is_plain).encode(
            "utf-8", "surrogatepass"
        ),
        CONSTRAINTS: lambda: write_quality_constraints(constraints, plain=is_plain).encode(
            "utf-8", "surrogatepass"
        ),
    }
    return Report(
        baseline.recipe,
        mode,
        "name",
        Side(
            baseline.label,
            baseline.n_rows,
            len(baseline.names),
            baseline.digest,
            baseline.sources,
            baseline.created,
        ),
        current,
        found.alpha,
        found.n_tests,
        found.outcomes,
        found.incidents,
        (),
        _stamp(moment),
        _versions(),
        (*baseline.notes, *notes, *found.notes),
        exhibits=found.exhibits,
        companions=companions,
    )
