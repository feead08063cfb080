from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from driftline.cards import enums

if TYPE_CHECKING:
    from enum import StrEnum

TEXTS = {
    "ModelCardStatusEnum": {
        "DRAFT": "Draft",
        "PENDING_REVIEW": "PendingReview",
        "APPROVED": "Approved",
        "ARCHIVED": "Archived",
    },
    "RiskRatingEnum": {"HIGH": "High", "MEDIUM": "Medium", "LOW": "Low", "UNKNOWN": "Unknown"},
    "ObjectiveFunctionEnum": {"MAXIMIZE": "Maximize", "MINIMIZE": "Minimize"},
    "FacetEnum": {"LOSS": "Loss", "ACCURACY": "Accuracy", "RMSE": "RMSE", "MAE": "MAE", "AUC": "AUC"},
    "MetricTypeEnum": {
        "NUMBER": "number",
        "STRING": "string",
        "BOOLEAN": "boolean",
        "LINEAR_GRAPH": "linear_graph",
        "BAR_CHART": "bar_chart",
        "MATRIX": "matrix",
    },
    "ModelPackageStatusEnum": {
        "PENDING": "Pending",
        "IN_PROGRESS": "InProgress",
        "COMPLETED": "Completed",
        "FAILED": "Failed",
        "DELETING": "Deleting",
    },
    "ModelApprovalStatusEnum": {
        "APPROVED": "Approved",
        "REJECTED": "Rejected",
        "PENDING_MANUAL_APPROVAL": "PendingManualApproval",
    },
    "EvaluationMetricTypeEnum": {
        "MODEL_CARD_METRIC_SCHEMA": "Model Card Metric Schema",
        "CLARIFY_BIAS": "Clarify Bias",
        "CLARIFY_EXPLAINABILITY": "Clarify Explainability",
        "MODEL_MONITOR_MODEL_QUALITY": "Model Monitor Model Quality",
        "REGRESSION": "Model Monitor Model Quality Regression",
        "BINARY_CLASSIFICATION": "Model Monitor Model Quality Binary Classification",
        "MULTICLASS_CLASSIFICATION": "Model Monitor Model Quality Multiclass Classification",
    },
}


def test_the_enums_are_those_that_are_public() -> None:
    assert sorted(TEXTS) == enums.__all__


@pytest.mark.parametrize("name", TEXTS)
def test_members_and_their_texts(name: str) -> None:
    enum: type[StrEnum] = getattr(enums, name)
    assert {member.name: member.value for member in enum} == TEXTS[name]


def test_members_are_their_texts() -> None:
    low = enums.RiskRatingEnum.LOW
    assert low == "Low"
    assert f"{low}" == "Low"
    assert {"Low": 1}[low] == 1
    assert json.dumps({"a": low}) == '{"a": "Low"}'
