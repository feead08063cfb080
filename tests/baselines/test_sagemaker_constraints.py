from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.baselines.constraint import (
    CHECKS,
    Constraints,
    Feature,
    InferredType,
    MonitoringConfig,
    Settings,
    Severity,
)
from driftline.baselines.sagemaker_constraints import SCHEMA, read_constraints, write_constraints
from driftline.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

shares = st.floats(0, 1)
optional_switch = st.none() | st.booleans()
numbers = st.floats(-1e300, 1e300)
settings_ = st.builds(
    Settings,
    enabled=optional_switch,
    bound=st.none() | shares,
    low=st.none() | st.floats(-1e300, 0),
    high=st.none() | st.floats(0, 1e300),
    evidence=optional_switch,
    min_rows=st.none() | st.integers(1, 10**9),
    severity=st.none() | st.sampled_from(Severity),
    why=st.none() | st.text(),
)
checks = st.dictionaries(st.sampled_from(sorted(CHECKS)), settings_, max_size=3)
thresholds = st.fixed_dictionaries(
    {},
    optional={
        "datatype_check_threshold": shares,
        "domain_content_threshold": shares,
        "comparison_threshold": shares,
        "categorical_comparison_threshold": shares,
        "perform_comparison": st.sampled_from([0.0, 1.0]),
    },
)
features = st.lists(
    st.builds(
        Feature,
        name=st.text(),
        inferred_type=st.sampled_from(InferredType),
        completeness=st.none() | shares,
        is_non_negative=optional_switch,
        domains=st.none() | st.lists(st.text(), min_size=1, max_size=4, unique=True).map(tuple),
        evaluate_constraints=optional_switch,
        emit_metrics=optional_switch,
        thresholds=thresholds,
        kind=st.sampled_from(["number", "text", "boolean", "time", "other"]),
        role=st.sampled_from(["feature", "identifier", "time"]),
        settings=checks,
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda f: f.name,
).map(tuple)
monitoring = st.builds(
    MonitoringConfig,
    evaluate_constraints=st.booleans(),
    emit_metrics=st.booleans(),
    datatype_check_threshold=shares,
    domain_content_threshold=shares,
    perform_comparison=st.booleans(),
    comparison_threshold=shares,
    comparison_method=st.sampled_from(["Robust", "Simple"]),
    categorical_comparison_threshold=shares,
    categorical_drift_method=st.sampled_from(["LInfinity", "ChiSquared"]),
)


@given(st.builds(Constraints, features, monitoring, checks, st.floats(1e-9, 1)))
def test_what_is_written_reads_back(constraints: Constraints) -> None:
    text = write_constraints(constraints)
    assert read_constraints(text) == constraints
    assert read_constraints(text.encode()) == constraints


@pytest.mark.parametrize("run", ["housing", "churn", "weather", "amazon_reviews"])
def test_real_files_come_out_byte_for_byte(data: Path, run: str) -> None:
    text = (data / "sagemaker" / run / "constraints.json").read_text()
    assert write_constraints(read_constraints(text)) == text


def test_the_fixture_of_2019(data: Path) -> None:
    constraints = read_constraints((data / "sagemaker/sdk_fixtures/constraints.json").read_bytes())
    domain = ("preproc-not-YET-supported-for-csv-json",)
    assert constraints == Constraints(
        (
            Feature("message", InferredType.STRING, 1.0, None, domain, True, True),
            Feature("second_message", InferredType.STRING, 1.0, None, domain),
        ),
        MonitoringConfig(comparison_threshold=1.0, categorical_comparison_threshold=1.0),
    )


def document(**feature: Any) -> dict[str, Any]:
    return {"features": [{"name": "x", "inferred_type": "Fractional", **feature}]}


def test_a_missing_monitoring_config_means_what_the_service_writes() -> None:
    assert read_constraints(json.dumps(document())).monitoring == MonitoringConfig(
        datatype_check_threshold=1.0, domain_content_threshold=1.0, comparison_threshold=0.1
    )


def test_a_file_of_2023_with_categorical_keys() -> None:
    config = {
        "distribution_constraints": {
            "comparison_threshold": 0.2,
            "comparison_method": "linf_simple",
            "categorical_comparison_threshold": 0.3,
            "categorical_drift_method": "ChiSquared",
        }
    }
    constraints = read_constraints(json.dumps({**document(), "monitoring_config": config}))
    assert constraints.monitoring == MonitoringConfig(
        comparison_threshold=0.2,
        comparison_method="Simple",
        categorical_comparison_threshold=0.3,
        categorical_drift_method="ChiSquared",
    )
    assert '"categorical_comparison_threshold" : 0.3' in write_constraints(constraints)


@pytest.mark.parametrize("key", ["monitoringConfigOverrides", "monitoring_config_overrides"])
@pytest.mark.parametrize("place", [None, "string_constraints", "num_constraints"])
@pytest.mark.parametrize("nested", [True, False])
def test_overrides_are_found_wherever_they_stand(key: str, place: str | None, nested: bool) -> None:
    drift: dict[str, Any] = {"perform_comparison": "Disabled", "comparison_threshold": 0.25}
    block: dict[str, Any] = {"evaluate_constraints": "Disabled", "datatype_check_threshold": 0.5}
    block.update({"distribution_constraints": drift} if nested else drift)
    overrides = {key: block}
    text = json.dumps(document(**(overrides if place is None else {place: overrides})))
    (feature,) = read_constraints(text).features
    assert feature.evaluate_constraints is False
    assert feature.emit_metrics is None
    assert feature.thresholds == {
        "datatype_check_threshold": 0.5,
        "comparison_threshold": 0.25,
        "perform_comparison": 0.0,
    }


def test_overrides_may_be_said_twice_but_not_differently() -> None:
    on, off = {"evaluate_constraints": "Enabled"}, {"evaluate_constraints": "Disabled"}
    both = document(monitoringConfigOverrides=on, string_constraints={"monitoring_config_overrides": on})
    assert read_constraints(json.dumps(both)).features[0].evaluate_constraints is True
    both = document(monitoringConfigOverrides=on, string_constraints={"monitoring_config_overrides": off})
    with pytest.raises(DocumentError, match="evaluate_constraints is overridden twice"):
        read_constraints(json.dumps(both))


def test_unknown_keys_of_sagemaker_are_ignored() -> None:
    text = json.dumps({**document(histogram=[1]), "version": 7, "monitoring_config": {"new": 1}, "more": {}})
    assert read_constraints(text) == read_constraints(json.dumps(document()))


def test_an_empty_domain_is_none() -> None:
    (feature,) = read_constraints(json.dumps(document(string_constraints={"domains": []}))).features
    assert feature.domains is None


def test_driftline_keeps_its_settings_under_its_own_key() -> None:
    constraints = Constraints(
        (Feature("x", InferredType.INTEGRAL, kind="number", role="identifier"),),
        settings={"ks": Settings(bound=0.2, severity=Severity.CRITICAL, why="agreed")},
        alpha=0.01,
    )
    written = json.loads(write_constraints(constraints))
    assert written["features"][0]["driftline"] == {"kind": "number", "role": "identifier"}
    assert written["driftline"] == {
        "schema": SCHEMA,
        "alpha": 0.01,
        "checks": {"ks": {"bound": 0.2, "severity": "critical", "why": "agreed"}},
    }


def drop(key: str) -> Callable[[dict[str, Any]], object]:
    return lambda d: d["features"][0].pop(key)


def put(place: str, value: object) -> Callable[[dict[str, Any]], object]:
    """Set a dotted place, below the first feature unless it starts with ``/``."""

    def change(d: dict[str, Any]) -> None:
        here = d if place.startswith("/") else d["features"][0]
        *path, last = place.strip("/").split(".")
        for key in path:
            here = here.setdefault(key, {})
        here[last] = value

    return change


DRIFT = "monitoring_config.distribution_constraints"


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        (drop("name"), "features[0].name", "required and missing"),
        (put("name", 3), "features[0].name", "expected text"),
        (drop("inferred_type"), "features[0].inferred_type", "required and missing"),
        (put("inferred_type", "Fractionl"), "features[0].inferred_type", "did you mean 'Fractional'"),
        (put("inferred_type", "Boolean"), "features[0].inferred_type", "unknown value 'Boolean'"),
        (put("completeness", 1.5), "features[0].completeness", "from 0 to 1, found 1.5"),
        (put("completeness", "1"), "features[0].completeness", "expected a number, found text"),
        (put("completeness", True), "features[0].completeness", "expected a number, found a boolean"),
        (
            put("num_constraints.is_non_negative", "true"),
            "features[0].num_constraints.is_non_negative",
            "true or false",
        ),
        (put("num_constraints", []), "features[0].num_constraints", "expected an object, found a list"),
        (
            put("string_constraints.domains", ["a", 1]),
            "features[0].string_constraints.domains[1]",
            "expected text",
        ),
        (put("string_constraints.domains", "a"), "features[0].string_constraints.domains", "expected a list"),
        (
            put("monitoringConfigOverrides.emit_metrics", "disabled"),
            "features[0].monitoringConfigOverrides.emit_metrics",
            "did you mean 'Disabled'",
        ),
        (
            put("monitoringConfigOverrides.comparison_threshold", -0.1),
            "features[0].monitoringConfigOverrides.comparison_threshold",
            "from 0 to 1",
        ),
        (put("/monitoring_config", "on"), "monitoring_config", "expected an object"),
        (
            put("/monitoring_config.datatype_check_threshold", 2),
            "monitoring_config.datatype_check_threshold",
            "0 to 1",
        ),
        (put(f"/{DRIFT}.comparison_threshold", "0.1"), f"{DRIFT}.comparison_threshold", "expected a number"),
        (put(f"/{DRIFT}.comparison_method", "Robst"), f"{DRIFT}.comparison_method", "did you mean 'Robust'"),
        (put(f"/{DRIFT}.categorical_drift_method", "Chi"), f"{DRIFT}.categorical_drift_method", "use one of"),
        (put("/features", []), "features", "is empty"),
        (put("/features", None), "features", "there is no list of features"),
        (put("/features", {"x": 1}), "features", "expected a list, found an object"),
        (put("/features", ["x"]), "features[0]", "expected an object, found text"),
        (put("driftline.rol", "time"), "features[0].driftline", "did you mean 'role'"),
        (put("driftline.kind", "numbr"), "features[0].driftline.kind", "did you mean 'number'"),
        (put("driftline.role", "id"), "features[0].driftline.role", "use one of"),
        (put("driftline.checks.kss", {}), "features[0].driftline.checks", "did you mean 'ks'"),
        (put("driftline.checks.ks", 0.1), "features[0].driftline.checks.ks", "expected an object"),
        (put("driftline.checks.ks.bond", 0.1), "features[0].driftline.checks.ks", "did you mean 'bound'"),
        (put("driftline.checks.ks.bound", 1.1), "features[0].driftline.checks.ks.bound", "from 0 to 1"),
        (put("driftline.checks.psi.bound", -1), "features[0].driftline.checks.psi.bound", "at least 0"),
        (put("driftline.checks.ks.enabled", 1), "features[0].driftline.checks.ks.enabled", "true or false"),
        (put("driftline.checks.ks.min_rows", 0), "features[0].driftline.checks.ks.min_rows", "at least 1"),
        (
            put("driftline.checks.ks.min_rows", 1.5),
            "features[0].driftline.checks.ks.min_rows",
            "whole number",
        ),
        (
            put("driftline.checks.ks.severity", "critcal"),
            "features[0].driftline.checks.ks.severity",
            "'critical'",
        ),
        (
            put("driftline.checks.numeric_range", {"low": 2, "high": 1}),
            "features[0].driftline.checks.numeric_range.low",
            "is above high",
        ),
        (put("/driftline.alhpa", 0.1), "driftline", "did you mean 'alpha'"),
        (put("/driftline.alpha", 0), "driftline.alpha", "above 0"),
        (put("/driftline.alpha", 2), "driftline.alpha", "from 0 to 1"),
        (
            put("/driftline.schema", "driftline.constraints/v9"),
            "driftline.schema",
            "found 'driftline.constraints/v9'",
        ),
        (put("/driftline.checks.psy", {}), "driftline.checks", "did you mean 'psi'"),
    ],
)
def test_what_is_refused(change: Callable[[dict[str, Any]], object], field: str, message: str) -> None:
    broken = document()
    change(broken)
    with pytest.raises(DocumentError) as caught:
        read_constraints(json.dumps(broken), file="my/constraints.json")
    assert (caught.value.file, caught.value.field) == ("my/constraints.json", field)
    assert message in str(caught.value)


def test_a_name_may_occur_once() -> None:
    twice = {"features": [{"name": "x", "inferred_type": "String"}] * 2}
    with pytest.raises(DocumentError, match="a feature called 'x' occurred before") as caught:
        read_constraints(json.dumps(twice))
    assert caught.value.field == "features[1].name"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the document is empty"),
        (" \n", "the document is empty"),
        ("{", "not JSON"),
        ("[]", "expected an object, found a list"),
        ('{"features": [{"name": "x", "inferred_type": "String", "completeness": NaN}]}', "NaN is not JSON"),
        ('{"features": [], "features": []}', "occurs twice"),
    ],
)
def test_other_texts_are_refused(text: str, message: str) -> None:
    with pytest.raises(DocumentError, match=message) as caught:
        read_constraints(text, file="c.json")
    assert caught.value.file == "c.json"
