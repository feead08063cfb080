"""Estimator: facts of a fitted estimator in memory, such as scikit-learn's; it is asked, and nothing is imported."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from driftline.cards.errors import CardTypeError
from driftline.cards.sources.facts import JOB, Facts
from driftline.errors import printable

__all__ = ["facts_of_estimator"]

_MOST_TEXT = 1000
_MOST_FEATURES = 1000


def facts_of_estimator(estimator: object) -> Facts:
    """Return what an estimator says of itself.

    Parameters
    ----------
    estimator : object
        Anything with ``get_params()``. ``feature_names_in_``, ``n_features_in_``, ``classes_`` and ``steps`` are read
        where they are there.

    Returns
    -------
    Facts
        Its class as ``algorithm_type``, its parameters as hyper-parameters in the order of their names, the features and
        classes as extensions.

    Raises
    ------
    CardTypeError
        ``E-CARD-TYPE``: it is no estimator, or is a class.
    """
    asked: Any = getattr(estimator, "get_params", None)
    if isinstance(estimator, type) or not callable(asked):
        raise CardTypeError(
            f"{printable(repr(estimator), 60)} is no estimator",
            fix="give an object with get_params(), as those of scikit-learn",
        )
    facts = Facts(datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"))
    source = f"estimator:{_class(estimator)}"
    facts.put("model_overview.algorithm_type", _algorithm(estimator), source)
    classes = _texts(getattr(estimator, "classes_", None))
    if classes:
        kind = "Binary Classification" if len(classes) == 2 else "Multiclass Classification"
        facts.put("model_overview.problem_type", kind, source)
    parameters = asked()
    if not isinstance(parameters, Mapping):
        raise CardTypeError(f"get_params() of {_class(estimator)} gives no mapping")
    facts.put(
        f"{JOB}.hyper_parameters",
        [{"name": str(key), "value": _spelled(parameters[key])} for key in sorted(parameters, key=str)],
        source,
    )
    facts.put("additional_information.custom_details.estimator", _class(estimator), source)
    facts.put("additional_information.custom_details.library", _library(estimator), source)
    features = _texts(getattr(estimator, "feature_names_in_", None))
    count = getattr(estimator, "n_features_in_", None)
    if features:
        facts.put("extensions.io.input_schema", {"columns": features}, source)
    elif isinstance(count, int):
        facts.put("extensions.io.input_schema", {"n_columns": count}, source)
    if classes:
        facts.put("extensions.io.output_schema", {"classes": classes}, source)
    return facts


def _class(thing: object) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}"[:_MOST_TEXT]


def _algorithm(estimator: object) -> str:
    """Return the class, or those of the steps of a pipeline."""
    steps = getattr(estimator, "steps", None)
    if isinstance(steps, list) and steps and all(isinstance(s, tuple) and len(s) == 2 for s in steps):
        names = [step if isinstance(step, str) else type(step).__name__ for _, step in steps]
        return f"{type(estimator).__name__}: {' → '.join(names)}"
    return type(estimator).__name__


def _library(estimator: object) -> str | None:
    root = type(estimator).__module__.partition(".")[0]
    version = getattr(sys.modules.get(root), "__version__", None)
    known = {"sklearn": "scikit-learn"}.get(root, root)
    return f"{known} {version}" if isinstance(version, str) else None


def _spelled(value: Any) -> str:
    """Spell a parameter: numbers, texts and lists of them as Python does, of other objects their class."""
    if isinstance(value, str):
        return value
    item = getattr(value, "item", None)
    if item is not None and getattr(value, "ndim", None) == 0:
        value = item()
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, list | tuple) and len(value) <= 100 and all(_is_simple(one) for one in value):
        return repr(value)
    return f"<{_class(value)}>"


def _is_simple(value: Any) -> bool:
    return value is None or isinstance(value, str | bool | int | float)


def _texts(values: Any) -> list[Any]:
    """Return the names in an array or list as JSON values; none where they are something else."""
    plain = values.tolist() if hasattr(values, "tolist") else values
    if not isinstance(plain, list | tuple) or len(plain) > _MOST_FEATURES:
        return []
    return [one if isinstance(one, str | bool | int) else str(one) for one in plain]
