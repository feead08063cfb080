"""``constraint_violations.json``, written and read."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest

from driftline.errors import DocumentError
from driftline.reports.outcome import Outcome, Place, Status
from driftline.reports.violations import Violation, read_violations, violations_json

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
