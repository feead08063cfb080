"""Analysis: ``analysis.json`` of SageMaker Clarify, which is the result of a bias job and the baseline of its monitor.

Both stages of bias are read into values; everything else (the explanations of an attribution job, keys of later versions)
is kept as it stands and written back. Infinities are spelled ``"Infinity"`` and ``"-Infinity"`` in the file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from driftline.documents import Node, decode, encode
from driftline.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "EXPLANATIONS",
    "POST_TRAINING",
    "PRE_TRAINING",
    "Analysis",
    "FacetResult",
    "MetricValue",
    "Stage",
    "read_analysis",
    "write_analysis",
]

PRE_TRAINING: Final = "pre_training_bias_metrics"
POST_TRAINING: Final = "post_training_bias_metrics"
EXPLANATIONS: Final = "explanations"

_INFINITIES: Final = {"Infinity": math.inf, "-Infinity": -math.inf}


@dataclass(frozen=True, slots=True)
class MetricValue:
    """One metric of one facet value.

    Attributes
    ----------
    name : str
        Code, such as ``"DPL"``.
    description : str
    value : float, int or None
        May be infinite, never NaN; None where it could not be computed.
    error : str or None
        Why not.
    extra : mapping of str to object
        Further keys of the file.
    """

    name: str
    description: str
    value: float | None
    error: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FacetResult:
    """The metrics of one facet value.

    Attributes
    ----------
    value_or_threshold : str
        The value, the values joined by commas, or an interval such as ``"(45, 90]"``; may be empty.
    metrics : tuple of MetricValue
    extra : mapping of str to object
        Further keys of the file.
    """

    value_or_threshold: str
    metrics: tuple[MetricValue, ...]
    extra: Mapping[str, Any] = field(default_factory=dict)

    def metric(self, name: str) -> MetricValue | None:
        """Return the metric of that code, None where there is none."""
        return next((metric for metric in self.metrics if metric.name == name), None)


@dataclass(frozen=True, slots=True)
class Stage:
    """The bias of the labels (pre-training) or of the predictions (post-training).

    Attributes
    ----------
    label : str
        Name of the label column.
    label_value_or_threshold : str
        What counts as positive, in the form of :attr:`FacetResult.value_or_threshold`.
    facets : mapping of str to tuple of FacetResult
        By name of the facet column.
    extra : mapping of str to object
        Further keys of the file.
    """

    label: str
    label_value_or_threshold: str
    facets: Mapping[str, tuple[FacetResult, ...]]
    extra: Mapping[str, Any] = field(default_factory=dict)

    def facet(self, name: str, value_or_threshold: str) -> FacetResult | None:
        """Return the result of that facet value, None where there is none."""
        results = self.facets.get(name, ())
        return next((one for one in results if one.value_or_threshold == value_or_threshold), None)


@dataclass(frozen=True, slots=True)
class Analysis:
    """What ``analysis.json`` says.

    Attributes
    ----------
    version : str
    pre_training, post_training : Stage or None
    explanations : mapping of str to object, or None
        As the file has them; see :mod:`driftline.baselines.explanations`.
    extra : mapping of str to object
        Further keys of the file.
    """

    version: str = "1.0"
    pre_training: Stage | None = None
    post_training: Stage | None = None
    explanations: Mapping[str, Any] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stages(self) -> dict[str, Stage]:
        """The stages there are, by key, in the order of the file."""
        both = {POST_TRAINING: self.post_training, PRE_TRAINING: self.pre_training}
        return {key: stage for key, stage in both.items() if stage is not None}


def read_analysis(data: bytes | str, *, file: object = "analysis.json") -> Analysis:
    """Read ``analysis.json``.

    Parameters
    ----------
    data : bytes or str
    file : object
        Name used in errors.

    Returns
    -------
    Analysis

    Raises
    ------
    DocumentError
        ``E-JSON`` or ``E-FIELD`` with the place, if it is empty, not JSON, or not of this form.
    """
    if not data.strip():
        raise DocumentError("the document is empty", code="E-JSON", file=file)
    root = Node(decode(data, file=file), file)
    keys = root.object()
    if not any(root.has(key) for key in (PRE_TRAINING, POST_TRAINING, EXPLANATIONS)):
        raise root.error(
            f"there is none of {PRE_TRAINING}, {POST_TRAINING} and {EXPLANATIONS}",
            fix="give the analysis.json of a bias or explainability job",
        )
    explanations = root.get(EXPLANATIONS)
    return Analysis(
        root.text("version", "1.0"),
        _stage(root.get(PRE_TRAINING)),
        _stage(root.get(POST_TRAINING)),
        None if explanations is None else dict(explanations.object()),
        _others(keys, "version", PRE_TRAINING, POST_TRAINING, EXPLANATIONS),
    )


def _others(mapping: Mapping[str, Any], *known: str) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in known}


def _stage(node: Node | None) -> Stage | None:
    if node is None:
        return None
    facets = node["facets"]
    found = {name: tuple(_facet(one) for one in facets[name].items()) for name in facets.object()}
    for name, results in found.items():
        _refuse_twice(facets[name], [one.value_or_threshold for one in results], "facet value")
    return Stage(
        node.text("label", ""),
        node.text("label_value_or_threshold", ""),
        found,
        _others(node.object(), "label", "label_value_or_threshold", "facets"),
    )


def _facet(node: Node) -> FacetResult:
    metrics = tuple(_metric(one) for one in node["metrics"].items())
    _refuse_twice(node["metrics"], [metric.name for metric in metrics], "metric")
    return FacetResult(
        node.text("value_or_threshold"), metrics, _others(node.object(), "value_or_threshold", "metrics")
    )


def _refuse_twice(node: Node, names: list[str], what: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise node.error(f"the {what} {name!r} occurs twice", fix="remove one of them")
        seen.add(name)


def _metric(node: Node) -> MetricValue:
    keys = node.object()
    if "value" not in keys:
        raise node.error("this field is required and missing", key="value")
    value = keys["value"]
    if isinstance(value, str):
        if value not in _INFINITIES:
            raise node.error(
                f"unknown value {value[:40]!r}",
                key="value",
                fix='use a number, null, "Infinity" or "-Infinity"',
            )
        value = _INFINITIES[value]
    elif value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise node.error(
            "expected a number", key="value", fix='use a number, null, "Infinity" or "-Infinity"'
        )
    return MetricValue(
        node.text("name"),
        node.text("description", ""),
        value,
        node.text("error") if node.has("error") else None,
        _others(keys, "name", "description", "value", "error"),
    )


def write_analysis(analysis: Analysis) -> str:
    """Write ``analysis.json``.

    Parameters
    ----------
    analysis : Analysis

    Returns
    -------
    str
        JSON with two spaces per level and a new line at the end; the same value gives the same text.

    Raises
    ------
    ValueError
        If a metric is NaN: give None and say why in `error`.
    """
    document: dict[str, Any] = {"version": analysis.version}
    document.update({key: _stage_document(stage) for key, stage in analysis.stages.items()})
    if analysis.explanations is not None:
        document[EXPLANATIONS] = analysis.explanations
    return encode({**document, **analysis.extra}, indent=2) + "\n"


def _stage_document(stage: Stage) -> dict[str, Any]:
    facets = {name: [_facet_document(one) for one in results] for name, results in stage.facets.items()}
    return {
        "label": stage.label,
        "facets": facets,
        "label_value_or_threshold": stage.label_value_or_threshold,
        **stage.extra,
    }


def _facet_document(facet: FacetResult) -> dict[str, Any]:
    metrics = [_metric_document(metric) for metric in facet.metrics]
    return {"value_or_threshold": facet.value_or_threshold, "metrics": metrics, **facet.extra}


def _metric_document(metric: MetricValue) -> dict[str, Any]:
    value = metric.value
    spelled: float | str | None = value
    if value is not None and math.isinf(value):
        spelled = "Infinity" if value > 0 else "-Infinity"
    document: dict[str, Any] = {"name": metric.name, "description": metric.description, "value": spelled}
    if metric.error is not None:
        document["error"] = metric.error
    return {**document, **metric.extra}
