"""The bias monitor through its doors."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from fairlearn.metrics import MetricFrame, false_negative_rate, selection_rate, true_positive_rate
from sklearn.metrics import accuracy_score, precision_score

from driftline.baselines.bias import ANALYSIS, CONFIG, INDEX, BiasBaseline
from driftline.capture.open import open_source
from driftline.errors import DriftlineError, SchemaError, UsageError
from driftline.monitor.bias.job import check, make_baseline, read_settings, settings_document
from driftline.reports.codec import from_json
from driftline.reports.outcome import Status
from driftline.reports.violations import violations_json

if TYPE_CHECKING:
    from pathlib import Path

    from driftline.reports.report import Report

NOW = datetime(2026, 11, 23, tzinfo=UTC)
PUBLISHED = {
    "label": "Target",
    "positive": [1],
    "prediction": "predicted_label",
    "probability": "score",
    "facets": [{"column": "Sex", "values": [0]}],
    "group": "age",
}


def adult(data: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(data / "fairness" / name).rename(columns={"sex": "Sex", "label": "Target"})


@pytest.fixture(scope="module")
def before(data: Path) -> pd.DataFrame:
    return adult(data, "adult_ll_baseline_666.csv")


@pytest.fixture(scope="module")
def live(data: Path) -> pd.DataFrame:
    return adult(data, "adult_ll_live_334.csv")


def values(text: str | bytes) -> dict[tuple[str, ...], Any]:
    document = json.loads(text)
    return {
        (stage, facet, result["value_or_threshold"], metric["name"]): metric["value"]
        for stage in ("pre_training_bias_metrics", "post_training_bias_metrics")
        for facet, results in document.get(stage, {"facets": {}})["facets"].items()
        for result in results
        for metric in result["metrics"]
    }


def by_check(report: Report, column: str | None = None) -> dict[str, Any]:
    return {o.constraint.check: o for o in report.outcomes if column is None or o.constraint.column == column}


# The published runs of SageMaker, through the doors.


def test_the_published_baseline(data: Path, before: pd.DataFrame) -> None:
    baseline = make_baseline(before, read_settings(PUBLISHED), compat="sagemaker")
    expected = values((data / "clarify" / "bias" / "adult_ll_baseline_analysis.json").read_bytes())
    found = values(baseline.files()[ANALYSIS])
    assert found.keys() == expected.keys()
    assert list(found.values()) == pytest.approx([expected[key] for key in found], abs=1e-12)


@pytest.mark.parametrize(
    ("repeated", "name"),
    [(1, "adult_ll_live_batch_violations.json"), (3, "adult_ll_live_endpoint_violations.json")],
)
def test_the_published_violations(
    data: Path, before: pd.DataFrame, live: pd.DataFrame, repeated: int, name: str
) -> None:
    settings = read_settings(PUBLISHED)
    made = make_baseline(before, settings, compat="sagemaker")
    kept = BiasBaseline.from_files(made.files(), file="folder")
    report = check(pd.concat([live] * repeated), kept, compat="sagemaker")
    expected = json.loads((data / "clarify" / "bias" / name).read_bytes())
    if repeated == 1:
        assert json.loads(violations_json(report, extras=False)) == expected
    found = [(o.constraint.check, o.measurement.value) for o in report.violations]
    for (code, value), entry in zip(found, expected["violations"], strict=True):
        told = entry["description"].split(" ")[2]
        assert code == f"bias_{entry['metric_name'].lower()}"
        assert value == pytest.approx(float(told), abs=1e-9)
    assert len(report.incidents) == 1


def test_clarifys_own_file_is_a_baseline(data: Path, live: pd.DataFrame) -> None:
    analysis = (data / "clarify" / "bias" / "adult_ll_baseline_analysis.json").read_bytes()
    alone = BiasBaseline.from_files({ANALYSIS: analysis}, file="clarify")
    expected = json.loads((data / "clarify" / "bias" / "adult_ll_live_batch_violations.json").read_bytes())
    report = check(live, alone, settings=read_settings(PUBLISHED), compat="sagemaker")
    assert json.loads(violations_json(report, extras=False)) == expected
    config = {
        "label": "Target",
        "label_values_or_threshold": [1],
        "predicted_label": "predicted_label",
        "facet": [{"name_or_index": "Sex", "value_or_threshold": [0]}],
        "group_variable": "age",
    }
    beside = BiasBaseline.from_files(
        {ANALYSIS: analysis, CONFIG: json.dumps(config).encode()}, file="clarify"
    )
    # Without the score, which is no feature of the model, as the settings above say.
    again = check(live.drop(columns="score"), beside, compat="sagemaker")
    assert json.loads(violations_json(again, extras=False)) == expected
    default = check(live.drop(columns="score"), beside)
    assert any("its own sampling error is not allowed for" in note for note in default.notes)
    assert by_check(default)["bias_ge"].status is Status.VIOLATED
    with pytest.raises(UsageError, match="does not say which column is which"):
        check(live, alone)


@pytest.mark.parametrize("which", ["good", "bad"])
def test_the_published_pipeline_check(data: Path, which: str) -> None:
    analysis = (data / "clarify" / "bias" / f"sdk_pretraining_{which}_analysis.json").read_bytes()
    baseline = BiasBaseline.from_files({ANALYSIS: analysis}, file="clarify")
    given = {
        "label": "Label",
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "F1", "value_or_threshold": [0.5]}],
        "group_variable": "F2",
        "methods": {"pre_training_bias": {"methods": "all"}},
    }
    path = data / "fairness" / "sdk_pretraining_bias_100.csv"
    report = check(path, baseline, settings=read_settings(given), compat="sagemaker")
    assert [o.constraint.check for o in report.violations] == ([] if which == "good" else ["bias_ks"])


# The default mode.

WOMEN = {
    **PUBLISHED,
    "facets": [{"column": "Sex", "values": [0], "name": "women", "others": "men"}],
    "features": ["age", "education_num", "hours_per_week"],
}


def people(n: int, seed: int, *, turned_down: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    sex = np.where(rng.random(n) < 0.4, "Female", "Male")
    race = rng.choice(["White", "Black", "Asian"], n, p=[0.7, 0.2, 0.1])
    score = rng.beta(2, 3, n) - 0.12 * (sex == "Female")
    predicted = (score > 0.35).astype(int)
    predicted[(sex == "Female") & (rng.random(n) < turned_down)] = 0
    label = (rng.random(n) < np.clip(score + 0.1, 0, 1)).astype(int)
    return pd.DataFrame(
        {
            "sex": sex,
            "race": race,
            "age": rng.integers(18, 80, n),
            "skill": rng.normal(size=n),
            "y": label,
            "p": predicted,
        }
    )


GIVEN = {
    "label": "y",
    "positive": [1],
    "prediction": "p",
    "facets": [
        {"column": "sex", "values": ["Female"], "name": "women", "others": "men"},
        {"column": "race"},
        {"column": "age", "threshold": 45},
    ],
    "group": "age",
    "flip_rows": 200,
}
SETTINGS = read_settings(GIVEN)
TRAIN = people(6000, 1)


@pytest.fixture(scope="module")
def baseline() -> BiasBaseline:
    return make_baseline(TRAIN, SETTINGS, now=NOW)


def test_the_same_people_pass(baseline: BiasBaseline) -> None:
    report = check(people(6000, 2), baseline)
    assert report.violations == ()
    assert report.incidents == ()
    assert report.counts["passed"] > 0.6 * sum(report.counts.values())


def test_a_group_treated_worse_is_found(baseline: BiasBaseline) -> None:
    report = check(people(6000, 3, turned_down=0.6), baseline)
    assert report.status is Status.VIOLATED
    women = next(one for one in report.incidents if one.columns == ("sex=Female",))
    assert women.detail.startswith("Women now receive a positive prediction 0.2")
    assert by_check(report, "sex=Female")["bias_dpl"].status is Status.PASSED
    columns = [one.columns for one in report.incidents]
    assert len(columns) == len(set(columns))
    assert from_json(report.to_json(), file="report.json").incidents == report.incidents
    files = report.files()
    assert {ANALYSIS, "constraint_violations.json", "report.html", "report.json"} <= files.keys()
    assert values(files[ANALYSIS])["post_training_bias_metrics", "sex", "Female", "DI"] < 0.4


def test_every_group_that_is_asked_for_is_there() -> None:
    crossed = read_settings(
        {**GIVEN, "intersections": [["sex", "race"]], "metrics": ["CI", "DI", "RD", "GE"]}
    )
    report = check(people(3000, 4), make_baseline(TRAIN, crossed))
    assert list(dict.fromkeys(o.constraint.column for o in report.outcomes)) == [
        "sex=Female",
        "race=Asian",
        "race=Black",
        "race=White",
        "age=(45, 79]",
        "sex=Female & race=Asian",
        "sex=Female & race=Black",
        "sex=Female & race=White",
        None,
    ]
    names = [exhibit.name for exhibit in report.exhibits]
    assert names[:3] == ["facets", "rates", "bias:sex=Female"]
    assert len(names) == len(set(names))


def test_rates_are_fairlearns(baseline: BiasBaseline) -> None:
    window = people(4000, 5)
    frame = MetricFrame(
        metrics={
            "selected": selection_rate,
            "recall": true_positive_rate,
            "missed": false_negative_rate,
            "accuracy": accuracy_score,
            "precision": precision_score,
        },
        y_true=window.y,
        y_pred=window.p,
        sensitive_features=window.sex,
    ).by_group
    of, men = frame.loc["Female"], frame.loc["Male"]
    found = {
        check: o.measurement.value for check, o in by_check(check(window, baseline), "sex=Female").items()
    }
    assert found["bias_dppl"] == pytest.approx(men.selected - of.selected)
    assert found["bias_di"] == pytest.approx(of.selected / men.selected)
    assert found["bias_rd"] == pytest.approx(men.recall - of.recall)
    assert found["bias_rd"] == pytest.approx(of.missed - men.missed)
    assert found["bias_ad"] == pytest.approx(men.accuracy - of.accuracy)
    assert found["bias_dar"] == pytest.approx(men.precision - of.precision)


def test_order_and_batches_do_not_matter(baseline: BiasBaseline) -> None:
    window = people(3000, 6)
    shuffled = window.sample(frac=1, random_state=0)
    table = pa.Table.from_pandas(shuffled, preserve_index=False)
    batches = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=97))
    whole, cut = check(window, baseline, label="x", now=NOW), check(batches, baseline, label="x", now=NOW)
    assert whole.to_json() == cut.to_json()


def test_a_file_of_text_is_the_same_as_a_frame(tmp_path: Path, baseline: BiasBaseline) -> None:
    window = people(2000, 7)
    window.to_csv(tmp_path / "w.csv", index=False)
    frame, file = check(window, baseline), check(tmp_path / "w.csv", baseline)
    assert [o.measurement for o in frame.outcomes] == [o.measurement for o in file.outcomes]


def test_an_opened_stream_is_read_once(baseline: BiasBaseline) -> None:
    table = pa.Table.from_pandas(people(2000, 8), preserve_index=False)
    reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=500))
    assert check(open_source(reader), baseline).current.n_rows == 2000
    reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=500))
    assert make_baseline(open_source(reader), SETTINGS).n_rows == 2000


def test_the_same_data_give_the_same_bytes() -> None:
    first, second = (make_baseline(TRAIN, SETTINGS, label="x", now=NOW).files() for _ in range(2))
    assert first == second


def test_a_saved_baseline_judges_alike(tmp_path: Path, baseline: BiasBaseline) -> None:
    from driftline.monitor.kinds import load_baseline

    baseline.save(tmp_path / "b")
    kept = load_baseline(tmp_path / "b")
    assert isinstance(kept, BiasBaseline)
    assert read_settings(kept.settings) == SETTINGS
    window = people(2000, 9)
    assert check(window, kept, now=NOW).outcomes == check(window, baseline, now=NOW).outcomes


def test_an_edited_analysis_is_what_data_are_held_to(tmp_path: Path, baseline: BiasBaseline) -> None:
    baseline.save(tmp_path / "b")
    document = json.loads((tmp_path / "b" / ANALYSIS).read_text())
    metrics = document["post_training_bias_metrics"]["facets"]["sex"][0]["metrics"]
    for metric in metrics:
        if metric["name"] == "DPPL":
            metric["value"] = 0.05
    document["post_training_bias_metrics"]["facets"]["sex"][0]["metrics"] = [
        m for m in metrics if m["name"] != "DI"
    ]
    (tmp_path / "b" / ANALYSIS).write_text(json.dumps(document))
    files = {path.name: path.read_bytes() for path in (tmp_path / "b").iterdir()}
    report = check(people(6000, 10), BiasBaseline.from_files(files, file="b"))
    outcomes = by_check(report, "sex=Female")
    assert "bias_di" not in outcomes
    assert outcomes["bias_dppl"].status is Status.VIOLATED
    assert outcomes["bias_dppl"].constraint.why == "set by hand in analysis.json"
    assert "analysis.json was edited after the baseline was made" in report.notes


def test_an_absent_group_is_told_first(baseline: BiasBaseline) -> None:
    window = people(3000, 11)
    report = check(window[window.sex == "Male"], baseline)
    assert report.notes[0].startswith("there is no row of sex=Female, where the baseline has 2,")
    assert {o.status for o in report.outcomes if o.constraint.column == "sex=Female"} == {Status.UNDETERMINED}
    assert report.status is not Status.PASSED


def test_missing_values_are_counted_and_left_out(baseline: BiasBaseline) -> None:
    window = people(3000, 12)
    whole = by_check(check(window, baseline), "sex=Female")
    more = people(300, 13)
    holes = {"sex": more.copy(), "y": more.copy(), "p": more.copy()}
    for column, frame in holes.items():
        frame[column] = None
    report = check(pd.concat([window, holes["sex"]]), baseline)
    assert by_check(report, "sex=Female")["bias_di"].measurement.value == whole["bias_di"].measurement.value
    assert "300 of 3,300 rows have no value of sex and are left out of its metrics" in report.notes
    report = check(pd.concat([window, holes["y"].astype({"y": "float"})]), baseline)
    assert by_check(report, "sex=Female")["bias_rd"].measurement.value == whole["bias_rd"].measurement.value
    assert by_check(report, "sex=Female")["bias_di"].measurement.n_current == 3300
    assert any(
        note.startswith("300 of 3,300 rows have no label and count only where") for note in report.notes
    )
    report = check(pd.concat([window, holes["p"].astype({"p": "float"})]), baseline)
    assert by_check(report, "sex=Female")["bias_dpl"].measurement.n_current == 3300
    assert any(note.startswith("300 of 3,300 rows have no prediction") for note in report.notes)


def test_an_empty_window_is_undetermined(baseline: BiasBaseline) -> None:
    report = check(people(3000, 14).iloc[:0], baseline)
    assert report.current.n_rows == 0
    assert {o.status for o in report.outcomes} == {Status.UNDETERMINED}
    assert report.status is Status.UNDETERMINED


def test_types_are_the_baselines(before: pd.DataFrame) -> None:
    # SageMaker reads a 0/1 label of 40 rows as a quantity, and its facet as the other group.
    made = make_baseline(before, read_settings({**WOMEN, "metrics": ["DPL", "CI"]}))
    few, more = (check(before.iloc[:n], made) for n in (40, 41))
    for report in (few, more):
        outcome = by_check(report)["bias_ci"]
        assert outcome.constraint.column == "Sex=0"
    assert by_check(few)["bias_ci"].measurement.value == pytest.approx(0.4)
    assert by_check(more)["bias_ci"].measurement.value == pytest.approx(0.4146, abs=1e-4)


def test_types_of_live_columns_do_not_matter(before: pd.DataFrame) -> None:
    settings = read_settings({**WOMEN, "metrics": ["DI", "RD", "CI"]})
    made = make_baseline(before, settings)
    plain = check(before, made)
    texts = before.assign(Sex=before.Sex.astype(str), Target=before.Target.astype(float))
    texts["predicted_label"] = before.predicted_label.astype(bool)
    assert [o.measurement.value for o in check(texts, made).outcomes] == [
        o.measurement.value for o in plain.outcomes
    ]


def test_new_values_are_told(baseline: BiasBaseline) -> None:
    window = people(3000, 15)
    window.loc[:9, "race"] = "Martian"
    window = window.astype({"y": object})
    window.loc[:4, "y"] = "yes"
    notes = check(window, baseline).notes
    assert (
        "race has values that the baseline did not have: 'Martian' (10); they belong to no group that is looked at"
        in notes
    )
    assert "y has values that the baseline did not have: 'yes' (5); they count as not positive" in notes


def test_probabilities_are_cut_at_the_threshold() -> None:
    data = people(2000, 16)
    data["score"] = np.where(data.p == 1, 0.71, 0.7)
    scored = {k: v for k, v in GIVEN.items() if k != "prediction"} | {
        "probability": "score",
        "threshold": 0.7,
    }
    label = make_baseline(data.drop(columns="score"), read_settings({**GIVEN, "metrics": ["DI", "RD"]}))
    score = make_baseline(data.drop(columns="p"), read_settings({**scored, "metrics": ["DI", "RD"]}))
    assert values(label.files()[ANALYSIS]) == values(score.files()[ANALYSIS])
    with pytest.raises(SchemaError, match="holds 'high', expected probabilities"):
        make_baseline(data.assign(score="high"), read_settings(scored))


def test_without_labels_predictions_are_watched() -> None:
    given = {k: v for k, v in GIVEN.items() if k != "label"}
    made = make_baseline(TRAIN.drop(columns="y"), read_settings(given))
    report = check(people(6000, 17, turned_down=0.6).drop(columns="y"), made)
    assert {o.constraint.check for o in report.outcomes} == {
        "bias_ci", "bias_dppl", "bias_di", "bias_cddpl", "bias_ft",
    }  # fmt: skip
    assert by_check(report, "sex=Female")["bias_di"].status is Status.VIOLATED


def test_a_continuous_label_is_cut() -> None:
    rng = np.random.default_rng(3)
    data = people(3000, 18)
    data["y"] = rng.normal(50, 10, 3000) - 5 * (data.sex == "Female")
    data["p"] = data.y + rng.normal(0, 4, 3000)
    given = {
        **{k: v for k, v in GIVEN.items() if k != "positive"},
        "label_threshold": 50,
    }
    made = make_baseline(data, read_settings(given))
    found = values(made.files()[ANALYSIS])["pre_training_bias_metrics", "sex", "Female", "DPL"]
    women = data.sex == "Female"
    assert found == pytest.approx((data.y[~women] > 50).mean() - (data.y[women] > 50).mean())


def test_columns_can_be_named_by_position(tmp_path: Path) -> None:
    TRAIN.to_csv(tmp_path / "t.csv", index=False, header=False)
    given = {
        **GIVEN,
        "label": 4,
        "prediction": 5,
        "facets": [{"column": 0, "values": ["Female"]}],
    }
    given |= {"group": 2}
    made = make_baseline(tmp_path / "t.csv", read_settings(given), header=False)
    assert made.settings["label"] == "_c4"
    named = make_baseline(
        tmp_path / "t.csv", read_settings({**given, "headers": [*TRAIN.columns]}), header=False
    )
    assert named.settings["label"] == "y"
    assert list(values(made.files()[ANALYSIS]).values()) == list(values(named.files()[ANALYSIS]).values())
    assert check(TRAIN, named).current.n_rows == 6000
    assert check(tmp_path / "t.csv", named, header=False).current.n_rows == 6000
    with pytest.raises(SchemaError, match="name 2 columns, and the data have 6"):
        make_baseline(tmp_path / "t.csv", read_settings({**given, "headers": ["a", "b"]}), header=False)


def test_overrides_speak_of_groups(baseline: BiasBaseline) -> None:
    window = people(6000, 19, turned_down=0.6)
    quiet = check(window, baseline, overrides={"columns": {"sex=Female": {"ignore": True}}})
    assert "sex=Female" not in {o.constraint.column for o in quiet.outcomes}
    with pytest.raises(UsageError, match="did you mean 'sex=Female'"):
        check(
            window, baseline, overrides={"columns": {"sex=female": {"ignore": True}}}, overrides_file="o.toml"
        )
    with pytest.raises(UsageError, match=r"analysis\.json alone"):
        check(window, baseline, compat="sagemaker", overrides={"alpha": 0.1})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"label": "yy"}, "did you mean 'y'"),
        ({"label": "income"}, "income: there is no such column, which the settings name as label"),
        ({"facets": [{"column": "sexx"}]}, "which the settings name as facet; did you mean 'sex'?"),
        ({"positive": [2]}, "y: no row has 2; it has 0, 1"),
        ({"facets": [{"column": "sex", "values": ["F"]}]}, "sex: no row has 'F'; it has 'Female', 'Male'"),
        ({"facets": [{"column": "age", "threshold": 99}]}, "age: no row is above 99"),
        ({"facets": [{"column": "skill"}]}, "skill: has 6,000 different values"),
        ({"prediction": "skill", "features": ["age"]}, "have no value in common with the labels of 'y'"),
        ({"features": ["race"]}, "race: holds values that are no numbers"),
    ],
)
def test_what_does_not_fit_the_data_is_named(change: dict[str, Any], told: str) -> None:
    with pytest.raises(DriftlineError) as caught:
        make_baseline(TRAIN, read_settings({**GIVEN, **change}), label="train")
    assert told in str(caught.value)
    assert "DataFrame" in str(caught.value)


def test_too_many_combinations_are_refused() -> None:
    data = TRAIN.assign(a=np.arange(6000) % 20, b=np.arange(6000) // 20 % 20)
    with pytest.raises(SchemaError, match="a & b: there are 400 combinations of these columns"):
        make_baseline(data, read_settings({**GIVEN, "intersections": [["a", "b"]]}))


def test_a_baseline_of_nothing_is_refused() -> None:
    with pytest.raises(DriftlineError, match="has no rows"):
        make_baseline(TRAIN.iloc[:0], SETTINGS)
    with pytest.raises(DriftlineError, match="has no rows"):
        make_baseline(TRAIN.iloc[:0], SETTINGS, compat="sagemaker")


def test_a_lost_feature_only_costs_the_flip_test(baseline: BiasBaseline) -> None:
    report = check(people(2000, 20).drop(columns="skill"), baseline)
    outcomes = by_check(report, "sex=Female")
    assert outcomes["bias_ft"].status is Status.UNDETERMINED
    assert "the data lack the column 'skill'" in outcomes["bias_ft"].reason
    assert outcomes["bias_di"].status is Status.PASSED


def test_settings_of_the_check_must_be_the_baselines(baseline: BiasBaseline) -> None:
    wider = replace(SETTINGS, ranges={"DI": (0.999, 1.0)})
    report = check(people(6000, 21), baseline, settings=wider)
    assert by_check(report, "sex=Female")["bias_di"].status is Status.VIOLATED
    with pytest.raises(UsageError, match="label: differs from what the baseline was made with"):
        check(people(2000, 21), baseline, settings=replace(SETTINGS, label="p2"))


def test_compat_needs_what_clarify_needs() -> None:
    with pytest.raises(UsageError, match="needs the label"):
        make_baseline(TRAIN, replace(SETTINGS, label=None), compat="sagemaker")
    with pytest.raises(UsageError, match="intersections do not exist in compat mode"):
        make_baseline(TRAIN, replace(SETTINGS, intersections=(("sex", "race"),)), compat="sagemaker")
    with pytest.raises(UsageError, match="did you mean 'sagemaker'"):
        make_baseline(TRAIN, SETTINGS, compat="sagemakr")


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    made = make_baseline(TRAIN, SETTINGS, progress=lambda done, whole: told.append((done, whole)))
    check(TRAIN, made, progress=lambda done, whole: told.append((done, whole)))
    assert told
    assert all(0 < done <= whole for done, whole in told)


def test_damaged_counts_are_refused(baseline: BiasBaseline) -> None:
    broken = replace(baseline, states=b"no arrow file")
    with pytest.raises(DriftlineError, match=r"states\.arrow"):
        check(TRAIN, broken)
    assert settings_document(SETTINGS) == baseline.settings
    assert INDEX in baseline.files()


def test_columns_that_cannot_be_features_are_left_alone() -> None:
    table = pa.Table.from_pandas(TRAIN, preserve_index=False)
    more = {
        "when": pa.array([NOW] * 6000),
        "many": pa.array([[1, 2]] * 6000),
        "raw": pa.array([b"x"] * 6000),
        "words": pa.array(["x"] * 6000),
        "_row": pa.array(range(6000)),
        "empty": pa.nulls(6000, pa.float64()),
    }
    for name, column in more.items():
        table = table.append_column(name, column)
    made = make_baseline(table, SETTINGS)
    assert made.details["frozen"]["features"] == ["age", "skill"]
    assert (
        "the flip test looks at numeric columns only; left out: when, many, raw, words, _row, …" in made.notes
    )
    assert by_check(check(table, made), "sex=Female")["bias_ft"].status is Status.PASSED
    excluded = make_baseline(table, replace(SETTINGS, exclude=("skill",)))
    assert excluded.details["frozen"]["features"] == ["age"]
