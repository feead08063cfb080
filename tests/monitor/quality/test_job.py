"""Jobs of model quality through their doors: what is judged, what is refused, what is left open."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from scored import BINARY, MULTICLASS, REGRESSION, binary, many, numbers

from driftline.baselines.index import INDEX
from driftline.baselines.packing import pack
from driftline.baselines.quality import CONSTRAINTS, STATES, STATISTICS, QualityBaseline
from driftline.baselines.quality_documents import read_quality_constraints, read_quality_statistics
from driftline.errors import DocumentError, DriftlineError, SchemaError, UsageError
from driftline.monitor.quality.job import check, make_baseline, read_settings, settings_document
from driftline.reports.codec import from_json
from driftline.reports.outcome import Outcome, Status

if TYPE_CHECKING:
    from pathlib import Path

    from driftline.reports.report import Report

NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)


def baseline_of(given: dict[str, Any], table: pa.Table, **more: Any) -> QualityBaseline:
    return make_baseline(table, read_settings(given | more), now=NOW)


@pytest.fixture(scope="module")
def churn() -> QualityBaseline:
    return baseline_of(BINARY, binary(5000, 1), slices=["region"], top_k=[50, 0.1])


def outcome(report: Report, check: str, segment: str | None = None) -> Outcome:
    [found] = [o for o in report.outcomes if o.constraint.check == check and o.segment == segment]
    return found


def exhibit(report: Report, name: str) -> list[tuple[Any, ...]]:
    [found] = [e for e in report.exhibits if e.name == name]
    return list(found.rows)


def test_the_same_model_passes(churn: QualityBaseline) -> None:
    report = check(binary(5000, 2), churn)
    assert not report.violations
    assert not report.incidents
    assert {o.constraint.check for o in report.outcomes if o.segment is None} == {
        "accuracy",
        "recall",
        "precision",
        "false_positive_rate",
        "auc",
        "brier",
        "calibration_error",
    }
    assert outcome(report, "accuracy").status is Status.PASSED


def test_a_worse_model_is_one_incident_and_one_for_each_slice(churn: QualityBaseline) -> None:
    report = check(binary(5000, 3, wrong=0.25), churn)
    assert {"accuracy", "auc", "brier"} <= {o.constraint.check for o in report.violations}
    whole, *slices = report.incidents
    assert whole.title.startswith("The model got worse: Accuracy")
    assert "in the baseline it was in" in whole.detail
    assert [one.title.split(":")[0] for one in slices] == [
        "The model got worse for region=north",
        "The model got worse for region=south",
    ]
    places = sorted(place for one in report.incidents for place in one.outcomes)
    assert places == [i for i, o in enumerate(report.outcomes) if o.is_violation]
    worst = outcome(report, "accuracy")
    assert worst.measurement.baseline is not None
    assert worst.constraint.bound == pytest.approx(worst.measurement.baseline - 0.02)
    assert worst.measurement.interval is not None
    assert worst.q_value is not None
    assert worst.q_value < 0.01


def test_each_fact_is_judged_once_and_the_others_are_named(churn: QualityBaseline) -> None:
    report = check(binary(500, 2), churn)
    [note] = [n for n in report.notes if n.startswith("shown and not judged")]
    for name in ("true_positive_rate", "false_negative_rate", "true_negative_rate", "f1", "log_loss"):
        assert name in note
        assert name not in {o.constraint.check for o in report.outcomes}


def test_somebody_may_judge_others(churn: QualityBaseline) -> None:
    report = check(
        binary(500, 2), churn, overrides={"checks": {"f1": {"enabled": True}, "auc": {"enabled": False}}}
    )
    checks = {o.constraint.check for o in report.outcomes if o.segment is None}
    assert "f1" in checks
    assert "auc" not in checks
    chosen = replace(read_settings(churn.settings), metrics=("f2",))
    assert {
        o.constraint.check for o in check(binary(500, 2), churn, settings=chosen).outcomes if not o.segment
    } == {"f2"}


def test_a_tolerance_and_a_bound_are_kept(churn: QualityBaseline) -> None:
    window = binary(5000, 3, wrong=0.25)
    wide = check(window, churn, overrides={"checks": {"accuracy": {"tolerance": 0.5}}})
    assert outcome(wide, "accuracy").status is Status.PASSED
    fixed = outcome(
        check(window, churn, overrides={"checks": {"accuracy": {"bound": 0.6, "severity": "critical"}}}),
        "accuracy",
    )
    assert (fixed.constraint.bound, fixed.status) == (0.6, Status.PASSED)
    strict = outcome(check(window, churn, overrides={"checks": {"accuracy": {"bound": 0.99}}}), "accuracy")
    assert strict.status is Status.VIOLATED
    point = check(
        binary(400, 4), churn, overrides={"checks": {"accuracy": {"bound": 0.99, "evidence": False}}}
    )
    assert outcome(point, "accuracy").status is Status.VIOLATED
    one = check(
        window, churn, overrides={"columns": {"region": {"checks": {"accuracy": {"tolerance": 0.5}}}}}
    )
    assert outcome(one, "accuracy", "region=north").status is Status.PASSED
    assert outcome(one, "accuracy").status is Status.VIOLATED
    without = check(window, churn, overrides={"columns": {"region": {"ignore": True}}})
    assert not [o for o in without.outcomes if o.segment == "region=north"]


def test_an_edited_threshold_is_the_bound(churn: QualityBaseline) -> None:
    document = json.loads(churn.files()[CONSTRAINTS])
    document["binary_classification_constraints"]["recall"] |= {"threshold": 0.999, "tolerance": 0.0}
    del document["binary_classification_constraints"]["precision"]
    edited = QualityBaseline.from_files(
        churn.files() | {CONSTRAINTS: json.dumps(document).encode()}, file="x"
    )
    report = check(binary(5000, 2), edited)
    assert outcome(report, "recall").status is Status.VIOLATED
    assert outcome(report, "recall").constraint.bound == 0.999
    assert "the threshold in constraints.json" in outcome(report, "recall").constraint.why
    assert not [o for o in report.outcomes if o.constraint.check == "precision" and o.segment is None]
    assert "constraints.json was edited after the baseline was made" in report.notes


def test_few_rows_are_undetermined(churn: QualityBaseline) -> None:
    report = check(binary(12, 5), churn)
    assert {o.status for o in report.outcomes} == {Status.UNDETERMINED}
    assert "fewer than the 30 asked for" in outcome(report, "accuracy").reason
    rare = pa.table({"y": [1] * 3 + [0] * 100, "p": [0.9] * 3 + [0.1] * 100, "region": ["north"] * 103})
    assert "rests on 3 rows" in outcome(check(rare, churn), "recall").reason


def test_an_empty_window_is_undetermined(churn: QualityBaseline) -> None:
    report = check(binary(0, 5), churn)
    assert report.status is Status.UNDETERMINED
    assert {o.status for o in report.outcomes} == {Status.UNDETERMINED}
    report.to_json()


def test_a_window_of_one_class_is_undetermined_where_it_must_be(churn: QualityBaseline) -> None:
    window = pa.table({"y": [0] * 200, "p": np.linspace(0.01, 0.4, 200), "region": ["north"] * 200})
    report = check(window, churn)
    assert outcome(report, "recall").status is Status.UNDETERMINED
    assert outcome(report, "recall").reason == "Recall cannot be computed: no row is actually positive."
    assert outcome(report, "auc").status is Status.UNDETERMINED
    assert outcome(report, "accuracy").measurement.value == 1.0


def test_without_labels_nothing_is_judged_and_much_is_expected(churn: QualityBaseline) -> None:
    window = binary(3000, 6, unlabelled=1.1)
    report = check(window, churn)
    assert {o.status for o in report.outcomes} == {Status.UNDETERMINED}
    assert "none of the 3,000 rows has a label yet, so that no metric is known" in report.notes
    rows = {row[0]: row for row in exhibit(report, "estimate")}
    realised = check(binary(3000, 6), churn)
    for title, name in (("Accuracy", "accuracy"), ("Recall", "recall"), ("AUC", "auc")):
        _, _, value, low, high, now, *_ = rows[title]
        assert low < value < high
        assert now is None
        found = outcome(realised, name).measurement.value
        assert found is not None
        assert low <= found <= high


def test_estimates_are_judged_only_where_somebody_asks(churn: QualityBaseline) -> None:
    # Scores that all say "perhaps": the model can only guess.
    window = pa.table(
        {"y": pa.nulls(3000, pa.int64()), "p": np.linspace(0.3, 0.7, 3000), "region": ["north"] * 3000}
    )
    report = check(window, churn)
    assert not report.violations
    assert any(n.startswith("expected of the rows without a label, and not judged") for n in report.notes)
    asked = replace(read_settings(churn.settings), judge_estimates=True)
    judged = check(window, churn, settings=asked)
    estimated = [o for o in judged.outcomes if o.segment == "estimated"]
    assert {o.constraint.check for o in estimated} >= {"accuracy", "recall"}
    assert judged.violations
    assert all(o.segment == "estimated" for o in judged.violations)
    assert all(o.measurement.note == "estimated from the probabilities, without labels" for o in estimated)
    assert judged.incidents[0].title.startswith("The model is expected to be worse")


def test_coverage_is_told(churn: QualityBaseline) -> None:
    report = check(binary(2000, 7, unlabelled=0.3), churn)
    rows = {row[0]: row[2] for row in exhibit(report, "coverage")}
    assert rows["captured"] == 2000
    assert rows["labelled"] == rows["labelled and predicted"] < 1500
    assert any("rows have no label: the metrics are of the other" in n for n in report.notes)


def test_rows_without_a_prediction_do_not_pass_in_silence(churn: QualityBaseline) -> None:
    table = binary(3000, 8)
    window = table.set_column(1, "p", pa.array(table["p"].to_pylist(), mask=np.arange(3000) % 20 == 0))
    report = check(window, churn)
    assert not [o for o in report.outcomes if o.segment is None and o.status is Status.PASSED]
    assert (
        "too many labelled rows are left out for it to count as passed" in outcome(report, "accuracy").reason
    )
    assert "150 rows have a label and no usable prediction; they are in no metric" in report.notes


def test_labels_of_another_kind_are_not_taken_for_wrong_ones(churn: QualityBaseline) -> None:
    table = binary(500, 9)
    words = pa.array(["yes" if y else "no" for y in table["y"].to_pylist()])
    report = check(table.set_column(0, "y", words), churn)
    assert not [o for o in report.outcomes if o.status is not Status.UNDETERMINED]
    assert any("labels that the baseline does not know: '" in n and "left out" in n for n in report.notes)
    same = check(table.set_column(0, "y", table["y"].cast(pa.float64())), churn)
    assert (
        outcome(same, "accuracy").measurement.value
        == outcome(check(table, churn), "accuracy").measurement.value
    )


def test_a_class_that_the_baseline_does_not_know_counts_as_wrong() -> None:
    baseline = baseline_of(MULTICLASS, many(3000, 1))
    table = many(1000, 2)
    new = ["dog" if i % 3 == 0 else y for i, y in enumerate(table["y"].to_pylist())]
    report = check(table.set_column(0, "y", pa.array(new)), baseline)
    assert outcome(report, "accuracy").status is Status.VIOLATED
    assert any("'dog' (334 rows)" in n for n in report.notes)
    assert [row[0] for row in exhibit(report, "confusion_matrix")] == ["ant", "bee", "cow", "dog"]


def test_many_classes_with_probabilities() -> None:
    lists = {"problem": "multiclass", "label": "y", "probability": "sure", "labels": ["ant", "bee", "cow"]}
    baseline = baseline_of(MULTICLASS | lists, many(3000, 1))
    report = check(many(2000, 2), baseline)
    assert {o.constraint.check for o in report.outcomes} == {
        "accuracy",
        "weighted_precision",
        "weighted_f1",
        "brier",
    }
    assert not report.violations
    worse = check(many(2000, 3, right=0.6), baseline)
    assert {o.constraint.check for o in worse.violations} >= {"accuracy", "weighted_f1", "brier"}
    # Without a column of predictions the most probable label is the prediction.
    alone = baseline_of({k: v for k, v in (MULTICLASS | lists).items() if k != "prediction"}, many(3000, 1))
    assert alone.statistics is not None
    assert baseline.statistics is not None
    assert alone.statistics.metrics == baseline.statistics.metrics
    columns = many(500, 4)
    flat = np.array(columns["sure"].to_pylist())
    wide = pa.table({"y": columns["y"], "a": flat[:, 0], "b": flat[:, 1], "c": flat[:, 2]})
    of_columns = {k: v for k, v in (MULTICLASS | lists).items() if k != "prediction"} | {
        "probability": ["a", "b", "c"]
    }
    assert (
        baseline_of(of_columns, wide).statistics
        == baseline_of(
            {k: v for k, v in (MULTICLASS | lists).items() if k != "prediction"}, columns
        ).statistics
    )


def test_numbers() -> None:
    baseline = baseline_of(REGRESSION, numbers(3000, 1), slices=["kind"])
    assert not check(numbers(2000, 2), baseline).violations
    worse = check(numbers(2000, 3, spread=0.7), baseline)
    assert {o.constraint.check for o in worse.violations if o.segment is None} >= {"mae", "rmse"}
    assert {o.segment for o in worse.violations} == {None, "kind=a", "kind=b"}
    assert "On average predictions are" in worse.incidents[0].detail
    mae = outcome(worse, "mae")
    assert mae.measurement.baseline is not None
    assert mae.constraint.bound == pytest.approx(1.05 * mae.measurement.baseline)
    constant = pa.table({"y": [3.0] * 100, "said": np.linspace(2, 4, 100), "kind": ["a"] * 100})
    assert "the truth is the same in all rows" in outcome(check(constant, baseline), "r2").reason


def test_infinite_predictions_are_told() -> None:
    baseline = baseline_of(REGRESSION, numbers(500, 1))
    table = numbers(500, 2)
    said = table["said"].to_numpy().copy()
    said[:20] = np.inf
    report = check(table.set_column(1, "said", pa.array(said)), baseline)
    assert "20 numbers are infinite; their rows are in no metric" in report.notes
    assert not [o for o in report.outcomes if o.status is Status.PASSED]


def test_a_slice_that_the_baseline_does_not_know_is_shown(churn: QualityBaseline) -> None:
    table = binary(1000, 10)
    report = check(table.set_column(2, "region", pa.array(["west"] * 500 + ["north"] * 500)), churn)
    assert any(n == "slices that the baseline does not have: region=west" for n in report.notes)
    assert {row[-1] for row in exhibit(report, "slices") if row[0] == "region=west"} == {"new"}
    gone = [o for o in report.outcomes if o.segment == "region=south"]
    assert {o.status for o in gone} == {Status.UNDETERMINED}
    assert "the window has no such rows" in gone[0].reason


def test_the_highest_scores_are_held_to_as_many_of_the_baseline(churn: QualityBaseline) -> None:
    report = check(binary(1000, 11), churn)
    rows = {row[0]: row for row in exhibit(report, "top_k")}
    assert rows["50 highest scores"][1] == 50
    assert rows["highest 10 %"][1] == 100
    first = outcome(report, "precision_at_k", "k=50")
    # 50 of 1,000 are 250 of the baseline's 5,000.
    table = binary(5000, 1)
    order = np.argsort(-table["p"].to_numpy(), kind="stable")[:250]
    assert first.measurement.baseline == pytest.approx(table["y"].to_numpy()[order].mean())
    worse = check(binary(2000, 12, wrong=0.4), churn)
    assert outcome(worse, "precision_at_k", "k=10%").status is Status.VIOLATED
    assert worse.incidents[0].title.startswith("The model got worse:")


def test_companions_are_the_documents_of_the_service(churn: QualityBaseline) -> None:
    report = check(binary(1000, 2), churn, now=NOW)
    statistics = read_quality_statistics(report.companions[STATISTICS]())
    assert statistics.evaluation_time == "2026-01-02T03:04:05.678Z"
    assert statistics.n_rows == 1000
    assert statistics.coverage["captured"] == 1000
    suggested = read_quality_constraints(report.companions[CONSTRAINTS]())
    value = statistics.metrics["recall"].value
    assert suggested.metrics["recall"].threshold == value
    names = list(report.files())
    assert names[-1] == "report.json"
    assert {"statistics.json", "constraints.json", "constraint_violations.json", "report.html"} < set(names)


def test_a_report_is_read_back(churn: QualityBaseline) -> None:
    report = check(binary(1000, 2, wrong=0.3), churn, now=NOW)
    again = from_json(report.to_json(), file="report.json")
    assert again.outcomes == report.outcomes
    assert again.exhibits == report.exhibits
    assert again.incidents == report.incidents


def test_the_same_rows_give_the_same_bytes(churn: QualityBaseline) -> None:
    table = binary(3000, 2)
    again = baseline_of(BINARY, binary(5000, 1), slices=["region"], top_k=[50, 0.1])
    assert again.files() == churn.files()
    first = check(table, churn, now=NOW)
    shuffled = table.take(np.random.default_rng(0).permutation(3000))
    other = check(pa.Table.from_batches(shuffled.to_batches(max_chunksize=170)), churn, now=NOW)
    assert first.to_json() == other.to_json()


def test_a_stream_is_read_once(churn: QualityBaseline) -> None:
    report = check(binary(1000, 2).to_reader(), churn)
    assert report.current.n_rows == 1000
    assert baseline_of(BINARY, binary(1000, 2).to_reader()).n_rows == 1000  # type: ignore[arg-type]


def test_a_folder_is_read(churn: QualityBaseline, tmp_path: Path) -> None:
    churn.save(tmp_path / "baseline")
    report = check(binary(500, 2), tmp_path / "baseline", label="week 3")
    assert (report.recipe, report.current.label) == ("model-quality", "week 3")
    report.save(tmp_path / "report")


@pytest.mark.parametrize(
    ("given", "table", "code", "message"),
    [
        (
            BINARY,
            {"y": [1], "q": [0.5]},
            "E-COLUMNS",
            "p: there is no such column, which the settings name as probability",
        ),
        (BINARY, {"y": [1, 0], "p": [0.5, 1.5]}, "E-PROBABILITY", "holds 1.5 in row 2"),
        (BINARY, {"y": [1, 0], "p": ["a", "b"]}, "E-NUMBER", "'a' in row 1"),
        (BINARY, {"y": pa.nulls(3), "p": [0.1, 0.2, 0.3]}, "E-NO-LABELS", "3 rows, 0 of them with a label"),
        (BINARY, {"y": pa.array([], pa.int64()), "p": pa.array([], pa.float64())}, "E-NO-LABELS", "no rows"),
        (
            BINARY,
            {"y": [0, 1, 2], "p": [0.1, 0.2, 0.3]},
            "E-CLASSES",
            "3 different values, expected two: '1', '0', '2'",
        ),
        (BINARY, {"y": [0, 0], "p": [0.1, 0.2]}, "E-CLASSES", "the positive label '1' occurs in no row"),
        (BINARY | {"positive": "yes"}, {"y": [0, 1], "p": [0.1, 0.2]}, "E-CLASSES", "3 different values"),
        (BINARY | {"slices": ["z"]}, {"y": [0, 1], "p": [0.1, 0.2]}, "E-COLUMNS", "as slice"),
        (
            MULTICLASS,
            {"y": np.arange(2000) / 7, "said": np.arange(2000)},
            "E-CLASSES",
            "too many to be labels",
        ),
        (
            {"problem": "multiclass", "label": "y", "probability": "all", "labels": ["a", "b"]},
            {"y": ["a", "b"], "all": [[0.5, 0.5], [1.0]]},
            "E-LIST",
            "a list of 1, expected 2",
        ),
        (
            {"problem": "multiclass", "label": "y", "probability": "all", "labels": ["a", "b"]},
            {"y": ["a", "b"], "all": [[0.5, 0.5], [-1.0, 2.0]]},
            "E-PROBABILITY",
            "expected 0 to 1",
        ),
        (REGRESSION, {"y": ["x"], "said": [1.0]}, "E-NUMBER", "holds 'x'"),
    ],
)
def test_data_that_cannot_be_used_are_refused(
    given: dict[str, Any], table: dict[str, Any], code: str, message: str
) -> None:
    with pytest.raises(SchemaError, match=message) as error:
        make_baseline(pa.table(table), read_settings(given))
    assert error.value.code == code
    assert error.value.fix


def test_what_does_not_fit_the_baseline_is_refused(churn: QualityBaseline) -> None:
    with pytest.raises(UsageError, match="for regression, and the baseline is of binary"):
        check(binary(10, 1), churn, settings=read_settings(REGRESSION))
    with pytest.raises(UsageError, match="the positive label is 'yes', and the baseline has '0', '1'"):
        check(binary(10, 1), churn, settings=read_settings(BINARY | {"positive": "yes"}))
    with pytest.raises(UsageError, match="E-COMPAT"):
        check(binary(10, 1), churn, compat="sagemaker", overrides={"alpha": 0.1})
    with pytest.raises(DriftlineError, match="did you mean 'region'"):
        check(binary(10, 1), churn, overrides={"columns": {"regoin": {"ignore": True}}})
    with pytest.raises(DocumentError, match="did you mean 'recall'"):
        check(binary(10, 1), churn, overrides={"checks": {"recal": {"tolerance": 0.1}}})


def test_foreign_states_are_refused(churn: QualityBaseline) -> None:
    other = replace(churn, states=pack({}))
    with pytest.raises(DocumentError, match="E-STATES"):
        check(binary(10, 1), other)
    broken = churn.files() | {STATES: b"nonsense"}
    with pytest.raises(DocumentError, match="E-BASELINE-DAMAGED"):
        QualityBaseline.from_files(broken, file="x")
    assert INDEX in broken


def test_settings_travel_with_the_baseline(churn: QualityBaseline) -> None:
    found = read_settings(dict(churn.settings))
    assert settings_document(found) == churn.settings
    assert found.slices == ("region",)


def test_progress_is_told() -> None:
    seen: list[tuple[int, int]] = []
    baseline = make_baseline(
        binary(100, 1), read_settings(BINARY), progress=lambda done, of: seen.append((done, of))
    )
    check(binary(100, 2), baseline, progress=lambda done, of: seen.append((done, of)))
    assert seen == [(1, 1), (1, 1)]
