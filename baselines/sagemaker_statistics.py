"""``statistics.json`` in the form of SageMaker Model Monitor, in and out.

Unknown keys are ignored. What driftline adds to a feature lives under its key ``driftline`` and comes back
unchanged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from driftline.baselines.constraint import InferredType
from driftline.baselines.sagemaker_document import document, feature_nodes
from driftline.baselines.sagemaker_style import encode_features
from driftline.baselines.statistics import (
    Bucket,
    FeatureStatistics,
    NumericStatistics,
    Sketch,
    Statistics,
    StringStatistics,
)

if TYPE_CHECKING:
    from driftline.documents import Node

__all__ = ["read_statistics", "write_statistics"]

_TYPES: Final = tuple(t.value for t in InferredType)
_NOT_FINITE: Final = ("NaN", "Infinity", "-Infinity")


def read_statistics(data: str | bytes, *, file: object = "statistics.json") -> Statistics:
    """Read a statistics document.

    Parameters
    ----------
    data : str or bytes
        The whole document.
    file : object
        Name used in errors.

    Returns
    -------
    Statistics
        A feature without a statistics block counts as missing in every row. A mean, sum, deviation or extreme
        that is spelled ``"NaN"`` or ``"Infinity"`` is None.

    Raises
    ------
    DocumentError
        Naming `file` and the field: if it is not JSON, has no features, a feature lacks a name or has one
        that occurred before, or a value has the wrong type or an impossible size.
    """
    root = document(data, file)
    features = list(feature_nodes(root))
    item_count = root["dataset"].integer("item_count")
    return Statistics(item_count, tuple(_feature_statistics(node, item_count) for node in features))


def write_statistics(statistics: Statistics) -> str:
    """Write a statistics document in SageMaker's layout, without a new line at the end.

    Reading the result gives `statistics` again.
    """
    return encode_features(
        {
            "version": 0.0,
            "dataset": {"item_count": statistics.item_count},
            "features": [_feature_statistics_out(f, statistics.item_count) for f in statistics.features],
        }
    )


def _feature_statistics(node: Node, item_count: int) -> FeatureStatistics:
    numbers, texts = node.get("numerical_statistics"), node.get("string_statistics")
    if numbers is not None and texts is not None:
        raise node.error(
            "a feature has either numerical_statistics or string_statistics, found both", fix="remove one"
        )
    block = numbers or texts
    own = node.get("driftline")
    common = None if block is None else block["common"]
    return FeatureStatistics(
        name=node.text("name"),
        inferred_type=InferredType(node.choice("inferred_type", _TYPES)),
        n_present=0 if common is None else common.integer("num_present"),
        n_missing=item_count if common is None else common.integer("num_missing"),
        numeric=None if numbers is None else _numeric(numbers),
        string=None if texts is None else _string(texts),
        extra={} if own is None else own.object(),
    )


def _finite(node: Node, key: str) -> float | None:
    if not node.has(key) or node.object()[key] in _NOT_FINITE:
        return None
    return node.number(key)


def _numeric(node: Node) -> NumericStatistics:
    distribution = node.get("distribution")
    kll = None if distribution is None else distribution.get("kll")
    buckets = None if kll is None else kll.get("buckets")
    sketch = None if kll is None else kll.get("sketch")
    return NumericStatistics(
        mean=_finite(node, "mean"),
        sum=_finite(node, "sum"),
        std_dev=_finite(node, "std_dev"),
        min=_finite(node, "min"),
        max=_finite(node, "max"),
        buckets=() if buckets is None else tuple(_bucket(item) for item in buckets.items()),
        sketch=None if sketch is None else _sketch(sketch),
        approximate_distinct=_finite(node, "approximate_num_distinct_values"),
        completeness=_finite(node, "completeness"),
    )


def _bucket(node: Node) -> Bucket:
    bucket = Bucket(node.number("lower_bound"), node.number("upper_bound"), node.number("count", low=0.0))
    if bucket.lower_bound > bucket.upper_bound:
        raise node.error(
            f"lower_bound ({bucket.lower_bound:g}) is above upper_bound ({bucket.upper_bound:g})"
        )
    return bucket


def _sketch(node: Node) -> Sketch:
    parameters = node["parameters"]
    levels = node["data"].items()
    if len(levels) > 62:
        raise node.error(
            f"a sketch of {len(levels)} levels stands for more rows than there can be", key="data"
        )
    return Sketch(
        levels=tuple(_level(level) for level in levels),
        c=parameters.number("c", low=0.01, high=1.0),
        k=parameters.number("k", low=1.0, high=1e9),
    )


def _level(node: Node) -> tuple[float, ...]:
    node_items = node.value
    if not isinstance(node_items, list) or not {*map(type, node_items)} <= {float, int}:
        wrong = next(item for item in node.items() if type(item.value) not in (float, int))
        raise wrong.error("expected a number")
    try:
        return tuple(map(float, node_items))
    except OverflowError:
        raise node.error("a number is larger than a double can hold") from None


def _string(node: Node) -> StringStatistics:
    distribution = node.get("distribution")
    categorical = None if distribution is None else distribution.get("categorical")
    buckets = None if categorical is None else categorical.get("buckets")
    categories: dict[str, int] | None = None
    if buckets is not None:
        categories = {}
        for bucket in buckets.items():
            value = bucket.text("value")
            if value in categories:
                raise bucket.error(f"the value {value!r} occurred before", key="value")
            categories[value] = bucket.integer("count")
    return StringStatistics(_finite(node, "distinct_count"), categories)


def _feature_statistics_out(feature: FeatureStatistics, item_count: int) -> dict[str, Any]:
    result: dict[str, Any] = {"name": feature.name, "inferred_type": feature.inferred_type.value}
    common = {"num_present": feature.n_present, "num_missing": feature.n_missing}
    if feature.numeric is not None:
        result["numerical_statistics"] = {"common": common, **_numeric_out(feature.numeric)}
    elif feature.string is not None:
        result["string_statistics"] = {"common": common, **_string_out(feature.string)}
    elif (feature.n_present, feature.n_missing) != (0, item_count):
        # Without a block all rows count as missing; these counts say otherwise, so they need one.
        result["string_statistics"] = {"common": common}
    if feature.extra:
        result["driftline"] = dict(feature.extra)
    return result


def _numeric_out(numeric: NumericStatistics) -> dict[str, Any]:
    result: dict[str, Any] = {
        name: float(value)
        for name in ("mean", "sum", "std_dev", "min", "max")
        if (value := getattr(numeric, name)) is not None
    }
    if (distinct := numeric.approximate_distinct) is not None:
        result["approximate_num_distinct_values"] = int(distinct) if distinct == int(distinct) else distinct
    if numeric.completeness is not None:
        result["completeness"] = float(numeric.completeness)
    kll: dict[str, Any] = {}
    if numeric.buckets:
        kll["buckets"] = [
            {
                "lower_bound": float(b.lower_bound),
                "upper_bound": float(b.upper_bound),
                "count": float(b.count),
            }
            for b in numeric.buckets
        ]
    if numeric.sketch is not None:
        sketch = numeric.sketch
        kll["sketch"] = {
            "parameters": {"c": float(sketch.c), "k": float(sketch.k)},
            "data": [list(level) for level in sketch.levels],
        }
    if kll:
        result["distribution"] = {"kll": kll}
    return result


def _string_out(string: StringStatistics) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if string.distinct_count is not None:
        result["distinct_count"] = float(string.distinct_count)
    if string.categories is not None:
        buckets = [{"value": value, "count": count} for value, count in string.categories.items()]
        result["distribution"] = {"categorical": {"buckets": buckets}}
    return result
