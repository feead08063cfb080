"""``constraint_violations.json``: the violations in exactly the form of SageMaker Model Monitor.

The original has a form of its own for each kind of monitor: data quality names columns, model quality metrics, bias
metrics of facets, and feature attribution labels. Readers of the original find what they expect; driftline's own facts
stand under one extra key per violation, ``driftline``, which the original's readers ignore.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from driftline.baselines.constraint import CHECKS
from driftline.baselines.metrics import ATTRIBUTION, BIAS, METRICS, check_info
from driftline.baselines.sagemaker_style import encode_sagemaker
from driftline.documents import Node, decode
from driftline.reports.spelling import spell
from driftline.reports.wording import is_of_metrics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.reports.outcome import Outcome
    from driftline.reports.report import Report

__all__ = ["Violation", "facet_of", "read_violations", "violations_json"]

_WHOLE: Final = {"missing_column": "Missing columns", "extra_column": "Extra columns"}

VERSION: Final = "1.0"
"""Of the files of the bias and the attribution monitor; the others have none."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")

OPERATORS: Final = ("GreaterThanThreshold", "LessThanThreshold")
"""What is a violation of a threshold of model quality."""

_AND: Final = " & "
"""Between the parts of an intersection of facets."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One entry of a ``constraint_violations.json``, whoever wrote it.

    Attributes
    ----------
    feature_name : str or None
        The column; None where the writer named none, as for metrics.
    constraint_check_type : str
        Such as ``data_type_check``.
    description : str or None
        The sentence for people, as it stands in the file; containers of users may leave it out.
    extra : mapping of str to object
        Every other key, decoded: ``metric_name``, ``facet``, ``facet_value`` and ``label`` of the monitors that write them;
        driftline's own stand under ``driftline``.
    """

    feature_name: str | None
    constraint_check_type: str
    description: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def subject(self) -> str | None:
        """What is violated, in one text: the column, the metric, the metric of a facet or of a label; None if unnamed."""
        if self.feature_name is not None:
            return self.feature_name
        metric, facet, label = (self.extra.get(key) for key in ("metric_name", "facet", "label"))
        if facet is not None:
            return f"{metric} of {facet}={self.extra.get('facet_value')}"
        if label is not None:
            return f"{metric} of {label}"
        return metric if isinstance(metric, str) else None


def violations_json(report: Report, *, extras: bool = True) -> str:
    """Write the violations of a report.

    Parameters
    ----------
    report : Report
    extras : bool, default True
        Whether to add the key ``driftline`` with status, check, value, bound, p-value, q-value, both sample
        sizes, number of the incident (from 1), segment, rows and severity; for metrics also the baseline's value,
        the interval and the allowed range. Without it the file has the original's keys only.

    Returns
    -------
    str
        JSON in SageMaker's layout, without a new line at the end. No violation gives an empty list.
    """
    incident_of = {at: n for n, incident in enumerate(report.incidents, 1) for at in incident.outcomes}
    entries = []
    for at, outcome in enumerate(report.outcomes):
        if outcome.is_violation:
            entry = _entry(outcome)
            if extras:
                entry["driftline"] = _own(outcome, incident_of.get(at))
            entries.append(entry)
    if not is_of_metrics(report.recipe):
        return encode_sagemaker({"violations": entries})
    document: dict[str, Any] = {"violations": entries}
    if report.recipe != "model-quality":
        document = {"version": VERSION, **document}
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    # UTF-8 cannot hold half a surrogate pair: escape it again.
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _entry(outcome: Outcome) -> dict[str, Any]:
    """Return a violation with the keys of the original, in its order."""
    check = outcome.constraint.check
    check_type = check_info(check).check_type
    if check in BIAS:
        facet, facet_value = facet_of(outcome.constraint.column)
        return {
            "constraint_check_type": check_type,
            "description": outcome.reason,
            "facet": facet,
            "facet_value": facet_value,
            "metric_name": check.removeprefix("bias_").upper(),
        }
    if check in ATTRIBUTION:
        return {
            "label": outcome.segment or "label0",
            "metric_name": "shap",
            "constraint_check_type": check_type,
            "description": outcome.reason,
        }
    if check in METRICS:
        # Somebody may have turned a threshold round in constraints.json; the rule says so then.
        turned = outcome.constraint.expected if outcome.constraint.expected in OPERATORS else check_type
        return {"constraint_check_type": turned, "description": outcome.reason, "metric_name": check}
    return {
        "feature_name": _feature(outcome),
        "constraint_check_type": check_type,
        "description": outcome.reason,
    }


def facet_of(text: str | None) -> tuple[str, str]:
    """Split what a bias metric is of into the facet's name and its value.

    Parameters
    ----------
    text : str or None
        ``sex=Female``, ``age=(45, 90]``; intersections ``sex=Female & race=Black``. The first ``=`` splits.

    Returns
    -------
    facet, facet_value : str
        Of an intersection all names and all values: ``sex & race``, ``Female & Black``. Empty where there is none.

    Examples
    --------
    >>> facet_of("sex=Female & race=Black")
    ('sex & race', 'Female & Black')
    >>> facet_of("status=single & free")
    ('status', 'single & free')
    """
    parts: list[list[str]] = []
    for piece in (text or "").split(_AND):
        name, equals, value = piece.partition("=")
        if equals or not parts:
            parts.append([name, value])
        else:  # a value with the sign in it
            parts[-1][1] += _AND + piece
    return _AND.join(name for name, _ in parts), _AND.join(value for _, value in parts)


def _feature(outcome: Outcome) -> str:
    constraint = outcome.constraint
    if constraint.column is not None:
        return constraint.column
    return _WHOLE.get(constraint.check) or CHECKS[constraint.check].title


def _own(outcome: Outcome, incident: int | None) -> dict[str, Any]:
    constraint, measurement = outcome.constraint, outcome.measurement
    facts: dict[str, Any] = {
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
    if constraint.check in METRICS:
        facts |= {
            "column": constraint.column,
            "baseline": spell(measurement.baseline),
            "interval": None
            if measurement.interval is None
            else [spell(end) for end in measurement.interval],
            "low": spell(constraint.low),
            "high": spell(constraint.high),
        }
    return facts


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
