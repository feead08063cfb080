"""The data-quality recipe: from a constraints document to the flat list of rules that the engine judges."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from driftline.baselines.constraint import (
    CHECKS,
    DRIFT_CHECKS,
    Constraint,
    Constraints,
    Feature,
    InferredType,
    MonitoringConfig,
    Settings,
    Severity,
)
from driftline.baselines.suggestion import expected_type
from driftline.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from driftline.monitor.overrides import Overrides

__all__ = ["dataset_rules", "feature_rules", "refuse_inapplicable"]

_NUMERIC_DRIFT = frozenset(
    {"ks", "wasserstein", "psi", "js_distance", "hellinger", "total_variation", "chi_squared"}
)
_CATEGORICAL_DRIFT = frozenset(
    {"l_infinity", "l_infinity_robust", "chi_squared", "psi", "js_distance", "hellinger", "total_variation"}
)
_ANY = frozenset({"missing_column", "extra_column", "data_type", "completeness"})
_VALUE_CHECKS = {
    "number": _ANY | {"non_negative", "numeric_range", "uniqueness"},
    "text": _ANY | {"categorical_values", "uniqueness"},
    "boolean": _ANY | {"categorical_values"},
    "time": _ANY | {"freshness", "uniqueness"},
    "other": _ANY,
}

_ALWAYS_LOOKED_AT = frozenset({"ks", "l_infinity", "chi_squared"})
"""Drift checks that the ``monitoring_config`` of a document can switch on by itself."""

_ONLY_FOR = {"non_negative": "number", "numeric_range": "number", "freshness": "time"}
"""The kind of column that a check on values needs."""

_WHY_DRIFT = "comparison threshold of the constraints"


def dataset_rules(document: Constraints, overrides: Overrides) -> list[Constraint]:
    """Return the rules on the data set as a whole."""
    settings = (
        _base("row_volume")
        .under(document.settings.get("row_volume"))
        .under(overrides.checks.get("row_volume"))
    )
    if not settings.enabled or (settings.low is None and settings.high is None):
        return []
    return [
        Constraint(
            "row_volume",
            None,
            None,
            low=settings.low,
            high=settings.high,
            min_rows=0,
            severity=settings.severity or Severity.WARNING,
            why=settings.why or "",
        )
    ]


def refuse_inapplicable(document: Constraints, overrides: Overrides, *, file: object = None) -> None:
    """Refuse to switch on, for one column, a check that its kind of values cannot have.

    Raises
    ------
    UsageError
        Otherwise the check would be left out without a word, and look as if it had passed.
    """
    for name, decided in overrides.columns.items():
        feature = document.feature(name)
        if feature is None:
            continue
        fits = _applicable(feature) | _VALUE_CHECKS[_kind(feature)]
        for check, settings in decided.checks.items():
            if settings.enabled and check not in fits:
                raise UsageError(
                    f"{check} does not apply to a column of kind {_kind(feature)}",
                    code="E-CONFIG",
                    file=file,
                    field=f"columns.{name}.checks.{check}",
                    fix="choose one of " + ", ".join(sorted(fits)),
                )


def feature_rules(document: Constraints, feature: Feature, overrides: Overrides) -> list[Constraint]:
    """Return the rules for one column, in a fixed order.

    Later decisions win: defaults, ``monitoring_config``, the document's settings, the feature's own, the user's for
    every column, the user's for this column.
    """
    mine = overrides.for_column(feature.name)
    evaluate = document.monitoring.evaluate_constraints
    if feature.evaluate_constraints is not None:
        evaluate = feature.evaluate_constraints
    if mine.ignore or not evaluate:
        return []

    def resolved(check: str, start: Settings) -> Settings:
        suggested = start.under(document.settings.get(check)).under(feature.settings.get(check))
        if check not in overrides.checks and check not in mine.checks:
            return suggested
        decided = Settings().under(overrides.checks.get(check)).under(mine.checks.get(check))
        return suggested.under(_both_ends(decided))

    spoken_of = {*document.settings, *feature.settings, *overrides.checks, *mine.checks}
    rules = list(_value_rules(feature, document.monitoring, resolved, spoken_of, set(mine.checks)))
    role = mine.role or feature.role
    compare = document.monitoring.perform_comparison
    applicable = _applicable(feature)
    chosen = _ALWAYS_LOOKED_AT | spoken_of
    for check in DRIFT_CHECKS:
        if check not in chosen or check not in applicable:
            continue
        asked = mine.checks.get(check, Settings()).enabled
        if asked is None and (not compare or role in ("identifier", "time")):
            continue
        settings = resolved(check, _drift_base(check, document.monitoring, feature))
        if settings.enabled and settings.bound is not None:
            rules.append(
                Constraint(
                    check,
                    feature.name,
                    settings.bound,
                    evidence=settings.evidence is not False,
                    min_rows=settings.min_rows or 1,
                    severity=settings.severity or Severity.WARNING,
                    why=settings.why or _WHY_DRIFT,
                )
            )
    return rules


def _both_ends(settings: Settings) -> Settings:
    """Return the settings with the other end open where one is given: what the baseline suggested for it is void."""
    low, high = settings.low, settings.high
    if (low is None) == (high is None):
        return settings
    return settings.under(
        Settings(low=-math.inf if low is None else low, high=math.inf if high is None else high)
    )


def _base(check: str) -> Settings:
    info = CHECKS[check]
    return Settings(enabled=info.enabled, bound=info.default_bound)


def _kind(feature: Feature) -> str:
    if feature.kind != "other":
        return feature.kind
    # Constraints written by SageMaker know only the type.
    if feature.inferred_type.is_number:
        return "number"
    return "text" if feature.inferred_type is InferredType.STRING else "other"


def _applicable(feature: Feature) -> frozenset[str]:
    kind = _kind(feature)
    if kind in ("number", "time"):
        return _NUMERIC_DRIFT
    return _CATEGORICAL_DRIFT if kind in ("text", "boolean") else frozenset()


def _threshold(feature: Feature, monitoring: MonitoringConfig, name: str) -> float:
    return float(feature.thresholds.get(name, getattr(monitoring, name)))


def _drift_base(check: str, monitoring: MonitoringConfig, feature: Feature) -> Settings:
    settings = _base(check)
    if check == "ks":
        return settings.under(Settings(bound=_threshold(feature, monitoring, "comparison_threshold")))
    categorical = _threshold(feature, monitoring, "categorical_comparison_threshold")
    chosen = "chi_squared" if monitoring.categorical_drift_method == "ChiSquared" else "l_infinity"
    if check in ("l_infinity", "chi_squared") and _kind(feature) in ("text", "boolean"):
        return settings.under(Settings(enabled=check == chosen, bound=categorical))
    if check == "total_variation" and _kind(feature) in ("text", "boolean"):
        return settings.under(Settings(bound=categorical))
    return settings


def _value_rules(
    feature: Feature,
    monitoring: MonitoringConfig,
    resolved: Callable[[str, Settings], Settings],
    spoken_of: set[str],
    named: set[str],
) -> Iterator[Constraint]:
    kind = _kind(feature)
    for check, start, expected, domain in (
        ("data_type", *_type_base(feature, monitoring), None),
        (
            "completeness",
            Settings(enabled=feature.completeness is not None, bound=feature.completeness),
            None,
            None,
        ),
        ("categorical_values", *_domain_base(feature, monitoring)),
        ("non_negative", Settings(enabled=bool(feature.is_non_negative), bound=1.0), "not below 0", None),
        ("numeric_range", _base("numeric_range"), None, None),
        ("uniqueness", _base("uniqueness"), None, None),
        ("freshness", _base("freshness"), None, None),
    ):
        if not start.enabled and check not in spoken_of:
            continue
        if kind != _ONLY_FOR.get(check, kind) and check not in named:
            # "Every column" means every column that can have such a rule.
            continue
        settings = resolved(check, start)
        if check in ("data_type", "categorical_values"):
            # SageMaker's threshold stays effective when somebody lowers it by hand.
            own = feature.settings.get(check)
            if own is not None and own.bound is not None and start.bound is not None:
                lower = min(own.bound, start.bound)
                if settings.bound == own.bound and lower < own.bound:
                    settings = settings.under(Settings(bound=lower, evidence=True))
        if not settings.enabled:
            continue
        if check == "numeric_range" and settings.low is None and settings.high is None:
            continue
        if check == "non_negative" and settings.bound is None:
            continue
        if check == "categorical_values" and domain is None:
            continue
        if check == "data_type" and expected == InferredType.UNKNOWN.value:
            continue
        bound = settings.bound if settings.bound is not None else (1.0 if check == "numeric_range" else None)
        if bound is None:
            continue
        evidence = settings.evidence if settings.evidence is not None else bound < 1.0
        yield Constraint(
            check,
            feature.name,
            bound,
            expected=_range_text(settings) if check == "numeric_range" else expected,
            low=_end(settings.low),
            high=_end(settings.high),
            domain=domain,
            evidence=evidence,
            min_rows=settings.min_rows or 1,
            severity=settings.severity or Severity.WARNING,
            why=settings.why or "given by the constraints",
        )


def _type_base(feature: Feature, monitoring: MonitoringConfig) -> tuple[Settings, str]:
    bound = _threshold(feature, monitoring, "datatype_check_threshold")
    if feature.inferred_type is InferredType.UNKNOWN and "data_type" not in feature.settings:
        # The baseline has no value, or SageMaker wrote it. Of lists and the like, the suggestion speaks.
        return Settings(enabled=False, bound=bound), InferredType.UNKNOWN.value
    return Settings(enabled=True, bound=bound), expected_type(
        feature.kind, feature.role, feature.inferred_type.value
    )


def _domain_base(
    feature: Feature, monitoring: MonitoringConfig
) -> tuple[Settings, str | None, tuple[str, ...] | None]:
    bound = _threshold(feature, monitoring, "domain_content_threshold")
    if feature.domains is None:
        return Settings(enabled=False, bound=bound), None, None
    return Settings(enabled=True, bound=bound), f"one of {len(feature.domains):,} values", feature.domains


def _end(value: float | None) -> float | None:
    return None if value is None or math.isinf(value) else value


def _range_text(settings: Settings) -> str:
    low = "-∞" if _end(settings.low) is None else f"{settings.low:.12g}"
    high = "∞" if _end(settings.high) is None else f"{settings.high:.12g}"
    return f"{low} to {high}"
