"""Analysis configuration: ``analysis_config.json`` of SageMaker Clarify, as far as it says what to compute.

Read are the columns, the facets, the positive outcome, the bias metrics, Kernel SHAP and partial dependence. What only
tells the managed service where things lie (URIs, the model's endpoint, the report's name) is kept and written back, and
means nothing here. What would change the numbers and cannot be honoured is refused, with what to do instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from driftline.documents import Node, decode, encode
from driftline.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "AnalysisConfig",
    "FacetConfig",
    "PdpConfig",
    "Place",
    "Scalar",
    "ShapConfig",
    "read_analysis_config",
    "resolve",
    "write_analysis_config",
]

Place: TypeAlias = "str | int"
"""A column by name, or by 0-based position."""

Scalar: TypeAlias = "str | int | float | bool"

DATASET_TYPES: Final = (
    "text/csv",
    "application/jsonlines",
    "application/json",
    "application/x-parquet",
    "application/x-image",
)

AGGREGATIONS: Final = ("mean_abs", "mean_sq", "median")

_MOST: Final = 100_000
"""Most entries of a list."""

_REFUSED: Final[Mapping[str, str]] = {
    "facet_dataset_uri": "join the facets to the data, and name them in facet",
    "facet_headers": "join the facets to the data, and name them in facet",
    "predicted_label_dataset_uri": "join the predictions to the data, and name them in predicted_label",
    "predicted_label_headers": "join the predictions to the data, and name them in predicted_label",
    "segment_config": "use intersections of facets, or analyse each segment on its own",
    "time_series_data_config": "remove it: attributions of forecasts are not computed",
}
"""Fields that change the numbers and cannot be honoured, with what to do instead."""

_REFUSED_SHAP: Final[Mapping[str, str]] = {
    "text_config": "remove it: text is explained as a whole value, not by tokens",
    "image_config": "remove it: images cannot be explained",
}


@dataclass(frozen=True, slots=True)
class FacetConfig:
    """A sensitive column.

    Attributes
    ----------
    name_or_index : str or int
    value_or_threshold : tuple of str, int, float or bool
        Empty for each value against the rest.
    """

    name_or_index: Place
    value_or_threshold: tuple[Scalar, ...] = ()


@dataclass(frozen=True, slots=True)
class ShapConfig:
    """How features are attributed.

    Attributes
    ----------
    baseline : tuple of rows, str or None
        Rows as tuples or mappings, the URI of a file, or None for rows that are chosen from the data.
    num_clusters : int or None
        Instead of a baseline: that many centres of the data.
    num_samples : int or None
        Coalitions per row; None for min(2**F - 2, 2 F + 2048).
    agg_method : str
        ``mean_abs``, ``mean_sq`` or ``median``.
    use_logit : bool
    seed : int or None
    save_local_shap_values : bool
    features_to_explain : tuple of str or int
        Empty for all.
    """

    baseline: tuple[Any, ...] | str | None = None
    num_clusters: int | None = None
    num_samples: int | None = None
    agg_method: str = "mean_abs"
    use_logit: bool = False
    seed: int | None = None
    save_local_shap_values: bool = False
    features_to_explain: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class PdpConfig:
    """Which partial dependences are computed.

    Attributes
    ----------
    features : tuple of str or int
        Empty for the most important ones.
    grid_resolution : int
        Points per feature.
    top_k_features : int
        How many of the most important features, where none are named.
    """

    features: tuple[Place, ...] = ()
    grid_resolution: int = 15
    top_k_features: int = 10


@dataclass(frozen=True, slots=True)
class AnalysisConfig:
    """What ``analysis_config.json`` asks for.

    Attributes
    ----------
    version : str
    dataset_type : str or None
        Media type of the data.
    headers : tuple of str or None
        Names of the columns of data without a header.
    label, predicted_label : str, int or None
    label_values_or_threshold : tuple of str, int, float or bool
    facets : tuple of FacetConfig
    group_variable : str, int or None
    probability_threshold : float
    excluded_columns : tuple of str or int
        Columns that the model does not get.
    pre_training, post_training : tuple of str or None
        Codes of the metrics, ``("all",)`` for all; None where the stage is not asked for.
    shap : ShapConfig or None
    pdp : PdpConfig or None
    predictor : mapping of str to object
        As the file has it.
    extra : mapping of str to object
        Further fields, kept.
    """

    version: str = "1.0"
    dataset_type: str | None = None
    headers: tuple[str, ...] | None = None
    label: Place | None = None
    predicted_label: Place | None = None
    label_values_or_threshold: tuple[Scalar, ...] = ()
    facets: tuple[FacetConfig, ...] = ()
    group_variable: Place | None = None
    probability_threshold: float = 0.5
    excluded_columns: tuple[Place, ...] = ()
    pre_training: tuple[str, ...] | None = None
    post_training: tuple[str, ...] | None = None
    shap: ShapConfig | None = None
    pdp: PdpConfig | None = None
    predictor: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


_KNOWN: Final = (
    "version",
    "dataset_type",
    "headers",
    "label",
    "predicted_label",
    "label_values_or_threshold",
    "facet",
    "group_variable",
    "probability_threshold",
    "excluded_columns",
    "methods",
    "predictor",
)
_KEPT: Final = ("dataset_uri", "features", "joinsource_name_or_index", "s3_compression_type", "$schema")
_METHODS: Final = (
    "pre_training_bias",
    "post_training_bias",
    "shap",
    "pdp",
    "report",
    "asymmetric_shapley_value",
)


def read_analysis_config(data: bytes | str, *, file: object = "analysis_config.json") -> AnalysisConfig:
    """Read ``analysis_config.json``.

    Parameters
    ----------
    data : bytes or str
    file : object
        Name used in errors.

    Returns
    -------
    AnalysisConfig

    Raises
    ------
    DocumentError
        ``E-JSON`` or ``E-FIELD`` with the field, if it is malformed, has unknown fields, or asks for what cannot be
        computed.
    """
    if not data.strip():
        raise DocumentError("the document is empty", code="E-JSON", file=file)
    root = Node(decode(data, file=file), file)
    root.known(*_KNOWN, *_KEPT, *_REFUSED)
    _refuse(root, _REFUSED)
    kind = root.choice("dataset_type", DATASET_TYPES) if root.has("dataset_type") else None
    if kind == "application/x-image":
        raise root.error("images are not analysed", key="dataset_type", fix="give tabular data")
    methods = root.get("methods")
    if methods is not None:
        methods.known(*_METHODS)
        _refuse(
            methods, {"asymmetric_shapley_value": "remove it: attributions of forecasts are not computed"}
        )
    pre, post = (_stage(methods, f"{stage}_training_bias") for stage in ("pre", "post"))
    config = AnalysisConfig(
        root.text("version", "1.0"),
        kind,
        tuple(_texts(root["headers"])) if root.has("headers") else None,
        _place(root, "label"),
        _place(root, "predicted_label"),
        _scalars(root, "label_values_or_threshold"),
        tuple(_facet(one) for one in _items(root, "facet")),
        _place(root, "group_variable"),
        root.number("probability_threshold", 0.5),
        _places(root, "excluded_columns"),
        pre,
        post,
        _shap(methods.get("shap")) if methods is not None else None,
        _pdp(methods.get("pdp")) if methods is not None else None,
        dict(root["predictor"].object()) if root.has("predictor") else {},
        {key: value for key, value in root.object().items() if key in _KEPT},
    )
    if methods is not None and methods.has("report"):
        config = _with_extra(config, "report", methods["report"].object())
    if pre is not None or post is not None:
        _check_bias(root)
    return config


def _with_extra(config: AnalysisConfig, key: str, value: object) -> AnalysisConfig:
    from dataclasses import replace

    return replace(config, extra={**config.extra, key: value})


def _refuse(node: Node, refused: Mapping[str, str]) -> None:
    for key, fix in refused.items():
        if node.has(key):
            raise node.error("this cannot be honoured", key=key, fix=fix)


def _check_bias(root: Node) -> None:
    for key in ("label", "label_values_or_threshold", "facet"):
        if not root.has(key) or root.object()[key] == []:
            raise root.error("this field is needed for metrics of bias, and missing", key=key)


def _stage(methods: Node | None, key: str) -> tuple[str, ...] | None:
    node = None if methods is None else methods.get(key)
    if node is None:
        return None
    node.known("methods")
    if not node.has("methods"):
        return ("all",)
    names = node["methods"]
    return (names.value,) if isinstance(names.value, str) else tuple(_texts(names))


def _items(node: Node, key: str) -> list[Node]:
    if not node.has(key):
        return []
    inner = node[key]
    items = [inner] if isinstance(inner.value, dict) else inner.items()
    if len(items) > _MOST:
        raise node.error(f"the list has more than {_MOST:,} entries", key=key)
    return items


def _texts(node: Node) -> list[str]:
    texts = []
    for one in node.items():
        if not isinstance(one.value, str):
            raise one.error("expected text")
        texts.append(one.value)
    return texts


def _is_place(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool) and value >= 0)


def _place(node: Node, key: str) -> Place | None:
    value: Any = node.object().get(key)
    if value is not None and not _is_place(value):
        raise node.error("expected the name of a column, or its position from 0", key=key)
    place: Place | None = value
    return place


def _places(node: Node, key: str) -> tuple[Place, ...]:
    for one in _items(node, key):
        if not _is_place(one.value):
            raise one.error("expected the name of a column, or its position from 0")
    return tuple(one.value for one in _items(node, key))


def _scalars(node: Node, key: str) -> tuple[Scalar, ...]:
    if not node.has(key):
        return ()
    inner = node[key]
    items = inner.items() if isinstance(inner.value, list) else [inner]
    for one in items:
        if not isinstance(one.value, (str, int, float)):
            raise one.error("expected text, a number or a boolean")
    return tuple(one.value for one in items)


def _facet(node: Node) -> FacetConfig:
    node.known("name_or_index", "value_or_threshold")
    place = _place(node, "name_or_index")
    if place is None:
        raise node.error("this field is required and missing", key="name_or_index")
    return FacetConfig(place, _scalars(node, "value_or_threshold"))


def _shap(node: Node | None) -> ShapConfig | None:
    if node is None:
        return None
    known = (*ShapConfig.__dataclass_fields__, *_REFUSED_SHAP)
    node.known(*known)
    _refuse(node, _REFUSED_SHAP)
    baseline: Any = node.object().get("baseline")
    if isinstance(baseline, dict):
        baseline = (baseline,)
    elif isinstance(baseline, list):
        rows = [one.value for one in _items(node, "baseline")]
        # One row may stand without brackets of its own.
        is_row = bool(rows) and not any(isinstance(row, (list, dict)) for row in rows)
        baseline = (
            (tuple(rows),) if is_row else tuple(tuple(row) if isinstance(row, list) else row for row in rows)
        )
        if any(not isinstance(row, (tuple, dict)) for row in baseline):
            raise node.error("expected rows, each a list of values or an object", key="baseline")
    elif baseline is not None and not isinstance(baseline, str):
        raise node.error("expected rows, or the URI of a file", key="baseline")
    if baseline is not None and node.has("num_clusters"):
        raise node.error(
            "baseline and num_clusters exclude each other", key="num_clusters", fix="keep one of them"
        )
    return ShapConfig(
        baseline,
        node.integer("num_clusters", low=1, high=_MOST) if node.has("num_clusters") else None,
        node.integer("num_samples", low=1) if node.has("num_samples") else None,
        node.choice("agg_method", AGGREGATIONS, "mean_abs"),
        node.boolean("use_logit", default=False),
        node.integer("seed") if node.has("seed") else None,
        node.boolean("save_local_shap_values", default=False),
        _places(node, "features_to_explain"),
    )


def _pdp(node: Node | None) -> PdpConfig | None:
    if node is None:
        return None
    node.known(*PdpConfig.__dataclass_fields__)
    return PdpConfig(
        _places(node, "features"),
        node.integer("grid_resolution", 15, low=1, high=_MOST),
        node.integer("top_k_features", 10, low=1, high=_MOST),
    )


def resolve(place: Place, names: Sequence[str], *, field: str, file: object = "analysis_config.json") -> str:
    """Return the name of a column that is given by name or by position.

    Parameters
    ----------
    place : str or int
    names : sequence of str
        The columns of the data, in order.
    field : str
        The field that names it, for the error.
    file : object
        Name used in errors.

    Raises
    ------
    DocumentError
        ``E-FIELD`` if there is no such column.
    """
    from driftline.documents import nearest

    if isinstance(place, str):
        if place in names:
            return place
        close = nearest(place, names)
        message = f"the data have no column {place!r}"
        fix = f"did you mean {close!r}?" if close else "name one of " + ", ".join(names[:10])
    elif place < len(names):
        return names[place]
    else:
        message, fix = f"the data have {len(names)} columns, numbered from 0", "give a smaller position"
    raise DocumentError(message, code="E-FIELD", file=file, field=field, fix=fix)


def write_analysis_config(config: AnalysisConfig) -> str:
    """Write ``analysis_config.json``; fields with nothing to say are left out.

    Returns
    -------
    str
        JSON with two spaces per level and a new line at the end.
    """
    methods: dict[str, Any] = {}
    for key, names in (
        ("pre_training_bias", config.pre_training),
        ("post_training_bias", config.post_training),
    ):
        if names is not None:
            methods[key] = {"methods": names[0] if names == ("all",) else list(names)}
    if config.shap is not None:
        methods["shap"] = _fields(config.shap)
    if config.pdp is not None:
        methods["pdp"] = _fields(config.pdp)
    kept = dict(config.extra)
    if "report" in kept:
        methods["report"] = kept.pop("report")
    document = {
        "version": config.version,
        "dataset_type": config.dataset_type,
        **kept,
        "headers": config.headers,
        "label": config.label,
        "predicted_label": config.predicted_label,
        "label_values_or_threshold": config.label_values_or_threshold,
        "facet": [_fields(facet) for facet in config.facets],
        "group_variable": config.group_variable,
        "probability_threshold": config.probability_threshold
        if config.probability_threshold != 0.5
        else None,
        "excluded_columns": config.excluded_columns,
        "methods": methods,
        "predictor": config.predictor,
    }
    return (
        encode({key: value for key, value in document.items() if value not in (None, (), [], {})}, indent=2)
        + "\n"
    )


def _fields(value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass that have something to say."""
    defaults = type(value).__dataclass_fields__
    return {
        key: list(one) if isinstance(one, tuple) else one
        for key in defaults
        if (one := getattr(value, key)) != defaults[key].default
    }
