"""Differences of two baselines' constraints: what whoever accepts a new version must look at."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from driftline.reports.spelling import spell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from driftline.baselines.constraint import Constraints, Feature
    from driftline.baselines.protocol import AnyBaseline

__all__ = ["MOST_CHANGES", "MOST_VALUES", "diff_between", "diff_of"]

MOST_CHANGES: Final = 1000
"""So many features and changes are listed; all are counted."""

MOST_VALUES: Final = 50
"""So many values of a domain are listed; all are counted."""


def diff_between(old: AnyBaseline | None, new: AnyBaseline) -> dict[str, Any]:
    """Tell what differs between two baselines of whatever kind.

    Parameters
    ----------
    old : baseline or None
        None where there is no version yet: everything is new.
    new : baseline

    Returns
    -------
    dict
        As :func:`diff_of`. Where the two are not of data quality, ``added`` and ``removed`` are values of the documents
        (``binary_classification_constraints.recall.threshold``), and so are those that changed.
    """
    if new.recipe == "data-quality" and (old is None or old.recipe == "data-quality"):
        return diff_of(None if old is None else old.constraints, new.constraints)  # type: ignore[attr-defined]
    before = {} if old is None else _leaves(old)
    after = _leaves(new)
    added = [name for name in after if name not in before]
    removed = [name for name in before if name not in after]
    changed = [
        {"feature": None, "what": name, "before": _spelled(before[name]), "after": _spelled(value)}
        for name, value in after.items()
        if name in before and before[name] != value
    ]
    return {
        "added": added[:MOST_CHANGES],
        "removed": removed[:MOST_CHANGES],
        "changed": changed[:MOST_CHANGES],
        "counts": {"added": len(added), "removed": len(removed), "changed": len(changed)},
    }


def _leaves(baseline: AnyBaseline) -> dict[str, Any]:
    """Return the values of a baseline's documents by their path, lists by the names of what is in them."""
    from driftline.documents import decode

    files = baseline.files()
    found: dict[str, Any] = {}
    for file in ("constraints.json", "analysis.json"):
        if file in files:
            _walk("", decode(files[file], file=file), found)
    return found


def _walk(path: str, value: Any, found: dict[str, Any]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _walk(f"{path}.{key}" if path else str(key), inner, found)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            names = [inner[key] for key in _NAMES if key in inner] if isinstance(inner, dict) else []
            _walk(f"{path}[{names[0] if names else number}]", inner, found)
    else:
        found[path] = value


_NAMES: Final = ("name", "value_or_threshold", "feature_name")


def diff_of(old: Constraints | None, new: Constraints) -> dict[str, Any]:
    """Tell what differs between two documents of constraints.

    Parameters
    ----------
    old : Constraints or None
        None where there is no version yet: everything is new.
    new : Constraints

    Returns
    -------
    dict
        What JSON can hold. ``added``, ``removed``: names of features. ``changed``: a list of ``feature`` (None for what
        holds for all), ``what`` (such as ``completeness`` or ``ks.bound``), ``before`` and ``after``; of ``domains``
        instead the values that came and went. ``counts``: of the three. Equal documents give no changes, and the order of
        features does not matter.

    Examples
    --------
    >>> from driftline.baselines.constraint import Constraints, Feature, InferredType
    >>> age = Feature("age", InferredType.INTEGRAL, completeness=1.0)
    >>> diff_of(None, Constraints((age,)))["added"]
    ['age']
    """
    before = {} if old is None else {feature.name: feature for feature in old.features}
    after = {feature.name: feature for feature in new.features}
    added = [name for name in after if name not in before]
    removed = [name for name in before if name not in after]
    changed = [] if old is None else list(_changes(None, _general(old), _general(new)))
    for name, feature in after.items():
        if name in before:
            changed += _changes(name, _flat(before[name]), _flat(feature))
            changed += _domain(before[name], feature)
    return {
        "added": added[:MOST_CHANGES],
        "removed": removed[:MOST_CHANGES],
        "changed": changed[:MOST_CHANGES],
        "counts": {"added": len(added), "removed": len(removed), "changed": len(changed)},
    }


def _changes(feature: str | None, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for what in sorted({*old, *new}):
        before, after = _spelled(old.get(what)), _spelled(new.get(what))
        if before != after:
            yield {"feature": feature, "what": what, "before": before, "after": after}


def _spelled(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return str(value)
    return spell(value) if isinstance(value, float) else value


def _general(of: Constraints) -> dict[str, Any]:
    return {**asdict(of.monitoring), **_settings(of.settings), "alpha": of.alpha}


def _settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        f"{check}.{key}": value
        for check, one in settings.items()
        for key, value in asdict(one).items()
        if value is not None
    }


def _flat(feature: Feature) -> dict[str, Any]:
    return {
        "type": feature.inferred_type,
        "completeness": feature.completeness,
        "is_non_negative": feature.is_non_negative,
        "evaluate_constraints": feature.evaluate_constraints,
        "emit_metrics": feature.emit_metrics,
        "kind": feature.kind,
        "role": feature.role,
        **{f"thresholds.{key}": value for key, value in feature.thresholds.items()},
        **_settings(feature.settings),
    }


def _domain(old: Feature, new: Feature) -> list[dict[str, Any]]:
    before, after = old.domains or (), new.domains or ()
    if (old.domains is None) == (new.domains is None) and set(before) == set(after):
        return []
    came, went = _without(after, before), _without(before, after)
    return [
        {
            "feature": new.name,
            "what": "domains",
            "before": None if old.domains is None else len(before),
            "after": None if new.domains is None else len(after),
            "came": came[:MOST_VALUES],
            "went": went[:MOST_VALUES],
            "n_came": len(came),
            "n_went": len(went),
        }
    ]


def _without(values: Sequence[str], others: Sequence[str]) -> list[str]:
    known = set(others)
    return [value for value in dict.fromkeys(values) if value not in known]
