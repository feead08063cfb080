"""Causes: the incidents of a report, as an execution keeps them for alerts and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from driftline.registry.alert_cause import MOST_COLUMNS, fingerprint

if TYPE_CHECKING:
    from driftline.reports.report import Incident, Report

__all__ = ["MOST_INCIDENTS", "fingerprint", "incidents_of"]

MOST_INCIDENTS: Final = 100
"""Incidents of a run that are kept one by one; what comes after is counted. The report has them all."""

_MOST_TEXT: Final = 1000


def incidents_of(report: Report) -> list[dict[str, Any]]:
    """Return the incidents of a report, the gravest first, bounded in number and size.

    Returns
    -------
    list of dict
        ``fingerprint``, ``kind``, ``title``, ``detail``, ``columns`` (by name, not more than 50), ``n_columns``,
        ``checks``, ``severity``. Where there are more than 100 incidents, the last entry is of the kind ``others``, and its
        ``n_incidents`` says how many are not listed.
    """
    kept = [_document(incident, report) for incident in report.incidents[:MOST_INCIDENTS]]
    rest = report.incidents[MOST_INCIDENTS:]
    if rest:
        loud = any(incident.severity == "critical" for incident in rest)
        kept.append(
            {
                "fingerprint": fingerprint("others", (), ()),
                "kind": "others",
                "title": f"{len(rest):,} more incident{'s' if len(rest) > 1 else ''}",
                "detail": "The report lists them.",
                "columns": [],
                "n_columns": 0,
                "checks": [],
                "severity": "critical" if loud else "warning",
                "n_incidents": len(rest),
            }
        )
    return kept


def _document(incident: Incident, report: Report) -> dict[str, Any]:
    columns = sorted(set(incident.columns))
    checks = sorted({report.outcomes[position].constraint.check for position in incident.outcomes})
    return {
        "fingerprint": fingerprint(incident.kind, columns, checks),
        "kind": incident.kind,
        "title": _cut(incident.title),
        "detail": _cut(incident.detail),
        "columns": columns[:MOST_COLUMNS],
        "n_columns": len(columns),
        "checks": checks,
        "severity": incident.severity,
    }


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else text[: _MOST_TEXT - 1] + "…"
