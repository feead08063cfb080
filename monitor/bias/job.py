"""Jobs of the bias monitor: the wiring between data, settings, baseline and report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from driftline.baselines.analysis import Analysis, write_analysis
from driftline.baselines.bias import ANALYSIS, STATES, BiasBaseline
from driftline.baselines.packing import pack, unpack
from driftline.documents import Node
from driftline.errors import SchemaError, UsageError
from driftline.files import digest
from driftline.monitor.bias.binary import predicted_labels
from driftline.monitor.bias.column import Column, Dtype
from driftline.monitor.bias.counting import count, counted_of, packed
from driftline.monitor.bias.exhibits import facets_exhibit, interval_exhibits, rates_exhibit
from driftline.monitor.bias.frozen import Frozen, freeze_columns, read_frozen
from driftline.monitor.bias.intervals import Estimate
from driftline.monitor.bias.notes import baseline_notes, window_notes
from driftline.monitor.bias.numbers import Numbers, analysis_of, frozen_of, numbers_of, numbers_of_analysis
from driftline.monitor.bias.reader import Reader, SpeakingOf, columns_named, whole_columns
from driftline.monitor.bias.recipe import ALPHA, judge
from driftline.monitor.bias.settings import Settings, read_settings, settings_document
from driftline.monitor.job import _mode, _now, _Opened, _stamp, _versions
from driftline.monitor.overrides import Overrides, read_overrides
from driftline.reports.report import Report, Side

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime
    from typing import Literal

    from driftline.capture.source import Source

    Progress = Callable[[int, int], None]
    Header = bool | Literal["auto"]

__all__ = ["check", "make_baseline", "read_settings", "settings_document"]

RECIPE: Final = "bias"


def make_baseline(
    data: Any,
    settings: Settings,
    *,
    compat: str | None = None,
    format: str | None = None,  # noqa: A002
    header: Header = "auto",
    preprocessor: str | os.PathLike[str] | None = None,
    label: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    now: datetime | None = None,
) -> BiasBaseline:
    """Measure how the groups fare, and keep it as what live data is held to.

    The columns that the settings name are held in memory: types, groups and thresholds are decided on all of them.

    Parameters
    ----------
    data : object
        Anything that :func:`driftline.capture.open.open_source` reads, with label and prediction beside the facets.
    settings : Settings
    compat : {"sagemaker"}, optional
        Use the definitions of SageMaker Clarify.
    format, header, preprocessor
        How data are read.
    label : str, optional
        Name for people.
    threads : int, optional
        Not used: one pass over a few columns.
    progress : callable, optional
        Called with (parts done, parts in all).
    now : datetime, optional
        Time to write into the baseline.

    Returns
    -------
    BiasBaseline

    Raises
    ------
    DriftlineError
        If the data cannot be read as the settings say; the message names column and fix.
    """
    del threads
    mode = _mode(compat)
    with _Opened(
        data, format=format, header=header, preprocessor=preprocessor, mode=mode, keep=columns_named(settings)
    ) as opened:
        reader = Reader.of(opened.source, settings)
        settings = reader.settings
        names = reader.needed(whole=mode == "sagemaker" and settings.features is None)
        columns = whole_columns(reader, names, progress)
        notes = [*opened.notes]
        if mode == "sagemaker":
            return _clarify_baseline(columns, settings, opened.source, label, notes, now)
        with SpeakingOf(opened.source.label):
            features, left_out = _features(columns, settings, reader.names)
            frozen = freeze_columns(columns, settings, features)
            counted = count([columns], frozen, settings, with_samples=bool(features))
        numbers = numbers_of(counted, frozen, settings)
        notes += baseline_notes(counted, frozen, settings, left_out)
        return BiasBaseline(
            label or opened.source.label,
            analysis_of(numbers, frozen, settings),
            pack(packed(counted)),
            settings_document(settings),
            {"frozen": frozen.document(), "estimates": _estimates_document(numbers)},
            _kept_names(settings, frozen),
            counted.n_rows,
            mode,
            _stamp(now or _now()),
            tuple(opened.source.sources),
            _versions(),
            tuple(notes),
        )


def check(
    data: Any,
    baseline: BiasBaseline,
    *,
    settings: Settings | None = None,
    compat: str | None = None,
    overrides: Mapping[str, Any] | bytes | None = None,
    overrides_file: object = "overrides",
    format: str | None = None,  # noqa: A002
    header: Header = "auto",
    preprocessor: str | os.PathLike[str] | None = None,
    label: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    now: datetime | None = None,
) -> Report:
    """Hold the groups of live data to a baseline.

    Parameters
    ----------
    data : object
        Anything that :func:`driftline.capture.open.open_source` reads; read once.
    baseline : BiasBaseline
    settings : Settings, optional
        Needed where the baseline is Clarify's ``analysis.json`` without its configuration.
    compat : {"sagemaker"}, optional
        Judge by the point rule, with the numbers and words of SageMaker.
    overrides : mapping or bytes, optional
        Decisions about metrics and groups, see :mod:`driftline.monitor.overrides`; bytes are TOML.
    overrides_file : object
        Name of the TOML file, for errors.
    format, header, preprocessor
        How data are read.
    label : str, optional
        Name for people.
    threads : int, optional
        Not used: one pass over a few columns.
    progress : callable, optional
        Called with (parts done, parts in all).
    now : datetime, optional

    Returns
    -------
    Report

    Raises
    ------
    DriftlineError
        If anything given cannot be used; the message names file, field and fix.
    """
    del threads
    mode = _mode(compat)
    settings = _settings_for(baseline, settings)
    decided = read_overrides(overrides, file=overrides_file, recipe=RECIPE)
    if mode == "sagemaker" and decided != Overrides():
        raise UsageError(
            "compat mode takes its bounds from analysis.json alone",
            code="E-COMPAT",
            file=overrides_file,
            fix="edit analysis.json, or leave out the configuration",
        )
    moment = _stamp(now or _now())
    with _Opened(
        data, format=format, header=header, preprocessor=preprocessor, mode=mode, keep=columns_named(settings)
    ) as opened:
        reader = Reader.of(opened.source, settings)
        # The baseline speaks of columns by name, so positions are told by the names they have here.
        settings = reader.settings
        run = _Run(opened.source, label or opened.source.label, moment, progress)
        if mode == "sagemaker":
            return _clarify_report(reader, baseline, settings, run, opened.notes)
        return _default_report(reader, baseline, settings, decided, overrides_file, run, opened)


@dataclass(frozen=True, slots=True)
class _Run:
    source: Source
    label: str
    moment: str
    progress: Progress | None


def _settings_for(baseline: BiasBaseline, given: Settings | None) -> Settings:
    where = baseline.file or baseline.label
    if not baseline.settings:
        if given is None:
            raise UsageError(
                "the baseline does not say which column is which",
                code="E-CONFIG",
                file=where,
                fix="give settings (--config on the command line), or put analysis_config.json beside analysis.json",
            )
        return given
    own = read_settings(baseline.settings, file=f"{where}/baseline.json" if baseline.states else where)
    if given is None:
        return own
    same = ("label", "positive", "prediction", "probability", "threshold", "facets", "intersections", "group")
    for name in same if baseline.states is not None else ():
        if getattr(own, name) != getattr(given, name):
            raise UsageError(
                "differs from what the baseline was made with, so that there is nothing to compare",
                code="E-CONFIG",
                field=name,
                fix="leave the settings out, or make the baseline again with them",
            )
    return given


def _features(
    columns: Mapping[str, Column], settings: Settings, every: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns of the flip test, and those that are none because they hold no numbers."""
    if "FT" not in settings.codes:
        return (), ()
    taken = {settings.label, settings.prediction, settings.probability, *settings.exclude}
    if settings.features is not None:
        for name in settings.features:
            column = columns[name]
            if column.is_coded:
                raise SchemaError(
                    "holds values that are no numbers, so that the flip test cannot tell what is near",
                    code="E-BIAS-TYPE",
                    field=name,
                    fix="leave it out of features, or encode it as a number",
                )
        return tuple(name for name in settings.features if name not in taken), ()
    names = [name for name in columns if name not in taken]
    own = {facet.column for facet in settings.facets}
    numeric = tuple(name for name in names if not columns[name].is_coded and columns[name].n_valid)
    return numeric, tuple(name for name in every if name not in {*numeric, *own, *taken})


def _kept_names(settings: Settings, frozen: Frozen) -> tuple[str, ...]:
    chosen = () if settings.features is None else frozen.features
    return tuple(dict.fromkeys((*(name for name in columns_named(settings)), *chosen)))


def _estimates_document(numbers: Numbers) -> dict[str, dict[str, Any]]:
    """Write what a check must know: the values as they were before anybody edited them, and the flip test's errors."""
    from driftline.reports.spelling import spell

    found: dict[str, dict[str, Any]] = {}
    for (text, code), one in numbers.estimates.items():
        entry: dict[str, Any] = {"value": spell(one.value)}
        if code == "FT":
            entry |= {
                "error": one.error,
                "n_rows": one.n_rows,
                "reason": one.reason,
                "sides": list(one.sides),
            }
        found.setdefault(text, {})[code] = entry
    return found


def _read_flips(node: Node) -> dict[str, Estimate]:
    flips = {}
    for text in node.object():
        inner = node[text].get("FT")
        if inner is not None:
            reason = inner.text("reason") if inner.has("reason") else None
            value = inner.number("value") if inner.has("value") else None
            sides = inner["sides"].items()
            if len(sides) != 2:
                raise inner.error("expected two numbers", key="sides")
            n_a, n_d = (Node({"rows": side.value}, node.file).integer("rows") for side in sides)
            error, n_rows = inner.number("error"), inner.integer("n_rows")
            flips[text] = Estimate("FT", value, value, error, n_rows, reason, (n_a, n_d))
    return flips


def _edited(
    baseline: BiasBaseline, frozen: Frozen, settings: Settings, node: Node
) -> dict[tuple[str, str], float | None]:
    """Return what people changed in ``analysis.json``; None for what they removed."""
    from driftline.reports.spelling import unspell_value

    written = numbers_of_analysis(baseline.analysis, frozen, settings).estimates
    found: dict[tuple[str, str], float | None] = {}
    for text in node.object():
        inner = node[text]
        for code in inner.object():
            original = unspell_value(inner[code].object().get("value"))
            key = (text, code)
            if key not in written:
                found[key] = None
            elif written[key].value != original:
                found[key] = written[key].value
    return found


def _default_report(
    reader: Reader,
    baseline: BiasBaseline,
    settings: Settings,
    decided: Overrides,
    overrides_file: object,
    run: _Run,
    opened: _Opened,
) -> Report:
    where = baseline.file or baseline.label
    notes: list[str] = []
    edited: dict[tuple[str, str], float | None] | None = None
    if baseline.states is not None:
        root = Node(dict(baseline.details), f"{where}/baseline.json", "details")
        frozen = read_frozen(root["frozen"])
        kept = counted_of(
            unpack(baseline.states, file=f"{where}/{STATES}"),
            len(frozen.axes),
            baseline.n_rows,
            file=f"{where}/{STATES}",
        )
        before = numbers_of(kept, frozen, settings, _read_flips(root["estimates"]))
        edited = _edited(baseline, frozen, settings, root["estimates"])
    else:
        features = _live_features(reader, settings)
        frozen = frozen_of(baseline.analysis, settings, features)
        if not frozen.axes:
            raise UsageError(
                "speaks of none of the groups that the settings name",
                code="E-CONFIG",
                file=where,
                field="facets",
                fix="name the facets and values that analysis.json has",
            )
        before = numbers_of_analysis(baseline.analysis, frozen, settings)
        notes.append(
            "the baseline does not say how many rows it was made of, so its own sampling error is not allowed for: make it "
            "again with driftline to have that"
        )
    decided.checked([group.text for axis in frozen.axes for group in axis.groups], file=overrides_file)
    lost = [name for name in frozen.features if name not in reader.names]
    with_samples = (
        bool(frozen.features) and "FT" in settings.codes and (settings.features is not None or not lost)
    )
    names = dict.fromkeys(columns_named(settings))
    if with_samples:
        names.update(dict.fromkeys(frozen.features))
    with SpeakingOf(run.source.label):
        counted = count(
            reader.batches(tuple(names), run.progress), frozen, settings, with_samples=with_samples
        )
    flips = None
    if not with_samples and frozen.features and "FT" in settings.codes:
        reason = (
            f"the data lack the column {lost[0]!r}, by which similarity was judged"
            if lost
            else "no rows were kept"
        )
        flips = {
            group.text: Estimate("FT", None, None, 0.0, counted.n_rows, reason)
            for axis in frozen.axes
            for group in axis.groups
        }
    now = numbers_of(counted, frozen, settings, flips)
    verdicts = judge(now, before, frozen, settings, decided, edited=edited)
    notes = window_notes(counted, now, before, frozen, settings) + notes
    analysis = analysis_of(now, frozen, settings)
    states = pack(packed(counted))
    exhibits = (
        facets_exhibit(now, before, frozen),
        rates_exhibit(now, before, frozen),
        *interval_exhibits(verdicts.judged),
    )
    return Report(
        RECIPE,
        "default",
        "name",
        _baseline_side(baseline),
        Side(
            run.label,
            counted.n_rows,
            len(reader.names),
            digest(states),
            tuple(run.source.sources),
            run.moment,
        ),
        verdicts.alpha,
        verdicts.n_tests,
        verdicts.outcomes,
        verdicts.incidents,
        (),
        run.moment,
        _versions(),
        (*notes, *opened.notes, *baseline.notes),
        exhibits=exhibits,
        companions={ANALYSIS: lambda: _analysis_bytes(analysis)},
    )


def _live_features(reader: Reader, settings: Settings) -> tuple[str, ...]:
    """Return the columns of the flip test where the baseline does not say: those of which the data declare numbers."""
    if "FT" not in settings.codes:
        return ()
    if settings.features is not None:
        return settings.features
    taken = {settings.label, settings.prediction, settings.probability, *settings.exclude}
    return tuple(
        name
        for name, one in zip(reader.names, reader.source.fields, strict=True)
        if name in reader.candidates(whole=False) and not one.textual and name not in taken
    )


def _analysis_bytes(analysis: Analysis) -> bytes:
    return write_analysis(analysis).encode("utf-8", "surrogatepass")


def _baseline_side(baseline: BiasBaseline) -> Side:
    return Side(
        baseline.label,
        baseline.n_rows,
        len(baseline.names),
        baseline.digest,
        tuple(baseline.sources),
        baseline.created,
    )


def _clarify_columns(
    columns: Mapping[str, Column], settings: Settings
) -> tuple[dict[str, Column], str | None]:
    """Return the columns as Clarify gets them, with the predicted label among them, and its name."""
    result = dict(columns)
    if settings.prediction is not None or settings.probability is None:
        return result, settings.prediction
    scores = result.pop(settings.probability)
    labels = predicted_labels(scores.numbers(), settings.threshold)
    result[settings.probability] = Column(
        settings.probability, Dtype.INTEGER, (labels == 1).astype("int64"), labels != 2
    )
    return result, settings.probability


def _clarify_analysis(columns: Mapping[str, Column], settings: Settings, file: str) -> Analysis:
    from driftline.monitor.bias import clarify

    if settings.label is None:
        raise UsageError(
            "compat mode needs the label",
            code="E-COMPAT",
            field="label",
            fix="name its column, or leave out compat",
        )
    if settings.intersections:
        raise UsageError(
            "intersections do not exist in compat mode",
            code="E-COMPAT",
            field="intersections",
            fix="leave out compat or intersections",
        )
    table, predicted = _clarify_columns(columns, settings)
    question = clarify.Question(
        settings.label,
        settings.positive,
        tuple(
            clarify.Facet(
                facet.column, (facet.threshold,) if facet.threshold is not None else facet.values or ()
            )
            for facet in settings.facets
        ),
        predicted if "post" in settings.methods else None,
        settings.group,
        settings.features,
        settings.metrics,
    )
    with SpeakingOf(file):
        pre = clarify.pre_training(table, question) if "pre" in settings.methods else None
        post = clarify.post_training(table, question) if question.predicted is not None else None
    return Analysis(pre_training=pre, post_training=post)


def _clarify_baseline(
    columns: Mapping[str, Column],
    settings: Settings,
    source: Source,
    label: str | None,
    notes: list[str],
    now: datetime | None,
) -> BiasBaseline:
    analysis = _clarify_analysis(columns, settings, source.label)
    n_rows = next(iter(columns.values())).n_rows
    return BiasBaseline(
        label or source.label,
        analysis,
        None,
        settings_document(settings),
        {},
        tuple(columns_named(settings)),
        n_rows,
        "sagemaker",
        _stamp(now or _now()),
        tuple(source.sources),
        _versions(),
        tuple(notes),
    )


def _clarify_report(
    reader: Reader, baseline: BiasBaseline, settings: Settings, run: _Run, notes: Collection[str]
) -> Report:
    from driftline.monitor.bias.compat import compat_verdicts

    columns = whole_columns(reader, reader.needed(whole=settings.features is None), run.progress)
    analysis = _clarify_analysis(columns, settings, run.source.label)
    verdicts = compat_verdicts(baseline.analysis, analysis)
    n_rows = next(iter(columns.values())).n_rows
    told = _analysis_bytes(analysis)
    return Report(
        RECIPE,
        "sagemaker",
        "name",
        _baseline_side(baseline),
        Side(run.label, n_rows, len(reader.names), digest(told), tuple(run.source.sources), run.moment),
        ALPHA,
        0,
        verdicts.outcomes,
        verdicts.incidents,
        (),
        run.moment,
        _versions(),
        (*verdicts.notes, *notes, *baseline.notes),
        exhibits=verdicts.exhibits,
        companions={ANALYSIS: lambda: told},
    )
