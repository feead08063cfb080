from __future__ import annotations

import subprocess
import sys

import pytest

import driftline.cards

SAGEMAKER = [
    "Environment",
    "ModelOverview",
    "IntendedUses",
    "BusinessDetails",
    "ObjectiveFunction",
    "Function",
    "TrainingMetric",
    "HyperParameter",
    "Metric",
    "TrainingJobDetails",
    "TrainingDetails",
    "MetricGroup",
    "EvaluationJob",
    "AdditionalInformation",
    "ModelCard",
    "ModelPackage",
    "ModelPackageModelCard",
    "ModelCardStatusEnum",
    "RiskRatingEnum",
    "ObjectiveFunctionEnum",
    "FacetEnum",
    "MetricTypeEnum",
    "EvaluationMetricTypeEnum",
    "ModelCardExportJob",
    "ModelPackageCreator",
    "SourceAlgorithm",
    "Container",
    "InferenceSpecification",
    "ModelApprovalStatusEnum",
    "ModelPackageStatusEnum",
]


@pytest.mark.parametrize("name", SAGEMAKER)
def test_every_name_of_the_sdk_is_there(name: str) -> None:
    assert name in driftline.cards.__all__


@pytest.mark.parametrize("name", driftline.cards.__all__)
def test_every_public_name_is_loaded_when_asked_for(name: str) -> None:
    assert getattr(driftline.cards, name).__name__ == name
    assert name in dir(driftline.cards)


def test_the_list_is_the_table() -> None:
    assert sorted(driftline.cards._HOMES) == driftline.cards.__all__


def test_no_other_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Card'"):
        driftline.cards.Card  # noqa: B018


def test_the_content_needs_no_heavy_library() -> None:
    program = (
        "import sys\n"
        "from driftline.cards import EvaluationJob, ModelOverview, ModelPackage, problems, parse, schema, TrainingDetails\n"
        "ModelOverview(model_name='x').to_content()\n"
        "heavy = {'numpy', 'pandas', 'pyarrow', 'sqlalchemy', 'typst', 'yaml', 'tomli_w', 'numba', 'duckdb'}\n"
        "print(sorted(heavy & sys.modules.keys()), 'driftline.cards.card' in sys.modules)\n"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout == "[] False\n"
