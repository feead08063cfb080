"""``constraints.json`` in the form of SageMaker Model Monitor, in and out.

Reading accepts what the service has written since 2019 and what people make of it: unknown keys of
SageMaker's own are ignored (older containers wrote ``enable_comparisons`` and ``min_domain_mass``), overrides
are found in every place where the documentation or the SDK puts them, and a missing ``monitoring_config``
means the values that the service really writes. What driftline adds lives under the key ``driftline``; there
an unknown key is an error, because people edit these files and a mistyped setting must not pass for a
setting.
"""

from __future__ import annotations

import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from driftline.baselines.constraint import (
    CHECKS,
    Constraints,
    Feature,
    InferredType,
    MonitoringConfig,
    Settings,
    Severity,
)
from driftline.baselines.sagemaker_document import document, feature_nodes
from driftline.baselines.sagemaker_style import encode_features
from driftline.documents import Node, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SCHEMA", "read_constraints", "write_constraints"]

SCHEMA: Final = "driftline.constraints/v1"
"""Version of the keys that driftline adds to ``constraints.json``."""

_KINDS: Final = ("number", "text", "boolean", "time", "other")
_ROLES: Final = ("feature", "identifier", "time")
_TYPES: Final = tuple(t.value for t in InferredType)
_SWITCH: Final = {"Enabled": True, "Disabled": False}
_METHODS: Final = {"Robust": "Robust", "Simple": "Simple", "linf_robust": "Robust", "linf_simple": "Simple"}
_CATEGORICAL_METHODS: Final = ("LInfinity", "ChiSquared")
_OVERRIDES: Final = ("monitoringConfigOverrides", "monitoring_config_overrides")
_PLAIN_THRESHOLDS: Final = ("datatype_check_threshold", "domain_content_threshold")
_DRIFT_THRESHOLDS: Final = ("comparison_threshold", "categorical_comparison_threshold")
_DEFAULT: Final = MonitoringConfig()
_ALPHA: Final = Constraints(()).alpha


def read_constraints(data: str | bytes, *, file: object = "constraints.json") -> Constraints:
    """Read a constraints document.

    Parameters
    ----------
    data : str or bytes
        The whole document.
    file : object
        Name used in errors.

    Returns
    -------
    Constraints
        Thresholds that the file leaves out have the values the service writes (1.0, 1.0, 0.1); a missing
        ``categorical_comparison_threshold`` is the ``comparison_threshold``, as SageMaker documents it. A
        feature's overrides are accepted under both spellings, on the feature itself and inside
        ``string_constraints`` or ``num_constraints``, flat or shaped like ``monitoring_config``; an override
        of ``perform_comparison`` becomes ``thresholds["perform_comparison"]``, 1.0 or 0.0. An empty list of
        ``domains`` means no domain.

    Raises
    ------
    DocumentError
        Naming `file` and the field: if it is not JSON, has no features, a feature lacks a name or has one
        that occurred before, a type is unknown, a number is out of range, or driftline's own part has an
        unknown key.
    """
    root = document(data, file)
    monitoring = _monitoring(root.get("monitoring_config"))
    features = tuple(_feature(node) for node in feature_nodes(root))
    own = root.get("driftline")
    if own is None:
        return Constraints(features, monitoring)
    own.known("schema", "alpha", "checks")
    if (schema := own.text("schema", SCHEMA)) != SCHEMA:
        raise own.error(
            f"this driftline reads {SCHEMA}, found {schema!r}",
            key="schema",
            fix="read it with the driftline that wrote it",
        )
    alpha = own.number("alpha", _ALPHA, low=0.0, high=1.0)
    if alpha == 0.0:
        raise own.error(
            "expected a number above 0, found 0", key="alpha", fix="use a small rate such as 0.001"
        )
    return Constraints(features, monitoring, _checks(own.get("checks")), alpha)


def write_constraints(constraints: Constraints) -> str:
    """Write a constraints document in SageMaker's layout, without a new line at the end.

    The two thresholds for categorical drift, which containers before 2023 did not know, are written where
    they say something: where they differ from ``comparison_threshold`` and ``LInfinity``. The key
    ``driftline`` appears where there is something of driftline's to keep. Reading the result gives
    `constraints` again.
    """
    features = [_feature_out(feature) for feature in constraints.features]
    document: dict[str, Any] = {
        "version": 0.0,
        "features": features,
        "monitoring_config": _monitoring_out(constraints.monitoring),
    }
    if constraints.settings or constraints.alpha != _ALPHA or any("driftline" in f for f in features):
        document["driftline"] = {"schema": SCHEMA, "alpha": float(constraints.alpha)}
        if constraints.settings:
            document["driftline"]["checks"] = _checks_out(constraints.settings)
    return encode_features(document)


def _switch(node: Node, key: str, default: bool) -> bool:
    return _SWITCH[node.choice(key, _SWITCH, "Enabled" if default else "Disabled")]


def _optional_switch(node: Node, key: str) -> bool | None:
    return _switch(node, key, True) if node.has(key) else None


def _share(node: Node, key: str, default: float) -> float:
    return node.number(key, default, low=0.0, high=1.0)


def _monitoring(node: Node | None) -> MonitoringConfig:
    if node is None:
        return _DEFAULT
    node.object()
    drift = node.get("distribution_constraints") or Node({}, node.file, node.path)
    method = _METHODS[drift.choice("comparison_method", _METHODS, _DEFAULT.comparison_method)]
    threshold = _share(drift, "comparison_threshold", _DEFAULT.comparison_threshold)
    return MonitoringConfig(
        evaluate_constraints=_switch(node, "evaluate_constraints", _DEFAULT.evaluate_constraints),
        emit_metrics=_switch(node, "emit_metrics", _DEFAULT.emit_metrics),
        datatype_check_threshold=_share(node, "datatype_check_threshold", _DEFAULT.datatype_check_threshold),
        domain_content_threshold=_share(node, "domain_content_threshold", _DEFAULT.domain_content_threshold),
        perform_comparison=_switch(drift, "perform_comparison", _DEFAULT.perform_comparison),
        comparison_threshold=threshold,
        comparison_method=method,
        categorical_comparison_threshold=_share(drift, "categorical_comparison_threshold", threshold),
        categorical_drift_method=drift.choice(
            "categorical_drift_method", _CATEGORICAL_METHODS, _DEFAULT.categorical_drift_method
        ),
    )


def _feature(node: Node) -> Feature:
    numbers = node.get("num_constraints")
    is_non_negative: bool | None = None
    if numbers is not None and numbers.has("is_non_negative"):
        is_non_negative = numbers.boolean("is_non_negative")
    texts = node.get("string_constraints")
    evaluate, emit, thresholds = _overrides([p for p in (node, numbers, texts) if p is not None])
    own = node.get("driftline") or Node({}, node.file, node.path)
    own.known("kind", "role", "checks")
    return Feature(
        name=node.text("name"),
        inferred_type=InferredType(node.choice("inferred_type", _TYPES)),
        completeness=_share(node, "completeness", 1.0) if node.has("completeness") else None,
        is_non_negative=is_non_negative,
        domains=None if texts is None else _domains(texts.get("domains")),
        evaluate_constraints=evaluate,
        emit_metrics=emit,
        thresholds=thresholds,
        kind=own.choice("kind", _KINDS, "other"),
        role=own.choice("role", _ROLES, "feature"),
        settings=_checks(own.get("checks")),
    )


def _domains(node: Node | None) -> tuple[str, ...] | None:
    if node is None:
        return None
    for item in node.items():
        if not isinstance(item.value, str):
            raise item.error("expected text", fix="write the value in quotation marks")
    return tuple(dict.fromkeys(node.value)) or None


def _overrides(places: list[Node]) -> tuple[bool | None, bool | None, dict[str, float]]:
    """Collect a feature's overrides from all places where they may stand; they must agree."""
    found: dict[str, float] = {}
    for place in places:
        for node in (place.get(key) for key in _OVERRIDES):
            if node is None:
                continue
            for name, value in _override_values(node).items():
                if found.setdefault(name, value) != value:
                    raise node.error(
                        f"{name} is overridden twice with different values", fix="keep one of them"
                    )
    switches = [found.pop(name, None) for name in ("evaluate_constraints", "emit_metrics")]
    evaluate, emit = (None if value is None else bool(value) for value in switches)
    return evaluate, emit, found


def _override_values(node: Node) -> dict[str, float]:
    node.object()
    values: dict[str, float] = {}
    for block in (node, node.get("distribution_constraints")):
        if block is None:
            continue
        for name in (*_PLAIN_THRESHOLDS, *_DRIFT_THRESHOLDS):
            if block.has(name):
                values[name] = _share(block, name, 0.0)
        for name in ("evaluate_constraints", "emit_metrics", "perform_comparison"):
            switch = _optional_switch(block, name)
            if switch is not None:
                values[name] = float(switch)
    return values


def _checks(node: Node | None) -> dict[str, Settings]:
    if node is None:
        return {}
    result = {}
    for name in node.object():
        if name not in CHECKS:
            close = nearest(name, CHECKS)
            fix = f"did you mean {close!r}?" if close else "use one of " + ", ".join(CHECKS)
            raise node.error(f"there is no check called {name!r}", fix=fix)
        result[name] = _settings(node[name], CHECKS[name].unit)
    return result


def _settings(node: Node, unit: str) -> Settings:
    node.known(*(f.name for f in fields(Settings) if f.name != "tolerance"))
    settings = Settings(
        enabled=node.boolean("enabled") if node.has("enabled") else None,
        bound=node.number("bound", low=0.0, high=1.0 if unit in ("share", "distance") else math.inf)
        if node.has("bound")
        else None,
        low=node.number("low") if node.has("low") else None,
        high=node.number("high") if node.has("high") else None,
        evidence=node.boolean("evidence") if node.has("evidence") else None,
        min_rows=node.integer("min_rows", low=1) if node.has("min_rows") else None,
        severity=Severity(node.choice("severity", list(Severity))) if node.has("severity") else None,
        why=node.text("why") if node.has("why") else None,
    )
    if settings.low is not None and settings.high is not None and settings.low > settings.high:
        raise node.error(f"low ({settings.low:g}) is above high ({settings.high:g})", key="low")
    return settings


def _switch_out(value: bool) -> str:
    return "Enabled" if value else "Disabled"


def _monitoring_out(monitoring: MonitoringConfig) -> dict[str, Any]:
    drift: dict[str, Any] = {
        "perform_comparison": _switch_out(monitoring.perform_comparison),
        "comparison_threshold": float(monitoring.comparison_threshold),
        "comparison_method": monitoring.comparison_method,
    }
    if monitoring.categorical_comparison_threshold != monitoring.comparison_threshold:
        drift["categorical_comparison_threshold"] = float(monitoring.categorical_comparison_threshold)
    if monitoring.categorical_drift_method != _DEFAULT.categorical_drift_method:
        drift["categorical_drift_method"] = monitoring.categorical_drift_method
    return {
        "evaluate_constraints": _switch_out(monitoring.evaluate_constraints),
        "emit_metrics": _switch_out(monitoring.emit_metrics),
        "datatype_check_threshold": float(monitoring.datatype_check_threshold),
        "domain_content_threshold": float(monitoring.domain_content_threshold),
        "distribution_constraints": drift,
    }


def _feature_out(feature: Feature) -> dict[str, Any]:
    result: dict[str, Any] = {"name": feature.name, "inferred_type": feature.inferred_type.value}
    if feature.completeness is not None:
        result["completeness"] = float(feature.completeness)
    if feature.is_non_negative is not None:
        result["num_constraints"] = {"is_non_negative": feature.is_non_negative}
    if feature.domains is not None:
        result["string_constraints"] = {"domains": list(feature.domains)}
    if overrides := _overrides_out(feature):
        result[_OVERRIDES[0]] = overrides
    own: dict[str, Any] = {}
    if feature.kind != "other":
        own["kind"] = feature.kind
    if feature.role != "feature":
        own["role"] = feature.role
    if feature.settings:
        own["checks"] = _checks_out(feature.settings)
    if own:
        result["driftline"] = own
    return result


def _overrides_out(feature: Feature) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if feature.evaluate_constraints is not None:
        result["evaluate_constraints"] = _switch_out(feature.evaluate_constraints)
    if feature.emit_metrics is not None:
        result["emit_metrics"] = _switch_out(feature.emit_metrics)
    given = feature.thresholds
    result.update({name: float(given[name]) for name in _PLAIN_THRESHOLDS if name in given})
    drift: dict[str, Any] = {}
    if "perform_comparison" in given:
        drift["perform_comparison"] = _switch_out(bool(given["perform_comparison"]))
    drift.update({name: float(given[name]) for name in _DRIFT_THRESHOLDS if name in given})
    if drift:
        result["distribution_constraints"] = drift
    return result


def _checks_out(settings: Mapping[str, Settings]) -> dict[str, Any]:
    return {
        name: {f.name: value for f in fields(Settings) if (value := getattr(setting, f.name)) is not None}
        for name, setting in settings.items()
    }
