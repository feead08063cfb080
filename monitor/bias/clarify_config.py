"""``analysis_config.json`` of SageMaker Clarify, as settings of the bias monitor and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from driftline.monitor.bias.fields import (
    MOST_FACETS,
    POST,
    PRE,
    codes_of,
    column_of,
    headers_of,
    required,
    scalars_of,
)
from driftline.monitor.bias.settings import FacetSetting, Settings

if TYPE_CHECKING:
    from driftline.documents import Node
    from driftline.monitor.bias.fields import Scalar

__all__ = ["read_config", "write_config"]

_READ: Final = (
    "label", "predicted_label", "probability_threshold", "label_values_or_threshold", "facet", "group_variable", "methods",
    "headers", "excluded_columns", "predictor", "joinsource_name_or_index",
    # What the monitor's job is told beside the file.
    "inference_attribute", "probability_attribute", "probability_threshold_attribute",
)  # fmt: skip
_IGNORED: Final = (
    "version", "dataset_type", "dataset_uri", "features", "features_attribute", "exclude_features_attribute",
    "s3_compression_type", "$schema",
)  # fmt: skip
_ELSEWHERE: Final = {
    "facet_dataset_uri": "join the facets into the data",
    "facet_headers": "join the facets into the data",
    "predicted_label_dataset_uri": "join the predictions into the data",
    "predicted_label_headers": "join the predictions into the data",
    "segment_config": "give the segments as facets or as intersections",
    "time_series_data_config": "bias is not defined for forecasts; remove it",
}
"""Fields that would change the numbers, and what to do instead."""


def read_config(root: Node) -> Settings:
    """Read an ``analysis_config.json``.

    Types are ``auto``: SageMaker's rule decides them, once, when the baseline is made.

    Parameters
    ----------
    root : Node

    Returns
    -------
    Settings

    Raises
    ------
    DocumentError
        Naming the field; also for what driftline cannot do, such as tables beside the data.
    """
    root.known(*_READ, *_IGNORED, *_ELSEWHERE)
    for key, fix in _ELSEWHERE.items():
        if root.has(key):
            raise root.error("is not supported", key=key, fix=fix)
    methods, metrics = _methods(root.get("methods"))
    label, positive = column_of(root, "label"), _positive(root)
    prediction = column_of(root, "inference_attribute")
    if prediction is None:
        prediction = column_of(root, "predicted_label")
    probability = column_of(root, "probability_attribute")
    predictor = root.get("predictor")
    if predictor is not None and prediction is None and probability is None:
        prediction, probability = column_of(predictor, "label"), column_of(predictor, "probability")
    threshold = 0.5
    for key in ("probability_threshold", "probability_threshold_attribute"):
        if root.has(key):
            threshold = root.number(key)
    if prediction is None and probability is None and methods != ("pre",) and not root.has("methods"):
        methods = ("pre",)
    if root.has("joinsource_name_or_index"):
        joined: tuple[str, ...] = tuple(
            c for c in [column_of(root, "joinsource_name_or_index")] if c is not None
        )
    else:
        joined = ()
    return Settings(
        facets=_facets(required(root, "facet")),
        positive=positive,
        label=label,
        label_kind="auto",
        prediction=prediction,
        probability=probability,
        threshold=threshold,
        group=column_of(root, "group_variable"),
        metrics=metrics,
        methods=methods,
        exclude=joined,
        headers=headers_of(root.get("headers")),
    )


def _positive(root: Node) -> tuple[Scalar, ...]:
    return scalars_of(required(root, "label_values_or_threshold"), least=1)


def _facets(node: Node) -> tuple[FacetSetting, ...]:
    items = node.items() if isinstance(node.value, list) else [node]
    if len(items) > MOST_FACETS:
        raise node.error(f"has more than {MOST_FACETS:,} entries", fix="leave some out")
    facets = []
    for item in items:
        item.known("name_or_index", "value_or_threshold")
        column = column_of(item, "name_or_index")
        if column is None:
            raise item.error("this field is required and missing", key="name_or_index")
        values = scalars_of(item["value_or_threshold"]) if item.has("value_or_threshold") else ()
        facets.append(FacetSetting(column, values or None, kind="auto"))
    return tuple(facets)


def _methods(node: Node | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the stages and the metrics; no metrics for all."""
    if node is None:
        return ("pre", "post"), ()
    stages: list[str] = []
    codes: list[str] = []
    whole: list[bool] = []
    for stage, key in (("pre", "pre_training_bias"), ("post", "post_training_bias")):
        inner = node.get(key)
        if inner is not None:
            stages.append(stage)
            found = codes_of(inner.get("methods"))
            codes.extend(found)
            whole.append(not found)
    if not stages:
        raise node.error("asks for no bias metric", fix='add {"pre_training_bias": {"methods": "all"}}')
    if all(whole):
        return tuple(stages), ()
    for stage, is_whole in zip(stages, whole, strict=True):
        if is_whole:
            codes.extend(PRE if stage == "pre" else POST)
    return tuple(stages), tuple(code for code in (*PRE, *POST) if code in codes)


def write_config(settings: Settings) -> dict[str, Any]:
    """Write settings as an ``analysis_config.json``, as far as that can say them.

    Intersections, names of groups, ranges and the like have no field there.
    """
    wanted = {
        "pre_training_bias": [code for code in settings.metrics if code in PRE],
        "post_training_bias": [code for code in settings.metrics if code not in PRE],
    }
    result: dict[str, Any] = {
        "version": "1.0",
        "headers": None if settings.headers is None else list(settings.headers),
        "label": settings.label,
        "predicted_label": settings.prediction,
        "probability_attribute": settings.probability,
        "probability_threshold": settings.threshold if settings.probability is not None else None,
        "label_values_or_threshold": list(settings.positive),
        "facet": [
            {"name_or_index": facet.column}
            | ({"value_or_threshold": list(facet.values)} if facet.values is not None else {})
            | ({"value_or_threshold": [facet.threshold]} if facet.threshold is not None else {})
            for facet in settings.facets
        ],
        "group_variable": settings.group,
        "methods": {
            f"{stage}_training_bias": {"methods": wanted[f"{stage}_training_bias"] or "all"}
            for stage in settings.methods
        },
    }
    return {key: value for key, value in result.items() if value is not None}
