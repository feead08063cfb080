"""What the bias monitor is told, in driftline's words and in Clarify's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.errors import DocumentError, DriftlineError, UsageError
from driftline.monitor.bias.settings import (
    POST,
    PRE,
    FacetSetting,
    Settings,
    config_document,
    read_settings,
    settings_document,
)

LEAST = {"label": "y", "positive": [1], "facets": [{"column": "sex"}]}

TOML = b"""
label = "income"
positive = [">50K"]
probability = "score"
threshold = 0.4
group = "age"
intersections = [["sex", "race"]]
metrics = ["DI", "RD", "DPL"]

[[facets]]
column = "sex"
values = ["Female"]
name = "women"
others = "men"

[[facets]]
column = "age"
threshold = 45

[ranges]
DI = [0.8, 1.25]

[tolerance]
RD = 0.05
"""


def test_toml_says_it_all() -> None:
    settings = read_settings(TOML)
    assert settings.label == "income"
    assert settings.positive == (">50K",)
    assert (settings.probability, settings.threshold) == ("score", 0.4)
    assert settings.facets == (
        FacetSetting("sex", ("Female",), name="women", others="men"),
        FacetSetting("age", None, 45.0, "continuous"),
    )
    assert settings.intersections == (("sex", "race"),)
    assert settings.codes == ("DPL", "DI", "RD")
    assert settings.ranges == {"DI": (0.8, 1.25)}
    assert settings.tolerance == {"RD": 0.05}
    assert (settings.replicates, settings.level) == (500, 0.95)


def test_without_a_prediction_only_labels_are_looked_at() -> None:
    assert read_settings(LEAST).codes == PRE


def test_without_a_label_what_needs_no_truth_is_looked_at() -> None:
    given = {"positive": [1], "prediction": "p", "facets": [{"column": "sex"}]}
    assert read_settings(given).codes == ("CI", "DPPL", "DI", "CDDPL", "FT")


def test_a_position_is_a_name() -> None:
    assert read_settings({**LEAST, "label": 14}).label == "14"


def test_a_label_threshold_makes_it_continuous() -> None:
    settings = read_settings({"label": "y", "label_threshold": 3.5, "facets": [{"column": "sex"}]})
    assert (settings.positive, settings.label_kind) == ((3.5,), "continuous")


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
scalars = st.one_of(names, st.integers(-5, 5), st.floats(-9, 9, width=32), st.booleans())
facets = st.one_of(
    st.builds(FacetSetting, names, st.one_of(st.none(), st.tuples(scalars))),
    st.builds(
        lambda column, threshold: FacetSetting(column, None, threshold, "continuous"), names, st.floats(-9, 9)
    ),
    st.builds(lambda column, values: FacetSetting(column, values, None, "auto"), names, st.tuples(scalars)),
)


@st.composite
def all_settings(draw: st.DrawFn) -> Settings:
    columns = draw(st.lists(names, min_size=8, max_size=8, unique=True))
    chosen = [draw(facets) for _ in range(draw(st.integers(1, 2)))]
    placed = tuple(
        FacetSetting(columns[i], one.values, one.threshold, one.kind, draw(st.none() | names), one.others)
        for i, one in enumerate(chosen)
    )
    return Settings(
        facets=placed,
        positive=draw(st.tuples(scalars, scalars)),
        label=columns[3],
        label_kind=draw(st.sampled_from(["categorical", "auto"])),
        prediction=draw(st.sampled_from([None, columns[4]])),
        probability=draw(st.sampled_from([None, columns[5]])),
        threshold=draw(st.floats(0, 1)),
        group=draw(st.sampled_from([None, columns[6]])),
        intersections=draw(st.sampled_from([(), ((columns[0], columns[7]),)])),
        metrics=draw(st.sampled_from([(), ("CI", "DPL"), ("DPL", "DI")])),
        features=draw(st.sampled_from([None, (columns[7],)])),
        min_rows=draw(st.integers(1, 99)),
        level=draw(st.floats(0.5, 0.99)),
        standardise=draw(st.booleans()),
        ranges=draw(st.sampled_from([{}, {"DI": (0.8, None)}])),
        tolerance=draw(st.sampled_from([{}, {"DPL": 0.1}])),
    )


@given(all_settings())
def test_settings_survive_their_document(settings: Settings) -> None:
    document = settings_document(settings)
    assert read_settings(document) == settings
    assert json.loads(json.dumps(document)) == document
    assert read_settings(json.dumps(document).encode()) == settings


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"facetts": []}, "did you mean 'facets'?"),
        ({"facets": []}, "facets: names nobody to look at"),
        ({"facets": [{"column": "y"}]}, "is the label or the prediction, too"),
        ({"facets": [{"column": "a"}, {"column": "a"}]}, "given twice"),
        ({"facets": [{"colum": "a"}]}, "did you mean 'column'?"),
        (
            {"facets": [{"column": "a", "values": [1], "threshold": 2}]},
            "facets[0].threshold: stands beside values",
        ),
        (
            {"facets": [{"column": "a", "threshold": "x"}]},
            "facets[0].threshold: expected a number, found text",
        ),
        ({"facets": [{"column": "a", "type": "continuous"}]}, "needs a threshold"),
        ({"facets": [{"column": "a", "threshold": 1, "type": "auto"}]}, "makes it continuous"),
        ({"positive": []}, "positive: is empty"),
        ({"positive": [{}]}, "positive[0]: expected a number, found an object"),
        ({"positive": None}, "positive: this field is required and missing"),
        ({"label_threshold": 3}, "label_threshold: stands beside positive"),
        ({"label": None}, "give label, prediction, or probability"),
        ({"label": -1}, "expected the name of a column"),
        ({"prediction": "y"}, "is the label, too"),
        ({"metrics": ["DX"]}, "metrics[0]: there is no metric called 'DX'"),
        ({"metrics": ["di"]}, "did you mean 'DI'?"),
        ({"metrics": ["DI"]}, "metrics: none of these metrics can be computed"),
        ({"methods": ["post"]}, "methods: none of these metrics can be computed"),
        ({"methods": ["during"]}, "use pre, post, or both"),
        ({"level": 2}, "level: expected a number from 0.5 to 0.9999"),
        ({"replicates": 10}, "replicates: expected at least 100"),
        ({"ranges": {"DI": [1.2, 0.8]}}, "ranges.DI: the range is empty"),
        ({"ranges": {"DI": [1.2]}}, "ranges.DI: expected two ends"),
        ({"ranges": {"DI": [None, None]}}, "ranges.DI: expected at least one end"),
        ({"ranges": {"XX": [0, 1]}}, "there is no metric called 'XX'"),
        ({"tolerance": {"DI": 0.1}}, "tolerance.DI: expected a number of at least 1"),
        ({"intersections": [["a"]]}, "intersections[0]: expected from 2 to 4 different columns"),
        ({"features": ["a", "a"]}, "features: names a column twice"),
        ({"headers": ["a", "a"]}, "headers: names a column twice"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], told: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_settings({**LEAST, **change}, file="bias.toml")
    assert told in str(caught.value)
    assert "bias.toml" in str(caught.value)


def test_nothing_is_refused_with_an_example() -> None:
    with pytest.raises(UsageError, match="which column is the label"):
        read_settings(None)
    with pytest.raises(UsageError, match="found an object of type list"):
        read_settings([])  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [b"a = ", b"\xff", b"{", b"a." * 300 + b"b = 1", b"label = 1\nlabel = 2"])
def test_malformed_files_are_refused(data: bytes) -> None:
    with pytest.raises(DriftlineError, match="bias"):
        read_settings(data, file="bias.toml")


@given(st.binary(max_size=60))
def test_no_bytes_make_a_traceback(data: bytes) -> None:
    with pytest.raises(DriftlineError):
        read_settings(data)


CLARIFY = {
    "dataset_type": "text/csv",
    "headers": ["age", "sex", "Target", "guess"],
    "label": "Target",
    "label_values_or_threshold": [1],
    "predicted_label": "guess",
    "facet": [{"name_or_index": "sex", "value_or_threshold": [0]}, {"name_or_index": "age"}],
    "group_variable": "age",
    "methods": {"pre_training_bias": {"methods": ["CI", "DPL"]}, "post_training_bias": {"methods": "all"}},
}


def test_clarify_configuration() -> None:
    settings = read_settings(json.dumps(CLARIFY).encode())
    assert settings.facets == (FacetSetting("sex", (0,), kind="auto"), FacetSetting("age", kind="auto"))
    assert (settings.label, settings.prediction, settings.group) == ("Target", "guess", "age")
    assert settings.label_kind == "auto"
    assert settings.codes == ("CI", "DPL", *POST)
    assert settings.headers == ("age", "sex", "Target", "guess")
    assert read_settings(settings_document(settings)) == settings


def test_clarify_configuration_comes_back() -> None:
    settings = read_settings(CLARIFY)
    assert read_settings(config_document(settings)) == settings


def test_a_published_configuration(data: Any) -> None:
    settings = read_settings((data / "clarify" / "bias" / "fraud_analysis_config.json").read_bytes())
    assert (settings.label, settings.positive, settings.methods) == ("fraud", (0,), ("pre",))
    assert settings.facets == (FacetSetting("customer_gender_female", (1,), kind="auto"),)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"facet_dataset_uri": "s3://x"}, "facet_dataset_uri: is not supported; join the facets"),
        (
            {"facet": [{"name_or_index": "sex", "value_or_threshhold": [0]}]},
            "did you mean 'value_or_threshold'?",
        ),
        ({"methods": {"shap": {}}}, "asks for no bias metric"),
        ({"grup_variable": "x"}, "did you mean 'group_variable'?"),
        ({"label_values_or_threshold": None}, "required and missing"),
    ],
)
def test_what_is_wrong_in_a_clarify_configuration_is_named(change: dict[str, Any], told: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_settings({**CLARIFY, **change}, file="analysis_config.json")
    assert told in str(caught.value)


def test_a_probability_of_the_monitoring_job() -> None:
    given = {k: v for k, v in CLARIFY.items() if k != "predicted_label"}
    settings = read_settings({**given, "probability_attribute": 3, "probability_threshold_attribute": 0.8})
    assert (settings.prediction, settings.probability, settings.threshold) == (None, "3", 0.8)
