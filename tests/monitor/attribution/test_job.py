"""From data to report, through the doors that everybody uses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

from driftline.baselines.attribution import AttributionBaseline
from driftline.baselines.explanations import read_explanations
from driftline.capture.open import open_source
from driftline.errors import DocumentError, DriftlineError, SchemaError, UsageError
from driftline.monitor.attribution.failure import ModelError
from driftline.monitor.attribution.job import check, make_baseline, read_settings, settings_document
from driftline.monitor.attribution.keeping import local_of
from driftline.reports.codec import from_json
from driftline.reports.outcome import Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from monitor_attribution_shared import Census, ModelServer

    from driftline.reports.outcome import Outcome
    from driftline.reports.report import Report

EXACT = {
    "age": 0.059578, "workclass": 0.008436, "fnlwgt": 0.000137, "education": 0.014514, "education_num": 0.098800,
    "marital_status": 0.054499, "occupation": 0.002124, "relationship": 0.017880, "ethnic_group": 0.004359,
    "sex": 0.031530, "capital_gain": 0.099148, "capital_loss": 0.013381, "hours_per_week": 0.036267,
    "country": 0.004428,
}  # fmt: skip
"""Exact mean absolute Shapley values of Clarify's example, by full enumeration."""


@pytest.fixture(scope="module")
def baseline(census: Census) -> AttributionBaseline:
    return make_baseline(census.baseline, read_settings(census.settings()), model=census)


def outcome(
    report: Report, check_name: str, column: str | None = None, segment: str | None = None
) -> Outcome:
    (found,) = [
        o
        for o in report.outcomes
        if (o.constraint.check, o.constraint.column, o.segment) == (check_name, column, segment)
    ]
    return found


def frame(n: int, seed: int, scale: tuple[float, ...] = (3.0, 2.0, 0.2)) -> pa.Table:
    x = np.random.default_rng(seed).normal(size=(n, len(scale))) * scale
    return pa.table({name: x[:, j] for j, name in enumerate("abcdef"[: len(scale)])})


def made_rows(baseline: AttributionBaseline) -> Any:
    found = local_of(baseline.parts)
    assert found is not None
    return found


def linear(x: Any) -> Any:
    return x.sum(axis=1)


SMALL = read_settings({"background": {"clusters": 1}, "pdp": {"top": 0}, "rows": 1000})


# -- the example of Clarify


def test_exact_attributions_of_the_example(census: Census) -> None:
    settings = read_settings(census.settings(n_samples=2**14 - 2))
    found = make_baseline(census.baseline, settings, model=census)
    (one,) = found.explanations.attributions
    assert one.values == pytest.approx(EXACT, abs=1e-6)
    assert one.expected_value == pytest.approx(0.2506232731, abs=1e-9)


def test_estimated_attributions_are_as_near_as_the_services(baseline: AttributionBaseline) -> None:
    assert baseline.explanations.attributions[0].values == pytest.approx(EXACT, abs=3e-5)


def test_partial_dependence_of_the_example(census: Census) -> None:
    settings = read_settings(census.settings(pdp={"features": ["sex", "age"], "grid": 10}, rows=20))
    sex, age = make_baseline(census.baseline, settings, model=census).explanations.dependence
    assert sex.values == (0.0, 1.0)
    assert sex.predictions[0] == pytest.approx((0.17995397102875144, 0.2817363642461747), abs=1e-12)
    assert age.values[0] == pytest.approx(20.65)
    assert age.values[-1] == pytest.approx(86.35)
    assert (age.predictions[0][0], age.predictions[0][-1]) == pytest.approx(
        (0.16957786592881893, 0.5376151671940363)
    )
    assert sum(age.shares) == pytest.approx(1.0)


def test_live_data_of_the_example(census: Census, baseline: AttributionBaseline) -> None:
    """Country was encoded by another list in live data: it no longer moves any prediction, and that is told."""
    report = check(census.live, baseline)
    assert report.status is Status.PASSED
    change = outcome(report, "attribution_change", "country").measurement
    assert change.interval is not None
    assert change.interval[1] < 0
    assert any(
        note.startswith("country weighs little, but less than half of what it did") for note in report.notes
    )
    strict = {"alpha": 0.05, "columns": {"country": {"checks": {"attribution_change": {"tolerance": 0.001}}}}}
    report = check(census.live, baseline, overrides=strict)
    assert [o.constraint.column for o in report.violations] == ["country"]
    assert report.violations[0].reason.startswith("The model leans less on country: 0.4 %")


def test_compat_mode(census: Census, baseline: AttributionBaseline) -> None:
    report = check(census.live, baseline, compat="sagemaker")
    (only,) = report.outcomes
    assert only.measurement.value == pytest.approx(0.99986, abs=1e-4)
    assert only.reason == f"Feature attribution drift {only.measurement.value!r} is within threshold 0.9"


# -- what is judged


@pytest.fixture(scope="module")
def small() -> AttributionBaseline:
    return make_baseline(frame(2000, 0), SMALL, model=linear)


def test_the_same_data_pass(small: AttributionBaseline) -> None:
    report = check(frame(1000, 1), small)
    assert report.status is Status.PASSED
    assert report.incidents == ()
    assert {o.constraint.check for o in report.outcomes} == {
        "ndcg", "attribution_distance", "attribution_magnitude", "attribution_change",
    }  # fmt: skip
    assert outcome(report, "ndcg").reason.startswith("The features matter in about the same order")


def test_a_swapped_feature_is_found(small: AttributionBaseline) -> None:
    report = check(frame(1000, 1, (0.2, 2.0, 3.0)), small)
    assert report.status is Status.VIOLATED
    assert {o.constraint.column for o in report.violations} == {None, "a", "c"}
    change = outcome(report, "attribution_change", "c")
    assert change.reason.startswith("The model now leans on c: ")
    assert "in the baseline." in change.reason
    assert outcome(report, "attribution_magnitude").status is Status.PASSED
    ranking, moved = report.incidents
    assert ranking.title == "The order in which features matter has changed"
    assert "c from rank 3 to 1" in ranking.detail
    assert moved.title in (
        "The model leans on its features differently: c, a",
        "The model leans on its features differently: a, c",
    )
    assert sorted(i for one in report.incidents for i in one.outcomes) == [
        i for i, o in enumerate(report.outcomes) if o.is_violation
    ]


def test_a_loss_that_leaves_the_order_is_found(small: AttributionBaseline) -> None:
    report = check(frame(1000, 1, (1.5, 1.0, 0.1)), small)
    assert outcome(report, "ndcg").status is Status.PASSED
    assert outcome(report, "attribution_distance").status is Status.PASSED
    assert outcome(report, "attribution_magnitude").status is Status.VIOLATED
    assert "0.5" in outcome(report, "attribution_magnitude").reason


def test_compat_mode_in_sagemakers_words(small: AttributionBaseline) -> None:
    report = check(frame(1000, 1, (0.2, 2.0, 3.0)), small, compat="sagemaker")
    (only,) = report.violations
    assert only.reason == f"Feature attribution drift {only.measurement.value!r} exceeds threshold 0.9"
    entry = json.loads(report.files()["constraint_violations.json"])["violations"][0]
    assert {key: entry[key] for key in entry if key != "driftline"} == {
        "label": "label0",
        "metric_name": "shap",
        "constraint_check_type": "feature_attribution_drift_check",
        "description": only.reason,
    }


def test_few_rows_are_no_evidence(small: AttributionBaseline) -> None:
    report = check(frame(20, 1, (0.2, 2.0, 3.0)), small)
    assert report.status is Status.UNDETERMINED
    assert "Only 20 rows could be explained, and 30 are needed" in outcome(report, "ndcg").reason
    point = check(
        frame(20, 1, (0.2, 2.0, 3.0)),
        small,
        overrides={"checks": {"ndcg": {"evidence": False, "min_rows": 1}}},
    )
    assert outcome(point, "ndcg").status is Status.VIOLATED


def test_no_rows_are_undetermined(small: AttributionBaseline) -> None:
    for compat in (None, "sagemaker"):
        report = check(frame(0, 1), small, compat=compat)
        assert report.status is Status.UNDETERMINED
        assert report.current.n_rows == 0
        assert json.loads(report.to_json())["recipe"] == "attribution"
    with pytest.raises(SchemaError, match="not a single row"):
        make_baseline(frame(0, 0), SMALL, model=linear)


def test_overrides(small: AttributionBaseline) -> None:
    live = frame(1000, 1, (0.2, 2.0, 3.0))
    report = check(
        live,
        small,
        overrides=b"""
            alpha = 0.05
            [checks.ndcg]
            bound = 0.5
            [checks.attribution_distance]
            enabled = false
            [checks.attribution_magnitude]
            tolerance = 1.0
            [checks.attribution_change]
            tolerance = 0.9
            [columns.a]
            ignore = true
            [columns.c.checks.attribution_change]
            bound = 0.1
            severity = "critical"
        """,
    )
    assert report.alpha == 0.05
    assert [(o.constraint.check, o.constraint.column) for o in report.violations] == [
        ("attribution_change", "c")
    ]
    assert report.incidents[0].severity == "critical"
    assert outcome(report, "attribution_magnitude").constraint.high == 2.0
    with pytest.raises(UsageError, match="did you mean"):
        check(live, small, overrides={"columns": {"aa": {"ignore": True}}})
    with pytest.raises(UsageError, match="compat mode knows one rule"):
        check(live, small, compat="sagemaker", overrides={"alpha": 0.5})


# -- determinism


def test_the_same_files_whatever_the_order_of_the_rows(census: Census) -> None:
    table = pacsv.read_csv(census.baseline)
    settings = read_settings(census.settings(rows=50))
    mixed = table.take(pa.array(np.random.default_rng(0).permutation(table.num_rows)))

    def made(data: Any) -> dict[str, bytes]:
        files = make_baseline(data, settings, model=census, label="x").files()
        return {name: files[name] for name in files if name != "baseline.json"}

    assert made(table) == made(open_source(mixed, batch_rows=100))


def test_reports_are_the_same_and_can_be_read_again(small: AttributionBaseline) -> None:
    one, other = check(frame(500, 1), small), check(frame(500, 1), small)
    assert json.loads(one.to_json())["id"] == json.loads(other.to_json())["id"]
    again = from_json(one.to_json(), file="report.json")
    assert again.outcomes == one.outcomes
    assert again.exhibits == one.exhibits
    assert "global_attributions" in [e.name for e in one.exhibits]


def test_saved_and_read_again(small: AttributionBaseline, tmp_path: Path) -> None:
    small.save(tmp_path / "b")
    assert {p.name for p in (tmp_path / "b").iterdir()} == {
        "analysis.json", "baseline.csv", "baseline.json", "out.csv", "states.arrow",
    }  # fmt: skip
    with pytest.raises(UsageError, match="give it again"):
        check(frame(500, 1), tmp_path / "b")
    report = check(frame(500, 1), tmp_path / "b", model=linear)
    assert (
        json.loads(report.to_json())["outcomes"]
        == json.loads(check(frame(500, 1), small).to_json())["outcomes"]
    )
    report.save(tmp_path / "r")
    assert {"analysis.json", "out.csv", "baseline.csv", "report.json"} <= {
        p.name for p in (tmp_path / "r").iterdir()
    }
    read_explanations((tmp_path / "r" / "analysis.json").read_bytes())


# -- columns


def test_texts_booleans_and_gaps(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    city = rng.choice(["Bonn", "Wien"], 400)
    table = pa.table(
        {"city": city, "member": rng.random(400) < 0.5, "label": rng.random(400), "age": [None, 40] * 200}
    )

    def model(columns: dict[str, Any]) -> Any:
        return 2.0 * (columns["city"] == "Wien") + columns["member"] + np.isnan(columns["age"])

    settings = read_settings(
        {
            "model": {"kind": "callable", "input": "columns", "object": model},
            "features": ["city", "member", "age"],
            "background": {"rows": [["Bonn", False, 40]]},
        }
    )
    made = make_baseline(table, settings)
    assert made.names == ("city", "member", "age")
    made.save(tmp_path / "b")
    again = AttributionBaseline.from_files(made.files(), file="b")
    live = table.set_column(0, "city", pa.array(np.where(city == "Wien", "Graz", "Bonn")))
    report = check(live, again, model={"kind": "callable", "input": "columns", "object": model})
    assert "the baseline knows no city 'Graz'" in report.notes
    assert "city" in {o.constraint.column for o in report.violations}
    exhibits = {e.name: e for e in report.exhibits}
    assert exhibits["partial_dependence:city"].kind == "bars"


def test_groups_are_explained_as_one(census: Census) -> None:
    settings = read_settings(census.settings(rows=60, groups={"capital": ["capital_gain", "capital_loss"]}))
    made = make_baseline(census.baseline, settings, model=census)
    assert "capital" in made.features
    assert len(made.features) == 13
    assert made.names == tuple(census.features)
    assert check(census.live, made).status is not Status.VIOLATED


def test_columns_that_are_not_there(small: AttributionBaseline) -> None:
    with pytest.raises(SchemaError, match=r"E-COLUMN: .*c: the data have no such column"):
        check(frame(50, 0, (1.0, 1.0)), small)
    with pytest.raises(SchemaError, match="did you mean 'a'"):
        make_baseline(frame(50, 0), read_settings({"ignore": ["A"]}), model=linear)


def test_several_outputs_are_segments() -> None:
    def model(x: Any) -> Any:
        return np.column_stack([x[:, 0] + x[:, 2], x[:, 1] - x[:, 2]])

    settings = read_settings(
        {"label_headers": ["yes", "no"], "background": {"clusters": 1}, "pdp": {"top": 0}}
    )
    made = make_baseline(frame(1000, 0), settings, model=model)
    report = check(frame(500, 1, (0.2, 2.0, 3.0)), made)
    assert outcome(report, "ndcg", segment="yes").status is Status.VIOLATED
    assert {o.segment for o in report.outcomes} == {"yes", "no"}
    assert report.incidents[-1].title.startswith("The model leans on its features differently for ")
    assert {e.name for e in report.exhibits} == {"global_attributions", "global_attributions:no"}
    labels = [one["label"] for one in json.loads(report.files()["constraint_violations.json"])["violations"]]
    assert set(labels) <= {"yes", "no"}
    with pytest.raises(SchemaError, match="names 1 outputs, and the model has 2"):
        make_baseline(frame(100, 0), read_settings({"label_headers": ["yes"]}), model=model)


def test_medians_have_no_order(caplog: pytest.LogCaptureFixture) -> None:
    settings = read_settings({"agg": "median", "background": {"clusters": 1}, "pdp": {"top": 0}})
    made = make_baseline(frame(500, 0), settings, model=lambda x: x[:, 0] - x[:, 1] + 3 * x[:, 2])
    if not any(v < 0 for v in made.explanations.attributions[0].values.values()):
        pytest.fail("the example has no negative median")
    assert any("some medians are negative" in note for note in made.notes)
    assert outcome(check(frame(500, 1), made), "ndcg").status is Status.UNDETERMINED
    with pytest.raises(SchemaError, match="E-AGGREGATION"):
        check(frame(500, 1), made, compat="sagemaker")


# -- background


def test_backgrounds(census: Census, tmp_path: Path) -> None:
    table = frame(100, 0)
    for given in (
        {"rows": [[0, 0, 0]]},
        {"file": str(tmp_path / "b.csv")},
        {"file": str(tmp_path / "n.csv")},
    ):
        (tmp_path / "b.csv").write_text("a,b,c\n0,0,0\n")
        (tmp_path / "n.csv").write_text("0,0,0\n")
        settings = read_settings({"features": ["a", "b", "c"], "background": given, "pdp": {"top": 0}})
        made = make_baseline(table, settings, model=linear)
        assert made.background == b"a,b,c\n0.0,0.0,0.0\n"
        assert made.explanations.attributions[0].expected_value == 0.0
    (tmp_path / "b.csv").write_text("a,b,c\n")
    settings = read_settings({"background": {"file": str(tmp_path / "b.csv")}})
    with pytest.raises(SchemaError, match="not a single row"):
        make_baseline(table, settings, model=linear)


# -- other models


def test_trees_need_no_background(census: Census) -> None:
    import xgboost as xgb

    table = pacsv.read_csv(census.baseline)
    x = np.column_stack([table.column(name).to_numpy() for name in census.features])
    booster = xgb.train(
        {"objective": "binary:logistic", "max_depth": 3, "seed": 0, "nthread": 1},
        xgb.DMatrix(x, table.column("label").to_numpy(), feature_names=census.features),
        10,
    )
    made = make_baseline(census.baseline, read_settings({"features": census.features}), model=booster)
    assert "attributions are in log-odds: the trees add up in that unit" in made.notes
    assert made.details["n_predictions"] == 200
    report = check(census.live, made)
    assert report.status is not Status.VIOLATED
    assert [e.name for e in report.exhibits][:2] == [
        "global_attributions",
        f"partial_dependence:{made.explanations.dependence[0].feature}",
    ]


def test_a_python_file_and_one_that_changed(tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    path.write_text("def predict(rows):\n    return rows.sum(axis=1)\n")
    settings = read_settings(
        {"model": {"kind": "python", "file": str(path)}, "pdp": {"top": 1}, "rows": 1000}
    )
    made = AttributionBaseline.from_files(make_baseline(frame(2000, 0), settings).files(), file="b")
    assert settings_document(settings) == made.settings
    assert check(frame(1000, 1), made).status is Status.PASSED
    path.write_text("def predict(rows):\n    return rows @ [0.1, 2.0, 20.0]\n")
    report = check(frame(500, 1), made)
    assert report.status is Status.VIOLATED
    assert any(
        note.startswith("the model is not the one that the baseline was made with") for note in report.notes
    )


def test_an_endpoint_and_its_budget(serve: Callable[..., ModelServer]) -> None:
    def answer(body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        sums = [sum(map(float, line.split(","))) for line in body.decode().splitlines()]
        return 200, {"Content-Type": "text/csv"}, "\n".join(map(str, sums)).encode()

    server = serve(answer)
    model = {"kind": "http", "url": server.url, "allow_private": True, "allow_http": True, "batch": 2000}
    made = make_baseline(
        frame(100, 0), read_settings({"model": model, "rows": 40, "background": {"clusters": 2}})
    )
    assert made.explanations.dependence == ()
    assert len(server.asked) <= 3
    server.asked.clear()
    with pytest.raises(ModelError) as caught:
        make_baseline(frame(100, 0), read_settings({"model": {**model, "batch": 10, "max_requests": 5}}))
    assert caught.value.code == "E-MODEL-BUDGET"
    assert "explain fewer rows (rows = 100), with fewer coalitions (n_samples, now up to 6)" in str(
        caught.value
    )
    assert server.asked == []


def test_captured_attributions(tmp_path: Path) -> None:
    def table(n: int, seed: int, scale: tuple[float, ...]) -> pa.Table:
        found = frame(n, seed, scale)
        renamed = found.rename_columns([f"shap_{name}" for name in found.column_names])
        return renamed.append_column("a", pa.array(np.zeros(n)))

    settings = read_settings(
        {"model": {"kind": "captured", "prefix": "shap_", "expected_value": 0.25}, "rows": 1000}
    )
    made = make_baseline(table(1000, 0, (3.0, 2.0, 0.2)), settings)
    assert made.features == ("a", "b", "c")
    assert made.explanations.attributions[0].expected_value == 0.25
    made = AttributionBaseline.from_files(made.files(), file="b")
    assert check(table(1000, 1, (3.0, 2.0, 0.2)), made).status is Status.PASSED
    assert check(table(300, 1, (0.2, 2.0, 3.0)), made).status is Status.VIOLATED
    gaps = table(300, 1, (3.0, 2.0, 0.2)).set_column(0, "shap_a", pa.array([None, 1.0] * 150))
    assert (
        "150 of 300 rows have no attribution for some feature and were left out"
        in check(gaps, made).notes[-2:][0]
    )
    with pytest.raises(SchemaError, match="no column begins with 'phi_'"):
        make_baseline(table(9, 0, (1.0,)), read_settings({"model": {"kind": "captured", "prefix": "phi_"}}))
    with pytest.raises(SchemaError, match="holds no numbers"):
        make_baseline(
            pa.table({"x": ["a", "b"]}), read_settings({"model": {"kind": "captured", "columns": ["x"]}})
        )


def test_captured_attributions_of_several_labels() -> None:
    found = frame(300, 0, (3.0, 2.0, 1.0, 0.5)).rename_columns(["p_x_yes", "p_y_yes", "p_x_no", "p_y_no"])
    given = {"model": {"kind": "captured", "prefix": "p_"}, "label_headers": ["yes", "no"]}
    made = make_baseline(found, read_settings(given))
    assert made.labels == ("yes", "no")
    assert made.features == ("x", "y")
    assert set(made.explanations.attributions[1].values) == {"x", "y"}
    explained = np.abs(made_rows(made)[:, 0, 1]).mean()
    assert made.explanations.attributions[1].values["x"] == pytest.approx(explained)


# -- SageMaker's own file


def test_clarifys_file_alone(data: Path, census: Census, tmp_path: Path) -> None:
    published = data / "clarify/shap/adult_ll_baseline_run2_json_path_label_analysis.json"
    renamed = read_explanations(published.read_bytes()).attributions[0].values
    table = pacsv.read_csv(census.live).rename_columns([*renamed, "label", "score", "predicted_label"])
    (tmp_path / "analysis.json").write_bytes(published.read_bytes())
    settings = read_settings(
        {"features": list(renamed), "background": {"rows": [census.row]}, "rows": 666, "pdp": {"top": 0}}
    )
    report = check(table, tmp_path / "analysis.json", settings=settings, model=census, compat="sagemaker")
    (only,) = report.outcomes
    assert only.status is Status.PASSED
    assert only.segment is None
    report = check(table, tmp_path, settings=settings, model=census)
    assert outcome(report, "ndcg").status is Status.PASSED
    assert {o.status for o in report.outcomes if o.constraint.check == "attribution_change"} == {
        Status.PASSED
    }
    assert any("knows no spread" in note for note in report.notes)
    with pytest.raises(UsageError, match="no model is given"):
        check(table, tmp_path, settings=settings)
    with pytest.raises(UsageError, match="Clarify's analysis"):
        check(table, tmp_path, settings=read_settings({"features": list(renamed)}), model=census)
    with pytest.raises(DocumentError, match="E-FEATURES"):
        check(
            pacsv.read_csv(census.live),
            tmp_path,
            settings=read_settings(census.settings()),
            model=census,
        )


def test_settings_are_the_baselines(small: AttributionBaseline) -> None:
    with pytest.raises(UsageError, match="the baseline knows its settings"):
        check(frame(100, 0), small, settings=SMALL)


def test_a_model_that_fails_is_told(small: AttributionBaseline) -> None:
    for model in (lambda x: x[:3, 0], lambda x: x[:, 0] * np.nan, lambda x: 1 / 0):
        with pytest.raises(DriftlineError, match="E-MODEL"):
            check(frame(100, 0), small, model=model)


def test_progress(small: AttributionBaseline) -> None:
    told: list[tuple[int, int]] = []
    check(frame(300, 1), small, progress=lambda done, whole: told.append((done, whole)))
    assert told[-1] == (300, 300)
