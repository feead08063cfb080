"""Settings of the bias monitor: which column is what, who is looked at, and how closely.

::

    label = "income"                    # column of the truth; leave it out where only predictions are known
    positive = [">50K"]                 # the values that are the good outcome, or: label_threshold = 50000
    prediction = "predicted"            # or: probability = "score", threshold = 0.5
    group = "age"                       # for CDDL and CDDPL only

    [[facets]]
    column = "sex"
    values = ["Female"]                 # the group that is looked at; all other rows are what it is compared with
    name = "women"                      # how reports call them
    others = "men"

    [[facets]]
    column = "age"
    threshold = 45                      # above it

    [[facets]]
    column = "race"                     # each value against all the rest

    [ranges]
    DI = [0.8, 1.25]                    # what is allowed, whatever the baseline was

The same reader takes the ``analysis_config.json`` of SageMaker Clarify.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from driftline.documents import Node, decode
from driftline.errors import DocumentError, UsageError
from driftline.monitor.bias.fields import (
    MOST_FACETS,
    POST,
    PRE,
    Scalar,
    bounded,
    codes_of,
    column_of,
    columns_of,
    headers_of,
    is_threshold,
    known_code,
    number_of,
    required,
    scalars_of,
)
from driftline.monitor.overrides import _DEEP_KEY, _not_toml

__all__ = [
    "KEYS",
    "LABEL_FREE",
    "POST",
    "PRE",
    "FacetSetting",
    "Scalar",
    "Settings",
    "config_document",
    "read_settings",
    "settings_document",
]

LABEL_FREE: Final = ("CI", "DPPL", "DI", "CDDPL", "FT")
"""Metrics that need no truth."""

TYPES: Final = ("auto", "categorical", "continuous")
METHODS: Final = ("pre", "post")


@dataclass(frozen=True, slots=True)
class FacetSetting:
    """A sensitive column.

    Attributes
    ----------
    column : str
        Its name, or its 0-based position in decimal digits; as everywhere here.
    values : tuple of scalar, or None
        The group that is looked at; None for each value of the column in turn.
    threshold : float or None
        The group is everybody above it.
    kind : str
        ``categorical``, ``continuous``, or ``auto``: SageMaker's rule decides when the baseline is made.
    name, others : str or None
        How reports call the group and all other rows.
    """

    column: str
    values: tuple[Scalar, ...] | None = None
    threshold: float | None = None
    kind: str = "categorical"
    name: str | None = None
    others: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What the bias monitor is told.

    Attributes
    ----------
    facets : tuple of FacetSetting
        At least one.
    positive : tuple of scalar
        Label values that are the positive outcome; one number, the threshold, where the label is continuous.
    label : str or None
        Column of the observed label. Without it only the metrics of :data:`LABEL_FREE` are computed.
    label_kind : str
        As :attr:`FacetSetting.kind`.
    prediction : str or None
        Column of the predicted label.
    probability : str or None
        Column of the score; positive above `threshold`. Where `prediction` is given, too, only that is used.
    threshold : float
    intersections : tuple of tuple of str
        Columns whose combinations are groups of their own.
    group : str or None
        Column within whose values CDDL and CDDPL compare.
    group_bins : int
        A group variable of numbers with more distinct values is cut into so many pieces at quantiles of the baseline. Of
        other columns the 50 most frequent values of the baseline keep a group of their own.
    metrics : tuple of str
        Codes; empty for all.
    methods : tuple of str
        ``pre``, ``post``.
    features : tuple of str, or None
        Columns of the flip test; None for all numeric columns that are nothing else here.
    exclude : tuple of str
        Columns that are no features.
    flip_rows : int
        Rows of each side that the flip test compares, at most.
    standardise : bool
        Whether the flip test measures each feature in its standard deviations.
    min_rows : int
        Fewer rows of the group, or of the others, give undetermined.
    min_events : int
        Fewer events in a denominator give undetermined.
    replicates : int
    seed : int
    level : float
        Of the intervals.
    max_values : int
        Most values of a column that become groups of their own.
    ranges : mapping of str to (float or None, float or None)
        What is allowed, by metric.
    tolerance : mapping of str to float
        How much farther from parity than the baseline a metric may be, by metric; for DI a ratio, such as 1.05.
    headers : tuple of str, or None
        Names of the columns of files without a header.
    """

    facets: tuple[FacetSetting, ...]
    positive: tuple[Scalar, ...]
    label: str | None = None
    label_kind: str = "categorical"
    prediction: str | None = None
    probability: str | None = None
    threshold: float = 0.5
    intersections: tuple[tuple[str, ...], ...] = ()
    group: str | None = None
    group_bins: int = 10
    metrics: tuple[str, ...] = ()
    methods: tuple[str, ...] = METHODS
    features: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    flip_rows: int = 1000
    standardise: bool = False
    min_rows: int = 30
    min_events: int = 5
    replicates: int = 500
    seed: int = 0
    level: float = 0.95
    max_values: int = 20
    ranges: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    tolerance: Mapping[str, float] = field(default_factory=dict)
    headers: tuple[str, ...] | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        """The metrics that these settings ask for and that can be computed with these columns."""
        known: tuple[str, ...] = ()
        if "pre" in self.methods:
            known += PRE
        if "post" in self.methods and self.has_predictions:
            known += POST
        if self.label is None:
            known = tuple(code for code in known if code in LABEL_FREE)
        return tuple(code for code in known if not self.metrics or code in self.metrics)

    @property
    def has_predictions(self) -> bool:
        """Whether a column holds what the model said."""
        return self.prediction is not None or self.probability is not None


def read_settings(given: Mapping[str, Any] | bytes | None, *, file: object = "config") -> Settings:
    """Read settings strictly.

    Parameters
    ----------
    given : mapping or bytes
        driftline's settings, TOML where bytes; or SageMaker's ``analysis_config.json``, JSON where bytes.
    file : object
        Name used in errors.

    Returns
    -------
    Settings

    Raises
    ------
    DocumentError
        Naming the field and the nearest known key.
    UsageError
        If nothing, or something of another kind, is given.
    """
    if given is None:
        raise UsageError(
            "the bias monitor must be told which column is the label, and whom to look at",
            code="E-CONFIG",
            field=str(file),
            fix='give {"label": …, "positive": […], "prediction": …, "facets": [{"column": …}]}',
        )
    mapping = _decoded(given, file) if isinstance(given, bytes | bytearray) else given
    if not isinstance(mapping, Mapping):
        raise UsageError(
            f"expected a mapping or TOML, found an object of type {type(mapping).__name__}",
            code="E-CONFIG",
            field=str(file),
            fix='give {"label": …, "positive": […], "prediction": …, "facets": [{"column": …}]}',
        )
    root = Node(dict(mapping), file)
    if _is_clarify(mapping):
        from driftline.monitor.bias.clarify_config import read_config

        return checked(read_config(root), root)
    return checked(_read(root), root)


_JSON = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*\{")
_CLARIFY = frozenset(("label_values_or_threshold", "facet", "group_variable", "predictor", "dataset_type"))


def _is_clarify(mapping: Mapping[str, Any]) -> bool:
    return bool(_CLARIFY.intersection(mapping)) or isinstance(mapping.get("methods"), Mapping)


def _decoded(data: bytes | bytearray, file: object) -> Any:
    data = bytes(data)
    if _JSON.match(data):
        return decode(data, file=file)
    try:
        text = data.decode("utf-8-sig")
        found = None if _DEEP_KEY.search(text) else tomllib.loads(text)
    except UnicodeDecodeError:
        raise DocumentError("not valid UTF-8", code="E-CONFIG", file=file, fix="save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(str(error), file) from None
    except RecursionError:
        found = None
    if found is None:
        raise DocumentError("nests too deeply", code="E-CONFIG", file=file, fix="flatten it")
    return found


_FACET_KEYS: Final = ("column", "values", "threshold", "type", "name", "others")
KEYS: Final = (
    "label", "positive", "label_threshold", "label_type", "prediction", "probability", "threshold", "facets",
    "intersections", "group", "group_bins", "metrics", "methods", "features", "exclude", "flip_rows", "standardise",
    "min_rows", "min_events", "replicates", "seed", "level", "max_values", "ranges", "tolerance", "headers",
)  # fmt: skip
"""Every key of the settings."""


def _read(root: Node) -> Settings:
    root.known(*KEYS)
    label = column_of(root, "label")
    label_kind = root.choice("label_type", TYPES, "categorical")
    if root.has("label_threshold"):
        if root.has("positive"):
            raise root.error("stands beside positive", key="label_threshold", fix="keep one of them")
        positive: tuple[Scalar, ...] = (root.number("label_threshold"),)
        label_kind = "continuous"
    else:
        positive = scalars_of(required(root, "positive"), least=1)
    plain = Settings((), positive)
    return Settings(
        facets=tuple(_read_facet(node) for node in bounded(required(root, "facets"), MOST_FACETS)),
        positive=positive,
        label=label,
        label_kind=label_kind,
        prediction=column_of(root, "prediction"),
        probability=column_of(root, "probability"),
        threshold=root.number("threshold", plain.threshold),
        intersections=_read_intersections(root.get("intersections")),
        group=column_of(root, "group"),
        group_bins=root.integer("group_bins", plain.group_bins, low=2, high=1000),
        metrics=codes_of(root.get("metrics")),
        methods=_read_methods(root.get("methods")),
        features=columns_of(root.get("features")),
        exclude=columns_of(root.get("exclude")) or (),
        flip_rows=root.integer("flip_rows", plain.flip_rows, low=10, high=100_000),
        standardise=root.boolean("standardise", default=plain.standardise),
        min_rows=root.integer("min_rows", plain.min_rows, low=1),
        min_events=root.integer("min_events", plain.min_events, low=0),
        replicates=root.integer("replicates", plain.replicates, low=100, high=100_000),
        seed=root.integer("seed", plain.seed, high=(1 << 63) - 1),
        level=root.number("level", plain.level, low=0.5, high=0.9999),
        max_values=root.integer("max_values", plain.max_values, low=1, high=MOST_FACETS),
        ranges=_read_ranges(root.get("ranges")),
        tolerance=_read_tolerance(root.get("tolerance")),
        headers=headers_of(root.get("headers")),
    )


def checked(settings: Settings, root: Node) -> Settings:
    """Return `settings`, once everything in them fits together.

    Raises
    ------
    DocumentError
    """
    if not settings.facets:
        raise root.error(
            "names nobody to look at", key="facets", fix='give [{"column": "sex", "values": ["Female"]}]'
        )
    if settings.label is None and not settings.has_predictions:
        raise root.error(
            "this field is required and missing", key="label", fix="give label, prediction, or probability"
        )
    if settings.label_kind == "continuous" and not is_threshold(settings.positive):
        raise root.error(
            "a continuous label needs a single number above which it is positive",
            key="positive",
            fix="give label_threshold",
        )
    roles = {"label": settings.label, "prediction": settings.prediction, "probability": settings.probability}
    for name, column in roles.items():
        twin = next((other for other, taken in roles.items() if other < name and taken == column), None)
        if column is not None and twin is not None:
            raise root.error(f"the column {column!r} is the {twin}, too", key=name, fix="name another column")
    seen: set[tuple[Any, ...]] = set()
    for facet in settings.facets:
        if facet.column in (settings.label, settings.prediction, settings.probability):
            raise root.error(
                f"the column {facet.column!r} is the label or the prediction, too",
                key="facets",
                fix="name the column of a sensitive attribute",
            )
        key = (facet.column, tuple(map(repr, facet.values)) if facet.values else None, facet.threshold)
        if key in seen:
            raise root.error(f"the group of {facet.column!r} is given twice", key="facets", fix="remove one")
        seen.add(key)
    if not settings.codes:
        raise root.error(
            "none of these metrics can be computed with these columns",
            key="metrics" if settings.metrics else "methods",
            fix="give the label, the prediction, or other metrics",
        )
    return settings


def _read_facet(node: Node) -> FacetSetting:
    node.known(*_FACET_KEYS)
    column = column_of(node, "column")
    if column is None:
        raise node.error("this field is required and missing", key="column")
    values = scalars_of(node["values"], least=1) if node.has("values") else None
    threshold = node.number("threshold") if node.has("threshold") else None
    if values is not None and threshold is not None:
        raise node.error("stands beside values", key="threshold", fix="keep one of them")
    kind = "continuous" if threshold is not None else "categorical"
    if node.has("type"):
        given = node.choice("type", TYPES)
        if threshold is not None and given != "continuous":
            raise node.error(f"a threshold makes it continuous, not {given}", key="type", fix="remove it")
        kind = given
    if kind == "continuous" and threshold is None:
        if values is None or not is_threshold(values):
            raise node.error("a continuous column needs a threshold", key="threshold")
        threshold, values = float(values[0]), None
    return FacetSetting(
        column,
        values,
        threshold,
        kind,
        node.text("name") if node.has("name") else None,
        node.text("others") if node.has("others") else None,
    )


def _read_intersections(node: Node | None) -> tuple[tuple[str, ...], ...]:
    if node is None:
        return ()
    found = []
    for item in bounded(node, MOST_FACETS):
        columns = columns_of(item) or ()
        if not 2 <= len(columns) <= 4 or len(set(columns)) != len(columns):
            raise item.error("expected from 2 to 4 different columns", fix='give ["sex", "race"]')
        found.append(columns)
    return tuple(found)


def _read_methods(node: Node | None) -> tuple[str, ...]:
    if node is None:
        return METHODS
    for item in bounded(node, len(METHODS)):
        if item.value not in METHODS:
            raise item.error(f"unknown value {item.value!r}", fix="use pre, post, or both")
    if not node.value:
        raise node.error("names none", fix="use pre, post, or both")
    return tuple(name for name in METHODS if name in node.value)


def _read_ranges(node: Node | None) -> dict[str, tuple[float | None, float | None]]:
    result: dict[str, tuple[float | None, float | None]] = {}
    for code in node.object() if node is not None else ():
        assert node is not None
        item = node[known_code(code, node)]
        ends = item.items()
        if len(ends) != 2:
            raise item.error("expected two ends", fix="give [low, high]")
        low, high = (None if end.value is None else number_of(end) for end in ends)
        if low is None and high is None:
            raise item.error("expected at least one end", fix="give [low, high]")
        if low is not None and high is not None and low > high:
            raise item.error(f"the range is empty: {low:g} is above {high:g}")
        result[code] = (low, high)
    return result


def _read_tolerance(node: Node | None) -> dict[str, float]:
    result = {}
    for code in node.object() if node is not None else ():
        assert node is not None
        least = 1.0 if known_code(code, node) == "DI" else 0.0
        result[code] = node.number(code, low=least)
    return result


def settings_document(settings: Settings) -> dict[str, Any]:
    """Write settings as plain JSON values: :func:`read_settings` of them gives `settings` again."""
    plain = Settings((), settings.positive)
    result: dict[str, Any] = {"label": settings.label}
    if settings.label_kind == "continuous":
        result["label_threshold"] = settings.positive[0]
    else:
        result["positive"] = list(settings.positive)
        result["label_type"] = settings.label_kind
    result |= {
        "prediction": settings.prediction,
        "probability": settings.probability,
        "threshold": settings.threshold,
        "facets": [_facet_document(facet) for facet in settings.facets],
        "intersections": [list(columns) for columns in settings.intersections],
        "group": settings.group,
        "metrics": list(settings.metrics) or None,
        "methods": list(settings.methods),
        "features": None if settings.features is None else list(settings.features),
        "exclude": list(settings.exclude),
        "ranges": {code: list(ends) for code, ends in settings.ranges.items()},
        "tolerance": dict(settings.tolerance),
        "headers": None if settings.headers is None else list(settings.headers),
    }
    for name in (
        "group_bins", "flip_rows", "standardise", "min_rows", "min_events", "replicates", "seed", "level", "max_values",
    ):  # fmt: skip
        if getattr(settings, name) != getattr(plain, name):
            result[name] = getattr(settings, name)
    return {key: value for key, value in result.items() if value is not None and value not in ([], {})}


def _facet_document(facet: FacetSetting) -> dict[str, Any]:
    result: dict[str, Any] = {"column": facet.column}
    if facet.values is not None:
        result["values"] = list(facet.values)
    if facet.threshold is not None:
        result["threshold"] = facet.threshold
    elif facet.kind != "categorical":
        result["type"] = facet.kind
    if facet.name is not None:
        result["name"] = facet.name
    if facet.others is not None:
        result["others"] = facet.others
    return result


def config_document(settings: Settings) -> dict[str, Any]:
    """Write settings as SageMaker's ``analysis_config.json``, as far as it can say them."""
    from driftline.monitor.bias.clarify_config import write_config

    return write_config(settings)
