"""Judge: every metric and slice of a window against the baseline, all of them together."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from driftline.baselines.constraint import Constraint, Settings, Severity
from driftline.baselines.metrics import QUALITY
from driftline.baselines.quality_documents import Threshold
from driftline.monitor.quality.estimates import ESTIMATED
from driftline.monitor.quality.evidence import weigh
from driftline.monitor.quality.figures import Figure, slice_figures, top_figures
from driftline.monitor.quality.suggest import JUDGED, tolerance_of
from driftline.monitor.quality.words import reason_of
from driftline.monitor.segment import segment_label
from driftline.monitor.verdict import Because, Claim, Verdict, decide
from driftline.reports.outcome import Measurement, Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from driftline.baselines.quality import QualityBaseline
    from driftline.kernels.estimation import Estimate
    from driftline.monitor.overrides import Overrides
    from driftline.monitor.quality import settings as of_quality
    from driftline.monitor.quality.figures import Figures
    from driftline.monitor.quality.fold import Folded, Slice

__all__ = ["Judged", "estimated_outcomes", "judge", "names_judged"]

_PARTIAL: Final = 0.01
"""Share of labelled rows that may be left out before "passed" is too much to say."""

_GROSS_SHARE: Final = 0.25
_GROSS_ERROR: Final = 0.5


@dataclass(frozen=True, slots=True)
class Judged:
    """A metric and what follows.

    Attributes
    ----------
    name : str
    claim : Claim
    verdict : Verdict
    sign : int
        1 where higher is worse, else -1.
    where : str
        The rows it is of, where these are not all of them and no slice.
    too_few : str
        Why there are too few rows of the kind that the metric needs; empty where there are enough.
    is_partial : bool
        Whether so many labelled rows are left out that it cannot be said to have passed.
    """

    name: str
    claim: Claim
    verdict: Verdict
    sign: int
    where: str = ""
    too_few: str = ""
    is_partial: bool = False

    @property
    def outcome(self) -> Outcome:
        """The outcome, in words."""
        return Outcome(
            self.claim.constraint,
            self.claim.measurement,
            self.verdict.status,
            reason_of(self),
            self.verdict.q_value,
            self.claim.segment,
        )


@dataclass(frozen=True, slots=True)
class _Case:
    """A metric of some rows on both sides; `rows` is how many there are, current and baseline."""

    name: str
    rows: tuple[int, int | None]
    current: Figure
    baseline: Figure | None
    threshold: Threshold
    tolerance: float
    why: str
    is_fixed: bool = False
    segment: str | None = None
    where: str = ""
    column: str | None = None


def names_judged(
    baseline: QualityBaseline, settings: of_quality.Settings, decided: Overrides, *, top_k: bool = False
) -> tuple[str, ...]:
    """Return the metrics that are judged in the default mode."""
    usual = settings.metrics or JUDGED[baseline.constraints.problem]
    entries = baseline.constraints.all
    extra = [name for name, one in entries.items() if one.settings.enabled]
    extra += [name for name, one in decided.checks.items() if one.enabled]
    off = {name for name, one in entries.items() if one.settings.enabled is False}
    off -= {name for name, one in decided.checks.items() if one.enabled}
    off |= {name for name, one in decided.checks.items() if one.enabled is False}
    if top_k and "precision_at_k" not in off:
        extra.append("precision_at_k")
    # A metric that somebody took out of constraints.json is not judged; those at k have no entry to take out.
    return tuple(
        name
        for name in dict.fromkeys([*usual, *extra])
        if name not in off and (name in entries or name in decided.checks or name.endswith("_at_k"))
    )


def judge(
    baseline: QualityBaseline,
    settings: of_quality.Settings,
    decided: Overrides,
    sides: tuple[Folded | None, Folded],
    figures: tuple[Mapping[str, Figure], Figures],
) -> tuple[list[Judged], int, float]:
    """Judge every metric of a window.

    Parameters
    ----------
    baseline : QualityBaseline
    settings : Settings
    decided : Overrides
        On top of the baseline's constraints.
    sides : (Folded or None, Folded)
        Baseline and current; None where the baseline is SageMaker's.
    figures : (mapping of str to Figure, Figures)
        Of the two sides.

    Returns
    -------
    judged : list of Judged
    n_tests : int
    alpha : float
    """
    before, now = sides
    top_k = (
        bool(settings.top_k) and now.scores is not None and before is not None and before.scores is not None
    )
    names = names_judged(baseline, settings, decided, top_k=top_k)
    n_then = None if baseline.statistics is None else baseline.statistics.n_rows
    rows = (now.n_judged, before.n_judged if before is not None else n_then)
    cases = [*_whole(baseline, settings, decided, names, figures, rows)]
    if before is not None:
        cases += _slices(settings, decided, names, before, now)
        cases += _tops(settings, decided, names, before, now)
    alpha = baseline.constraints.alpha if decided.alpha is None else decided.alpha
    prepared = [_claim(case, settings, decided, n_then or 0) for case in cases]
    verdicts, n_tests = decide([claim for claim, _ in prepared], alpha)
    left_out = now.n_labelled - now.n_judged
    is_partial = left_out > _PARTIAL * now.n_labelled
    found = []
    for case, (claim, too_few), verdict in zip(cases, prepared, verdicts, strict=True):
        if too_few and claim.measurement.value is not None:
            verdict = Verdict(Status.UNDETERMINED, Because.UNKNOWN, verdict.q_value)
        partial = is_partial and verdict.status is Status.PASSED
        if partial:
            verdict = replace(verdict, status=Status.UNDETERMINED)
        sign = case.threshold.sign
        found.append(Judged(case.name, claim, verdict, sign, case.where, too_few, partial))
    return found, n_tests, alpha


def _settings_of(name: str, threshold: Threshold, decided: Overrides, column: str | None = None) -> Settings:
    """Return what was decided about a metric: by the constraints file, and over it by the overrides."""
    own = replace(threshold.settings, tolerance=threshold.tolerance).under(decided.checks.get(name))
    return own if column is None else own.under(decided.for_column(column).checks.get(name))


def _operator(name: str) -> str:
    return "GreaterThanThreshold" if QUALITY[name].worse == "higher" else "LessThanThreshold"


def _whole(
    baseline: QualityBaseline,
    settings: of_quality.Settings,
    decided: Overrides,
    names: Sequence[str],
    figures: tuple[Mapping[str, Figure], Figures],
    rows: tuple[int, int | None],
) -> Iterator[_Case]:
    entries = baseline.constraints.all
    then, now = figures
    for name in names:
        if name.endswith("_at_k"):
            continue
        measured = then.get(name)
        value = None if measured is None else measured.value
        entry = entries.get(name, Threshold(value, _operator(name)))
        current = now.metrics.get(name, Figure(None, 0, why_not="the data has no column that it needs"))
        given = _settings_of(name, entry, decided)
        was_edited = entry.threshold is not None and (value is None or not _same(entry.threshold, value))
        # A tolerance in the file is that of the value beside it; whoever edits the value sets the bound.
        if given.tolerance is not None and (entry.tolerance is None or given.tolerance != entry.tolerance):
            tolerance, why = given.tolerance, given.why or "set by the user"
        elif entry.threshold is None:
            tolerance, why = 0.0, ""
        elif entry.tolerance is not None:
            expected, told = tolerance_of(name, entry.threshold, settings)
            tolerance, why = (
                entry.tolerance,
                told if _same(expected, entry.tolerance) else "as constraints.json has it",
            )
        else:
            tolerance, why = tolerance_of(name, entry.threshold, settings)
        yield _Case(name, rows, current, measured, entry, tolerance, why, was_edited)


def _same(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)


def _slices(
    settings: of_quality.Settings, decided: Overrides, names: Sequence[str], before: Folded, now: Folded
) -> Iterator[_Case]:
    for (column, value), then in before.slices.items():
        if column not in settings.slices:
            continue
        current = now.slices.get((column, value))
        if current is not None and not current.n_rows:
            current = None
        of_then = slice_figures(then, before.problem, settings, seed=settings.seed)
        missing = Figure(None, 0, why_not="the window has no such rows")
        of_now = (
            {} if current is None else slice_figures(current, now.problem, settings, seed=settings.seed + 1)
        )
        for name, figure in of_then.items():
            if name not in names:
                continue
            both = (_rows(current, now.problem), _rows(then, before.problem))
            label = segment_label(column, value)
            yield _derived(
                name, both, of_now.get(name, missing), figure, settings, decided, segment=label, column=column
            )


def _rows(one: Slice | None, problem: str) -> int:
    """Return the rows of a slice with a truth and a prediction."""
    if one is None:
        return 0
    if problem == "regression":
        return 0 if one.absolute is None else one.absolute.n
    return 0 if one.confusion is None else one.confusion.n_judged


def _tops(
    settings: of_quality.Settings, decided: Overrides, names: Sequence[str], before: Folded, now: Folded
) -> Iterator[_Case]:
    wanted = [name for name in ("precision_at_k", "recall_at_k") if name in names]
    if not wanted or before.scores is None or now.scores is None:
        return
    n = now.scores.n_positive + now.scores.n_negative
    if not n:
        return
    tops = top_figures(now.scores, settings.top_k)
    then = {one.asked: one for one in top_figures(before.scores, settings.top_k, of=n)}
    for one in tops:
        told = f"k={one.asked:g}" if one.asked >= 1 else f"k={one.asked * 100:g}%"
        for name in wanted:
            first, second = (getattr(side, name[: -len("_at_k")]) for side in (one, then[one.asked]))
            both = (n, before.scores.n_positive + before.scores.n_negative)
            yield _derived(name, both, first, second, settings, decided, segment=told, where=one.name)


def _derived(
    name: str,
    rows: tuple[int, int | None],
    current: Figure,
    baseline: Figure,
    settings: of_quality.Settings,
    decided: Overrides,
    *,
    segment: str,
    where: str = "",
    column: str | None = None,
) -> _Case:
    """Return the case of rows whose bound follows from the baseline's own rows, as there is no entry in a file."""
    entry = Threshold(baseline.value, _operator(name))
    given = _settings_of(name, entry, decided, column)
    tolerance, why = 0.0, ""
    if given.tolerance is not None:
        tolerance, why = given.tolerance, given.why or "set by the user"
    elif baseline.value is not None:
        tolerance, why = tolerance_of(name, baseline.value, settings)
    return _Case(name, rows, current, baseline, entry, tolerance, why, False, segment, where, column)


def _claim(
    case: _Case, settings: of_quality.Settings, decided: Overrides, n_baseline: int
) -> tuple[Claim, str]:
    """Return the claim of a case, and why its rows are too few; empty where they are enough."""
    name, sign, info = case.name, case.threshold.sign, QUALITY[case.name]
    given = _settings_of(name, case.threshold, decided, case.column)
    baseline = case.baseline if case.baseline is not None and case.baseline.value is not None else None
    bound, why, is_fixed = None, "", case.is_fixed
    if given.bound is not None:
        bound, why, is_fixed = given.bound, given.why or "set by the user", True
    elif case.threshold.threshold is not None:
        bound = case.threshold.threshold + sign * case.tolerance
        of = "the threshold in constraints.json" if is_fixed else "the baseline's value"
        why = f"{of} and a tolerance of {case.tolerance:.4g}" + (
            f" ({case.why})" if case.why and case.why != f"{case.tolerance:.4g}" else ""
        )
    current = case.current
    evidence = given.evidence is not False
    note = current.why_not or None
    if bound is None and current.value is not None:
        reason = "" if case.baseline is None else case.baseline.why_not
        note = f"the baseline has no value{': ' + reason if reason else ''}"
    p_value = detectable = None
    too_few = ""
    if bound is not None and current.value is not None:
        weighed = weigh(
            name,
            current,
            None if is_fixed else baseline,
            bound,
            sign,
            n_baseline=0 if is_fixed else n_baseline,
        )
        p_value, detectable = weighed.p_value, weighed.detectable
        if evidence:
            too_few = _too_few(case, None if is_fixed else baseline, settings)
        if evidence and p_value is None and not too_few:
            too_few = "How far chance can have moved it is not known."
    constraint = Constraint(
        name,
        None,
        bound,
        evidence=evidence,
        min_rows=settings.min_rows if given.min_rows is None else given.min_rows,
        severity=given.severity or Severity.WARNING,
        why=why,
    )
    measurement = Measurement(
        name,
        current.value,
        info.unit,
        case.rows[0],
        case.rows[1] if baseline is not None else None,
        current.interval,
        current.sketch_error,
        None if too_few else p_value,
        detectable,
        note=note,
        baseline=None if baseline is None else baseline.value,
    )
    excess = None if bound is None or current.value is None else sign * (current.value - bound)
    most = _GROSS_SHARE
    if info.unit != "share" and name != "r2" and baseline is not None and baseline.value is not None:
        most = _GROSS_ERROR * abs(baseline.value)
    elif name == "r2" and baseline is not None and baseline.value is not None:
        most = max(_GROSS_SHARE, _GROSS_ERROR * (1.0 - baseline.value))
    return Claim(constraint, measurement, excess, most if evidence and most else None, case.segment), too_few


def _too_few(case: _Case, baseline: Figure | None, settings: of_quality.Settings) -> str:
    """Say what there is too little of: rows that a share is of, or rows of the rarer class."""
    for side, one in (("the window", case.current), ("the baseline", baseline)):
        if one is None:
            continue
        if one.least is not None and one.least < settings.min_events:
            needed = f"fewer than the {settings.min_events:,} that it takes"
            return f"In {side} it rests on {one.least:,} {'row' if one.least == 1 else 'rows'}, {needed}."
    n = case.rows[1]
    if baseline is not None and n is not None and n < settings.min_rows:
        return f"The baseline has {n:,} such rows, fewer than the {settings.min_rows:,} asked for."
    return ""


def estimated_outcomes(expected: Estimate, judged: Sequence[Judged], alpha: float) -> list[Outcome]:
    """Hold what is expected of rows without a label to the bounds of the realised metrics.

    Parameters
    ----------
    expected : Estimate
    judged : sequence of Judged
        The realised metrics, whose bounds and baselines these are.
    alpha : float
        False discovery rate over the estimated metrics, apart from the realised ones.

    Returns
    -------
    list of Outcome
        With the segment ``estimated``.
    """
    cases = []
    for one in judged:
        found = (
            expected.metrics.get(one.name) if one.claim.segment is None and one.name in ESTIMATED else None
        )
        constraint, then = one.claim.constraint, one.claim.measurement
        if found is None or constraint.bound is None:
            continue
        interval = None if found.low is None or found.high is None else (found.low, found.high)
        figure = Figure(found.value, expected.n, found.standard_error, interval)
        p_value = detectable = excess = None
        if found.value is not None:
            excess = one.sign * (found.value - constraint.bound)
            weighed = weigh("", figure, None, constraint.bound, one.sign)
            p_value, detectable = weighed.p_value, weighed.detectable
        measurement = Measurement(
            one.name,
            found.value,
            then.unit,
            expected.n,
            then.n_baseline,
            interval,
            0.0,
            p_value,
            detectable,
            note="estimated from the probabilities, without labels",
            baseline=then.baseline,
        )
        cases.append((one, Claim(constraint, measurement, excess, None, "estimated")))
    verdicts, _ = decide([claim for _, claim in cases], alpha)
    outcomes = []
    for (one, claim), verdict in zip(cases, verdicts, strict=True):
        told = Judged(one.name, claim, verdict, one.sign).outcome
        outcomes.append(replace(told, reason=f"Estimated without labels. {told.reason}"))
    return outcomes
