"""Settings of model quality: which column is what, and how the metrics are judged.

::

    problem = "binary"               # regression, binary or multiclass; SageMaker's names are understood
    label = "churned"                # what turned out to be true
    prediction = "predicted"         # the label, or the number, that the model gave
    probability = "score"            # of the positive class; for many classes a list of columns, or a column of lists
    positive = "1"
    threshold = 0.5                  # where there is no prediction: positive above it
    labels = ["cat", "dog"]          # what the probabilities of many classes are of, in order
    slices = ["region"]              # judge the rows of each value apart
    top_k = [100, 0.05]              # the 100 highest scores, and the highest 5 %

    [tolerance]                      # how much worse than the baseline is no alarm
    recall = 0.03                    # in the unit of the metric
    mae = "10 %"                     # of the baseline's value
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from driftline.baselines.metrics import QUALITY
from driftline.baselines.quality_documents import PROBLEMS, problem_of
from driftline.documents import Node, nearest
from driftline.errors import DocumentError, UsageError, printable
from driftline.monitor.rows import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Settings", "Tolerance", "read_settings", "settings_document"]

_ALIASES: Final = {
    "problem_type": "problem",
    "ground_truth_attribute": "label",
    "inference_attribute": "prediction",
    "probability_attribute": "probability",
    "probability_threshold_attribute": "threshold",
}
_KEYS: Final = (
    "problem",
    "label",
    "prediction",
    "probability",
    "positive",
    "threshold",
    "labels",
    "slices",
    "max_slices",
    "top_k",
    "reliability",
    "bootstrap",
    "tolerance",
    "metrics",
    "alpha",
    "min_rows",
    "min_events",
    "judge_estimates",
)
_MOST_COLUMNS: Final = 1000
_MOST_SLICES: Final = 20
_PERCENT: Final = re.compile(r"\s*(\d{1,6}(?:\.\d{1,20})?)\s*%\s*", re.ASCII)
# tomllib takes memory with the square of a key's parts.
_DEEP_KEY: Final = re.compile(r"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){100}")


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How much worse than the baseline is no alarm.

    Attributes
    ----------
    amount : float
        In the unit of the metric, or in percent of the baseline's value.
    is_relative : bool
    """

    amount: float
    is_relative: bool = False

    def of(self, value: float) -> float:
        """Return the tolerance of a metric with this value in the baseline, in the metric's unit."""
        return abs(value) * self.amount / 100 if self.is_relative else self.amount

    @property
    def told(self) -> str:
        """``0.02``, or ``5 %``."""
        return f"{self.amount:g} %" if self.is_relative else f"{self.amount:g}"


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of model quality.

    Attributes
    ----------
    problem : {"regression", "binary", "multiclass"}
    label : str
        Column of the truth.
    prediction : str or None
        Column of the predicted label or number.
    probability : tuple of str
        Columns of probabilities: one of the positive class or of lists, or one per label.
    threshold : float
        A probability above it, and not one equal to it, predicts the positive class where no column gives the label.
    positive : str
        The positive label, spelled as :func:`driftline.monitor.rows.canonical` does.
    labels : tuple of str
        What the probabilities of many classes are of.
    slices : tuple of str
        Columns whose values are judged apart.
    max_slices : int
        Values per column that are, the most frequent ones of the baseline.
    top_k : tuple of float
        Whole numbers are counts; numbers below 1 are shares of the rows.
    reliability_bins : int
    reliability_by : {"width", "mass"}
        Bins of equal width, or of about as many rows each.
    replicates, seed : int
        Of the bootstrap.
    tolerance : mapping of str to Tolerance
    metrics : tuple of str
        Metrics to judge in the default mode; empty for those that say something of their own.
    alpha : float
        False discovery rate over all metrics and slices of one window.
    min_rows : int
        Fewer rows than this give ``undetermined``.
    min_events : int
        A share of fewer rows than this is ``undetermined``.
    judge_estimates : bool
        Whether metrics estimated without labels may be judged.
    """

    problem: str
    label: str
    prediction: str | None = None
    probability: tuple[str, ...] = ()
    threshold: float = 0.5
    positive: str = "1"
    labels: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    max_slices: int = _MOST_SLICES
    top_k: tuple[float, ...] = ()
    reliability_bins: int = 10
    reliability_by: str = "mass"
    replicates: int = 1000
    seed: int = 0
    tolerance: Mapping[str, Tolerance] = field(default_factory=dict)
    metrics: tuple[str, ...] = ()
    alpha: float = 0.01
    min_rows: int = 30
    min_events: int = 5
    judge_estimates: bool = False

    @property
    def roles(self) -> dict[str, str]:
        """What each column is, by name."""
        found = dict.fromkeys(self.slices, "slice")
        found |= dict.fromkeys(self.probability, "probability")
        if self.prediction is not None:
            found[self.prediction] = "prediction"
        found[self.label] = "label"
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """Columns that data must have."""
        given = [
            self.label,
            *(() if self.prediction is None else (self.prediction,)),
            *self.probability,
            *self.slices,
        ]
        return tuple(dict.fromkeys(given))


def read_settings(given: Mapping[str, Any] | bytes | None, *, file: object = "config") -> Settings:
    """Read settings from a mapping or from TOML.

    Parameters
    ----------
    given : mapping or bytes
        See the module.
    file : object
        Name used in errors.

    Raises
    ------
    DocumentError
        For malformed TOML, unknown keys or impossible values, naming the field and the nearest known key.
    UsageError
        ``E-CONFIG`` if nothing was given, or something else.
    """
    if given is None:
        raise UsageError(
            "model quality must be told which column is the label and which the prediction",
            code="E-CONFIG",
            fix='give something like {"problem": "binary", "label": "y", "probability": "score"}',
        )
    root = Node(_mapping(given, file), file)
    root = Node(dict(_renamed(root)), file).known(*_KEYS)
    problem = problem_of(root.text("problem"))
    if problem is None:
        known = [*PROBLEMS, *(theirs for theirs, _ in PROBLEMS.values())]
        close = nearest(root.text("problem"), known)
        fix = f"did you mean {close!r}?" if close else "use one of " + ", ".join(PROBLEMS)
        raise root.error(f"unknown value {printable(root.text('problem'), 60)!r}", key="problem", fix=fix)
    prediction = _column(root, "prediction") if root.has("prediction") else None
    probability = _probability(root, problem)
    labels = _labels(root, problem)
    if problem == "regression" and prediction is None:
        raise root.error("regression needs the column of the predicted numbers", key="prediction")
    if prediction is None and not probability:
        raise root.error("give the column of the predicted label, or of the probability", key="prediction")
    if problem == "multiclass" and probability and len(labels) < 2:
        raise root.error(
            "the probabilities of many classes need the labels that they are of, in order",
            key="labels",
            fix='give something like labels = ["cat", "dog", "other"]',
        )
    if problem == "multiclass" and len(probability) > 1 and len(probability) != len(labels):
        raise root.error(
            f"names {len(probability)} columns, and labels {len(labels)} labels",
            key="probability",
            fix="give as many",
        )
    positive = _positive(root)
    if problem == "binary" and labels and (len(labels) != 2 or positive not in labels):
        raise root.error("expected two labels, one of them the positive one", key="labels")
    reliability = (root.get("reliability") or Node({}, file, "reliability")).known("bins", "by")
    bootstrap = (root.get("bootstrap") or Node({}, file, "bootstrap")).known("replicates", "seed")
    alpha = root.number("alpha", 0.01, low=0.0, high=1.0)
    if alpha in (0.0, 1.0):
        raise root.error("expected a rate above 0 and below 1", key="alpha")
    return Settings(
        problem,
        _column(root, "label"),
        prediction,
        probability,
        root.number("threshold", 0.5, low=0.0, high=1.0),
        positive,
        labels,
        tuple(dict.fromkeys(_columns(root, "slices"))),
        root.integer("max_slices", _MOST_SLICES, low=1, high=1000),
        _top_k(root),
        reliability.integer("bins", 10, low=2, high=100),
        reliability.choice("by", ("width", "mass"), "mass"),
        bootstrap.integer("replicates", 1000, low=100, high=100_000),
        bootstrap.integer("seed", 0, high=(1 << 32) - 1),
        _tolerances(root.get("tolerance")),
        _metrics(root),
        alpha,
        root.integer("min_rows", 30, low=1),
        root.integer("min_events", 5, low=1),
        root.boolean("judge_estimates", default=False),
    )


def settings_document(settings: Settings) -> dict[str, Any]:
    """Return settings as plain JSON values, from which :func:`read_settings` makes the same settings."""
    found: dict[str, Any] = {"problem": settings.problem, "label": settings.label}
    if settings.prediction is not None:
        found["prediction"] = settings.prediction
    if settings.probability:
        single = len(settings.probability) == 1
        found["probability"] = settings.probability[0] if single else list(settings.probability)
    if settings.problem == "binary":
        found |= {"positive": settings.positive, "threshold": settings.threshold}
    for name in ("labels", "slices", "metrics"):
        if getattr(settings, name):
            found[name] = list(getattr(settings, name))
    if settings.slices:
        found["max_slices"] = settings.max_slices
    if settings.top_k:
        found["top_k"] = [int(k) if k >= 1 else k for k in settings.top_k]
    found["reliability"] = {"bins": settings.reliability_bins, "by": settings.reliability_by}
    found["bootstrap"] = {"replicates": settings.replicates, "seed": settings.seed}
    if settings.tolerance:
        found["tolerance"] = {
            name: f"{one.amount!r} %" if one.is_relative else one.amount
            for name, one in settings.tolerance.items()
        }
    return found | {
        "alpha": settings.alpha,
        "min_rows": settings.min_rows,
        "min_events": settings.min_events,
        "judge_estimates": settings.judge_estimates,
    }


def _mapping(given: object, file: object) -> dict[str, Any]:
    if isinstance(given, bytes):
        try:
            text = given.decode("utf-8-sig")
            found = None if _DEEP_KEY.search(text) else tomllib.loads(text)
        except UnicodeDecodeError:
            raise DocumentError(
                "not valid UTF-8", code="E-CONFIG", file=file, fix="save it as UTF-8"
            ) from None
        except tomllib.TOMLDecodeError as error:
            raise DocumentError(f"not TOML: {error}", code="E-CONFIG", file=file) from None
        except RecursionError:
            found = None
        if found is None:
            raise DocumentError("nests too deeply", code="E-CONFIG", file=file, fix="flatten it")
        return found
    if not isinstance(given, Mapping):
        raise UsageError(
            f"expected a mapping or TOML, found an object of type {type(given).__name__}",
            code="E-CONFIG",
            field=str(file),
            fix='give something like {"problem": "binary", "label": "y", "probability": "score"}',
        )
    return {str(key): value for key, value in given.items()}


def _renamed(root: Node) -> Iterator[tuple[str, Any]]:
    """Put driftline's names in the place of SageMaker's."""
    given = root.object()
    for key, value in given.items():
        own = _ALIASES.get(key, key)
        if own != key and own in given:
            raise root.error(f"stands beside {own}, which is the same", key=key, fix="remove one of them")
        yield own, list(value) if isinstance(value, tuple) else value


def _column(root: Node, key: str) -> str:
    value = root[key].value
    # SageMaker's settings also number the columns, from 0.
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return str(value)
    text = root.text(key)
    if not text:
        raise root.error("expected the name of a column", key=key)
    return text


def _columns(root: Node, key: str) -> tuple[str, ...]:
    if not root.has(key):
        return ()
    items = root[key].items()
    if len(items) > _MOST_COLUMNS:
        raise root.error(f"names more than {_MOST_COLUMNS:,} columns", key=key)
    for item in items:
        if not isinstance(item.value, str) or not item.value:
            raise item.error("expected the name of a column")
    return tuple(item.value for item in items)


def _probability(root: Node, problem: str) -> tuple[str, ...]:
    if not root.has("probability"):
        return ()
    if problem == "regression":
        raise root.error("regression has no probability", key="probability", fix="remove it")
    if not isinstance(root["probability"].value, list):
        return (_column(root, "probability"),)
    found = _columns(root, "probability")
    if len(set(found)) != len(found):
        raise root.error("names a column twice", key="probability")
    if problem == "binary" and len(found) != 1:
        raise root.error(
            f"expected the one column of the positive class, found {len(found)}", key="probability"
        )
    return found


def _label(node: Node) -> str:
    value = node.value
    text = canonical(value) if isinstance(value, (str, int, float)) else None
    if text is None:
        raise node.error("expected a label: text, a number or a boolean")
    return text


def _labels(root: Node, problem: str) -> tuple[str, ...]:
    if not root.has("labels"):
        return ()
    if problem == "regression":
        raise root.error("regression has no labels", key="labels", fix="remove it")
    items = root["labels"].items()
    if len(items) > _MOST_COLUMNS:
        raise root.error(f"has more than {_MOST_COLUMNS:,} labels", key="labels")
    found = tuple(_label(item) for item in items)
    if len(set(found)) != len(found):
        raise root.error("names a label twice; 1, 1.0 and true are one label", key="labels")
    return found


def _positive(root: Node) -> str:
    return _label(root["positive"]) if root.has("positive") else "1"


def _top_k(root: Node) -> tuple[float, ...]:
    if not root.has("top_k"):
        return ()
    found = []
    items = root["top_k"].items()
    if len(items) > 20:
        raise root.error("has more than 20 values", key="top_k")
    for item in items:
        value = item.value
        fits = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not fits or not (0 < value < 1 or (value >= 1 and float(value).is_integer() and value < 1 << 53)):
            raise item.error("expected a number of rows, or a share of them above 0 and below 1")
        found.append(float(value))
    return tuple(sorted(set(found)))


def _metric_name(node: Node, name: str) -> str:
    if name not in QUALITY:
        close = nearest(name, QUALITY)
        fix = f"did you mean {close!r}?" if close else "use one of " + ", ".join(QUALITY)
        raise node.error(f"there is no metric called {printable(name, 60)!r}", fix=fix)
    return name


def _metrics(root: Node) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_metric_name(root["metrics"], name) for name in _columns(root, "metrics")))


def _tolerances(node: Node | None) -> dict[str, Tolerance]:
    if node is None:
        return {}
    found = {}
    for name in node.object():
        _metric_name(node, name)
        value = node[name].value
        if isinstance(value, str):
            match = _PERCENT.fullmatch(value)
            if match is None:
                raise node.error(
                    f"expected a number, or a share such as '5 %', found {value[:40]!r}", key=name
                )
            found[name] = Tolerance(float(match[1]), is_relative=True)
        else:
            found[name] = Tolerance(node.number(name, low=0.0))
    return found
