"""Recipe: holds the groups of live data to the baseline, all metrics and groups of a run together."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from driftline.baselines.constraint import Constraint, Severity
from driftline.baselines.constraint import Settings as Decided
from driftline.baselines.metrics import BIAS
from driftline.monitor.bias import intervals, words
from driftline.monitor.bias.numbers import EVERYBODY, UNGROUPED, Numbers
from driftline.monitor.verdict import Because, Claim, Verdict, decide
from driftline.reports.outcome import Measurement, Outcome, Status
from driftline.reports.report import Incident

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftline.monitor.bias.frozen import Frozen, Group
    from driftline.monitor.bias.intervals import Allowed, Estimate
    from driftline.monitor.bias.settings import Settings
    from driftline.monitor.overrides import Overrides

__all__ = ["ALPHA", "Judged", "Verdicts", "check_of", "judge"]

ALPHA: Final = 0.01
"""False discovery rate where nothing else says."""


def check_of(code: str) -> str:
    """Return the name of the check of a metric."""
    return f"bias_{code.lower()}"


@dataclass(frozen=True, slots=True)
class Judged:
    """A metric of a group with everything that was said about it.

    Attributes
    ----------
    group : Group
    code : str
    now, before : Estimate
    allowed : Allowed or None
    outcome : Outcome
    """

    group: Group
    code: str
    now: Estimate
    before: Estimate
    allowed: Allowed | None
    outcome: Outcome


@dataclass(frozen=True)
class Verdicts:
    """What a run came to.

    Attributes
    ----------
    judged : tuple of Judged
        In the order of the outcomes.
    incidents : tuple of Incident
    n_tests : int
    alpha : float
    """

    judged: tuple[Judged, ...]
    incidents: tuple[Incident, ...] = ()
    n_tests: int = 0
    alpha: float = ALPHA
    outcomes: tuple[Outcome, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "outcomes", tuple(one.outcome for one in self.judged))


@dataclass(frozen=True, slots=True)
class _Candidate:
    group: Group
    code: str
    now: Estimate
    before: Estimate
    allowed: Allowed | None
    claim: Claim
    is_disjoint: bool
    level: float


def judge(
    now: Numbers,
    before: Numbers,
    frozen: Frozen,
    settings: Settings,
    overrides: Overrides,
    *,
    edited: Mapping[tuple[str, str], float | None] | None = None,
) -> Verdicts:
    """Hold one side to the other.

    Parameters
    ----------
    now, before : Numbers
    frozen : Frozen
    settings : Settings
    overrides : Overrides
    edited : mapping of (str, str) to float or None, optional
        What people wrote into ``analysis.json``, by the group's text and the code: the metric may be this far from parity,
        and no farther. None: it is not judged any more.

    Returns
    -------
    Verdicts
    """
    candidates = []
    groups = [(EVERYBODY, code) for code in settings.codes if code in UNGROUPED]
    grouped = [code for code in settings.codes if code not in UNGROUPED]
    groups = [(group, code) for axis in frozen.axes for group in axis.groups for code in grouped] + groups
    for group, code in groups:
        decided = _decided(settings, overrides, group, code)
        key = (group.text, code)
        if decided is None or key not in before.estimates or key not in now.estimates:
            continue
        if edited is not None and key in edited and edited[key] is None:
            continue
        candidates.append(_candidate(group, code, now, before, settings, decided, edited or {}))
    alpha = overrides.alpha or ALPHA
    verdicts, n_tests = _decide(candidates, alpha)
    judged = tuple(_judged(one, verdict) for one, verdict in zip(candidates, verdicts, strict=True))
    return Verdicts(judged, _incidents(judged), n_tests, alpha)


def _decide(candidates: Sequence[_Candidate], alpha: float) -> tuple[list[Verdict], int]:
    """Judge all candidates together; what says the same as DPL takes its evidence, and is no test of its own."""
    leaders = {
        one.group.text: at
        for at, one in enumerate(candidates)
        if one.code == "DPL" and one.claim.excess is not None
    }
    follows = {
        at: leaders[one.group.text]
        for at, one in enumerate(candidates)
        if one.code in words.SAME_AS_DPL and one.group.text in leaders
    }
    tested = [at for at in range(len(candidates)) if at not in follows]
    found, n_tests = decide([candidates[at].claim for at in tested], alpha)
    verdicts = dict(zip(tested, found, strict=True))
    for at, leader in follows.items():
        claim = candidates[at].claim
        measurement = replace(claim.measurement, p_value=verdicts[leader].q_value)
        ((verdicts[at],), _) = decide([replace(claim, measurement=measurement)], alpha)
    return [verdicts[at] for at in range(len(candidates))], n_tests


def _decided(settings: Settings, overrides: Overrides, group: Group, code: str) -> Decided | None:
    """Return what holds for a metric of a group; None where it is not judged."""
    low, high = settings.ranges.get(code, (None, None))
    why = "set in the settings of the baseline" if code in settings.ranges else None
    base = Decided(low=low, high=high, tolerance=settings.tolerance.get(code), why=why)
    of_group = overrides.for_column(group.text) if group.text else None
    decided = base
    for more in (
        overrides.checks.get(check_of(code)),
        None if of_group is None else of_group.checks.get(check_of(code)),
    ):
        if more is not None and (more.low is not None or more.high is not None or more.tolerance is not None):
            decided = replace(decided, low=None, high=None, tolerance=None)
        decided = decided.under(more)
    if decided.enabled is False or (of_group is not None and of_group.ignore):
        return None
    return decided


def _candidate(
    group: Group,
    code: str,
    now: Numbers,
    before: Numbers,
    settings: Settings,
    decided: Decided,
    edited: Mapping[tuple[str, str], float | None],
) -> _Candidate:
    key = (group.text, code)
    current, baseline = now.estimates[key], before.estimates[key]
    min_rows = settings.min_rows if decided.min_rows is None else decided.min_rows
    if decided.min_rows is not None and group.text in now.tables and code != "FT":
        n = min(intervals.rows_needed(code, now.tables[group.text]))
        if n < min_rows and current.reason is None:
            reason = f"one side has {n:,} rows that it can use, fewer than {min_rows:,}"
            current = replace(current, scaled=None, reason=reason)
    allowed, why = _allowed(code, baseline, settings, decided, edited.get(key))
    excess, disjoint = (
        (None, False) if allowed is None else intervals.excess(current, allowed, settings.level)
    )
    ends = intervals.interval(current, settings.level)
    measurement = Measurement(
        check_of(code),
        current.value,
        BIAS[check_of(code)].unit,
        current.n_rows,
        baseline.n_rows or None,
        interval=ends,
        p_value=None if allowed is None else intervals.p_value(current, allowed),
        detectable=None if allowed is None else intervals.detectable(current, allowed, settings.level),
        note=None if current.reason is None else _named(current.reason, group),
        baseline=baseline.value,
    )
    constraint = Constraint(
        check_of(code),
        group.text or None,
        None,
        low=None if allowed is None else allowed.low,
        high=None if allowed is None else allowed.high,
        evidence=decided.evidence is not False,
        min_rows=min_rows,
        severity=decided.severity or Severity.WARNING,
        why=decided.why if decided.why is not None and (decided.low, decided.high) != (None, None) else why,
    )
    claim = Claim(constraint, measurement, excess, intervals.GROSS.get(code))
    return _Candidate(group, code, current, baseline, allowed, claim, disjoint, settings.level)


def _allowed(
    code: str, baseline: Estimate, settings: Settings, decided: Decided, edited: float | None
) -> tuple[Allowed | None, str]:
    """Return what is allowed, and how that came about."""
    if decided.low is not None or decided.high is not None:
        return intervals.allowed_by_range(code, decided.low, decided.high), "set by the user"
    if edited is not None:
        size = abs(intervals.scaled(code, edited))
        if not math.isfinite(size):
            return None, "analysis.json holds no finite value"
        ends = (intervals.unscaled(code, -size), intervals.unscaled(code, size))
        if code in intervals.ONE_SIDED:
            return intervals.allowed_by_range(code, None, ends[1]), "set by hand in analysis.json"
        return intervals.allowed_by_range(code, *ends), "set by hand in analysis.json"
    allowed = intervals.allowed_by_baseline(baseline, settings.level, decided.tolerance)
    if allowed is None:
        return None, "the baseline has no value to go by"
    spare = intervals.scaled_tolerance(code, decided.tolerance)
    by_error = allowed.scaled_high > (allowed.size or 0.0) + allowed.tolerance
    reason = (
        "the baseline's own sampling error"
        if by_error
        else f"a tolerance of {intervals.unscaled(code, spare):.3g}"
    )
    if code == "DI" and not by_error:
        reason = f"a factor of {intervals.unscaled(code, spare):.3g}"
    return allowed, f"as far from parity as the baseline was, and {reason}"


_WHO: Final = re.compile(r"\b(rows? of )?the (group|others)\b(?! variable)")


def _named(reason: str, group: Group) -> str:
    """Put the names of the groups into a reason, so that rows of rows do not occur."""
    names = {"group": group.name, "others": group.others or "all other rows"}

    def name(found: re.Match[str]) -> str:
        of, who = found[1] or "", names[found[2]]
        if of and who.startswith("rows with "):
            return who if of == "rows of " else f"row{who.removeprefix('rows')}"
        if of and who == "all other rows":
            return "other rows" if of == "rows of " else "other row"
        return of + who

    return _WHO.sub(name, reason)


def _judged(one: _Candidate, verdict: Verdict) -> Judged:
    constraint, measurement = one.claim.constraint, one.claim.measurement
    status, because = verdict.status, verdict.because
    if status is Status.VIOLATED and constraint.evidence and not one.is_disjoint:
        status, because = Status.UNDETERMINED, Because.NOISE
    value, baseline, ends = measurement.value, measurement.baseline, measurement.interval
    told = words.told_range(constraint.low, constraint.high)
    if because is Because.UNKNOWN:
        reason = words.unjudged(one.code, _unknown(one))
    elif because is Because.BEYOND:
        said = words.sentence(one.code, one.group, value, baseline)
        reason = words.told_beyond(one.code, said, value, ends, told, one.level)
    elif because is Because.NOISE:
        reason = words.told_chance(one.code, value, ends, told, one.level)
    else:
        reason = words.told_within(one.code, value, baseline, ends, told, one.level)
        if because is Because.BLIND:
            reason += " There are too few rows to notice even a gross change."
    outcome = Outcome(constraint, measurement, status, reason, verdict.q_value)
    return Judged(one.group, one.code, one.now, one.before, one.allowed, outcome)


def _unknown(one: _Candidate) -> str:
    if one.now.reason is not None:
        return f"in the current data {_named(one.now.reason, one.group)}"
    if one.before.reason is not None:
        return f"in the baseline {_named(one.before.reason, one.group)}"
    return "there is nothing to hold it to"


def _incidents(judged: Sequence[Judged]) -> tuple[Incident, ...]:
    """Tell all violations of a group as one, and the composition of the data apart from how people are treated."""
    by_group: dict[str, list[int]] = {}
    for at, one in enumerate(judged):
        if one.outcome.is_violation:
            by_group.setdefault(one.group.text, []).append(at)
    found = []
    for places in by_group.values():
        ordered = sorted(places, key=lambda at: words.LEADING.index(judged[at].code))
        found.append(_incident([judged[at] for at in ordered], tuple(sorted(places))))
    return tuple(sorted(found, key=lambda one: (one.severity != Severity.CRITICAL, one.outcomes)))


def _incident(violated: Sequence[Judged], places: tuple[int, ...]) -> Incident:
    leader, *rest = violated
    value, before = leader.now.value, leader.before.value
    if leader.code in words.COMPOSITION:
        detail = words.composition(leader.group, value, before)
    else:
        detail = f"{words.sentence(leader.code, leader.group, value, before)}."
        meant = BIAS[check_of(leader.code)].measures
        detail += f" {leader.code}: {meant}." if leader.code != "GE" else ""
    if rest:
        detail += " " + words.followers([(one.code, one.now.value, one.before.value) for one in rest])
    severities = {one.outcome.constraint.severity for one in violated}
    severity = Severity.CRITICAL if Severity.CRITICAL in severities else Severity.WARNING
    title = words.headline(leader.code, leader.group, value, before)
    columns = (leader.group.text,) if leader.group.text else ()
    return Incident("metric", title, detail, places, columns, severity=severity.value)
