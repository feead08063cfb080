"""Incidents: violations that have one cause, told as one.

One bad row can break a rule in every column, and one change upstream can move them all. A list of sixty
violations hides that; this module says it. It looks only at the outcomes: no data, no clock, no order of hash
tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from driftline.baselines.constraint import DRIFT_CHECKS, Severity
from driftline.reports import wording
from driftline.reports.outcome import Outcome, Place, Status
from driftline.reports.report import Incident

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["SHIFT_COLUMNS", "SHIFT_SHARE", "group"]

SHIFT_SHARE: Final = 0.5
"""When a larger share than this of the columns drifts, the data as a whole has shifted."""

SHIFT_COLUMNS: Final = 3
"""Fewer drifting columns than this are told one by one, however few there are in all."""

_COLUMN_CHECKS: Final = ("missing_column", "extra_column")
_DRIFT: Final = frozenset(DRIFT_CHECKS)

_PREDICATES: Final[Mapping[str, tuple[str, str]]] = {
    "data_type": ("holds", "hold values of the wrong type"),
    "completeness": ("has", "have more missing values than allowed"),
    "categorical_values": ("holds", "hold unknown values"),
    "non_negative": ("holds", "hold negative numbers"),
    "numeric_range": ("holds", "hold numbers out of range"),
    "uniqueness": ("repeats", "repeat values that should be distinct"),
    "freshness": ("is", "are out of date"),
}
"""What is said of a check that several columns fail; the first word is the verb for a single column."""


@dataclass(frozen=True, slots=True)
class _Violation:
    position: int
    outcome: Outcome

    @property
    def column(self) -> str | None:
        return self.outcome.constraint.column

    @property
    def rows(self) -> tuple[Place, ...]:
        return tuple(sorted(self.outcome.measurement.where))

    @property
    def n_bad(self) -> int:
        return self.outcome.measurement.n_bad or 0

    @property
    def is_listed(self) -> bool:
        """Whether `rows` are all the bad rows, not just the first."""
        return 0 < self.n_bad <= len(self.outcome.measurement.where)

    @property
    def is_everywhere(self) -> bool:
        """Whether no value at all is right."""
        return self.n_bad >= self.outcome.measurement.n_current


def group(outcomes: Sequence[Outcome]) -> tuple[Incident, ...]:
    """Group the violated outcomes by cause.

    Parameters
    ----------
    outcomes : sequence of Outcome
        All outcomes of a run; those that are not violated only serve to count what was judged.

    Returns
    -------
    tuple of Incident
        Every violated outcome belongs to exactly one. Critical incidents come first, then those with more
        columns, then by name, so that the same outcomes in any order give the same incidents.

    Notes
    -----
    In this order, each step taking what the steps before left over:

    ``rows``
        Two or more columns with the same number of bad values at the same rows. Where a violation lists its
        first eight rows only, these eight and the number must agree; and where no value of a column is right,
        the check must agree too, for then the rows say nothing. A column whose bad rows are some of the
        incident's rows joins it, where both list all their rows.
    ``columns``
        Columns that came or went.
    ``drift``
        All drifting columns together when they are more than half of the columns judged for drift and at
        least three; with segments this is decided segment by segment.
    ``drift`` or ``column``
        What is left, column by column over all checks and segments: ``drift`` when nothing but drift was
        found. Where the rows are not known, as in SageMaker mode and in segments, columns that fail the same
        checks for the same reason with equally many bad values (or without a right one) are one incident.
    """
    left = [_Violation(i, outcome) for i, outcome in enumerate(outcomes) if outcome.is_violation]
    incidents: list[Incident] = []
    for step in (_same_rows, _came_or_went):
        found, left = step(left)
        incidents += found
    found, left = _shift(left, outcomes)
    incidents += found
    incidents += _by_column(left)
    return tuple(sorted(incidents, key=_order))


def _order(incident: Incident) -> tuple[bool, int, tuple[str, ...], str, tuple[int, ...]]:
    return (
        incident.severity != Severity.CRITICAL,
        -len(incident.columns),
        tuple(sorted(incident.columns)[:1]),
        incident.title,
        incident.outcomes,
    )


def _incident(
    kind: str, title: str, detail: str, members: Sequence[_Violation], where: Iterable[Place] = ()
) -> Incident:
    loud = any(v.outcome.constraint.severity is Severity.CRITICAL for v in members)
    return Incident(
        kind=kind,
        title=title,
        detail=detail,
        outcomes=tuple(sorted(v.position for v in members)),
        columns=_columns(members),
        where=tuple(where),
        severity=(Severity.CRITICAL if loud else Severity.WARNING).value,
    )


def _columns(members: Iterable[_Violation]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(v.column for v in members if v.column is not None))


# -- the same rows


def _same_rows(left: list[_Violation]) -> tuple[list[Incident], list[_Violation]]:
    groups: dict[tuple[object, ...], list[_Violation]] = {}
    for violation in left:
        if violation.n_bad and violation.rows and violation.column is not None:
            rows_say_nothing = violation.is_everywhere and not violation.is_listed
            check = violation.outcome.constraint.check if rows_say_nothing else None
            groups.setdefault((violation.n_bad, violation.rows, check), []).append(violation)
    shared = [members for members in groups.values() if len(_columns(members)) > 1]
    taken = {v.position for members in shared for v in members}
    _absorb(left, shared, taken)
    for members in shared:
        members.sort(key=lambda v: v.position)
    return [_rows_incident(m) for m in shared], [v for v in left if v.position not in taken]


def _absorb(left: list[_Violation], shared: list[list[_Violation]], taken: set[int]) -> None:
    # The smallest set of rows that holds all of a column's bad rows names its cause best.
    listed = sorted(
        (members for members in shared if members[0].is_listed),
        key=lambda members: (members[0].n_bad, -len(members), members[0].rows),
    )
    # Looking groups up by row keeps ten thousand columns from being compared with as many groups.
    holders: dict[Place, list[tuple[frozenset[Place], list[_Violation]]]] = {}
    for members in listed:
        rows = members[0].rows
        for row in rows:
            holders.setdefault(row, []).append((frozenset(rows), members))
    for violation in left:
        if violation.position in taken or not violation.is_listed or violation.column is None:
            continue
        for held, members in holders.get(violation.rows[0], ()):
            if held.issuperset(violation.rows):
                members.append(violation)
                taken.add(violation.position)
                break


def _rows_incident(members: list[_Violation]) -> Incident:
    most = max(members, key=lambda v: v.n_bad)
    columns = _columns(members)
    n_rows = most.n_bad
    verb = "breaks" if n_rows == 1 else "break"
    title = f"{wording.plural(n_rows, 'row')} {verb} {wording.plural(len(columns), 'column')}"
    checks = dict.fromkeys(wording.title(v.outcome.constraint.check).lower() for v in members)
    where = wording.places(most.rows, n_rows)
    names = [wording.name(column, 60) for column in columns]
    more = (
        f"{', '.join(names[:3])} and {len(names) - 3:,} more columns"
        if len(names) > 4
        else wording.listing(names, 4)
    )
    fails = "fails" if n_rows == 1 else "fail"
    named = f"{wording.listing(checks, 4)} {'check' if len(checks) == 1 else 'checks'}"
    sentences = [f"{where[:1].upper()}{where[1:]} {fails} the {named} in {more}."]
    shown = next((v for v in members if v.outcome.measurement.examples), None)
    if shown is not None:
        quoted = wording.examples(shown.outcome.measurement.examples)
        sentences.append(f"For example, {wording.name(shown.column, 60)} holds {quoted}.")
    sentences.append(_rows_advice(members))
    return _incident("rows", title, " ".join(sentences), members, most.rows)


_THROUGHOUT: Final = (
    "No value of these columns is right, so look for a change of type, unit or column order rather than at"
    " single rows."
)


def _rows_advice(members: list[_Violation]) -> str:
    if all(v.is_everywhere for v in members) and max(v.n_bad for v in members) > 1:
        return _THROUGHOUT
    if all(v.is_listed for v in members):
        rows, them = ("the row", "it") if max(v.n_bad for v in members) == 1 else ("the rows", "them")
        return (
            f"These columns have no other bad value: correct {rows} or leave {them} out, and"
            f" {wording.plural(len(members), 'violation')} will be gone."
        )
    return "The columns have equally many bad values and the same first bad rows, which points to one cause."


# -- columns that came or went


def _came_or_went(left: list[_Violation]) -> tuple[list[Incident], list[_Violation]]:
    members = [v for v in left if v.outcome.constraint.check in _COLUMN_CHECKS]
    if not members:
        return [], left
    gone = _columns(v for v in members if v.outcome.constraint.check == "missing_column")
    new = _columns(v for v in members if v.outcome.constraint.check == "extra_column")
    parts, details = [], []
    if gone:
        parts.append(_came(gone, "missing"))
        listed = wording.listing([wording.name(c, 60) for c in gone], 8)
        details.append(f"The baseline has {listed}, the data does not.")
    if new:
        parts.append(_came(new, "new"))
        listed = wording.listing([wording.name(c, 60) for c in new], 8)
        details.append(f"The data has {listed}, the baseline does not.")
    if gone and new:
        details.append("If a column was renamed, give it its old name or make a new baseline.")
    # Some rules count columns without naming them; their own sentence says how many.
    unnamed = [v for v in members if v.column is None]
    details += [wording.sentence(v.outcome.reason) for v in unnamed[:3]]
    title = wording.listing(parts) or "the number of columns has changed"
    incident = _incident("columns", title[:1].upper() + title[1:], " ".join(details), members)
    return [incident], [v for v in left if v.outcome.constraint.check not in _COLUMN_CHECKS]


def _came(columns: Sequence[str], how: str) -> str:
    if len(columns) == 1:
        return f"column {wording.name(columns[0])} is {how}"
    return f"{len(columns):,} columns are {how}"


# -- drift of the whole


def _shift(left: list[_Violation], outcomes: Sequence[Outcome]) -> tuple[list[Incident], list[_Violation]]:
    judged: dict[str | None, set[str | None]] = {}
    drifting: dict[str | None, set[str | None]] = {}
    for outcome in outcomes:
        if outcome.constraint.check in _DRIFT and outcome.status is not Status.UNDETERMINED:
            judged.setdefault(outcome.segment, set()).add(outcome.constraint.column)
            if outcome.is_violation:
                drifting.setdefault(outcome.segment, set()).add(outcome.constraint.column)
    shifted = {
        segment
        for segment, columns in drifting.items()
        if len(columns) >= SHIFT_COLUMNS and len(columns) > SHIFT_SHARE * len(judged[segment])
    }
    members = [v for v in left if v.outcome.constraint.check in _DRIFT and v.outcome.segment in shifted]
    if not members:
        return [], left
    positions = {v.position for v in members}
    n_drifting = len(_columns(members))
    n_judged = len(set().union(*(judged[segment] for segment in shifted)))
    title = f"The data as a whole has shifted: {n_drifting:,} of {wording.plural(n_judged, 'column')} drift"
    largest = sorted(members, key=lambda v: -_excess(v.outcome))
    told: dict[str | None, str] = {}
    for v in largest:
        if v.column not in told and len(told) < 3:
            told[v.column] = (
                f"{wording.name(v.column, 60)} ({wording.title(v.outcome.constraint.check)}"
                f" {wording.value(v.outcome.measurement)}, {wording.bound(v.outcome.constraint)} allowed)"
            )
    detail = (
        f"Furthest from the baseline: {wording.listing(told.values(), 3)}.{_segments(members)}"
        " When most columns move together, look at the source first: another population, period, unit or"
        " join."
    )
    return [_incident("drift", title, detail, members)], [v for v in left if v.position not in positions]


def _excess(outcome: Outcome) -> float:
    value, bound = outcome.measurement.value, outcome.constraint.bound
    if value is None or value != value:
        return 0.0
    return value / bound if bound else value


def _segments(members: Iterable[_Violation]) -> str:
    segments = dict.fromkeys(v.outcome.segment for v in members)
    named = [wording.name(segment, 60) for segment in segments if segment is not None]
    if not named:
        return ""
    scope = "In all rows and in" if None in segments else "In"
    return f" {scope} {'segment' if len(named) == 1 else 'segments'} {wording.listing(named, 4)}."


# -- column by column


def _by_column(left: list[_Violation]) -> list[Incident]:
    groups: dict[tuple[str | None, str | None], list[_Violation]] = {}
    for violation in left:
        # Rules about the whole data set share no column, so each is told on its own.
        alone = violation.outcome.constraint.check if violation.column is None else None
        groups.setdefault((violation.column, alone), []).append(violation)
    alike: dict[object, list[list[_Violation]]] = {}
    for key, members in groups.items():
        alike.setdefault(_why(members) or key, []).append(members)
    return [
        _column_incident(columns[0]) if len(columns) == 1 else _alike_incident(columns)
        for columns in alike.values()
    ]


def _why(members: Sequence[_Violation]) -> frozenset[tuple[object, ...]]:
    """Return what columns with one cause have in common; nothing where the rows tell more, or of drift alone.

    How far a column has drifted is its own, and follows from values of another type.
    """
    ruled = [v for v in members if v.column is not None and v.outcome.constraint.check not in _DRIFT]
    if any(v.rows or not v.n_bad for v in ruled):
        return frozenset()
    return frozenset(
        (
            v.outcome.constraint.check,
            v.outcome.segment,
            v.outcome.reason,
            "all" if v.is_everywhere else v.n_bad,
        )
        for v in ruled
    )


def _alike_incident(columns: Sequence[Sequence[_Violation]]) -> Incident:
    ruled = [[v for v in members if v.outcome.constraint.check not in _DRIFT] for members in columns]
    checks = dict.fromkeys(v.outcome.constraint.check for v in ruled[0])
    said = dict.fromkeys(_predicate(check, 2) for check in checks)
    title = f"{wording.plural(len(columns), 'column')} {wording.listing(said, 3)}"
    members = sorted((v for group in columns for v in group), key=lambda v: v.position)
    names = wording.listing([wording.name(column, 60) for column in _columns(members)], 3)
    reasons = list(dict.fromkeys(_reason(v) for v in ruled[0]))
    sentences = [f"{names}: {' '.join(reasons[:3])}"]
    drifted = _columns(v for v in members if v.outcome.constraint.check in _DRIFT)
    if drifted:
        has = "has" if len(drifted) == 1 else "have"
        sentences.append(f"{wording.listing([wording.name(c, 60) for c in drifted], 3)} {has} drifted, too.")
    if all(v.is_everywhere for group in ruled for v in group):
        sentences.append(_THROUGHOUT)
    return _incident("column", title, " ".join(sentences), members)


def _column_incident(members: list[_Violation]) -> Incident:
    checks = list(dict.fromkeys(v.outcome.constraint.check for v in members))
    drift_only = all(check in _DRIFT for check in checks)
    reasons = list(dict.fromkeys(_reason(v) for v in members if v.outcome.reason.strip()))
    more = f" ({len(reasons) - 3:,} more in the list of violations.)" if len(reasons) > 3 else ""
    where = next((v.rows for v in members if v.rows), ())
    detail = (" ".join(reasons[:3]) + more + (_segments(members) if more else "")).strip()
    kind = "drift" if drift_only else "column"
    return _incident(kind, _title(members[0].column, checks), detail, members, where)


def _reason(violation: _Violation) -> str:
    """Return the reason, with the segment it speaks of and the rows that break the rule, where they are known."""
    outcome = violation.outcome
    sentence = wording.sentence(outcome.reason)
    if outcome.segment is not None:
        # One sentence per segment is enough; how unlikely it is by chance stands in the list of violations.
        sentence = f"{wording.name(outcome.segment, 60)}: {sentence.split(' Chance would do that', 1)[0]}"
    if violation.rows and not violation.is_everywhere:
        rows = wording.places(violation.rows, violation.n_bad)
        sentence += f" See {rows}."
    return sentence


def _title(column: str | None, checks: Sequence[str]) -> str:
    if column is None:
        if checks[0] == "row_volume":
            return "The number of rows is not what was expected"
        if checks[0] == "freshness":
            return "The data is out of date"
        return f"The data set fails the {wording.title(checks[0]).lower()} check"
    said = dict.fromkeys(_predicate(check, 1) for check in checks)
    return f"{wording.name(column)} {wording.listing(said, 3)}"


def _predicate(check: str, n_columns: int) -> str:
    """Say what fails, of one column or of several."""
    one = n_columns == 1
    if check in _DRIFT:
        return "has drifted" if one else "have drifted"
    if check not in _PREDICATES:
        return f"{'fails' if one else 'fail'} the {wording.title(check).lower()} check"
    verb, several = _PREDICATES[check]
    return f"{verb} {several.partition(' ')[2]}" if one else several
