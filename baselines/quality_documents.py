"""``statistics.json`` and ``constraints.json`` of model quality, in the form of SageMaker Model Monitor, in and out.

Reading takes what the service has written and what people make of it: numbers in scientific notation (which the managed
job refuses), ``"NaN"`` where a number is not known, files without ``evaluation_time``, and unknown keys of SageMaker's own.
What driftline adds are the keys ``tolerance``, ``standard_error``, ``interval`` and ``driftline``; there an unknown key is
an error, because people edit these files and a mistyped setting must not pass for a setting.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from driftline.baselines.constraint import Settings, Severity
from driftline.baselines.metrics import QUALITY
from driftline.baselines.sagemaker_document import document
from driftline.documents import Node, encode, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "OPERATORS",
    "PROBLEMS",
    "SAGEMAKER",
    "Metric",
    "QualityConstraints",
    "QualityStatistics",
    "Threshold",
    "problem_of",
    "read_quality_constraints",
    "read_quality_statistics",
    "write_quality_constraints",
    "write_quality_statistics",
]

SCHEMA: Final = "driftline.quality/v1"
"""Version of the keys that driftline adds."""

PROBLEMS: Final[Mapping[str, tuple[str, str]]] = {
    "regression": ("Regression", "regression"),
    "binary": ("BinaryClassification", "binary_classification"),
    "multiclass": ("MulticlassClassification", "multiclass_classification"),
}
"""driftline's names of the problems, with SageMaker's and the stem of SageMaker's keys."""

SAGEMAKER: Final[Mapping[str, tuple[str, ...]]] = {
    "regression": ("mae", "mse", "rmse", "r2"),
    "binary": (
        "recall",
        "precision",
        "accuracy",
        "true_positive_rate",
        "true_negative_rate",
        "false_positive_rate",
        "false_negative_rate",
        "auc",
        "f0_5",
        "f1",
        "f2",
    ),
    "multiclass": (
        "accuracy",
        "weighted_recall",
        "weighted_precision",
        "weighted_f0_5",
        "weighted_f1",
        "weighted_f2",
    ),
}
"""Metrics that SageMaker suggests constraints for, by problem."""

OPERATORS: Final = ("GreaterThanThreshold", "LessThanThreshold")
"""Which side of the threshold is bad."""

CURVES: Final[Mapping[str, tuple[str, str]]] = {
    "receiver_operating_characteristic_curve": ("false_positive_rates", "true_positive_rates"),
    "precision_recall_curve": ("precisions", "recalls"),
}
"""Curves of ``statistics.json`` with the names of their two lists."""

_MATRIX: Final = "confusion_matrix"
_WORDS: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_MOST_METRICS: Final = 1000
_MOST_POINTS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as ``statistics.json`` has it.

    Attributes
    ----------
    value : float or None
        None where it could not be computed.
    standard_deviation : float or None
        SageMaker's: the spread over five subsamples of 80 %. About half a standard error, and not to be taken for one.
    standard_error : float or None
        driftline's.
    interval : tuple of float, or None
        driftline's, 95 %.
    """

    value: float | None
    standard_deviation: float | None = None
    standard_error: float | None = None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class QualityStatistics:
    """A ``statistics.json`` of model quality.

    Attributes
    ----------
    problem : str
        A key of :data:`PROBLEMS`.
    n_rows : int
        ``item_count``: rows with a prediction and a truth.
    metrics : mapping of str to Metric
        SageMaker's, in the order of the file.
    own : mapping of str to Metric
        Those that only driftline has.
    confusion : mapping of str to mapping of str to int
        Rows by actual and predicted label; empty for regression.
    curves : mapping of str to tuple of two tuples of float
        By the names of :data:`CURVES`, the two lists in that order.
    evaluation_time : str or None
        ISO 8601 with milliseconds.
    coverage : mapping of str to int
        driftline's: rows captured, labelled and left out.
    """

    problem: str
    n_rows: int
    metrics: Mapping[str, Metric]
    own: Mapping[str, Metric] = field(default_factory=dict)
    confusion: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    curves: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]] = field(default_factory=dict)
    evaluation_time: str | None = None
    coverage: Mapping[str, int] = field(default_factory=dict)

    def metric(self, name: str) -> Metric | None:
        """Return the metric called `name`, SageMaker's or driftline's own."""
        return self.metrics.get(name, self.own.get(name))


@dataclass(frozen=True, slots=True)
class Threshold:
    """What a metric is held to.

    Attributes
    ----------
    threshold : float or None
        The baseline's value, as suggested; None where it could not be computed.
    operator : str
        One of :data:`OPERATORS`.
    tolerance : float or None
        How much worse than `threshold` the metric may be, in its unit. None: SageMaker's file, which has none.
    settings : Settings
        ``enabled``, ``evidence``, ``min_rows``, ``severity`` and ``why``.
    """

    threshold: float | None
    operator: str
    tolerance: float | None = None
    settings: Settings = field(default_factory=Settings)

    @property
    def sign(self) -> int:
        """1 where higher is worse, else -1."""
        return 1 if self.operator == OPERATORS[0] else -1


@dataclass(frozen=True, slots=True)
class QualityConstraints:
    """A ``constraints.json`` of model quality.

    Attributes
    ----------
    problem : str
        A key of :data:`PROBLEMS`.
    metrics : mapping of str to Threshold
        SageMaker's, in the order of the file; a metric without an entry is not judged.
    own : mapping of str to Threshold
        Of the metrics that only driftline has.
    alpha : float
        False discovery rate over all metrics of one run.
    """

    problem: str
    metrics: Mapping[str, Threshold]
    own: Mapping[str, Threshold] = field(default_factory=dict)
    alpha: float = 0.01

    @property
    def all(self) -> dict[str, Threshold]:
        """All of them by name."""
        return {**self.metrics, **self.own}


def problem_of(name: str) -> str | None:
    """Return driftline's name of a problem that is called by it, or by SageMaker's name; None if neither is.

    Examples
    --------
    >>> problem_of("BinaryClassification"), problem_of("binary"), problem_of("ranking")
    ('binary', 'binary', None)
    """
    folded = name.replace("_", "").replace("-", "").casefold()
    for problem, (theirs, _) in PROBLEMS.items():
        if folded in (problem, theirs.casefold()):
            return problem
    return None


def _problem_in(root: Node, suffix: str) -> str:
    keys = {f"{stem}_{suffix}": problem for problem, (_, stem) in PROBLEMS.items()}
    found = [problem for key, problem in keys.items() if root.has(key)]
    if len(found) == 1:
        return found[0]
    expected = ", ".join(keys)
    raise root.error(
        f"expected one of {expected}; found {'none' if not found else 'several'}",
        fix="give a document that a model-quality baseline wrote",
    )


def read_quality_statistics(data: str | bytes, *, file: object = "statistics.json") -> QualityStatistics:
    """Read a ``statistics.json`` of model quality.

    Parameters
    ----------
    data : str or bytes
    file : object
        Name used in errors.

    Returns
    -------
    QualityStatistics
        Metrics of any name are kept: SageMaker's set has grown with time.

    Raises
    ------
    DocumentError
        Naming `file` and the field.
    """
    root = document(data, file)
    problem = _problem_in(root, "metrics")
    body = root[f"{PROBLEMS[problem][1]}_metrics"]
    dataset = root.get("dataset")
    metrics: dict[str, Metric] = {}
    confusion: dict[str, dict[str, int]] = {}
    curves: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {}
    if len(body.object()) > _MOST_METRICS:
        raise body.error(f"has more than {_MOST_METRICS:,} metrics")
    for name in body.object():
        if name == _MATRIX:
            confusion = _matrix(body[name])
        elif name in CURVES:
            first, second = CURVES[name]
            curves[name] = (_numbers(body[name][first]), _numbers(body[name][second]))
        else:
            metrics[name] = _metric(body[name])
    own_node = root.get("driftline")
    own: dict[str, Metric] = {}
    coverage: dict[str, int] = {}
    if own_node is not None:
        _known_schema(own_node, "metrics", "coverage")
        inner = own_node.get("metrics")
        own = {name: _metric(inner[name]) for name in inner.object()} if inner is not None else {}
        counts = own_node.get("coverage")
        coverage = {name: counts.integer(name) for name in counts.object()} if counts is not None else {}
    total = sum(sum(row.values()) for row in confusion.values())
    return QualityStatistics(
        problem,
        total if dataset is None else dataset.integer("item_count"),
        metrics,
        own,
        confusion,
        curves,
        dataset.text("evaluation_time") if dataset is not None and dataset.has("evaluation_time") else None,
        coverage,
    )


def _known_schema(node: Node, *keys: str) -> None:
    node.known("schema", *keys)
    if node.text("schema") != SCHEMA:
        raise node.error(
            f"expected {SCHEMA!r}, found {node.text('schema')!r}", key="schema", fix="upgrade driftline"
        )


def _metric(node: Node) -> Metric:
    interval = None
    if node.has("interval"):
        ends = _numbers(node["interval"])
        if len(ends) != 2:
            raise node.error("expected two numbers", key="interval")
        interval = (ends[0], ends[1])
    return Metric(
        _number(node, "value"), _number(node, "standard_deviation"), _number(node, "standard_error"), interval
    )


def _number(node: Node, key: str) -> float | None:
    """Read a number, or one of the words that stand for what JSON cannot hold; None for NaN and where it is absent."""
    value = node.object().get(key)
    if value is None:
        return None
    if isinstance(value, str):
        if value not in _WORDS:
            raise node.error(
                f"expected a number, found {value[:40]!r}", key=key, fix='write a number, or "NaN"'
            )
        return None if math.isnan(_WORDS[value]) else _WORDS[value]
    return node.number(key)


def _numbers(node: Node) -> tuple[float, ...]:
    values = node.items()
    if len(values) > _MOST_POINTS:
        raise node.error(f"has more than {_MOST_POINTS:,} points")
    found = []
    for item in values:
        if isinstance(item.value, bool) or not isinstance(item.value, (int, float)):
            raise item.error("expected a number")
        found.append(float(item.value))
    return tuple(found)


def _matrix(node: Node) -> dict[str, dict[str, int]]:
    if len(node.object()) > _MOST_METRICS:
        raise node.error(f"has more than {_MOST_METRICS:,} labels")
    return {actual: {p: node[actual].integer(p) for p in node[actual].object()} for actual in node.object()}


def write_quality_statistics(statistics: QualityStatistics, *, plain: bool = False) -> str:
    """Write a ``statistics.json`` of model quality.

    Parameters
    ----------
    statistics : QualityStatistics
    plain : bool
        True leaves out what driftline adds.
    """
    body: dict[str, Any] = {}
    if statistics.confusion:
        body[_MATRIX] = {actual: dict(row) for actual, row in statistics.confusion.items()}
    body |= {name: _metric_out(metric, plain=plain) for name, metric in statistics.metrics.items()}
    for name, (first, second) in CURVES.items():
        if name in statistics.curves:
            xs, ys = statistics.curves[name]
            body[name] = {first: list(xs), second: list(ys)}
    dataset: dict[str, Any] = {"item_count": statistics.n_rows}
    if statistics.evaluation_time is not None:
        dataset["evaluation_time"] = statistics.evaluation_time
    whole: dict[str, Any] = {
        "version": 0.0,
        "dataset": dataset,
        f"{PROBLEMS[statistics.problem][1]}_metrics": body,
    }
    if not plain and (statistics.own or statistics.coverage):
        whole["driftline"] = {
            "schema": SCHEMA,
            "metrics": {name: _metric_out(metric, plain=False) for name, metric in statistics.own.items()},
            "coverage": dict(statistics.coverage),
        }
    return encode(whole, indent=2) + "\n"


def _metric_out(metric: Metric, *, plain: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "value": _worded(metric.value),
        "standard_deviation": _worded(metric.standard_deviation),
    }
    if not plain and metric.standard_error is not None:
        found["standard_error"] = _worded(metric.standard_error)
    if not plain and metric.interval is not None and all(map(math.isfinite, metric.interval)):
        found["interval"] = list(metric.interval)
    return found


def _worded(value: float | None) -> float | str:
    if value is None or math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float(value)


def read_quality_constraints(data: str | bytes, *, file: object = "constraints.json") -> QualityConstraints:
    """Read a ``constraints.json`` of model quality.

    Parameters
    ----------
    data : str or bytes
    file : object
        Name used in errors.

    Raises
    ------
    DocumentError
        Naming `file` and the field: also for a metric that there is none of, so that a slip of the pen is not taken for a
        wish.
    """
    root = document(data, file)
    problem = _problem_in(root, "constraints")
    body = root[f"{PROBLEMS[problem][1]}_constraints"]
    metrics = {name: _threshold(body, name, problem) for name in body.object()}
    own: dict[str, Threshold] = {}
    alpha = QualityConstraints(problem, {}).alpha
    node = root.get("driftline")
    if node is not None:
        _known_schema(node, "alpha", "constraints")
        alpha = node.number("alpha", alpha, low=0.0, high=1.0)
        if alpha in (0.0, 1.0):
            raise node.error("expected a rate above 0 and below 1", key="alpha")
        inner = node.get("constraints")
        own = {} if inner is None else {n: _threshold(inner, n, problem) for n in inner.object()}
    if not metrics and not own:
        raise body.error("holds no metric: nothing could be judged")
    return QualityConstraints(problem, metrics, own, alpha)


def _threshold(body: Node, name: str, problem: str) -> Threshold:
    if name not in QUALITY:
        close = nearest(name, QUALITY)
        raise body.error(
            f"there is no metric called {name!r}",
            fix=f"did you mean {close!r}?" if close else "use one of " + ", ".join(SAGEMAKER[problem]),
        )
    node = body[name]
    own = node.get("driftline")
    settings = Settings()
    if own is not None:
        own.known("enabled", "evidence", "min_rows", "severity", "why")
        settings = Settings(
            enabled=own.boolean("enabled") if own.has("enabled") else None,
            evidence=own.boolean("evidence") if own.has("evidence") else None,
            min_rows=own.integer("min_rows", low=1) if own.has("min_rows") else None,
            severity=Severity(own.choice("severity", list(Severity))) if own.has("severity") else None,
            why=own.text("why") if own.has("why") else None,
        )
    if "threshold" not in node.object():
        raise node.error("this field is required and missing", key="threshold")
    return Threshold(
        _number(node, "threshold"),
        node.choice("comparison_operator", OPERATORS),
        node.number("tolerance", low=0.0) if node.has("tolerance") else None,
        settings,
    )


def write_quality_constraints(constraints: QualityConstraints, *, plain: bool = False) -> str:
    """Write a ``constraints.json`` of model quality.

    Parameters
    ----------
    constraints : QualityConstraints
    plain : bool
        True leaves out what driftline adds.
    """
    whole: dict[str, Any] = {
        "version": 0.0,
        f"{PROBLEMS[constraints.problem][1]}_constraints": {
            name: _threshold_out(one, plain=plain) for name, one in constraints.metrics.items()
        },
    }
    if not plain:
        whole["driftline"] = {
            "schema": SCHEMA,
            "alpha": constraints.alpha,
            "constraints": {name: _threshold_out(one, plain=False) for name, one in constraints.own.items()},
        }
    return encode(whole, indent=2) + "\n"


def _threshold_out(one: Threshold, *, plain: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "threshold": _worded(one.threshold),
        "comparison_operator": one.operator,
    }
    if plain:
        return found
    if one.tolerance is not None:
        found["tolerance"] = float(one.tolerance)
    given = one.settings
    own = {
        key: value
        for key, value in (
            ("enabled", given.enabled),
            ("evidence", given.evidence),
            ("min_rows", given.min_rows),
            ("severity", None if given.severity is None else given.severity.value),
            ("why", given.why),
        )
        if value is not None
    }
    if own:
        found["driftline"] = own
    return found
