"""Parsing: which kind of report it is, and its groups of metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from driftline.cards.reports.clarify import BIAS, EXPLANATIONS, bias, explanations
from driftline.cards.reports.generic import KEY, card_metrics
from driftline.cards.reports.quality import CLASSIFICATION, REGRESSION, classification, regression
from driftline.cards.reports.values import Gathered, plain
from driftline.documents import Node, nearest
from driftline.errors import DocumentError, UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["KINDS", "Parsed", "detect", "groups", "parse"]

CARD: Final = "Model Card Metric Schema"
CLARIFY_BIAS: Final = "Clarify Bias"
CLARIFY_EXPLAINABILITY: Final = "Clarify Explainability"
QUALITY: Final = "Model Monitor Model Quality"
QUALITY_REGRESSION: Final = "Model Monitor Model Quality Regression"
QUALITY_BINARY: Final = "Model Monitor Model Quality Binary Classification"
QUALITY_MULTICLASS: Final = "Model Monitor Model Quality Multiclass Classification"

KINDS: Final = (
    CARD,
    CLARIFY_BIAS,
    CLARIFY_EXPLAINABILITY,
    QUALITY,
    QUALITY_REGRESSION,
    QUALITY_BINARY,
    QUALITY_MULTICLASS,
    "auto",
)
"""What a report can be said to be: the texts of ``EvaluationMetricTypeEnum``, and ``auto``."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a report says.

    Attributes
    ----------
    groups : list of dict
        As a card's ``metric_groups``.
    warnings : tuple of str
        What was left out, and why.
    """

    groups: list[dict[str, Any]]
    warnings: tuple[str, ...] = ()


def detect(report: Mapping[str, Any], *, file: object = "report") -> tuple[str, ...]:
    """Tell what a report is by its keys; an ``analysis.json`` of Clarify can be two things at once.

    Parameters
    ----------
    report : mapping
    file : object
        Its name, for errors.

    Returns
    -------
    tuple of str
        Of :data:`KINDS`.

    Raises
    ------
    DocumentError
        ``E-CARD-REPORT`` where it is none that is known.
    """
    found = []
    if KEY in report:
        found.append(CARD)
    if any(key in report for key in BIAS):
        found.append(CLARIFY_BIAS)
    if EXPLANATIONS in report:
        found.append(CLARIFY_EXPLAINABILITY)
    if REGRESSION in report:
        found.append(QUALITY_REGRESSION)
    found += [
        kind
        for key, kind in zip(CLASSIFICATION, (QUALITY_BINARY, QUALITY_MULTICLASS), strict=True)
        if key in report
    ]
    if found:
        return tuple(found)
    known = (KEY, *BIAS, EXPLANATIONS, REGRESSION, *CLASSIFICATION)
    close = next((near for key in report if (near := nearest(str(key), known))), None)
    raise _refused(
        f"is no evaluation report that is known: it has none of the keys {', '.join(known)}",
        file,
        f"did you mean {close!r}?" if close else "give its metrics as metric_groups",
    )


def groups(report: Mapping[str, Any], metric_type: str = "auto", **options: Any) -> list[dict[str, Any]]:
    """Return the groups of metrics of a report; see :func:`parse`."""
    return parse(report, metric_type, **options).groups


def parse(
    report: Mapping[str, Any],
    metric_type: str = "auto",
    *,
    file: object = "report",
    keep_missing: bool = False,
) -> Parsed:
    """Return what a report says, as groups of metrics.

    Parameters
    ----------
    report : mapping
        As it was read; numbers of NumPy, arrays and tuples are taken, too. It is left as it is.
    metric_type : str
        One of :data:`KINDS`, or the member of ``EvaluationMetricTypeEnum``.
    file : object
        Its name, for errors.
    keep_missing : bool, default False
        Whether a metric that has no value stays, as the text ``not available``; it is left out otherwise. A warning tells
        of it in any case.

    Returns
    -------
    Parsed

    Raises
    ------
    DocumentError
        A ValueError: ``E-CARD-REPORT`` where it is empty or not what it is said to be; ``E-FIELD`` where a field has the
        wrong type.
    UsageError
        A ValueError: ``E-CARD-METRIC-TYPE``, there is no such kind of report.

    Notes
    -----
    ``Model Monitor Model Quality`` takes a report without any of the keys it knows, and gives no group, as SageMaker does.
    Of a confusion matrix of more than 20 classes the 19 with most rows are kept; of a curve of more than 1,000 points as
    many, spaced evenly. The notes of the metric say so.

    Examples
    --------
    >>> groups({"regression_metrics": {"mae": {"value": 1.5, "standard_deviation": "NaN"}}})
    [{'name': 'regression_metrics', 'metric_data': [{'name': 'mae', 'type': 'number', 'value': 1.5}]}]
    """
    kind = _kind(metric_type)
    if not isinstance(report, Mapping):
        raise _refused(f"is no object but {type(report).__name__}", file, "give what the report's file holds")
    if not report:
        raise _refused("is empty", file, "check what writes it")
    node = Node(plain(dict(report), file), file)
    into = Gathered(keep_missing=keep_missing)
    kinds = detect(node.object(), file=file) if kind == "auto" else (kind,)
    parsers = _PARSERS | {CLARIFY_BIAS: _some_bias} if kind == "auto" else _PARSERS
    for parser in dict.fromkeys(parsers[one] for one in kinds):
        parser(node, into)
    return Parsed(into.groups, tuple(into.warnings))


def _kind(metric_type: object) -> str:
    text = metric_type.value if isinstance(metric_type, Enum) else metric_type
    if text in KINDS:
        return str(text)
    close = nearest(text, KINDS) if isinstance(text, str) else None
    raise UsageError(
        f"there is no kind of report {printable(repr(metric_type), 80)}",
        code="E-CARD-METRIC-TYPE",
        field="metric_type",
        fix=f"did you mean {close!r}?" if close else f"use one of {', '.join(KINDS)}",
    )


def _refused(message: str, file: object, fix: str | None = None) -> DocumentError:
    return DocumentError(message, code="E-CARD-REPORT", file=file, fix=fix)


def _must(node: Node, keys: tuple[str, ...], what: str) -> None:
    if not any(node.has(key) for key in keys):
        raise _refused(
            f"is no {what}: it has no {' and no '.join(keys)}", node.file, "see metric_type='auto'"
        )


def _card(node: Node, into: Gathered) -> None:
    _must(node, (KEY,), "report of card metrics")
    card_metrics(node, into)


def _bias(node: Node, into: Gathered) -> None:
    if not any(isinstance(value, dict) for value in node.object().values()):
        _must(node, BIAS, "bias report")
    bias(node, into)


def _some_bias(node: Node, into: Gathered) -> None:
    bias(node, into, [key for key in node.object() if key in BIAS])


def _explanations(node: Node, into: Gathered) -> None:
    _must(node, (EXPLANATIONS,), "explainability report")
    explanations(node, into)


def _regression(node: Node, into: Gathered) -> None:
    _must(node, (REGRESSION,), "report of a regression's quality")
    regression(node, into)


def _classification(node: Node, into: Gathered) -> None:
    _must(node, CLASSIFICATION, "report of a classification's quality")
    classification(node, into)


def _quality(node: Node, into: Gathered) -> None:
    if node.has(REGRESSION):
        regression(node, into)
    classification(node, into)


_PARSERS: Final[dict[str, Callable[[Node, Gathered], None]]] = {
    CARD: _card,
    CLARIFY_BIAS: _bias,
    CLARIFY_EXPLAINABILITY: _explanations,
    QUALITY: _quality,
    QUALITY_REGRESSION: _regression,
    QUALITY_BINARY: _classification,
    QUALITY_MULTICLASS: _classification,
}
