"""``constraint_violations.json``: the violations in exactly the form of SageMaker Model Monitor.

Readers of the original find what they expect; driftline's own facts stand under one extra key per violation,
``driftline``, which the original's readers ignore.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from driftline.baselines.constraint import CHECKS
from driftline.baselines.sagemaker_style import encode_sagemaker
from driftline.documents import Node, decode
from driftline.reports.spelling import spell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.reports.outcome import Outcome
    from driftline.reports.report import Report

__all__ = ["Violation", "read_violations", "violations_json"]

_WHOLE: Final = {"missing_column": "Missing columns", "extra_column": "Extra columns"}


@dataclass(frozen=True, slots=True)
class Violation:
    """One entry of a ``constraint_violations.json``, whoever wrote it.

    Attributes
    ----------
    feature_name : str or None
        The column; None where the writer named none, as for metrics of a model.
    constraint_check_type : str
        Such as ``data_type_check``.
    description : str or None
        The sentence for people, as it stands in the file; containers of users may leave it out.
    extra : mapping of str to object
        Every other key, decoded; driftline's own stand under ``driftline``.
    """

    feature_name: str | None
    constraint_check_type: str
    description: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


def violations_json(report: Report, *, extras: bool = True) -> str:
    """Write the violations of a report.

    Parameters
    ----------
    report : Report
    extras : bool, default True
        Whether to add the key ``driftline`` with status, check, value, bound, p-value, q-value, both sample
        sizes, number of the incident (from 1), segment, rows and severity. Without it the file has the
        original's keys only.

    Returns
    -------
    str
        JSON in SageMaker's layout, without a new line at the end. No violation gives an empty list.
    """
    incident_of = {at: n for n, incident in enumerate(report.incidents, 1) for at in incident.outcomes}
    entries = []
    for at, outcome in enumerate(report.outcomes):
        if outcome.is_violation:
            entry: dict[str, Any] = {
                "feature_name": _feature(outcome),
                "constraint_check_type": CHECKS[outcome.constraint.check].check_type,
                "description": outcome.reason,
            }
            if extras:
                entry["driftline"] = _own(outcome, incident_of.get(at))
            entries.append(entry)
    return encode_sagemaker({"violations": entries})


def _feature(outcome: Outcome) -> str:
    constraint = outcome.constraint
    if constraint.column is not None:
        return constraint.column
    return _WHOLE.get(constraint.check) or CHECKS[constraint.check].title


def _own(outcome: Outcome, incident: int | None) -> dict[str, Any]:
    constraint, measurement = outcome.constraint, outcome.measurement
    return {
        "status": outcome.status.value,
        "check": constraint.check,
        "value": spell(measurement.value),
        "bound": spell(constraint.bound),
        "p_value": measurement.p_value,
        "q_value": outcome.q_value,
        "n_current": measurement.n_current,
        "n_baseline": measurement.n_baseline,
        "incident": incident,
        "segment": outcome.segment,
        "where": [{"source": place.source, "row": place.row} for place in measurement.where],
        "severity": constraint.severity.value,
    }


def read_violations(text: str | bytes, *, file: object) -> tuple[Violation, ...]:
    """Read a ``constraint_violations.json`` of SageMaker, of a user's container, or of driftline.

    Parameters
    ----------
    text : str or bytes
    file : object
        Name used in errors.

    Returns
    -------
    tuple of Violation
        In the order of the file. Old wording stays as it is, unknown keys are kept in ``extra``, a missing
        description is None.

    Raises
    ------
    DocumentError
        If the text is not JSON, or not an object with a list ``violations`` of objects that say which check
        was broken.
    """
    root = Node(decode(text, file=file), file)
    return tuple(_read(node) for node in root["violations"].items())


def _read(node: Node) -> Violation:
    known = ("feature_name", "constraint_check_type", "description")
    return Violation(
        feature_name=node.text("feature_name") if node.has("feature_name") else None,
        constraint_check_type=node.text("constraint_check_type"),
        description=node.text("description") if node.has("description") else None,
        extra={key: value for key, value in node.object().items() if key not in known},
    )
