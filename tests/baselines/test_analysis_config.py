"""analysis_config.json: read, written, refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from driftline.baselines.analysis_config import (
    AnalysisConfig,
    FacetConfig,
    PdpConfig,
    ShapConfig,
    read_analysis_config,
    resolve,
    write_analysis_config,
)
from driftline.errors import DocumentError

if TYPE_CHECKING:
    from pathlib import Path

BIAS: dict[str, Any] = {
    "label": "y",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "sex", "value_or_threshold": ["F"]}],
    "methods": {"pre_training_bias": {"methods": "all"}},
}
FULL: dict[str, Any] = {
    "version": "1.0",
    "dataset_type": "text/csv",
    "dataset_uri": "data.csv",
    "headers": ["sex", "age", "y"],
    "label": 2,
    "predicted_label": "p",
    "label_values_or_threshold": [1, "yes", True, 0.5],
    "facet": [{"name_or_index": 0}, {"name_or_index": "age", "value_or_threshold": [45]}],
    "group_variable": "age",
    "probability_threshold": 0.8,
    "excluded_columns": ["id", 4],
    "methods": {
        "pre_training_bias": {"methods": ["CI", "DPL"]},
        "post_training_bias": {"methods": "all"},
        "shap": {
            "baseline": [[1, 2.5, "a"], [0, 1, "b"]],
            "num_samples": 100,
            "agg_method": "mean_sq",
            "use_logit": True,
            "seed": 3,
            "save_local_shap_values": True,
            "features_to_explain": ["age"],
        },
        "pdp": {"features": ["age"], "grid_resolution": 20, "top_k_features": 3},
        "report": {"name": "report", "title": "Bias"},
    },
    "predictor": {"model_name": "m", "label_headers": ["no", "yes"]},
}


def test_every_field_is_read() -> None:
    config = read_analysis_config(json.dumps(FULL))
    assert config == AnalysisConfig(
        version="1.0",
        dataset_type="text/csv",
        headers=("sex", "age", "y"),
        label=2,
        predicted_label="p",
        label_values_or_threshold=(1, "yes", True, 0.5),
        facets=(FacetConfig(0), FacetConfig("age", (45,))),
        group_variable="age",
        probability_threshold=0.8,
        excluded_columns=("id", 4),
        pre_training=("CI", "DPL"),
        post_training=("all",),
        shap=ShapConfig(((1, 2.5, "a"), (0, 1, "b")), None, 100, "mean_sq", True, 3, True, ("age",)),
        pdp=PdpConfig(("age",), 20, 3),
        predictor=FULL["predictor"],
        extra={"dataset_uri": "data.csv", "report": FULL["methods"]["report"]},
    )


def test_what_was_read_is_written() -> None:
    assert json.loads(write_analysis_config(read_analysis_config(json.dumps(FULL)))) == FULL


@pytest.mark.parametrize(
    "config",
    [AnalysisConfig(), AnalysisConfig(shap=ShapConfig(num_clusters=4)), AnalysisConfig(pdp=PdpConfig())],
)
def test_defaults_are_left_out_and_come_back(config: AnalysisConfig) -> None:
    assert read_analysis_config(write_analysis_config(config)) == config


def test_published_configuration_is_read(data: Path) -> None:
    config = read_analysis_config((data / "clarify/bias/fraud_analysis_config.json").read_bytes())
    assert config.facets == (FacetConfig("customer_gender_female", (1,)),)
    assert (config.label, config.label_values_or_threshold) == ("fraud", (0,))
    assert (config.pre_training, config.post_training, config.shap) == (("all",), None, None)


def test_short_forms_are_read() -> None:
    one = read_analysis_config(
        json.dumps({**BIAS, "facet": {"name_or_index": "sex"}, "label_values_or_threshold": 1})
    )
    assert one.facets == (FacetConfig("sex"),)
    assert one.label_values_or_threshold == (1,)
    for baseline, rows in (
        ([1, 2], ((1, 2),)),
        ({"a": 1}, ({"a": 1},)),
        ([{"a": 1}], ({"a": 1},)),
        ("f.csv", "f.csv"),
    ):
        shap = read_analysis_config(json.dumps({"methods": {"shap": {"baseline": baseline}}})).shap
        assert shap is not None
        assert shap.baseline == rows
    only_stage = {**BIAS, "methods": {"post_training_bias": {}}}
    assert read_analysis_config(json.dumps(only_stage)).post_training == ("all",)


@pytest.mark.parametrize(
    ("document", "field", "message"),
    [
        ({"labels": "y"}, "", "unknown field 'labels'; did you mean 'label'?"),
        ({"label": 1.5}, "label", "the name of a column, or its position"),
        ({"label": -1}, "label", "the name of a column, or its position"),
        ({"label": True}, "label", "the name of a column, or its position"),
        ({"excluded_columns": [None]}, "excluded_columns[0]", "the name of a column"),
        ({"headers": ["a", 1]}, "headers[1]", "expected text"),
        ({"facet": [{}]}, "facet[0].name_or_index", "required and missing"),
        ({"facet": [{"name_or_index": "a", "values": [1]}]}, "facet[0]", "unknown field 'values'"),
        ({"label_values_or_threshold": [None]}, "label_values_or_threshold[0]", "expected text, a number"),
        ({"dataset_type": "application/x-image"}, "dataset_type", "images are not analysed"),
        ({"dataset_type": "csv"}, "dataset_type", "unknown value 'csv'"),
        ({"facet_dataset_uri": "x"}, "facet_dataset_uri", "cannot be honoured; join the facets to the data"),
        ({"segment_config": [{}]}, "segment_config", "use intersections of facets"),
        ({"methods": {"shap": {"text_config": {}}}}, "methods.shap.text_config", "cannot be honoured"),
        ({"methods": {"shap": {"agg_method": "mean"}}}, "methods.shap.agg_method", "unknown value 'mean'"),
        ({"methods": {"shap": {"baseline": [[1]], "num_clusters": 2}}}, "methods.shap.num_clusters", "exclude each other"),
        ({"methods": {"shap": {"baseline": [[1], 2]}}}, "methods.shap.baseline", "expected rows"),
        ({"methods": {"shap": {"baseline": 7}}}, "methods.shap.baseline", "expected rows"),
        ({"methods": {"shap": {"num_samples": 0}}}, "methods.shap.num_samples", "at least 1"),
        ({"methods": {"asymmetric_shapley_value": {}}}, "methods.asymmetric_shapley_value", "forecasts"),
        ({"methods": {"bias": {}}}, "methods", "unknown field 'bias'"),
        ({"methods": {"pre_training_bias": {"methods": "all"}}}, "label", "needed for metrics of bias"),
        ({**BIAS, "facet": []}, "facet", "needed for metrics of bias"),
    ],
)  # fmt: skip
def test_what_cannot_be_honoured_is_refused(document: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_analysis_config(json.dumps(document), file="c.json")
    assert (caught.value.field or "") == field
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["", "  ", "[]", "{"])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(DocumentError):
        read_analysis_config(text)


def test_columns_are_found_by_name_and_position() -> None:
    names = ["sex", "age", "income"]
    assert resolve("age", names, field="label") == "age"
    assert resolve(2, names, field="label") == "income"
    with pytest.raises(DocumentError, match="did you mean 'income'"):
        resolve("incmoe", names, field="label")
    with pytest.raises(DocumentError, match="name one of sex, age, income"):
        resolve("zip", names, field="label")
    with pytest.raises(DocumentError, match="3 columns, numbered from 0") as caught:
        resolve(3, names, field="facet[0].name_or_index")
    assert caught.value.field == "facet[0].name_or_index"
