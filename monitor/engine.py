"""Engine: Baseline + Profile + recipe → Report. Pure: no file, no clock, no network."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from driftline.baselines.constraint import Constraint, Constraints, Severity
from driftline.baselines.describe import SKETCH_ERROR
from driftline.baselines.suggestion import localised
from driftline.monitor.checks import Scene, measure
from driftline.monitor.judgement import judge
from driftline.monitor.overrides import Overrides
from driftline.monitor.recipes.data_quality import dataset_rules, feature_rules
from driftline.monitor.segment import segment_label
from driftline.monitor.views import view
from driftline.reports.incident import group
from driftline.reports.outcome import Measurement, Outcome, Status
from driftline.reports.report import ColumnView, Report, Side
from driftline.reports.wording import plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftline.baselines.baseline import Baseline
    from driftline.baselines.column import Column
    from driftline.baselines.constraint import Feature
    from driftline.baselines.profile import Profile

__all__ = ["LEAST_PER_SEGMENT", "Run", "compare"]

LEAST_PER_SEGMENT = 30
"""Rows below which a segment is undetermined."""

MOST_DRAWN = 300
"""Columns of a wide table that get histograms: the violated ones first."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a comparison needs beside the two sides.

    Attributes
    ----------
    label : str
        Name of the current data for people.
    created : str
        ISO 8601, UTC.
    now : float
        The same instant in seconds since 1970-01-01 UTC.
    versions : mapping of str to str
    overrides : Overrides
    named : bool
        Whether the current columns came with names.
    notes : tuple of str
        What reading the data has to tell.
    segments : mapping of str or None to Profile
        Profiles of the current rows by value of the segment column; None where they have none.
    segment_column : str or None
    """

    label: str
    created: str
    now: float
    versions: Mapping[str, str]
    overrides: Overrides = field(default_factory=Overrides)
    named: bool = True
    notes: tuple[str, ...] = ()
    segments: Mapping[str | None, Profile] = field(default_factory=dict)
    segment_column: str | None = None


def compare(baseline: Baseline, current: Profile, run: Run) -> Report:
    """Hold a profile of live data to a baseline.

    Parameters
    ----------
    baseline : Baseline
    current : Profile
    run : Run

    Returns
    -------
    Report
        In the default mode of driftline.
    """
    document = baseline.constraints
    overrides = run.overrides
    alpha = overrides.alpha if overrides.alpha is not None else document.alpha
    by_name = run.named and baseline.named and not _numbered_apart(document, current)
    paired, came_or_went = _paired(document, current, overrides, by_name=by_name)
    kept = baseline.columns(current.limits)
    scene = Scene(
        current.sources,
        current.n_rows,
        run.now,
        0.0 if baseline.profile is not None else _sketch_error(baseline),
    )
    pairs: list[tuple[Constraint, Measurement, str | None]] = [
        (rule, measure(rule, None, None, scene), None) for rule in dataset_rules(document, overrides)
    ]
    for feature, column in paired:
        before = kept.get(feature.name)
        rules = feature_rules(document, feature, overrides)
        if not rules and before is not None and not before.n_present:
            rules = _nothing_known(document, feature, overrides)
        for rule in rules:
            pairs.append((rule, measure(rule, before, column, scene), None))
    segment_views: list[ColumnView] = []
    if run.segment_column is not None:
        pairs += _segmented(baseline, run, overrides)
    judged, n_tests = judge(pairs, alpha)
    outcomes = [*came_or_went, *judged]
    views = _views(paired, kept, outcomes)
    if run.segment_column is not None:
        segment_views = _segment_views(baseline, run, outcomes)
    incidents = group(outcomes)
    return Report(
        recipe="data-quality",
        mode="default",
        matching="name" if by_name else "position",
        baseline=Side(
            baseline.label,
            baseline.n_rows,
            len(document.features),
            baseline.digest,
            baseline.sources,
            baseline.created,
        ),
        current=Side(
            run.label, current.n_rows, len(current.columns), current.digest, current.sources, run.created
        ),
        alpha=alpha,
        n_tests=n_tests,
        outcomes=tuple(outcomes),
        incidents=incidents,
        columns=tuple(views + segment_views),
        created=run.created,
        versions=run.versions,
        notes=tuple(_notes(baseline, current, run, by_name=by_name)),
        segments=run.segment_column,
    )


def _views(
    paired: Sequence[tuple[Feature, Column]], kept: Mapping[str, Column], outcomes: Sequence[Outcome]
) -> list[ColumnView]:
    drawn = {o.constraint.column for o in outcomes if o.is_violation and o.segment is None}
    room = MOST_DRAWN - len(drawn)
    views = []
    for feature, column in paired:
        wanted = feature.name in drawn
        if not wanted and room > 0:
            wanted = True
            room -= 1
        views.append(view(feature.name, kept.get(feature.name), column, drawn=wanted))
    return views


def _sketch_error(baseline: Baseline) -> float:
    statistics = baseline.statistics
    if statistics is None:
        return 0.0
    compacted = any(
        f.numeric is not None and f.numeric.sketch is not None and len(f.numeric.sketch.levels) > 1
        for f in statistics.features
    )
    return SKETCH_ERROR if compacted else 0.0


_NUMBERED = re.compile(r"_c\d+")


def _numbered_apart(document: Constraints, current: Profile) -> bool:
    """Tell whether the current names are mere positions (``_c0``, ``_c1``, …) and the baseline's are not."""
    if not current.columns or not all(_NUMBERED.fullmatch(c.name) for c in current.columns):
        return False
    return not any(_NUMBERED.fullmatch(f.name) for f in document.features)


def _paired(
    document: Constraints, current: Profile, overrides: Overrides, *, by_name: bool
) -> tuple[list[tuple[Feature, Column]], list[Outcome]]:
    """Pair the baseline's features with the current columns, and judge those that came or went."""
    features = [f for f in document.features if not overrides.for_column(f.name).ignore]
    if not document.monitoring.evaluate_constraints:
        return list(_by_name(features, current)) if by_name else [], []
    n, m = current.n_rows, len(current.columns)
    if not by_name:
        if m == len(document.features):
            position = {f.name: i for i, f in enumerate(document.features)}
            pairs = [(f, current.columns[position[f.name]]) for f in features]
            return pairs, [_all_there(m, n)]
        check = "missing_column" if m < len(document.features) else "extra_column"
        reason = (
            f"The data has {plural(m, 'column')} without names, the baseline {len(document.features):,}; "
            "they cannot be paired, so nothing else was looked at."
        )
        rule = Constraint(check, None, float(len(document.features)), why="number of columns of the baseline")
        found = Measurement(check, float(abs(m - len(document.features))), "columns", n)
        return [], [Outcome(rule, found, Status.VIOLATED, reason)]
    pairs = list(_by_name(features, current))
    have = {f.name for f, _ in pairs}
    outcomes = []
    for feature in features:
        if feature.name not in have:
            gone = _column_rule("missing_column", feature.name, overrides)
            if gone is not None:
                outcomes.append(
                    Outcome(
                        gone,
                        Measurement("missing_column", 1.0, "columns", n),
                        Status.VIOLATED,
                        "The baseline has this column, the data lacks it.",
                    )
                )
    known = {f.name for f in document.features}
    new = [c for c in current.columns if c.name not in known and not overrides.for_column(c.name).ignore]
    if len(have) == len(features) and not new:
        # Where every column is ignored, or nobody wants to know, nothing is there to be told.
        told = any(
            _column_rule(check, feature.name, overrides)
            for feature in features
            for check in ("missing_column", "extra_column")
        )
        return pairs, [_all_there(len(features), n)] if told else []
    for column in new:
        extra = _column_rule("extra_column", column.name, overrides)
        if extra is not None:
            outcomes.append(
                Outcome(
                    extra,
                    Measurement("extra_column", 1.0, "columns", n),
                    Status.VIOLATED,
                    "The data has this column, the baseline does not know it.",
                )
            )
    return pairs, outcomes


def _by_name(features: Sequence[Feature], current: Profile) -> list[tuple[Feature, Column]]:
    pairs = []
    for feature in features:
        column = current.column(feature.name)
        if column is not None:
            pairs.append((feature, column))
    return pairs


def _column_rule(check: str, name: str, overrides: Overrides) -> Constraint | None:
    everywhere = overrides.checks.get(check)
    mine = overrides.for_column(name).checks.get(check)
    settings = mine if everywhere is None else everywhere.under(mine)
    if settings is not None and settings.enabled is False:
        return None
    severity = Severity.WARNING
    if settings is not None and settings.severity is not None:
        severity = settings.severity
    return Constraint(check, name, 0.0, severity=severity, why="columns of the baseline")


def _nothing_known(document: Constraints, feature: Feature, overrides: Overrides) -> list[Constraint]:
    """Return a rule that nobody can judge, lest a column without a value in the baseline look as if it were in order."""
    evaluate = feature.evaluate_constraints
    decided = [o.get("data_type") for o in (overrides.checks, overrides.for_column(feature.name).checks)]
    if not (document.monitoring.evaluate_constraints if evaluate is None else evaluate):
        return []
    if any(settings is not None and settings.enabled is False for settings in decided):
        return []
    why = "the baseline has no value in this column"
    return [Constraint("data_type", feature.name, 1.0, expected=feature.inferred_type.value, why=why)]


def _all_there(total: int, n: int) -> Outcome:
    return Outcome(
        Constraint("missing_column", None, 0.0, why="columns of the baseline"),
        Measurement("missing_column", 0.0, "columns", n),
        Status.PASSED,
        "The only column of the baseline is there, and no other."
        if total == 1
        else f"All {total:,} columns of the baseline are there, and no others.",
    )


def _segmented(
    baseline: Baseline, run: Run, overrides: Overrides
) -> list[tuple[Constraint, Measurement, str | None]]:
    """Measure every segment against the same segment of the baseline; small and unknown ones cannot be judged."""
    assert run.segment_column is not None
    pairs: list[tuple[Constraint, Measurement, str | None]] = []
    too_few = Constraint(
        "row_volume", None, None, low=float(LEAST_PER_SEGMENT), why="least size of a segment"
    )
    for segment in baseline.segments:
        current = run.segments.get(segment.value)
        label = segment_label(run.segment_column, segment.value)
        document = localised(baseline.constraints, segment.profile)
        kept = {c.name: c for c in segment.profile.columns}
        n = 0 if current is None else current.n_rows
        scene = Scene((), n, run.now, located=False)
        small = min(n, segment.profile.n_rows) < LEAST_PER_SEGMENT
        if small or current is None:
            side = "the data" if n <= segment.profile.n_rows else "the baseline"
            least = min(n, segment.profile.n_rows)
            only = f"only {plural(least, 'row')} of {side} {'is' if least == 1 else 'are'}" if least else ""
            note = f"{only or f'no row of {side} is'} in segment {label}; {LEAST_PER_SEGMENT} are needed"
            pairs.append((too_few, Measurement("row_volume", None, "rows", n, note=note), label))
            continue
        for feature in document.features:
            column = current.column(feature.name)
            if column is None or feature.name == run.segment_column:
                continue
            for rule in feature_rules(document, feature, overrides):
                pairs.append((rule, measure(rule, kept.get(feature.name), column, scene), label))
    known = {segment.value for segment in baseline.segments}
    for value, stranger in run.segments.items():
        if value not in known:
            label = segment_label(run.segment_column, value)
            note = f"the baseline has no segment {label} to compare with (rows: {stranger.n_rows:,})"
            found = Measurement("row_volume", None, "rows", stranger.n_rows, 0, note=note)
            pairs.append((too_few, found, label))
    return pairs


def _segment_views(baseline: Baseline, run: Run, outcomes: Sequence[Outcome]) -> list[ColumnView]:
    """Return views of the columns that violate something within a segment."""
    wanted = {(o.segment, o.constraint.column) for o in outcomes if o.is_violation and o.segment is not None}
    views = []
    for segment in baseline.segments:
        assert run.segment_column is not None
        label = segment_label(run.segment_column, segment.value)
        current = run.segments.get(segment.value)
        for column in segment.profile.columns:
            if current is not None and (label, column.name) in wanted:
                views.append(view(column.name, column, current.column(column.name), segment=label))
    return views


def _notes(baseline: Baseline, current: Profile, run: Run, *, by_name: bool) -> list[str]:
    notes = [*run.notes, *baseline.notes]
    if not by_name:
        notes.append("one side has no column names: columns were paired by position")
    if current.n_rows == 0:
        notes.append("the data has no rows: nothing can be told")
    if baseline.profile is None and baseline.statistics is None:
        notes.append("the baseline has no statistics: drift cannot be looked at")
    elif baseline.profile is None:
        notes.append("the baseline's distributions come from SageMaker's sketches")
    apart = [f.name for f in baseline.constraints.features if f.role == "identifier"]
    if apart:
        shown = ", ".join(repr(n) for n in apart[:5]) + (" and others" if len(apart) > 5 else "")
        notes.append(f"identifiers are not looked at for drift: {shown}")
    times = [f.name for f in baseline.constraints.features if f.role == "time" and f.kind == "text"]
    if times:
        shown = ", ".join(repr(n) for n in times[:5]) + (" and others" if len(times) > 5 else "")
        notes.append(f"texts that say a date or time are not looked at for drift: {shown}")
    return notes
