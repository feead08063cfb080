"""Clarify's explanations are read as they are, quirks included, and written so that they read the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from driftline.baselines.explanations import (
    Attribution,
    Dependence,
    Explanations,
    default_labels,
    label_shown,
    local_csv,
    matched,
    read_explanations,
    rows_csv,
    write_explanations,
)
from driftline.errors import DocumentError

if TYPE_CHECKING:
    from pathlib import Path

PUBLISHED = (
    "adult_ll_baseline_run1",
    "adult_ll_baseline_run2_json_path_label",
    "adult_ll_baseline_run3",
    "adult_xgb_15rows",
    "fraud_explainability",
    "two_row_regression_like",
    "weather_baseline_a",
    "weather_baseline_b",
)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_files(name: str, data: Path) -> None:
    text = (data / "clarify/shap" / f"{name}_analysis.json").read_bytes()
    found = read_explanations(text, file=name)
    assert read_explanations(write_explanations(found)) == found
    ((label, told),) = json.loads(text)["explanations"]["kernel_shap"].items()
    assert found.labels == (label,)
    assert dict(found.attributions[0].values) == told["global_shap_values"]
    assert found.attributions[0].expected_value == told["expected_value"]


def test_text_attributions_and_curves(data: Path) -> None:
    text = (data / "clarify/misc/card_clarify_explanability.json").read_bytes()
    found = read_explanations(text)
    assert "global_top_shap_text" in found.attributions[0].extra
    age, animal = found.dependence
    assert age.kind == "numerical"
    assert animal.values == ("Cat", "Dog", "Horse", "Bird")
    assert read_explanations(write_explanations(found)) == found
    with pytest.raises(DocumentError, match=r"E-FEATURES: Age: only the current attributions"):
        matched(found, _renamed(found))


def _renamed(given: Explanations) -> Explanations:
    """The same labels, the second one's features under the first."""
    values = [one.values for one in given.attributions]
    return Explanations(
        tuple(Attribution(one.label, v) for one, v in zip(given.attributions, values[::-1], strict=True))
    )


def test_labels_are_matched_by_position_where_their_names_differ(data: Path) -> None:
    """A real file has the first score where ``label0`` belongs."""
    one, two = (
        read_explanations((data / "clarify/shap" / f"{name}_analysis.json").read_bytes())
        for name in PUBLISHED[:2]
    )
    ((before, after),) = matched(one, two)
    assert (before.label, after.label) == ("label0", "0.7956783771514893")
    assert label_shown(after.label, 0) == "label0"
    assert label_shown("approved", 0) == "approved"


def test_labels_are_matched_by_name_where_they_are_the_same() -> None:
    a, b = Attribution("a", {"x": 1.0}), Attribution("b", {"x": 2.0})
    assert matched(Explanations((a, b)), Explanations((b, a))) == [(a, a), (b, b)]
    c = Attribution("c", {"x": 3.0})
    assert matched(Explanations((a, b)), Explanations((b, c))) == [(a, b), (b, c)]


def test_what_else_the_file_has_is_kept() -> None:
    document = {
        "version": "1.0",
        "pre_training_bias_metrics": {"label": "x"},
        "explanations": {"kernel_shap": {"label0": {"global_shap_values": {"a": 1}, "expected_value": None}}},
    }
    found = read_explanations(json.dumps(document).encode())
    assert found.rest == {"pre_training_bias_metrics": {"label": "x"}}
    assert json.loads(write_explanations(found))["pre_training_bias_metrics"] == {"label": "x"}
    assert read_explanations(document) == found


def test_other_counts_and_features() -> None:
    one = Explanations((Attribution("a", {"x": 1.0}),))
    with pytest.raises(DocumentError, match="explains 1 outputs of the model, and now there are 2"):
        matched(one, Explanations((Attribution("a", {"x": 1.0}), Attribution("b", {"x": 1.0}))))
    with pytest.raises(DocumentError, match="E-FEATURES: y: only the current attributions"):
        matched(one, Explanations((Attribution("a", {"x": 1.0, "y": 2.0}),)))


def shap(**values: Any) -> bytes:
    return json.dumps({"explanations": {"kernel_shap": {"label0": values}}}).encode()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"{", "not JSON"),
        (b"[]", "expected an object"),
        (b"{}", "has no explanations"),
        (b'{"explanations": {}}', "no feature attributions"),
        (b'{"explanations": {"kernel_shap": {}}}', "no feature attributions"),
        (shap(), "global_shap_values: this field is required"),
        (shap(global_shap_values={}), "holds no feature"),
        (shap(global_shap_values={"a": "x"}), "expected a number, found text"),
        (shap(global_shap_values={"a": True}), "expected a number"),
        (
            b'{"explanations": {"kernel_shap": {"label0": {"global_shap_values": {"a": NaN}}}}}',
            "NaN is not JSON",
        ),
        (
            b'{"explanations": {"kernel_shap": {"l": {"global_shap_values": {"a": 1}}}, "pdp": [{"feature_name": "a",'
            b' "feature_values": [1, 2], "model_predictions": [[1]]}]}}',
            "has 1 numbers for 2 values",
        ),
    ],
)
def test_refused(text: bytes, words: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_explanations(text, file="analysis.json")
    assert words in str(caught.value)
    assert "analysis.json" in str(caught.value)


def test_a_curve_that_failed_says_why() -> None:
    one = Dependence("a", "numerical", error="constant")
    found = Explanations((Attribution("l", {"a": 1.0}),), (one,))
    assert read_explanations(write_explanations(found)) == found


def test_csv_of_rows() -> None:
    text = local_csv(["Age", "Sex"], ["label0", "label1"], [[[0.5, -1.0]], [[2.0, 3.0]]])
    assert text == b"Age_label0,Sex_label0,Age_label1,Sex_label1\n0.5,-1.0,2.0,3.0\n"
    assert rows_csv(["a", "b"], [[1.5, "x,y"], [None, 3]]) == b'a,b\n1.5,"x,y"\n,3\n'


def test_default_labels() -> None:
    assert default_labels(2) == ("label0", "label1")
