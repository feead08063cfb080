"""Jobs of the attribution monitor: what the command line, the Python API and the scheduler call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from driftline.baselines.attribution import AttributionBaseline
from driftline.baselines.explanations import (
    ANALYSIS,
    Explanations,
    label_shown,
    matched,
    write_explanations,
)
from driftline.baselines.packing import pack
from driftline.errors import SchemaError, UsageError
from driftline.files import digest
from driftline.monitor.attribution.captured import captured_columns
from driftline.monitor.attribution.exhibits import exhibits_of
from driftline.monitor.attribution.keeping import background_rows, local_of, local_part, local_rows, parts_of
from driftline.monitor.attribution.measuring import measured
from driftline.monitor.attribution.model_settings import model_of
from driftline.monitor.attribution.recipe import (
    ALPHA,
    Label,
    certain_notes,
    incidents_of,
    judged,
    judged_as_sagemaker,
)
from driftline.monitor.attribution.settings import Settings, read_settings, settings_document
from driftline.monitor.attribution.sides import (
    SideResult,
    captured_side,
    explained_baseline,
    explained_window,
    model_settings,
)
from driftline.monitor.job import _mode, _now, _Opened, _stamp, _versions
from driftline.monitor.overrides import Overrides, read_overrides
from driftline.reports.report import Report, Side

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Literal

    from numpy.typing import NDArray

    from driftline.baselines.explanations import Attribution
    from driftline.capture.source import Source

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
    model: Any = None,
    label: str | None = None,
    threads: int | None = None,  # noqa: ARG001 - the doors of all kinds are alike
    progress: Progress | None = None,
    now: datetime | None = None,
) -> AttributionBaseline:
    """Explain a model on its training data.

    Parameters
    ----------
    data : object
        Training data, in any form that :func:`driftline.capture.open.open_source` reads.
    settings : Settings
    compat : {"sagemaker"}, optional
        Make a baseline for the rule of SageMaker Model Monitor.
    format, header, preprocessor
        How the data are read.
    model : object, optional
        The model itself: see :func:`driftline.monitor.attribution.model_settings.model_of`.
    label : str, optional
        Name for people.
    threads : int, optional
        Without effect: the time goes to the model.
    progress : callable, optional
        Called with (rows explained, rows in all).
    now : datetime, optional

    Returns
    -------
    AttributionBaseline

    Raises
    ------
    DriftlineError
        If anything given cannot be used, or the model fails.
    """
    mode = _mode(compat)
    settings = _with_model(settings, model)
    wanted = model_settings(settings)
    with _Opened(data, format=format, header=header, preprocessor=preprocessor, mode=mode) as opened:
        source = opened.source
        names = _names(source, settings)
        side = (
            captured_side(source, settings, names)
            if wanted.kind == "captured"
            else explained_baseline(source, settings, names, progress)
        )
        if side.found is None:
            raise SchemaError(
                "there is not a single row to explain",
                code="E-NO-ROWS",
                file=source.label,
                fix="give the data that the model was trained or validated with",
            )
        notes = [*opened.notes, *side.notes]
        if settings.agg == "median" and any(v < 0 for one in side.attributions for v in one.values.values()):
            notes.append(
                "some medians are negative, so the order of the features has no meaning, and NDCG is not judged: "
                "use agg = mean_abs"
            )
        found = side.found
        background = side.background
        return AttributionBaseline(
            label or source.label,
            Explanations(side.attributions, side.dependence),
            settings_document(settings),
            names,
            side.n_rows,
            parts_of(found, background),
            _details(side, source),
            local_rows(found, side.labels),
            None
            if background is None or side.encoding is None
            else background_rows(side.encoding, background),
            mode,
            _stamp(now or _now()),
            source.sources,
            _versions(),
            tuple(notes),
            model=wanted if wanted.object is not None else None,
        )


def check(
    data: Any,
    baseline: AttributionBaseline | str | os.PathLike[str],
    *,
    compat: str | None = None,
    overrides: Mapping[str, Any] | bytes | None = None,
    overrides_file: object = "overrides",
    settings: Settings | None = None,
    format: str | None = None,  # noqa: A002
    header: Header = "auto",
    preprocessor: str | os.PathLike[str] | None = None,
    model: Any = None,
    label: str | None = None,
    threads: int | None = None,  # noqa: ARG001 - the doors of all kinds are alike
    progress: Progress | None = None,
    now: datetime | None = None,
) -> Report:
    """Explain a model on live data, and compare with its baseline.

    Parameters
    ----------
    data : object
        In any form that :func:`driftline.capture.open.open_source` reads; read once. No truth is needed.
    baseline : AttributionBaseline or path
    compat : {"sagemaker"}, optional
        Only NDCG, against 0.9, in SageMaker's words.
    overrides : mapping or bytes, optional
        Decisions on top of the defaults; bytes are TOML.
    overrides_file : object
        Name of that file, for errors.
    settings : Settings, optional
        What Clarify's own ``analysis.json`` does not say: the model, and the background. A baseline of driftline's knows.
    format, header, preprocessor
        How the data are read.
    model : object, optional
        The model itself, or where it is, instead of what the baseline says.
    label : str, optional
        Name for people.
    threads : int, optional
        Without effect.
    progress : callable, optional
        Called with (rows explained, rows in all).
    now : datetime, optional

    Returns
    -------
    Report

    Raises
    ------
    DriftlineError
        If anything given cannot be used, or the model fails.
    """
    mode = _mode(compat)
    if not isinstance(baseline, AttributionBaseline):
        from driftline.monitor.kinds import load_baseline

        loaded = load_baseline(baseline, kind="attribution")
        assert isinstance(loaded, AttributionBaseline)
        baseline = loaded
    decided = read_overrides(overrides, file=overrides_file, recipe="attribution")
    if mode == "sagemaker" and decided != Overrides():
        raise UsageError(
            "compat mode knows one rule, NDCG below 0.9",
            code="E-COMPAT",
            file=overrides_file,
            fix="leave out compat or the configuration",
        )
    decided.checked(baseline.features, file=overrides_file)
    told = _with_model(_settings(baseline, settings), model if model is not None else baseline.model)
    wanted = model_settings(told)
    with _Opened(data, format=format, header=header, preprocessor=preprocessor, mode=mode) as opened:
        source = opened.source
        names = _names(source, told) if not baseline.settings else baseline.names
        side = (
            captured_side(source, told, names)
            if wanted.kind == "captured"
            else explained_window(source, told, names, baseline, mode, progress)
        )
        return _report(
            baseline, side, told, decided, mode, source, opened.notes, label, _stamp(now or _now())
        )


def _report(
    baseline: AttributionBaseline,
    side: SideResult,
    settings: Settings,
    decided: Overrides,
    mode: str,
    source: Source,
    notes: tuple[str, ...],
    label: str | None,
    created: str,
) -> Report:
    labels = _measured(baseline, side, settings)
    alpha = decided.alpha if decided.alpha is not None else ALPHA
    certain: list[str] = []
    if mode == "sagemaker":
        outcomes, n_tests = judged_as_sagemaker(labels), 0
    else:
        outcomes, n_tests = judged(labels, decided, alpha)
        certain = certain_notes(labels, alpha)
    version = baseline.details.get("model_version")
    told = [*baseline.notes, *notes, *side.notes]
    if version and side.version and version != side.version:
        told.append(
            "the model is not the one that the baseline was made with: a change may be the model's, not the data's"
        )
    if side.n_rows > side.n_explained > 0:
        told.append(f"{side.n_explained:,} of {side.n_rows:,} rows were explained, chosen by what they hold")
    told += certain
    told += _cost(side)
    return Report(
        "attribution",
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
        Side(
            label or source.label,
            side.n_rows,
            len(source.fields),
            digest(pack({} if side.found is None else {"local": local_part(side.found)})),
            source.sources,
            created,
        ),
        alpha,
        n_tests,
        tuple(outcomes),
        incidents_of(outcomes, labels),
        (),
        created,
        _versions(),
        tuple(dict.fromkeys(told)),
        exhibits=exhibits_of(labels, baseline.explanations.dependence, side.dependence),
        companions=_companions(side),
    )


def _measured(baseline: AttributionBaseline, side: SideResult, settings: Settings) -> list[Label]:
    """Measure every output of the model."""
    local = local_of(baseline.parts)
    pairs: list[tuple[Attribution, Attribution | None]] = [
        (one, None) for one in baseline.explanations.attributions
    ]
    if side.found is not None:
        pairs = list(matched(baseline.explanations, Explanations(side.attributions)))
    result = []
    for k, (before, after) in enumerate(pairs):
        features = tuple(before.values)
        rows_before = None if local is None else _rows_of(local, baseline, before.label, features)
        rows_now = None
        now = np.full(len(features), np.nan)
        if after is not None and side.found is not None:
            now = np.array([after.values[name] for name in features])
            order = [side.found.players.index(name) for name in features]
            rows_now = side.found.values[:, order, side.labels.index(after.label)]
        shown = label_shown(before.label, k)
        moved = measured(
            features,
            np.array([before.values[name] for name in features]),
            now,
            rows_before,
            rows_now,
            settings.agg,
            settings.seed,
        )
        n_before = 0 if rows_before is None else rows_before.shape[0]
        result.append(Label(shown, shown if len(pairs) > 1 else None, moved, n_before, side.n_explained))
    return result


def _rows_of(
    local: NDArray[np.float64], baseline: AttributionBaseline, label: str, features: Sequence[str]
) -> NDArray[np.float64]:
    names, labels = list(baseline.details["features"]), list(baseline.details["labels"])
    return local[:, [names.index(name) for name in features], labels.index(label)]


def _with_model_settings(settings: Settings, model: Any) -> Settings:
    if model is None:
        return settings
    return replace(settings, model=model_of(model))


def _with_model(settings: Settings, model: Any) -> Settings:
    return settings if model is None else replace(settings, model=model_of(model))


def _settings(baseline: AttributionBaseline, given: Settings | None) -> Settings:
    if not baseline.settings:
        return given or Settings()
    if given is not None:
        raise UsageError(
            "the baseline knows its settings",
            code="E-CONFIG",
            field="config",
            fix="leave out the configuration, or make the baseline again with it",
        )
    return read_settings(dict(baseline.settings), file=f"{baseline.file or 'baseline'}/baseline.json")


def _names(source: Source, settings: Settings) -> tuple[str, ...]:
    """Return the columns that are read."""
    if settings.model is not None and settings.model.kind == "captured":
        return captured_columns(source, settings)
    if settings.features is not None:
        return settings.features
    there = [field.name for field in source.fields]
    for name in settings.ignore:
        if name not in there:
            from driftline.documents import nearest

            close = nearest(name, there)
            raise SchemaError(
                "the data have no such column",
                code="E-COLUMN",
                file=source.label,
                field=f"ignore: {name}",
                fix=f"did you mean {close!r}?" if close else "remove it",
            )
    return tuple(name for name in there if name not in settings.ignore)


def _details(side: SideResult, source: Source) -> dict[str, Any]:
    found = side.found
    assert found is not None
    details: dict[str, Any] = {
        "features": list(found.players),
        "labels": list(side.labels),
        "n_explained": side.n_explained,
        "n_columns": len(source.fields),
        "n_predictions": found.n_evaluations,
        "convergence_error": found.error,
    }
    if found.n_samples is not None:
        details["n_samples"] = found.n_samples
    if side.encoding is not None:
        details["encoding"] = side.encoding.document()
    if side.version is not None:
        details["model_version"] = side.version
    return details


def _cost(side: SideResult) -> list[str]:
    found = side.found
    if found is None or found.n_samples is None:
        return []
    n_background = 0 if side.background is None else side.background.shape[0]
    notes = [
        f"{side.n_explained:,} rows were explained with up to {found.n_samples:,} coalitions each against "
        f"{n_background:,} background {'row' if n_background == 1 else 'rows'}: {found.n_evaluations:,} predictions"
    ]
    if found.error > 0.005:
        notes.append(
            "the coalitions were drawn: the least certain feature has a standard error of "
            f"{100 * found.error:.1f} % of all attribution; raise n_samples for less"
        )
    return notes


def _companions(side: SideResult) -> dict[str, Callable[[], bytes]]:
    found = side.found
    if found is None:
        return {}
    result: dict[str, Callable[[], bytes]] = {
        ANALYSIS: lambda: write_explanations(Explanations(side.attributions, side.dependence)),
        "out.csv": lambda: local_rows(found, side.labels),
    }
    encoding, background = side.encoding, side.background
    if encoding is not None and background is not None:
        result["baseline.csv"] = lambda: background_rows(encoding, background)
    return result
