"""``constraint_violations.json``, written and read."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from metric_reports import metric_outcome, metric_report

from driftline.errors import DocumentError
from driftline.reports.outcome import Outcome, Place, Status
from driftline.reports.violations import Violation, facet_of, read_violations, violations_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from driftline.reports.report import Report

    Make = Callable[..., Outcome]
    MakeReport = Callable[..., Report]


def test_a_real_report_comes_out_byte_for_byte(
    data: Path, make_outcome: Make, make_report: MakeReport
) -> None:
    original = (data / "sagemaker/housing/constraint_violations.json").read_text(encoding="utf-8")
    found = read_violations(original, file="housing")
    outcomes = [
        make_outcome("data_type", v.feature_name, Status.VIOLATED, value=0.0, reason=v.description)
        for v in found
    ]
    assert violations_json(make_report(outcomes, mode="sagemaker"), extras=False) == original


def test_nothing_violated_is_an_empty_list(passed_report: Report) -> None:
    assert violations_json(passed_report) == '{\n  "violations" : [ ]\n}'


def test_own_facts_stand_under_one_key(make_outcome: Make, make_report: MakeReport) -> None:
    outcomes = [
        make_outcome("ks", "ok", value=0.01),
        make_outcome(
            "ks", "a", Status.VIOLATED, value=0.25, reason="far", segment="r=1", n_current=10, n_baseline=20,
            p_value=1e-9, q_value=2e-9, where=(Place("f.csv", 3),),
        ),
    ]  # fmt: skip
    document = json.loads(violations_json(make_report(outcomes)))
    assert document == {
        "violations": [
            {
                "feature_name": "a",
                "constraint_check_type": "baseline_drift_check",
                "description": "far",
                "driftline": {
                    "status": "violated",
                    "check": "ks",
                    "value": 0.25,
                    "bound": 0.1,
                    "p_value": 1e-9,
                    "q_value": 2e-9,
                    "n_current": 10,
                    "n_baseline": 20,
                    "incident": 1,
                    "segment": "r=1",
                    "where": [{"source": "f.csv", "row": 3}],
                    "severity": "warning",
                },
            }
        ]
    }


def test_every_violation_names_its_incident(churn_report: Report) -> None:
    entries = json.loads(violations_json(churn_report))["violations"]
    assert [e["description"] for e in entries] == [o.reason for o in churn_report.violations]
    told = {e["driftline"]["incident"] for e in entries}
    assert told == set(range(1, len(churn_report.incidents) + 1))
    for entry, outcome in zip(entries, churn_report.violations, strict=True):
        incident = churn_report.incidents[entry["driftline"]["incident"] - 1]
        assert churn_report.outcomes.index(outcome) in incident.outcomes


def test_rules_about_the_whole_data_set_have_a_label(make_outcome: Make, make_report: MakeReport) -> None:
    checks = ("missing_column", "extra_column", "row_volume", "freshness")
    outcomes = [make_outcome(check, None, Status.VIOLATED, value=math.inf) for check in checks]
    entries = json.loads(violations_json(make_report(outcomes)))["violations"]
    assert [e["feature_name"] for e in entries] == [
        "Missing columns",
        "Extra columns",
        "Row volume",
        "Freshness",
    ]
    assert entries[0]["driftline"]["value"] == "Infinity"


def test_our_own_file_reads_back(any_report: Report) -> None:
    found = read_violations(violations_json(any_report), file="x")
    assert [v.description for v in found] == [o.reason for o in any_report.violations]
    assert all(v.extra["driftline"]["status"] == "violated" for v in found)


def test_old_wording_is_read(data: Path) -> None:
    found = read_violations(
        (data / "sagemaker/sdk_fixtures/constraint_violations.json").read_bytes(), file="x"
    )
    assert len(found) == 7
    assert found[0] == Violation(
        "store_and_fwd_flag",
        "categorical_values_check",
        "Value: 0.009009009009009009 does not meet the constraint requirement! ",
    )


def test_extra_keys_are_kept_and_a_description_may_be_missing(data: Path) -> None:
    found = read_violations((data / "sagemaker/byoc/nlp_constraints_violations.json").read_bytes(), file="x")
    assert found[0].feature_name == "sent_mmd_score"
    assert found[0].description is None
    assert found[0].extra["sentence"] == "Gilgamesh has not read the cuneiform tablets."


def test_metrics_have_no_feature() -> None:
    entry = '{"constraint_check_type": "LessThanThreshold", "metric_name": "r2"}'
    text = f'{{"version": "1.0", "violations": [{entry}]}}'
    assert read_violations(text, file="x") == (
        Violation(None, "LessThanThreshold", None, {"metric_name": "r2"}),
    )


# -- the forms of the other monitors


@pytest.mark.parametrize("name", ["adult_ll_live_batch", "adult_ll_live_endpoint", "adult_ll_live_jsonlines"])
def test_real_violations_of_bias_come_out_byte_for_byte(data: Path, name: str) -> None:
    original = (data / f"clarify/bias/{name}_violations.json").read_text(encoding="utf-8")
    outcomes = [
        metric_outcome(f"bias_{v.extra['metric_name'].lower()}", None, None, Status.VIOLATED,
                       column=f"{v.extra['facet']}={v.extra['facet_value']}", reason=v.description)
        for v in read_violations(original, file=name)
    ]  # fmt: skip
    assert violations_json(metric_report("bias", outcomes, mode="sagemaker"), extras=False) == original


def test_a_real_violation_of_attribution_comes_out_byte_for_byte(data: Path) -> None:
    original = (data / "clarify/shap/weather_drift_violations.json").read_text(encoding="utf-8")
    [found] = read_violations(original, file="x")
    for segment in (None, "label0"):
        outcome = metric_outcome(
            "ndcg", 0.86, 1.0, Status.VIOLATED, segment=segment, reason=found.description
        )
        assert violations_json(metric_report("attribution", [outcome]), extras=False) == original


def test_a_real_violation_of_model_quality_comes_out_byte_for_byte(data: Path) -> None:
    original = (data / "clarify/model_quality/weather_regression_violations.json").read_text(encoding="utf-8")
    [found] = read_violations(original, file="x")
    outcome = metric_outcome("r2", -53.8, -7.7, Status.VIOLATED, reason=found.description)
    assert violations_json(metric_report("model-quality", [outcome]), extras=False) == original


def test_a_threshold_that_somebody_turned_round_keeps_its_operator() -> None:
    outcome = metric_outcome("recall", 0.9, 0.8, Status.VIOLATED, bound=0.85)
    turned = replace(outcome, constraint=replace(outcome.constraint, expected="GreaterThanThreshold"))
    found = [
        json.loads(violations_json(metric_report("model-quality", [o])))["violations"][0]
        for o in (outcome, turned)
    ]
    assert [one["constraint_check_type"] for one in found] == ["LessThanThreshold", "GreaterThanThreshold"]


@pytest.mark.parametrize(
    ("recipe", "empty"),
    [
        ("model-quality", '{\n  "violations": []\n}'),
        ("bias", '{\n  "version": "1.0",\n  "violations": []\n}'),
        ("attribution", '{\n  "version": "1.0",\n  "violations": []\n}'),
    ],
)
def test_no_violated_metric_is_an_empty_list(recipe: str, empty: str) -> None:
    assert violations_json(metric_report(recipe, [])) == empty


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("sex=Female", ("sex", "Female")),
        ("formula=a=b", ("formula", "a=b")),
        ("age=(45, 90]", ("age", "(45, 90]")),
        ("sex=Female & race=Black", ("sex & race", "Female & Black")),
        ("sex=Female & race=Black & age=(45, 90]", ("sex & race & age", "Female & Black & (45, 90]")),
        ("status=single & free", ("status", "single & free")),
        ("status=single & free & sex=Male", ("status & sex", "single & free & Male")),
        ("sex=", ("sex", "")),
        ("no sign", ("no sign", "")),
        (None, ("", "")),
    ],
)
def test_a_group_is_split_into_facet_and_value(text: str | None, parts: tuple[str, str]) -> None:
    assert facet_of(text) == parts


def test_own_facts_about_a_metric(bias_report: Report) -> None:
    document = json.loads(violations_json(bias_report))
    assert list(document) == ["version", "violations"]
    first = document["violations"][0]
    assert {key: first[key] for key in ("facet", "facet_value", "metric_name", "constraint_check_type")} == {
        "facet": "sex", "facet_value": "Female", "metric_name": "DPPL", "constraint_check_type": "bias_drift_check",
    }  # fmt: skip
    own = first["driftline"]
    assert own["check"] == "bias_dppl"
    assert own["column"] == "sex=Female"
    assert own["baseline"] == bias_report.violations[0].measurement.baseline
    assert own["interval"] == list(bias_report.violations[0].measurement.interval or ())
    assert (own["low"], own["high"]) == (-0.1701, 0.1701)
    assert own["incident"] == 1


def test_what_is_violated_in_one_text(
    quality_report: Report, bias_report: Report, attribution_report: Report, churn_report: Report
) -> None:
    reports = (quality_report, bias_report, attribution_report, churn_report)
    subjects = [read_violations(violations_json(report), file="x")[0].subject for report in reports]
    assert subjects == ["recall", "DPPL of sex=Female", "shap of label0", "Day Mins"]
    assert Violation(None, "x").subject is None


def test_half_a_surrogate_pair_in_a_group_is_escaped() -> None:
    outcome = metric_outcome("bias_dpl", 0.3, 0.1, Status.VIOLATED, column="a=\ud800é", reason="so")
    text = violations_json(metric_report("bias", [outcome]))
    assert '"facet_value": "\\ud800é"' in text
    assert text.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "E-JSON: v.json:1: not JSON: Expecting value at column 1"),
        ("{}", "E-FIELD: v.json: violations: this field is required and missing"),
        ('{"violations": {}}', "E-FIELD: v.json: violations: expected a list, found an object"),
        ('{"violations": [1]}', "E-FIELD: v.json: violations[0]: expected an object, found a number"),
        (
            '{"violations": [{"feature_name": "a"}]}',
            "E-FIELD: v.json: violations[0].constraint_check_type: this field is required and missing",
        ),
        (
            '{"violations": [{"feature_name": 1, "constraint_check_type": "a"}]}',
            "E-FIELD: v.json: violations[0].feature_name: expected text, found a number",
        ),
    ],
)
def test_what_is_no_such_file_is_refused(text: str, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_violations(text, file="v.json")
    assert str(caught.value) == message
