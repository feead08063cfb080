"""SageMaker's monitoring run: the six checks, in its words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, cast

from driftline.baselines.constraint import CHECKS, Constraint, InferredType
from driftline.baselines.sagemaker_style import java_double
from driftline.kernels.category_distance import sagemaker_chi_squared, sagemaker_l_infinity
from driftline.kernels.kll import KLL, sagemaker_distance
from driftline.reports.outcome import Measurement, Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftline.baselines.constraint import Constraints, Feature, MonitoringConfig
    from driftline.baselines.statistics import (
        FeatureStatistics,
        NumericStatistics,
        Statistics,
        StringStatistics,
    )
    from driftline.kernels.kll import Method, Weights
    from driftline.monitor.recipes.sagemaker_fold import CompatColumn

__all__ = ["judge"]


def judge(
    baseline_constraints: Constraints,
    baseline_statistics: Statistics | None,
    columns: Sequence[CompatColumn],
    names: Sequence[str],
    *,
    weights: Weights = "distinct",
) -> list[Outcome]:
    """Do what SageMaker's monitoring run does.

    Parameters
    ----------
    baseline_constraints : Constraints
        driftline's own settings in it are not looked at.
    baseline_statistics : Statistics or None
        Without it there is nothing to compare distributions with.
    columns : sequence of CompatColumn
        The current data, by position.
    names : sequence of str
        What the current columns are called; used in notes only.
    weights : {"distinct", "rows"}
        How drift of numbers counts: as SageMaker does, or rows.

    Returns
    -------
    list of Outcome
        First the number of columns, then per baseline feature, in the baseline's order: type, completeness,
        domain, drift. Checks that are switched off, for the document or for a feature, leave no outcome; an
        override of a feature outweighs the document. `reason` of a violated outcome is SageMaker's
        description.
    """
    monitoring = baseline_constraints.monitoring
    features = baseline_constraints.features
    active = [_is_on(f.evaluate_constraints, monitoring.evaluate_constraints) for f in features]
    if not any(active):
        return []
    known = None if baseline_statistics is None else {f.name: f for f in baseline_statistics.features}
    n_baseline, n_current = len(features), len(columns)
    outcomes = _column_count(n_baseline, n_current)
    for i, feature in enumerate(features):
        if not active[i]:
            continue
        column = columns[i] if n_current == n_baseline else None
        name = names[i] if column is not None else ""
        outcomes.extend(_Judge(feature, monitoring, known, column, name, weights).outcomes())
    return outcomes


def _is_on(override: bool | None, default: bool) -> bool:
    return default if override is None else override


def _column_count(n_baseline: int, n_current: int) -> list[Outcome]:
    outcomes = []
    for check, word, excess in (
        ("missing_column", "missing", n_baseline - n_current),
        ("extra_column", "extra", n_current - n_baseline),
    ):
        constraint = Constraint(
            check, None, 0.0, expected=f"{n_baseline} columns", why="columns in the baseline constraints"
        )
        measurement = Measurement(
            check, float(max(excess, 0)), CHECKS[check].unit, n_current=n_current, n_baseline=n_baseline
        )
        reason = (
            f"There are {word} columns in current dataset. "
            f"Number of columns in current dataset: {n_current}, "
            f"Number of columns in baseline constraints: {n_baseline}"
            if excess > 0
            else f"No {word} columns: {n_current} now, {n_baseline} in the baseline."
        )
        outcomes.append(
            Outcome(constraint, measurement, Status.VIOLATED if excess > 0 else Status.PASSED, reason)
        )
    return outcomes


class _Judge:
    """The checks of one feature."""

    def __init__(
        self,
        feature: Feature,
        monitoring: MonitoringConfig,
        statistics: Mapping[str, FeatureStatistics] | None,
        column: CompatColumn | None,
        name: str,
        weights: Weights,
    ) -> None:
        self.feature = feature
        self.monitoring = monitoring
        self.baseline = None if statistics is None else statistics.get(feature.name)
        self.has_statistics = statistics is not None
        self.column = column
        self.weights = weights
        paired = column is not None and name != feature.name
        self.note = f"paired by position with the current column {name!r}" if paired else None

    def outcomes(self) -> list[Outcome]:
        outcomes = [self.data_type()]
        if self.feature.completeness is not None:
            outcomes.append(self.completeness(self.feature.completeness))
        if self.feature.domains is not None:
            outcomes.append(self.domain(self.feature.domains))
        if self.feature.thresholds.get("perform_comparison", self.monitoring.perform_comparison):
            outcomes.append(self.drift())
        return outcomes

    def threshold(
        self,
        name: Literal[
            "datatype_check_threshold",
            "domain_content_threshold",
            "comparison_threshold",
            "categorical_comparison_threshold",
        ],
    ) -> float:
        return self.feature.thresholds.get(name, getattr(self.monitoring, name))

    def constraint(
        self,
        check: str,
        bound: float,
        why: str,
        *,
        expected: str | None = None,
        domain: tuple[str, ...] | None = None,
    ) -> Constraint:
        return Constraint(check, self.feature.name, bound, expected=expected, domain=domain, why=why)

    def undetermined(self, constraint: Constraint, reason: str) -> Outcome:
        """No answer, for `reason` unless the columns could not be paired at all."""
        if self.column is None:
            reason = (
                "The number of columns differs from the baseline's, so columns cannot be paired by position."
            )
        n = self.column.n_present if self.column is not None else 0
        measurement = Measurement(constraint.check, None, CHECKS[constraint.check].unit, n, note=self.note)
        return Outcome(constraint, measurement, Status.UNDETERMINED, reason)

    def share(self, constraint: Constraint, n_good: int, n: int, passed: str, violated: str) -> Outcome:
        """Judge a share that must not fall below the bound; `passed` and `violated` are the reasons."""
        share = n_good / n
        assert constraint.bound is not None
        is_violated = share < constraint.bound
        measurement = Measurement(
            constraint.check, share, "share", n_current=n, n_bad=n - n_good, note=self.note
        )
        return Outcome(
            constraint,
            measurement,
            Status.VIOLATED if is_violated else Status.PASSED,
            violated if is_violated else passed,
        )

    def data_type(self) -> Outcome:
        expected = self.feature.inferred_type
        bound = self.threshold("datatype_check_threshold")
        constraint = self.constraint("data_type", bound, "datatype_check_threshold", expected=expected.value)
        if self.column is None or not self.column.n_present:
            return self.undetermined(constraint, "No value is present, so there is no type to read.")
        if expected is InferredType.UNKNOWN:
            return self.undetermined(constraint, "The baseline saw no value and knows no type.")
        n_good = self.column.n_of(expected)
        n = self.column.n_present
        observed = java_double(n_good / n * 100.0)
        return self.share(
            constraint,
            n_good,
            n,
            f"{observed}% of data is {expected}.",
            f"Data type match requirement is not met. Expected data type: {expected}, "
            f"Expected match: {java_double(bound * 100.0)}%. "
            f"Observed: Only {observed}% of data is {expected}.",
        )

    def completeness(self, bound: float) -> Outcome:
        constraint = self.constraint("completeness", bound, "completeness of the feature")
        if self.column is None or not self.column.n_rows:
            return self.undetermined(constraint, "There are no rows.")
        n, n_good = self.column.n_rows, self.column.n_present
        observed = java_double(n_good / n * 100.0)
        return self.share(
            constraint,
            n_good,
            n,
            f"{observed}% of rows have a value.",
            f"Data completeness requirement is not met. Expected: {java_double(bound * 100.0)}%. "
            f"Observed: Only {observed}%.",
        )

    def domain(self, domain: tuple[str, ...]) -> Outcome:
        bound = self.threshold("domain_content_threshold")
        constraint = self.constraint(
            "categorical_values",
            bound,
            "domain_content_threshold",
            expected=f"{len(domain)} known values",
            domain=domain,
        )
        column = self.column
        if column is None or not column.n_present:
            return self.undetermined(constraint, "No value is present.")
        n_good = column.n_in_domain
        if column.categories is not None:
            known = set(domain)
            n_good = sum(count for value, count in column.categories.items() if value in known)
        if n_good is None:
            return self.undetermined(constraint, "The column's values were not counted against the domain.")
        observed = java_double(n_good / column.n_present)
        return self.share(
            constraint,
            n_good,
            column.n_present,
            f"A share of {observed} of the values is known.",
            f"Value: {observed} does not meet the constraint requirement! ",
        )

    def drift(self) -> Outcome:
        numeric = self.baseline.numeric if self.baseline is not None else None
        string = self.baseline.string if self.baseline is not None else None
        if numeric is not None or (string is None and self.feature.inferred_type.is_number):
            return self.numeric_drift(numeric)
        return self.categorical_drift(string)

    def no_distribution(self, wanted: str) -> str:
        if not self.has_statistics:
            return "There are no baseline statistics to compare with."
        if self.baseline is None:
            return "The baseline statistics do not have this feature."
        assert self.column is not None
        if self.baseline.inferred_type is self.column.inferred_type:
            return f"There is no {wanted} on both sides; text with many different values has no list."
        return (
            f"There is no {wanted} on both sides: the baseline's type is {self.baseline.inferred_type}, "
            f"the current one {self.column.inferred_type}; text with many different values has no list."
        )

    def numeric_drift(self, numeric: NumericStatistics | None) -> Outcome:
        bound = self.threshold("comparison_threshold")
        method = cast("Method", self.monitoring.comparison_method)
        constraint = self.constraint("ks", bound, f"comparison_threshold, {method}")
        column = self.column
        if column is None:
            return self.undetermined(constraint, "")
        sketch = numeric.sketch if numeric is not None else None
        if sketch is None or not column.inferred_type.is_number:
            return self.undetermined(constraint, self.no_distribution("distribution of numbers"))
        baseline = KLL.of_levels(sketch.levels, k=sketch.k, c=sketch.c)
        distance = sagemaker_distance(baseline, column.sketch, method, self.weights)
        if math.isnan(distance):
            return self.undetermined(constraint, "One side has no finite number.")
        counting = "every different value counts once" if self.weights == "distinct" else "every row counts"
        return self.distance(constraint, distance, baseline.n_rows, f"{method}; {counting}")

    def categorical_drift(self, string: StringStatistics | None) -> Outcome:
        bound = self.threshold("categorical_comparison_threshold")
        method = cast("Method", self.monitoring.comparison_method)
        is_chi = self.monitoring.categorical_drift_method == "ChiSquared"
        check = "chi_squared" if is_chi else "l_infinity_robust" if method == "Robust" else "l_infinity"
        constraint = self.constraint(check, bound, f"categorical_comparison_threshold, {method}")
        column = self.column
        if column is None:
            return self.undetermined(constraint, "")
        baseline = string.categories if string is not None else None
        current = column.categories
        if baseline is None or current is None or column.inferred_type is not InferredType.STRING:
            return self.undetermined(constraint, self.no_distribution("list of categories"))
        if not is_chi:
            distance = sagemaker_l_infinity(baseline, current, method)
        else:
            distance = sagemaker_chi_squared(baseline, current, method)
        if math.isnan(distance):
            return self.undetermined(constraint, "Too few values are in known categories.")
        n_baseline = sum(baseline.values())
        if is_chi and method == "Robust":
            return self.p_value(constraint, distance, n_baseline)
        return self.distance(constraint, distance, n_baseline, method)

    def distance(self, constraint: Constraint, distance: float, n_baseline: int, note: str) -> Outcome:
        assert self.column is not None
        assert constraint.bound is not None
        spelled, bound = java_double(distance), java_double(constraint.bound)
        is_violated = distance > constraint.bound
        measurement = Measurement(
            constraint.check,
            distance,
            CHECKS[constraint.check].unit,
            n_current=self.column.n_present,
            n_baseline=n_baseline,
            note="; ".join(n for n in (note, self.note) if n),
        )
        if is_violated:
            reason = f"Baseline drift distance: {spelled} exceeds threshold: {bound}"
            return Outcome(constraint, measurement, Status.VIOLATED, reason)
        reason = f"Baseline drift distance: {spelled} does not exceed threshold: {bound}"
        return Outcome(constraint, measurement, Status.PASSED, reason)

    def p_value(self, constraint: Constraint, p_value: float, n_baseline: int) -> Outcome:
        assert self.column is not None
        assert constraint.bound is not None
        spelled, bound = java_double(p_value), java_double(constraint.bound)
        measurement = Measurement(
            constraint.check,
            p_value,
            "p-value",
            n_current=self.column.n_present,
            n_baseline=n_baseline,
            p_value=p_value,
            note="; ".join(n for n in ("Robust; the number judged is the p-value", self.note) if n),
        )
        if p_value < constraint.bound:
            reason = f"Baseline drift p-value: {spelled} is below threshold: {bound}"
            return Outcome(constraint, measurement, Status.VIOLATED, reason)
        reason = f"Baseline drift p-value: {spelled} is not below threshold: {bound}"
        return Outcome(constraint, measurement, Status.PASSED, reason)
