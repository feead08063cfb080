"""Cause: what many violations, in many windows, have in common.

An incident of a report is a cause seen in one window. Seen again, with about the same columns and by the same checks, it is
the same cause: its rows differ from window to window, and a column more or less makes no new one. Pure: no database.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

from driftline.registry.alert_rule import at_least, most_severe
from driftline.reports.wording import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "LEAST_SHARED",
    "MOST_CAUSES",
    "MOST_COLUMNS",
    "Cause",
    "fingerprint",
    "headline",
    "incidents_in",
    "is_same",
    "match",
    "merged",
    "shared_columns",
]

LEAST_SHARED: Final = 0.5
"""The least Jaccard index of the columns of two incidents that have one cause."""

MOST_CAUSES: Final = 100
"""Causes that an alert lists one by one; what comes after is counted."""

MOST_COLUMNS: Final = 50
"""Columns that an incident names; what comes after is counted."""

OTHERS: Final = "others"


@dataclass(frozen=True, slots=True)
class Cause:
    """An incident of one report, or of several windows.

    Attributes
    ----------
    fingerprint : str
        Of the first incident.
    kind : str
        ``rows``, ``columns``, ``drift``, ``column`` as reports have them; ``failed`` for a run that failed; ``unknown`` for
        violations whose report says no more; ``others`` for those that are only counted.
    title, detail : str
        Of the newest incident.
    columns : tuple of str
        In order of their names, not more than 50, of the newest incident.
    n_columns : int
    checks : tuple of str
    severity : str
        The highest so far.
    first, last : str
        The executions that found it first and last.
    windows : int
        How many windows it was found in.
    n_incidents : int
        More than 1 only where causes are counted, not listed.
    """

    fingerprint: str
    kind: str
    title: str
    detail: str = ""
    columns: tuple[str, ...] = ()
    n_columns: int = 0
    checks: tuple[str, ...] = ()
    severity: str = "warning"
    first: str = ""
    last: str = ""
    windows: int = 0
    n_incidents: int = 1

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Cause:
        """Read what :meth:`document` wrote, or an incident of an execution's result."""
        known = {field.name for field in fields(cls)}
        values = {key: value for key, value in document.items() if key in known and value is not None}
        for key in ("columns", "checks"):
            values[key] = tuple(values.get(key) or ())
        kind, title = str(values.pop("kind", "unknown")), str(values.pop("title", ""))
        mark = values.pop("fingerprint", None) or fingerprint(kind, values["columns"], values["checks"])
        values.setdefault("n_columns", len(values["columns"]))
        return cls(fingerprint=mark, kind=kind, title=title, **values)

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**asdict(self), "columns": list(self.columns), "checks": list(self.checks)}


def fingerprint(kind: str, columns: Iterable[str], checks: Iterable[str]) -> str:
    """Return 32 hexadecimal digits that are the same for the same kind of incident, columns and checks, in any order.

    Examples
    --------
    >>> fingerprint("rows", ["b", "a"], ["data_type"]) == fingerprint("rows", ["a", "b"], ["data_type"])
    True
    """
    parts = json.dumps([kind, sorted(set(columns)), sorted(set(checks))], ensure_ascii=True)
    return hashlib.sha256(parts.encode("ascii")).hexdigest()[:32]


def shared_columns(a: Cause, b: Cause) -> float:
    """Return the Jaccard index of the columns of two causes: the share of their columns that both have.

    Notes
    -----
    Where an incident has more columns than it names, only names up to its last are known; then names up to the smaller of
    the two ends are compared, which estimates the index of the whole. Two without columns share all.
    """
    first, second = set(a.columns), set(b.columns)
    ends = [max(cause.columns) for cause in (a, b) if cause.columns and cause.n_columns > len(cause.columns)]
    if ends:
        first = {name for name in first if name <= min(ends)}
        second = {name for name in second if name <= min(ends)}
    union = first | second
    return len(first & second) / len(union) if union else float(not a.n_columns and not b.n_columns)


def is_same(a: Cause, b: Cause) -> bool:
    """Tell whether two incidents have one cause: the same kind, a check in common, half of the columns in common.

    A column that drifts is told as ``drift``, and as ``column`` where it breaks another rule, too, such as its range: the
    two are one kind here, so that a drift that now and then leaves the range stays one cause.
    """
    if a.fingerprint == b.fingerprint:
        return True
    alike = a.kind == b.kind or {a.kind, b.kind} == {"drift", "column"}
    if not alike or (set(a.checks) != set(b.checks) and not set(a.checks) & set(b.checks)):
        return False
    return shared_columns(a, b) >= LEAST_SHARED


def match(incident: Cause, causes: Sequence[Cause]) -> int | None:
    """Return the position of the cause that an incident has, the most alike of several; None where it is new."""
    best, at = 0.0, None
    for position, cause in enumerate(causes):
        if cause.fingerprint == incident.fingerprint:
            return position
        if is_same(cause, incident) and (alike := shared_columns(cause, incident)) > best:
            best, at = alike, position
    return at


def merged(
    causes: Sequence[Cause], incidents: Sequence[Cause], execution: str, *, before: Sequence[Cause] = ()
) -> tuple[list[Cause], list[Cause]]:
    """Add the incidents of a run to the causes of an alert.

    Parameters
    ----------
    causes : sequence of Cause
        So far.
    incidents : sequence of Cause
        Of the run.
    execution : str
    before : sequence of Cause
        Incidents of an earlier revision of the same window: these causes have the window already.

    Returns
    -------
    causes : list of Cause
        Critical ones first, then those with more columns.
    added : list of Cause
        Those that are new.
    """
    result = list(causes)
    old = {match(incident, causes) for incident in before}
    touched: set[int] = set()
    added: list[int] = []
    over: list[Cause] = []
    for incident in incidents:
        at = match(incident, result)
        if at is None and len(result) >= MOST_CAUSES and incident.kind != OTHERS:
            over.append(incident)
        elif at is None:
            touched.add(len(result))
            added.append(len(result))
            result.append(replace(incident, first=execution, last=execution, windows=1))
        elif at not in touched:
            touched.add(at)
            cause = result[at]
            result[at] = replace(
                incident,
                fingerprint=cause.fingerprint,
                severity=most_severe((cause.severity, incident.severity)),
                first=cause.first,
                last=execution,
                windows=cause.windows + (at not in old),
                n_incidents=max(cause.n_incidents, incident.n_incidents),
            )
    told = [result[at] for at in added]
    if over:
        _count(result, over, execution)
    return sorted(result, key=_order), told


def _count(result: list[Cause], over: Sequence[Cause], execution: str) -> None:
    mark = fingerprint(OTHERS, (), ())
    at = next((i for i, cause in enumerate(result) if cause.fingerprint == mark), None)
    others = Cause(mark, OTHERS, "", first=execution, n_incidents=0) if at is None else result[at]
    n = max(others.n_incidents, len(over))
    others = replace(
        others,
        title=f"{plural(n, 'more cause')}",
        severity=most_severe([others.severity, *(cause.severity for cause in over)]),
        last=execution,
        windows=others.windows + (others.last != execution),
        n_incidents=n,
    )
    if at is None:
        result.append(others)
    else:
        result[at] = others


def _order(cause: Cause) -> tuple[bool, bool, int, str, str]:
    return (
        cause.kind == OTHERS,
        cause.severity != "critical",
        -cause.n_columns,
        cause.title,
        cause.fingerprint,
    )


def headline(subject: str, causes: Sequence[Cause]) -> str:
    """Say in a line what is wrong with `subject`.

    Examples
    --------
    >>> headline("churn-prod", [Cause("", "rows", "1 row breaks 59 columns")])
    'churn-prod: 1 row breaks 59 columns'
    """
    if not causes:
        return f"{subject}: violations were found"
    more = sum(cause.n_incidents for cause in causes) - causes[0].n_incidents
    return f"{subject}: {causes[0].title}" + (f", and {plural(more, 'other cause')}" if more else "")


def incidents_in(
    status: str,
    result: Mapping[str, Any] | None,
    *,
    error_code: str | None = None,
    message: str | None = None,
    min_severity: str = "warning",
) -> list[Cause]:
    """Return the incidents of an execution that are severe enough; at least one where it is a failure for a rule.

    Parameters
    ----------
    status : str
        Of the execution.
    result : mapping or None
        Of the execution; None where its report is missing.
    error_code, message : str, optional
        Why it failed.
    min_severity : str
    """
    if status == "Failed":
        kind, checks = "failed", (error_code or "E-INTERNAL",)
        title = f"the run failed ({checks[0]})"
        return [Cause(fingerprint(kind, (), checks), kind, title, message or "", checks=checks)]
    if status != "CompletedWithViolations":
        return []
    found = [Cause.of(incident) for incident in (result or {}).get("incidents") or ()]
    loud = [incident for incident in found if at_least(incident.severity, min_severity)]
    if loud:
        return loud
    severity = most_severe([(result or {}).get("severity")])
    text = "The run found violations, and its report does not say which."
    return [
        Cause(
            fingerprint("unknown", (), ()), "unknown", "violations without a report", text, severity=severity
        )
    ]
