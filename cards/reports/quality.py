"""Model quality: the statistics that SageMaker Model Monitor writes, in either form of problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from driftline.cards.reports.values import Gathered, numbers, scalar
from driftline.cards.shapes import confusion, metric

if TYPE_CHECKING:
    from driftline.documents import Node

__all__ = ["CLASSIFICATION", "CURVES", "REGRESSION", "classification", "regression"]

REGRESSION: Final = "regression_metrics"
CLASSIFICATION: Final = ("binary_classification_metrics", "multiclass_classification_metrics")

CURVES: Final = {
    "receiver_operating_characteristic_curve": ("false_positive_rates", "true_positive_rates"),
    "precision_recall_curve": ("recalls", "precisions"),
}
"""Curves by their key, with the keys of x and y."""


def regression(report: Node, into: Gathered) -> None:
    """Gather the metrics under ``regression_metrics``."""
    found = report[REGRESSION]
    metrics = into.group(REGRESSION)
    for name in found.object():
        _simple(found[name], name, metrics, into)


def classification(report: Node, into: Gathered) -> None:
    """Gather the metrics of every kind of classification that the report has."""
    for key in CLASSIFICATION:
        if not report.has(key):
            continue
        found = report[key]
        metrics = into.group(key)
        for name in found.object():
            if name == "confusion_matrix":
                _matrix(found[name], name, metrics, into)
            elif name in CURVES:
                _curve(found[name], name, metrics, into)
            else:
                _simple(found[name], name, metrics, into)


def _simple(found: Node, name: str, metrics: list[dict[str, object]], into: Gathered) -> None:
    into.add(metrics, name, scalar(found, "value"))
    if found.has("standard_deviation"):
        deviation = scalar(found, "standard_deviation")
        # Of fewer than 200 rows SageMaker writes "NaN": nothing is missing that anybody would look for.
        if deviation is not None:
            metrics.append(metric(f"{name} - standard_deviation", "number", deviation))


def _matrix(found: Node, name: str, metrics: list[dict[str, object]], into: Gathered) -> None:
    counts: dict[str, dict[str, float]] = {}
    for actual in found.object():
        row = found[actual]
        counts[actual] = {}
        for predicted in row.object():
            cell = scalar(row, predicted)
            if cell is None:
                into.missing(metrics, name, f"the cell {actual!r}, {predicted!r} has no number")
                return
            counts[actual][predicted] = cell
    rows, actuals, predicteds, said = confusion(counts)
    if not rows or not predicteds:
        into.missing(metrics, name, "it has no cell")
        return
    metrics.append(metric(name, "matrix", rows, notes="; ".join(said) or None, x=actuals, y=predicteds))


def _curve(found: Node, name: str, metrics: list[dict[str, object]], into: Gathered) -> None:
    x, y = CURVES[name]
    xs, ys = numbers(found[x]), numbers(found[y])
    if len(xs) != len(ys):
        raise found.error(f"expected as many {x} as {y}, found {len(xs):,} and {len(ys):,}")
    into.line(metrics, name, xs, ys, x=x, y=y)
