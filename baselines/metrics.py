"""Metrics: what the other three recipes measure, by name: of model quality, of bias, of feature attribution.

The checks of data quality stand in :data:`driftline.baselines.constraint.CHECKS`; :func:`check_info` knows them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from driftline.baselines.constraint import CHECKS, CheckInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ATTRIBUTION", "BIAS", "METRICS", "QUALITY", "RECIPES", "check_info", "checks_of"]


def _quality(
    name: str, title: str, measures: str, unit: str, worse: str, *, enabled: bool = True
) -> CheckInfo:
    kind = "GreaterThanThreshold" if worse == "higher" else "LessThanThreshold"
    return CheckInfo(name, kind, title, measures, unit, None, enabled, worse)


QUALITY: Final[Mapping[str, CheckInfo]] = {
    info.name: info
    for info in (
        _quality("mae", "Mean absolute error", "mean of the absolute errors", "number", "higher"),
        _quality("mse", "Mean squared error", "mean of the squared errors", "number", "higher"),
        _quality(
            "rmse", "Root mean squared error", "square root of the mean squared error", "number", "higher"
        ),
        _quality("r2", "R²", "share of the variance of the truth that is explained", "number", "lower"),
        _quality("accuracy", "Accuracy", "share of rows predicted right", "share", "lower"),
        _quality("recall", "Recall", "share of the actual positives that were predicted", "share", "lower"),
        _quality("precision", "Precision", "share of the predicted positives that are", "share", "lower"),
        _quality("true_positive_rate", "True positive rate", "recall, by its other name", "share", "lower"),
        _quality(
            "true_negative_rate",
            "True negative rate",
            "share of the actual negatives that were predicted",
            "share",
            "lower",
        ),
        _quality(
            "false_positive_rate",
            "False positive rate",
            "share of the actual negatives that were predicted as positive",
            "share",
            "higher",
        ),
        _quality(
            "false_negative_rate",
            "False negative rate",
            "share of the actual positives that were predicted as negative",
            "share",
            "higher",
        ),
        _quality(
            "f0_5",
            "F0.5",
            "weighted harmonic mean of precision and recall, precision first",
            "share",
            "lower",
        ),
        _quality("f1", "F1", "harmonic mean of precision and recall", "share", "lower"),
        _quality(
            "f2", "F2", "weighted harmonic mean of precision and recall, recall first", "share", "lower"
        ),
        _quality("auc", "AUC", "area under the ROC curve", "share", "lower"),
        _quality("au_prc", "AU-PRC", "area under the precision-recall curve", "share", "lower"),
        _quality(
            "log_loss",
            "Log loss",
            "mean negative logarithm of the probability of the truth",
            "number",
            "higher",
        ),
        _quality("brier", "Brier score", "mean squared error of the probability", "number", "higher"),
        _quality(
            "calibration_error",
            "Calibration error",
            "mean distance of probability and observed share over the bins",
            "share",
            "higher",
        ),
        _quality(
            "weighted_recall",
            "Weighted recall",
            "recall of the classes, weighted by their rows",
            "share",
            "lower",
        ),
        _quality(
            "weighted_precision",
            "Weighted precision",
            "precision of the classes, weighted by their rows",
            "share",
            "lower",
        ),
        _quality(
            "weighted_f0_5", "Weighted F0.5", "F0.5 of the classes, weighted by their rows", "share", "lower"
        ),
        _quality("weighted_f1", "Weighted F1", "F1 of the classes, weighted by their rows", "share", "lower"),
        _quality("weighted_f2", "Weighted F2", "F2 of the classes, weighted by their rows", "share", "lower"),
        _quality(
            "precision_at_k",
            "Precision at k",
            "share of positives among the k highest scores",
            "share",
            "lower",
        ),
        _quality(
            "recall_at_k",
            "Recall at k",
            "share of the positives among the k highest scores",
            "share",
            "lower",
        ),
    )
}
"""Metrics of model quality; keys that SageMaker has, too, are SageMaker's."""


def _bias(code: str, title: str, measures: str, unit: str = "number") -> CheckInfo:
    return CheckInfo(
        f"bias_{code.lower()}", "bias_drift_check", f"{title} ({code})", measures, unit, worse="either"
    )


BIAS: Final[Mapping[str, CheckInfo]] = {
    info.name: info
    for info in (
        _bias("CI", "Class imbalance", "difference of the group's share and the others'"),
        _bias(
            "DPL",
            "Difference in positive proportions in labels",
            "others' share of positive labels minus the group's",
        ),
        _bias(
            "KL", "Kullback–Leibler divergence", "divergence of the group's labels from the others', in nats"
        ),
        _bias("JS", "Jensen–Shannon divergence", "symmetric divergence of the labels, in nats"),
        _bias("LP", "Lp norm", "Euclidean distance of the label distributions"),
        _bias("TVD", "Total variation distance", "half the summed differences of the label distributions"),
        _bias("KS", "Kolmogorov–Smirnov distance", "largest difference of a label's share"),
        _bias(
            "CDDL",
            "Conditional demographic disparity in labels",
            "disparity of the labels within the groups, averaged",
        ),
        _bias(
            "DPPL",
            "Difference in positive proportions in predicted labels",
            "others' share of positive predictions minus the group's",
        ),
        _bias(
            "DI", "Disparate impact", "the group's share of positive predictions over the others'", "ratio"
        ),
        _bias(
            "DCA",
            "Difference in conditional acceptance",
            "difference of actual to predicted positives",
            "number",
        ),
        _bias(
            "DCR",
            "Difference in conditional rejection",
            "difference of actual to predicted negatives",
            "number",
        ),
        _bias("RD", "Recall difference", "others' recall minus the group's"),
        _bias("SD", "Specificity difference", "the group's specificity minus the others'"),
        _bias("DAR", "Difference in acceptance rates", "others' precision minus the group's"),
        _bias(
            "DRR", "Difference in rejection rates", "the group's negative predictive value minus the others'"
        ),
        _bias("AD", "Accuracy difference", "others' accuracy minus the group's"),
        _bias("TE", "Treatment equality", "difference of the ratios of false negatives to false positives"),
        _bias(
            "CDDPL",
            "Conditional demographic disparity in predicted labels",
            "disparity of the predictions within the groups, averaged",
        ),
        _bias(
            "FT", "Flip test", "predictions that would flip if the group were treated like its nearest others"
        ),
        _bias("GE", "Generalized entropy", "inequality of the benefits over all rows"),
    )
}
"""Metrics of bias: ``bias_`` and the code in lower case."""

ATTRIBUTION: Final[Mapping[str, CheckInfo]] = {
    info.name: info
    for info in (
        CheckInfo(
            "ndcg",
            "feature_attribution_drift_check",
            "Rank agreement (NDCG)",
            "agreement of the order of the features with the baseline's, 1 for the same",
            "share",
            0.9,
            worse="lower",
        ),
        CheckInfo(
            "attribution_distance",
            "feature_attribution_drift_check",
            "Attribution distance",
            "total variation distance of the features' shares of all attribution",
            "distance",
            0.1,
            worse="higher",
        ),
        CheckInfo(
            "attribution_magnitude",
            "feature_attribution_drift_check",
            "Attribution magnitude",
            "sum of all features' attribution over the baseline's",
            "ratio",
            None,
            worse="either",
        ),
        CheckInfo(
            "attribution_change",
            "feature_attribution_drift_check",
            "Attribution change",
            "change of the feature's attribution, as a share of all attribution in the baseline",
            "number",
            0.05,
            worse="either",
        ),
    )
}
"""Metrics of feature attribution."""

METRICS: Final[Mapping[str, CheckInfo]] = {**QUALITY, **BIAS, **ATTRIBUTION}
"""All metrics by name; no name is also that of a check of data quality."""

RECIPES: Final[Mapping[str, Mapping[str, CheckInfo]]] = {
    "data-quality": CHECKS,
    "model-quality": QUALITY,
    "bias": BIAS,
    "attribution": ATTRIBUTION,
}
"""Checks by the recipe that has them."""


def check_info(name: str) -> CheckInfo:
    """Return what a check or metric is called and measures.

    Raises
    ------
    KeyError
        For a name that no recipe has.
    """
    return CHECKS[name] if name in CHECKS else METRICS[name]


def checks_of(recipe: str) -> Mapping[str, CheckInfo]:
    """Return the checks of a recipe by name.

    Raises
    ------
    KeyError
    """
    return RECIPES[recipe]
