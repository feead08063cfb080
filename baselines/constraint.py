"""Constraints: data that says what a column is held to. Never code.

Two shapes. :class:`Constraints` is the document (``constraints.json``): one :class:`Feature` per column in the
form SageMaker Model Monitor writes, with driftline's own settings beside it. :class:`Constraint` is one flat rule
that the engine judges; a recipe makes the list of them from the document, so the document stays the only truth.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CHECKS",
    "DRIFT_CHECKS",
    "CheckInfo",
    "Constraint",
    "Constraints",
    "Feature",
    "InferredType",
    "MonitoringConfig",
    "Settings",
    "Severity",
]


class InferredType(StrEnum):
    """The type of a column, in SageMaker's words."""

    INTEGRAL = "Integral"
    FRACTIONAL = "Fractional"
    STRING = "String"
    UNKNOWN = "Unknown"

    @property
    def is_number(self) -> bool:
        """Tell whether the column holds numbers."""
        return self in (InferredType.INTEGRAL, InferredType.FRACTIONAL)


class Severity(StrEnum):
    """How loudly a violation speaks."""

    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class CheckInfo:
    """What a check is called, and what its number means.

    Attributes
    ----------
    name : str
        The name in the literature, used in settings and reports.
    check_type : str
        ``constraint_check_type`` in ``constraint_violations.json``.
    title : str
        The name people read.
    measures : str
        One clause: what the number is.
    unit : str
        Unit of the number.
    default_bound : float or None
        Bound where nothing else says; None where the data must give one.
    enabled : bool
        Whether the check runs when the constraints do not speak of it.
    worse : str
        Of a metric: the direction in which it gets worse, ``higher``, ``lower`` or ``either``; empty for the checks of data
        quality, whose bounds say it.
    """

    name: str
    check_type: str
    title: str
    measures: str
    unit: str
    default_bound: float | None = None
    enabled: bool = True
    worse: str = ""


def _table(*infos: CheckInfo) -> dict[str, CheckInfo]:
    return {info.name: info for info in infos}


_DRIFT = "baseline_drift_check"

CHECKS: Final[Mapping[str, CheckInfo]] = _table(
    CheckInfo(
        "missing_column",
        "missing_column_check",
        "Missing column",
        "columns of the baseline that the data lacks",
        "columns",
    ),
    CheckInfo(
        "extra_column",
        "extra_column_check",
        "Extra column",
        "columns of the data that the baseline lacks",
        "columns",
    ),
    CheckInfo(
        "data_type",
        "data_type_check",
        "Data type",
        "share of present values of the expected type",
        "share",
        1.0,
    ),
    CheckInfo("completeness", "completeness_check", "Completeness", "share of rows with a value", "share"),
    CheckInfo(
        "categorical_values",
        "categorical_values_check",
        "Known values",
        "share of present values inside the domain",
        "share",
        1.0,
    ),
    CheckInfo(
        "non_negative",
        "non_negative_check",
        "Non-negative",
        "share of numbers that are not below zero",
        "share",
    ),
    CheckInfo(
        "numeric_range", "numeric_range_check", "Numeric range", "share of numbers inside the range", "share"
    ),
    CheckInfo(
        "uniqueness",
        "uniqueness_check",
        "Uniqueness",
        "distinct values per present value",
        "share",
        1.0,
        enabled=False,
    ),
    CheckInfo(
        "row_volume", "row_volume_check", "Row volume", "rows in the data", "rows", None, enabled=False
    ),
    CheckInfo(
        "freshness",
        "freshness_check",
        "Freshness",
        "age of the newest time stamp",
        "seconds",
        None,
        enabled=False,
    ),
    CheckInfo(
        "ks",
        _DRIFT,
        "Kolmogorov–Smirnov",
        "largest difference of the cumulative distributions",
        "distance",
        0.1,
    ),
    CheckInfo(
        "l_infinity", _DRIFT, "L-infinity", "largest difference of a category's share", "distance", 0.1
    ),
    CheckInfo(
        "l_infinity_robust",
        _DRIFT,
        "L-infinity, robust",
        "L-infinity less the sampling allowance 1.8·√((n+m)/(n·m))",
        "distance",
        0.1,
        enabled=False,
    ),
    CheckInfo(
        "chi_squared",
        _DRIFT,
        "Chi-squared",
        "Cramér's V of the two-sample table",
        "distance",
        0.1,
        enabled=False,
    ),
    CheckInfo(
        "psi",
        _DRIFT,
        "Population stability index",
        "population stability index over the baseline's bins",
        "nats",
        0.2,
        enabled=False,
    ),
    CheckInfo(
        "js_distance",
        _DRIFT,
        "Jensen–Shannon",
        "square root of the Jensen–Shannon divergence, base 2",
        "distance",
        0.1,
        enabled=False,
    ),
    CheckInfo("hellinger", _DRIFT, "Hellinger", "Hellinger distance", "distance", 0.1, enabled=False),
    CheckInfo(
        "total_variation",
        _DRIFT,
        "Total variation",
        "half the summed differences of shares",
        "distance",
        0.1,
        enabled=False,
    ),
    CheckInfo(
        "wasserstein",
        _DRIFT,
        "Wasserstein",
        "Wasserstein-1 distance in baseline standard deviations",
        "standard deviations",
        0.1,
        enabled=False,
    ),
)
"""Every check of the data-quality recipe, by name."""

DRIFT_CHECKS: Final = tuple(name for name, info in CHECKS.items() if info.check_type == _DRIFT)
"""Names of the checks that compare two distributions."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What somebody decided about one check; None means "as before".

    Attributes
    ----------
    enabled : bool or None
    bound : float or None
        Smallest share, or largest distance, age or count, that still passes.
    low, high : float or None
        Ends of the allowed range (`numeric_range`, `row_volume`).
    evidence : bool or None
        Whether a violation needs statistical evidence beyond the bound. False makes one bad value enough.
    min_rows : int or None
        Below so many values on the current side the outcome is undetermined.
    severity : Severity or None
    why : str or None
        Who or which rule chose this, for the report.
    tolerance : float or None
        Of a metric: how much worse than the baseline it may be, in its unit.
    """

    enabled: bool | None = None
    bound: float | None = None
    low: float | None = None
    high: float | None = None
    evidence: bool | None = None
    min_rows: int | None = None
    severity: Severity | None = None
    why: str | None = None
    tolerance: float | None = None

    def under(self, other: Settings | None) -> Settings:
        """Return these settings with every value that `other` gives laid over them."""
        if other is None:
            return self
        return Settings(
            self.enabled if other.enabled is None else other.enabled,
            self.bound if other.bound is None else other.bound,
            self.low if other.low is None else other.low,
            self.high if other.high is None else other.high,
            self.evidence if other.evidence is None else other.evidence,
            self.min_rows if other.min_rows is None else other.min_rows,
            self.severity if other.severity is None else other.severity,
            self.why if other.why is None else other.why,
            self.tolerance if other.tolerance is None else other.tolerance,
        )


@dataclass(frozen=True, slots=True)
class MonitoringConfig:
    """``monitoring_config`` of ``constraints.json``; the defaults are those the service really writes.

    Attributes
    ----------
    evaluate_constraints, emit_metrics : bool
    datatype_check_threshold, domain_content_threshold : float
        Smallest share that passes, 0 to 1.
    perform_comparison : bool
        Whether drift is looked at.
    comparison_threshold, categorical_comparison_threshold : float
        Largest drift distance that passes, 0 to 1.
    comparison_method : {"Robust", "Simple"}
    categorical_drift_method : {"LInfinity", "ChiSquared"}
    """

    evaluate_constraints: bool = True
    emit_metrics: bool = True
    datatype_check_threshold: float = 1.0
    domain_content_threshold: float = 1.0
    perform_comparison: bool = True
    comparison_threshold: float = 0.1
    comparison_method: str = "Robust"
    categorical_comparison_threshold: float = 0.1
    categorical_drift_method: str = "LInfinity"


@dataclass(frozen=True, slots=True)
class Feature:
    """What one column is held to.

    Attributes
    ----------
    name : str
    inferred_type : InferredType
    completeness : float or None
        Smallest share of rows with a value.
    is_non_negative : bool or None
        Present for numbers only. False says that the baseline had negative values.
    domains : tuple of str, or None
        The known values of a text column.
    evaluate_constraints, emit_metrics : bool or None
        Overrides of the :class:`MonitoringConfig`.
    thresholds : mapping of str to float
        Thresholds of this column that differ from the document's, by :class:`MonitoringConfig` field.
    kind : str
        driftline's word for what the column holds: ``number``, ``text``, ``boolean``, ``time``, ``other``.
    role : str
        ``feature``, ``identifier`` (all values distinct; drift has no meaning) or ``time``.
    settings : mapping of str to Settings
        driftline's settings by check name.
    """

    name: str
    inferred_type: InferredType
    completeness: float | None = None
    is_non_negative: bool | None = None
    domains: tuple[str, ...] | None = None
    evaluate_constraints: bool | None = None
    emit_metrics: bool | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)
    kind: str = "other"
    role: str = "feature"
    settings: Mapping[str, Settings] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Constraints:
    """A whole ``constraints.json``.

    Attributes
    ----------
    features : tuple of Feature
        In the order of the columns.
    monitoring : MonitoringConfig
    settings : mapping of str to Settings
        driftline's settings that hold for every column, and for the data set as a whole.
    alpha : float
        False discovery rate over all evidence-backed checks of one run.
    """

    features: tuple[Feature, ...]
    monitoring: MonitoringConfig = field(default_factory=MonitoringConfig)
    settings: Mapping[str, Settings] = field(default_factory=dict)
    alpha: float = 0.001

    def feature(self, name: str) -> Feature | None:
        """Return the feature called `name`, or None."""
        return next((f for f in self.features if f.name == name), None)


@dataclass(frozen=True, slots=True)
class Constraint:
    """One rule, ready to be judged.

    Attributes
    ----------
    check : str
        A key of :data:`CHECKS`, or of :data:`driftline.baselines.metrics.METRICS`.
    column : str or None
        None for rules about the data set as a whole.
    bound : float or None
        Shares (completeness, data type, domain, range, uniqueness) must not fall below it; distances and ages
        must not exceed it.
    expected : str or None
        The expected type or a short description of the domain or range, for people.
    low, high : float or None
        Range ends where the check has a range.
    domain : tuple of str, or None
        Known values.
    evidence : bool
        Whether the bound must be passed by more than sampling noise.
    min_rows : int
        Fewer values than this give `undetermined`.
    severity : Severity
    why : str
        How the bound was chosen.
    """

    check: str
    column: str | None
    bound: float | None
    expected: str | None = None
    low: float | None = None
    high: float | None = None
    domain: tuple[str, ...] | None = None
    evidence: bool = False
    min_rows: int = 1
    severity: Severity = Severity.WARNING
    why: str = ""
