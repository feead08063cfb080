"""The report as a document: ``report.json``, schema ``driftline.report/v1``.

One line per outcome, incident, column and exhibit, so that the file can be searched and compared by line. Inside a
line the keys are sorted and what has no value is left out. Numbers that JSON cannot hold are spelled
``"Infinity"``, ``"-Infinity"`` and ``"NaN"``, in the fields where they have a meaning; anywhere else they are
refused. ``schema/report.schema.json`` describes the document.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from driftline.documents import Node, decode
from driftline.errors import DocumentError, InternalError
from driftline.reports.exhibit import flaws_of_all
from driftline.reports.outcome import Status
from driftline.reports.reading import (
    maybe_text,
    moment,
    read_column,
    read_exhibits,
    read_incident,
    read_outcome,
    read_side,
    texts,
)
from driftline.reports.report import Report
from driftline.reports.spelling import canonical, digest, spell, spell_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftline.baselines.constraint import Constraint
    from driftline.reports.exhibit import Exhibit
    from driftline.reports.outcome import Measurement, Outcome, Place
    from driftline.reports.report import ColumnView, Incident, Side

__all__ = ["SCHEMA", "from_json", "report_id", "to_json"]

SCHEMA: Final = "driftline.report/v1"
"""Name and version of the document."""

_UNCOUNTED: Final = frozenset({"id", "created", "versions"})


# -- writing


def to_json(report: Report) -> str:
    """Write a report as a document that needs no second file.

    Parameters
    ----------
    report : Report

    Returns
    -------
    str
        JSON ending in a new line; the same text for an equal report. Its ``id`` is the one of
        :func:`report_id`.

    Raises
    ------
    InternalError
        If a number that must be finite is not.
    """
    parts = _parts(report)
    head = {
        "schema": canonical(SCHEMA),
        "id": canonical(_digest(parts)),
        "created": canonical(report.created),
        "versions": canonical(dict(report.versions)),
    }
    sides = {name: canonical(_side(getattr(report, name), dated=True)) for name in ("baseline", "current")}
    lines = []
    for key, part in {**head, **parts, **sides}.items():
        if isinstance(part, str):
            lines.append(f'"{key}":{part}')
        else:
            lines.append(f'"{key}":[\n{_comma_lines(part)}\n]' if part else f'"{key}":[]')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _comma_lines(items: Sequence[str]) -> str:
    return ",\n".join(items)


def report_id(report: Report) -> str:
    """Name the content of a report.

    Returns
    -------
    str
        ``sha256:`` of the canonical document without ``id``, ``versions`` and every ``created``: running the
        same comparison again, on another day or with another release that finds the same, gives the same
        name.
    """
    return _digest(_parts(report))


def _digest(parts: Mapping[str, str | list[str]]) -> str:
    members = [
        f'"{key}":{part if isinstance(part, str) else "[" + ",".join(part) + "]"}'
        for key, part in sorted({**parts, "schema": canonical(SCHEMA)}.items())
    ]
    return digest("{" + ",".join(members) + "}")


def _parts(report: Report) -> dict[str, str | list[str]]:
    # The JSON document, the name and the page all need them, and a report never changes.
    known: dict[str, str | list[str]] | None = report.__dict__.get("_parts")
    if known is None:
        known = _spelled(report)
        object.__setattr__(report, "_parts", known)
    return known


def _spelled(report: Report) -> dict[str, str | list[str]]:
    for at, where, what in flaws_of_all(report.exhibits):
        raise InternalError(f"exhibit {report.exhibits[at].name!r} cannot be written: {where}: {what}")
    try:
        return {
            "recipe": canonical(report.recipe),
            "mode": canonical(report.mode),
            "matching": canonical(report.matching),
            "segments": canonical(report.segments),
            "status": canonical(report.status.value),
            "counts": canonical(report.counts),
            "alpha": canonical(report.alpha),
            "n_tests": canonical(report.n_tests),
            "baseline": canonical(_side(report.baseline, dated=False)),
            "current": canonical(_side(report.current, dated=False)),
            "notes": [canonical(note) for note in report.notes],
            "compat_differences": [canonical(text) for text in report.compat_differences],
            "incidents": [canonical(_incident(incident)) for incident in report.incidents],
            "outcomes": [canonical(_outcome(outcome)) for outcome in report.outcomes],
            "columns": [_column(column) for column in report.columns],
            **(
                {"exhibits": [canonical(_exhibit(one)) for one in report.exhibits]} if report.exhibits else {}
            ),
        }
    except (TypeError, ValueError) as error:
        raise InternalError(f"the report holds a value that its document cannot: {error}") from error


def _side(side: Side, *, dated: bool) -> dict[str, Any]:
    result: dict[str, Any] = {
        "label": side.label,
        "n_rows": side.n_rows,
        "n_columns": side.n_columns,
        "digest": side.digest,
        "sources": side.sources,
    }
    if dated and side.created is not None:
        result["created"] = side.created
    return result


def _present(**fields: Any) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None and value != ()}


def _places(where: Sequence[Place]) -> tuple[dict[str, Any], ...]:
    return tuple({"source": place.source, "row": place.row} for place in where)


def _outcome(outcome: Outcome) -> dict[str, Any]:
    result: dict[str, Any] = {
        "constraint": _constraint(outcome.constraint),
        "measurement": _measurement(outcome.measurement),
        "status": outcome.status.value,
        "reason": outcome.reason,
    }
    if outcome.q_value is not None:
        result["q_value"] = outcome.q_value
    if outcome.segment is not None:
        result["segment"] = outcome.segment
    return result


def _constraint(constraint: Constraint) -> dict[str, Any]:
    result = _present(
        expected=constraint.expected,
        low=spell(constraint.low, nan=False),
        high=spell(constraint.high, nan=False),
    )
    if constraint.domain is not None:  # an empty domain allows nothing; none at all allows everything
        result["domain"] = constraint.domain
    return result | {
        "check": constraint.check,
        "column": constraint.column,
        "bound": spell(constraint.bound, nan=False),
        "evidence": constraint.evidence,
        "min_rows": constraint.min_rows,
        "severity": constraint.severity.value,
        "why": constraint.why,
    }


def _measurement(measurement: Measurement) -> dict[str, Any]:
    ends = measurement.interval
    return _present(
        n_baseline=measurement.n_baseline,
        interval=None if ends is None else tuple(spell(end) for end in ends),
        sketch_error=measurement.sketch_error or None,
        p_value=measurement.p_value,
        detectable=spell(measurement.detectable),
        n_bad=measurement.n_bad,
        where=_places(measurement.where),
        examples=measurement.examples,
        note=measurement.note,
        baseline=spell(measurement.baseline),
    ) | {
        "name": measurement.name,
        "value": spell(measurement.value),
        "unit": measurement.unit,
        "n_current": measurement.n_current,
    }


def _exhibit(exhibit: Exhibit) -> dict[str, Any]:
    result = {
        "name": exhibit.name,
        "kind": exhibit.kind,
        "title": exhibit.title,
        "caption": exhibit.caption,
        "columns": exhibit.columns,
        "rows": tuple(tuple(spell_value(cell) for cell in row) for row in exhibit.rows),
    } | _present(units=exhibit.units)
    return result | {"options": dict(exhibit.options)} if exhibit.options else result


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "kind": incident.kind,
        "title": incident.title,
        "detail": incident.detail,
        "outcomes": incident.outcomes,
        "columns": incident.columns,
        "severity": incident.severity,
    } | _present(where=_places(incident.where))


def _column(column: ColumnView) -> str:
    fields = _present(
        edges=column.edges,
        labels=column.labels,
        baseline_counts=column.baseline_counts,
        current_counts=column.current_counts,
        segment=column.segment,
    ) | {
        "name": column.name,
        "kind": column.kind,
        "inferred_type": column.inferred_type,
        "baseline_summary": {key: spell_value(value) for key, value in column.baseline_summary.items()},
        "current_summary": {key: spell_value(value) for key, value in column.current_summary.items()},
    }
    try:
        return canonical(fields)
    except ValueError:
        # Looking at every edge first would cost wide reports more than this second try.
        return canonical(fields | {"edges": tuple(spell(edge, nan=False) for edge in column.edges)})


# -- reading


def from_json(text: str | bytes, *, file: object) -> Report:
    """Read a report back, trusting nothing.

    Parameters
    ----------
    text : str or bytes
        What :func:`to_json` wrote, in this or an earlier release.
    file : object
        Name used in errors.

    Returns
    -------
    Report
        Equal to the report that was written.

    Raises
    ------
    DocumentError
        If the text is not such a document, a field is missing, unknown or out of range, or the content is not
        the one that ``id`` names. The error says which file and field, and what to do.
    """
    root = Node(decode(text, file=file), file)
    schema = root.text("schema")
    if schema != SCHEMA:
        newer = schema.startswith(SCHEMA.partition("/")[0] + "/")
        fix = "read it with a newer driftline" if newer else "give the report.json of a report"
        raise root.error(f"expected {SCHEMA!r}, found {schema!r}", key="schema", fix=fix)
    root.known("schema", "id", "status", "counts", *(field.name for field in fields(Report)))
    outcomes = tuple(read_outcome(node) for node in root["outcomes"].items())
    report = Report(
        recipe=root.text("recipe"),
        mode=root.choice("mode", ("default", "sagemaker")),
        matching=root.choice("matching", ("name", "position")),
        baseline=read_side(root["baseline"]),
        current=read_side(root["current"]),
        alpha=root.number("alpha", low=0, high=1),
        n_tests=root.integer("n_tests"),
        outcomes=outcomes,
        incidents=tuple(read_incident(node, outcomes) for node in root["incidents"].items()),
        columns=tuple(read_column(node) for node in root["columns"].items()),
        created=moment(root, "created"),
        versions={key: root["versions"].text(key) for key in root["versions"].object()},
        notes=texts(root, "notes"),
        compat_differences=texts(root, "compat_differences"),
        segments=maybe_text(root, "segments"),
        exhibits=read_exhibits(root),
    )
    _check_totals(root, report)
    _check_id(root)
    return report


def _check_totals(root: Node, report: Report) -> None:
    counts = root["counts"].known(*(status.value for status in Status))
    for key, n in report.counts.items():
        if counts.integer(key) != n:
            raise counts.error(f"the outcomes hold {n}", key=key, fix="restore the file as it was written")
    if root.choice("status", [status.value for status in Status]) != report.status:
        raise root.error(f"the outcomes say {report.status.value!r}", key="status")


def _check_id(root: Node) -> None:
    content = {key: value for key, value in root.object().items() if key not in _UNCOUNTED}
    for side in ("baseline", "current"):
        content[side] = {key: value for key, value in content[side].items() if key != "created"}
    if root.text("id") != digest(canonical(content)):
        raise DocumentError(
            "the content is not the one that this id names: the file was changed after it was written",
            code="E-REPORT-ID",
            file=root.file,
            field="id",
            fix="restore the file or run the check again",
        )
