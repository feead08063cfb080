"""The enumerations of a card. A member is a string, too: it compares as its text and goes into JSON as its text."""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "EvaluationMetricTypeEnum",
    "FacetEnum",
    "MetricTypeEnum",
    "ModelApprovalStatusEnum",
    "ModelCardStatusEnum",
    "ModelPackageStatusEnum",
    "ObjectiveFunctionEnum",
    "RiskRatingEnum",
]


class ModelCardStatusEnum(StrEnum):
    """Status of a version of a card."""

    DRAFT = "Draft"
    PENDING_REVIEW = "PendingReview"
    APPROVED = "Approved"
    ARCHIVED = "Archived"


class RiskRatingEnum(StrEnum):
    """Risk rating of a model."""

    HIGH = "High"
    MEDIUM = "Medium"
    LOW = "Low"
    UNKNOWN = "Unknown"


class ObjectiveFunctionEnum(StrEnum):
    """Direction in which training moved the objective."""

    MAXIMIZE = "Maximize"
    MINIMIZE = "Minimize"


class FacetEnum(StrEnum):
    """Quantities that are often optimised; a card may name any other."""

    LOSS = "Loss"
    ACCURACY = "Accuracy"
    RMSE = "RMSE"
    MAE = "MAE"
    AUC = "AUC"


class MetricTypeEnum(StrEnum):
    """Shape of a metric's value."""

    NUMBER = "number"
    STRING = "string"
    BOOLEAN = "boolean"
    LINEAR_GRAPH = "linear_graph"
    BAR_CHART = "bar_chart"
    MATRIX = "matrix"


class ModelPackageStatusEnum(StrEnum):
    """Status of a model package."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"
    DELETING = "Deleting"


class ModelApprovalStatusEnum(StrEnum):
    """Approval of a model package."""

    APPROVED = "Approved"
    REJECTED = "Rejected"
    PENDING_MANUAL_APPROVAL = "PendingManualApproval"


class EvaluationMetricTypeEnum(StrEnum):
    """Kind of an evaluation report, as whoever adds it to a card says."""

    MODEL_CARD_METRIC_SCHEMA = "Model Card Metric Schema"
    CLARIFY_BIAS = "Clarify Bias"
    CLARIFY_EXPLAINABILITY = "Clarify Explainability"
    MODEL_MONITOR_MODEL_QUALITY = "Model Monitor Model Quality"
    REGRESSION = "Model Monitor Model Quality Regression"
    BINARY_CLASSIFICATION = "Model Monitor Model Quality Binary Classification"
    MULTICLASS_CLASSIFICATION = "Model Monitor Model Quality Multiclass Classification"
