"""analysis.json: read, kept, written, refused."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.baselines.analysis import (
    Analysis,
    FacetResult,
    MetricValue,
    Stage,
    read_analysis,
    write_analysis,
)
from driftline.errors import DocumentError

if TYPE_CHECKING:
    from pathlib import Path

FILES = [
    "bias/adult_ll_baseline",
    "bias/adult_xgb_full",
    "bias/fraud_bias_1",
    "bias/fraud_bias_2",
    "bias/sdk_pretraining_bad",
    "bias/sdk_pretraining_good",
    "bias/two_row_null_errors",
    "bias/weather_baseline_infinity",
    "shap/adult_ll_baseline_run1",
    "shap/adult_ll_baseline_run2_json_path_label",
    "shap/fraud_explainability",
    "shap/weather_baseline_a",
]


@pytest.mark.parametrize("name", FILES)
def test_published_files_are_kept_whole(name: str, data: Path) -> None:
    raw = (data / "clarify" / f"{name}_analysis.json").read_bytes()
    analysis = read_analysis(raw)
    assert json.loads(write_analysis(analysis)) == json.loads(raw)
    assert list(json.loads(write_analysis(analysis))) == list(json.loads(raw))
    assert read_analysis(write_analysis(analysis)) == analysis


def test_null_and_its_error_are_read(data: Path) -> None:
    raw = (data / "clarify/bias/two_row_null_errors_analysis.json").read_bytes()
    stage = read_analysis(raw).post_training
    assert stage is not None
    assert stage.label_value_or_threshold == "(3, 5]"
    facet = stage.facet("product_category", "Digital_Software")
    assert facet is not None
    metric = facet.metric("FT")
    assert metric is not None
    assert (metric.value, metric.error) == (None, "FlipTest does not support non-numeric columns")
    assert facet.metric("SD") is None, "older outputs lack it"
    assert stage.facet("product_category", "other") is None
    assert stage.facet("other", "Digital_Software") is None


def test_infinities_are_numbers(data: Path) -> None:
    raw = (data / "clarify/bias/weather_baseline_infinity_analysis.json").read_bytes()
    stage = read_analysis(raw).post_training
    assert stage is not None
    facet = stage.facet("city", "(100.0, 2279.0]")
    assert facet is not None
    values = {metric.name: metric.value for metric in facet.metrics}
    assert (values["DCA"], values["TE"]) == (math.inf, -math.inf)


def test_unknown_keys_survive() -> None:
    document: dict[str, Any] = {
        "version": "2.0",
        "post_training_bias_metrics": {
            "label": "y",
            "facets": {"f": [{"value_or_threshold": "1", "metrics": [
                {"name": "DI", "description": "d", "value": 1, "interval": [0, 2]}], "rows": 7}]},
            "label_value_or_threshold": "1",
            "threshold": {"a": None},
        },
        "explanations": {"kernel_shap": {"label0": {"global_shap_values": {"a": 1.5}}}},
        "model_performance": [1, 2],
    }  # fmt: skip
    assert json.loads(write_analysis(read_analysis(json.dumps(document)))) == document
    assert read_analysis(json.dumps(document)).explanations == document["explanations"]


numbers = st.one_of(st.none(), st.integers(-3, 3), st.floats(allow_nan=False))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
metric_values = st.builds(MetricValue, texts, texts, numbers, st.one_of(st.none(), texts))
facet_results = st.builds(
    FacetResult, texts, st.lists(metric_values, max_size=3, unique_by=lambda m: m.name).map(tuple)
)
stages = st.builds(
    Stage,
    texts,
    texts,
    st.dictionaries(
        texts,
        st.lists(facet_results, max_size=2, unique_by=lambda f: f.value_or_threshold).map(tuple),
        max_size=2,
    ),
)


@given(analysis=st.builds(Analysis, pre_training=stages, post_training=st.one_of(st.none(), stages)))
def test_written_and_read_back_is_equal(analysis: Analysis) -> None:
    assert read_analysis(write_analysis(analysis)) == analysis


def test_nan_is_never_written() -> None:
    metric = MetricValue("DI", "", math.nan)
    stage = Stage("y", "1", {"f": (FacetResult("1", (metric,)),)})
    with pytest.raises(ValueError, match="nan"):
        write_analysis(Analysis(pre_training=stage))
    assert '"value": null' in write_analysis(
        Analysis(
            pre_training=replace(stage, facets={"f": (FacetResult("1", (replace(metric, value=None),)),)})
        )
    )


def _document(**metric: Any) -> str:
    metrics = [{"name": "DI", "description": "", "value": 1.0, **metric}]
    facets = {"f": [{"value_or_threshold": "1", "metrics": metrics}]}
    return json.dumps({"pre_training_bias_metrics": {"label": "y", "facets": facets}})


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        ("", None, "the document is empty"),
        ("{", None, "not JSON"),
        ("[]", None, "expected an object"),
        ('{"version": "1.0"}', None, "there is none of pre_training_bias_metrics"),
        ('{"violations": []}', None, "give the analysis.json of a bias"),
        ('{"pre_training_bias_metrics": {}}', "pre_training_bias_metrics.facets", "required and missing"),
        ('{"pre_training_bias_metrics": {"facets": []}}', "pre_training_bias_metrics.facets", "expected an object"),
        ('{"explanations": 1}', "explanations", "expected an object"),
        (_document(value="Inf"), "pre_training_bias_metrics.facets.f[0].metrics[0].value", "unknown value 'Inf'"),
        (_document(value=True), "pre_training_bias_metrics.facets.f[0].metrics[0].value", "expected a number"),
        (_document(value=[1]), "pre_training_bias_metrics.facets.f[0].metrics[0].value", "expected a number"),
        (_document(name=None), "pre_training_bias_metrics.facets.f[0].metrics[0].name", "required and missing"),
        (_document(error=4), "pre_training_bias_metrics.facets.f[0].metrics[0].error", "expected text"),
        (_document(value={}), "pre_training_bias_metrics.facets.f[0].metrics[0].value", "expected a number"),
        (_document().replace("1.0", "NaN"), None, "NaN is not JSON"),
        ('{"pre_training_bias_metrics": {"facets": {"f": [{"value_or_threshold": "1", "metrics": [{"name": "DI"}]}]}}}',
         "pre_training_bias_metrics.facets.f[0].metrics[0].value", "required and missing"),
    ],
)  # fmt: skip
def test_files_of_another_form_are_refused(text: str, field: str | None, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_analysis(text, file="a.json")
    assert caught.value.field == field
    assert caught.value.file == "a.json"
    assert message in str(caught.value)


def test_what_occurs_twice_is_refused() -> None:
    metric = {"name": "DI", "description": "", "value": 1.0}
    facet = {"value_or_threshold": "1", "metrics": [metric]}
    for facets, what in (
        ([facet, facet], "facet value '1'"),
        ([{**facet, "metrics": [metric] * 2}], "metric 'DI'"),
    ):
        document = {"pre_training_bias_metrics": {"facets": {"f": facets}}}
        with pytest.raises(DocumentError, match=f"the {what} occurs twice"):
            read_analysis(json.dumps(document))
