"""Model cards: the record of a model that people approve and auditors check.

The names are those of ``sagemaker.model_card``; each is loaded when it is asked for.

Examples
--------
>>> from driftline.cards import ModelOverview
>>> ModelOverview(model_name="churn").to_content()
{'model_name': 'churn', 'model_artifact': []}
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from driftline.cards.card import ModelCard, ModelCardExportJob
    from driftline.cards.content import content_of, parse, sections_of, serialise
    from driftline.cards.enums import (
        EvaluationMetricTypeEnum,
        FacetEnum,
        MetricTypeEnum,
        ModelApprovalStatusEnum,
        ModelCardStatusEnum,
        ModelPackageStatusEnum,
        ObjectiveFunctionEnum,
        RiskRatingEnum,
    )
    from driftline.cards.errors import (
        CardAttributeError,
        CardConflictError,
        CardError,
        CardExistsError,
        CardModelError,
        CardStateError,
        CardTypeError,
        CardValueError,
        NoCardError,
        ReportMissingError,
    )
    from driftline.cards.evaluation import EvaluationJob, Metric, MetricGroup
    from driftline.cards.json_schema import schema
    from driftline.cards.overview import Environment, ModelOverview
    from driftline.cards.package import (
        Container,
        InferenceSpecification,
        ModelPackage,
        ModelPackageCreator,
        ModelPackageModelCard,
        SourceAlgorithm,
    )
    from driftline.cards.populated import Populated, PopulationWarning
    from driftline.cards.population import from_file, from_huggingface, from_sklearn, populate
    from driftline.cards.sections import AdditionalInformation, BusinessDetails, IntendedUses
    from driftline.cards.session import Session
    from driftline.cards.training import (
        Function,
        HyperParameter,
        ObjectiveFunction,
        TrainingDetails,
        TrainingJobDetails,
        TrainingMetric,
    )
    from driftline.cards.validation import Problem, check, problems
    from driftline.cards.view import CardView, MonitorState

_HOMES = {
    "AdditionalInformation": "sections",
    "BusinessDetails": "sections",
    "CardAttributeError": "errors",
    "CardConflictError": "errors",
    "CardError": "errors",
    "CardExistsError": "errors",
    "CardModelError": "errors",
    "CardStateError": "errors",
    "CardTypeError": "errors",
    "CardValueError": "errors",
    "CardView": "view",
    "Container": "package",
    "Environment": "overview",
    "EvaluationJob": "evaluation",
    "EvaluationMetricTypeEnum": "enums",
    "FacetEnum": "enums",
    "Function": "training",
    "HyperParameter": "training",
    "InferenceSpecification": "package",
    "IntendedUses": "sections",
    "Metric": "evaluation",
    "MetricGroup": "evaluation",
    "MetricTypeEnum": "enums",
    "ModelApprovalStatusEnum": "enums",
    "ModelCard": "card",
    "ModelCardExportJob": "card",
    "ModelCardStatusEnum": "enums",
    "ModelOverview": "overview",
    "ModelPackage": "package",
    "ModelPackageCreator": "package",
    "ModelPackageModelCard": "package",
    "ModelPackageStatusEnum": "enums",
    "MonitorState": "view",
    "NoCardError": "errors",
    "ObjectiveFunction": "training",
    "ObjectiveFunctionEnum": "enums",
    "Populated": "populated",
    "PopulationWarning": "populated",
    "Problem": "validation",
    "ReportMissingError": "errors",
    "RiskRatingEnum": "enums",
    "Session": "session",
    "SourceAlgorithm": "package",
    "TrainingDetails": "training",
    "TrainingJobDetails": "training",
    "TrainingMetric": "training",
    "check": "validation",
    "content_of": "content",
    "from_file": "population",
    "from_huggingface": "population",
    "from_sklearn": "population",
    "parse": "content",
    "populate": "population",
    "problems": "validation",
    "schema": "json_schema",
    "sections_of": "content",
    "serialise": "content",
}

__all__ = [
    "AdditionalInformation",
    "BusinessDetails",
    "CardAttributeError",
    "CardConflictError",
    "CardError",
    "CardExistsError",
    "CardModelError",
    "CardStateError",
    "CardTypeError",
    "CardValueError",
    "CardView",
    "Container",
    "Environment",
    "EvaluationJob",
    "EvaluationMetricTypeEnum",
    "FacetEnum",
    "Function",
    "HyperParameter",
    "InferenceSpecification",
    "IntendedUses",
    "Metric",
    "MetricGroup",
    "MetricTypeEnum",
    "ModelApprovalStatusEnum",
    "ModelCard",
    "ModelCardExportJob",
    "ModelCardStatusEnum",
    "ModelOverview",
    "ModelPackage",
    "ModelPackageCreator",
    "ModelPackageModelCard",
    "ModelPackageStatusEnum",
    "MonitorState",
    "NoCardError",
    "ObjectiveFunction",
    "ObjectiveFunctionEnum",
    "Populated",
    "PopulationWarning",
    "Problem",
    "ReportMissingError",
    "RiskRatingEnum",
    "Session",
    "SourceAlgorithm",
    "TrainingDetails",
    "TrainingJobDetails",
    "TrainingMetric",
    "check",
    "content_of",
    "from_file",
    "from_huggingface",
    "from_sklearn",
    "parse",
    "populate",
    "problems",
    "schema",
    "sections_of",
    "serialise",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'driftline.cards' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
