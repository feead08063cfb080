"""Clarify: the bias and explainability that SageMaker Clarify writes into ``analysis.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from driftline.cards.reports.values import Gathered, numbers, scalar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftline.documents import Node

__all__ = ["BIAS", "EXPLANATIONS", "bias", "explanations"]

BIAS: Final = ("pre_training_bias_metrics", "post_training_bias_metrics")
EXPLANATIONS: Final = "explanations"


def bias(report: Node, into: Gathered, keys: Sequence[str] | None = None) -> None:
    """Gather the metrics of each facet.

    Parameters
    ----------
    report : Node
    into : Gathered
    keys : sequence of str, optional
        Of the stages; every object of the report where not given.
    """
    objects = [key for key, value in report.object().items() if isinstance(value, dict)]
    for key in objects if keys is None else keys:
        stage = report[key]
        if not stage.has("facets"):
            raise stage.error(
                "a stage of a bias report has 'facets', and this one has none", fix="see metric_type='auto'"
            )
        facets = stage["facets"]
        of = f"{key} - label {_text(stage, 'label')} = {_text(stage, 'label_value_or_threshold')}"
        for facet in facets.object():
            for entry in facets[facet].items():
                name = f"{of} and facet {facet}={_text(entry, 'value_or_threshold')}"
                metrics = into.group(name, joined=True)
                for one in entry["metrics"].items():
                    why = one.value.get("error") if isinstance(one.value, dict) else None
                    into.add(metrics, one.text("name"), scalar(one, "value"), why=str(why) if why else None)


def _text(node: Node, key: str) -> str:
    """Return a text, or a number as it is written."""
    value = node[key].value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return node.text(key)


def explanations(report: Node, into: Gathered) -> None:
    """Gather global SHAP values and partial dependence; other analyses are left alone."""
    found = report[EXPLANATIONS]
    found.object()
    if found.has("kernel_shap"):
        labels = found["kernel_shap"]
        for label in labels.object():
            _shap(labels[label], label, into)
    if "pdp" in found.object():
        metrics = into.group(f"{EXPLANATIONS} - pdp")
        for item in found["pdp"].items() if found.has("pdp") else ():
            _dependence(item, metrics, into)


def _shap(found: Node, label: str, into: Gathered) -> None:
    if found.has("global_shap_values"):
        metrics = into.group(f"{EXPLANATIONS} - global_shap_values, label={label}")
        values = found["global_shap_values"]
        for feature in values.object():
            _value(values, feature, metrics, into)
    if found.has("global_top_shap_text"):
        features = found["global_top_shap_text"]
        for feature in features.object():
            metrics = into.group(f"{EXPLANATIONS} - global_top_shap_text, label={label}, feature={feature}")
            tokens = features[feature]
            for token in tokens.object():
                _value(tokens, token, metrics, into)


def _value(values: Node, key: str, metrics: list[dict[str, object]], into: Gathered) -> None:
    value = values[key].value
    name = key or '""'
    if isinstance(value, bool):
        into.add(metrics, name, value, "boolean")
    else:
        into.add(metrics, name, scalar(values, key))


def _dependence(found: Node, metrics: list[dict[str, object]], into: Gathered) -> None:
    feature = _text(found, "feature_name")
    if not found.has("feature_values"):
        into.missing(
            metrics, f"data_distribution - feature={feature}", found.text("error", "the report has no values")
        )
        return
    is_number = found.choice("data_type", ("numerical", "categorical")) == "numerical"
    values = found["feature_values"]
    xs = numbers(values) if is_number else None
    labels = None if is_number else [_label(item) for item in values.items()]

    def add(name: str, node: Node, y: str) -> None:
        ys = numbers(node)
        n = len(xs if xs is not None else labels or ())
        if len(ys) != n:
            raise node.error(f"expected {n:,} numbers, one for each of the feature_values, found {len(ys):,}")
        if xs is not None:
            into.line(metrics, name, xs, ys, x=feature, y=y)
        else:
            into.bars(metrics, name, labels or [], ys, y=y)

    if found.has("data_distribution"):
        add(f"data_distribution - feature={feature}", found["data_distribution"], "Data distribution")
    if found.has("model_predictions"):
        curves = found["model_predictions"].items()
        heads = _heads(found, len(curves))
        for head, curve in zip(heads, curves, strict=True):
            add(f"model_predictions - feature={feature}, label={head}", curve, head)


def _label(item: Node) -> str:
    if isinstance(item.value, (str, int, float)):
        return str(item.value)
    raise item.error("expected text or a number")


def _heads(found: Node, n: int) -> list[str]:
    if not found.has("label_headers"):
        return [f"label{i}" for i in range(n)]
    heads = [_label(item) for item in found["label_headers"].items()]
    if len(heads) != n:
        raise found.error(
            f"expected {n:,} names, one for each of the model_predictions, found {len(heads):,}",
            key="label_headers",
        )
    return heads
