"""What SageMaker Clarify published of bias, computed again from the same rows to 1e-9."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
import pytest

import driftline.demo
from driftline.baselines.analysis import Analysis, Stage, read_analysis
from driftline.monitor.bias.clarify import Facet, Question, analyse, pre_training
from driftline.monitor.bias.column import Column, column_of
from driftline.monitor.bias.point_rule import compare, point_rule
from driftline.reports.outcome import Status

FEATURES = (
    "age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation", "relationship",
    "ethnic_group", "sex", "capital_gain", "capital_loss", "hours_per_week", "country",
)  # fmt: skip
QUESTION = Question("label", (1,), (Facet("sex", (0,)),), "predicted_label", "age", FEATURES)


def columns_of(table: pa.Table) -> dict[str, Column]:
    return {name: column_of(name, table[name]) for name in table.column_names}


def read(path: Path, *, times: int = 1) -> dict[str, Column]:
    return columns_of(pa.concat_tables([arrow_csv.read_csv(path)] * times))


def published(data: Path, name: str) -> Analysis:
    return read_analysis((data / "clarify/bias" / name).read_bytes(), file=name)


def named_as_published(analysis: Analysis, facet: str, label: str) -> Analysis:
    """Return the analysis with the names of columns that the published file has."""

    def renamed(stage: Stage | None) -> Stage | None:
        return stage and replace(stage, label=label, facets={facet: next(iter(stage.facets.values()))})

    return replace(
        analysis, pre_training=renamed(analysis.pre_training), post_training=renamed(analysis.post_training)
    )


def assert_same(found: Analysis, expected: Analysis) -> int:
    """Compare everything but the last digits; return how many values there were."""
    n = 0
    for key, stage in expected.stages.items():
        mine = found.stages[key]
        assert (mine.label, mine.label_value_or_threshold) == (stage.label, stage.label_value_or_threshold)
        for name, results in stage.facets.items():
            for ours, theirs in zip(mine.facets[name], results, strict=True):
                assert ours.value_or_threshold == theirs.value_or_threshold
                for metric in theirs.metrics:
                    one = ours.metric(metric.name)
                    assert one is not None
                    assert (one.description, one.error) == (metric.description, metric.error)
                    assert one.value == pytest.approx(metric.value, abs=1e-9)
                    n += 1
    return n


@pytest.fixture(scope="module")
def live(data: Path) -> dict[int, Analysis]:
    path = data / "fairness/adult_ll_live_334.csv"
    return {n: named_as_published(analyse(read(path, times=n), QUESTION), "Sex", "Target") for n in (1, 3, 4)}


def test_census_in_full(data: Path) -> None:
    """R1: labels of 30,162 rows."""
    table = pq.read_table(Path(driftline.demo.__file__).parent / "data/census-train.parquet")
    texts = [name for name in table.column_names if pa.types.is_string(table.schema.field(name).type)]
    for name in texts:
        table = table.filter(pc.not_equal(table[name], "?"))
    assert table.num_rows == 30162
    question = Question("income", (">50K",), (Facet("sex", ("Female",)),), None, "age")
    stage = pre_training(columns_of(table), question)
    expected = published(data, "adult_xgb_full_analysis.json").pre_training
    assert expected is not None
    # The published run had its columns encoded as numbers.
    coded = replace(
        stage,
        label_value_or_threshold="1",
        facets={"sex": (replace(stage.facets["sex"][0], value_or_threshold="0"),)},
    )
    found = named_as_published(Analysis(pre_training=coded), "Sex", "Target")
    assert assert_same(found, Analysis(pre_training=expected)) == 8


def test_linear_model_baseline(data: Path) -> None:
    """R2: all 21 metrics of labels and predictions."""
    found = analyse(read(data / "fairness/adult_ll_baseline_666.csv"), QUESTION)
    expected = published(data, "adult_ll_baseline_analysis.json")
    assert assert_same(named_as_published(found, "Sex", "Target"), expected) == 21


@pytest.mark.parametrize(("times", "name"), [(1, "batch"), (3, "endpoint"), (4, "endpoint")])
def test_live_violations(data: Path, live: dict[int, Analysis], times: int, name: str) -> None:
    """R3: the same rows once, and repeated, which moves the flip test alone."""
    document = json.loads((data / f"clarify/bias/adult_ll_live_{name}_violations.json").read_text())
    expected = document["violations"]
    violations = point_rule(published(data, "adult_ll_baseline_analysis.json"), live[times])
    assert len(violations) == len(expected)
    for found, entry in zip(violations, expected, strict=True):
        mine = found.violation()
        value, bound = (text.split(" doesn't meet the baseline constraint requirement ") for text in (
            mine.pop("description"), entry.pop("description")
        ))  # fmt: skip
        assert mine == entry
        assert value[1] == bound[1]
        assert float(value[0].split()[-1]) == pytest.approx(float(bound[0].split()[-1]), abs=1e-9)


def test_live_flip_test_depends_on_repetition(live: dict[int, Analysis]) -> None:
    values = {}
    for times, analysis in live.items():
        assert analysis.post_training is not None
        metric = analysis.post_training.facets["Sex"][0].metric("FT")
        assert metric is not None
        values[times] = metric.value
    assert values == pytest.approx({1: 0.0, 3: -0.13636363636363635, 4: -0.13636363636363635})


def test_distance_of_ratios_is_measured_from_zero(data: Path, live: dict[int, Analysis]) -> None:
    """Impact fell from 0.178 to 0.083, away from parity, and the service does not say so."""
    found = {one.metric: one for one in compare(published(data, "adult_ll_baseline_analysis.json"), live[1])}
    assert found["DI"].status is Status.PASSED
    assert found["DI"].current == pytest.approx(0.083, abs=1e-3)
    assert len(found) == 21


def test_thresholds_of_the_sdk(data: Path) -> None:
    """R4: a facet above 0.5, against a baseline that fits and one that does not."""
    found = analyse(
        read(data / "fairness/sdk_pretraining_bias_100.csv"),
        Question("Label", (1,), (Facet("F1", (0.5,)),), None, "F2"),
    )
    good, bad = (published(data, f"sdk_pretraining_{name}_analysis.json") for name in ("good", "bad"))
    assert assert_same(found, good) == 8
    assert point_rule(good, found) == []
    (violation,) = point_rule(bad, found)
    assert (violation.metric, violation.facet_value) == ("KS", "(0.5, 0.9936148802477393]")


def test_german_credit(data: Path) -> None:
    """G2, computed with the service's library."""
    stage = pre_training(
        read(data / "fairness/german_credit.csv"),
        Question("credit_risk", (1,), (Facet("foreign_worker", ("A201",)),), None, "purpose"),
    )
    values = {metric.name: metric.value for metric in stage.facets["foreign_worker"][0].metrics}
    assert values == pytest.approx(
        {
            "CDDL": 0.03916915421823272,
            "CI": -0.926,
            "DPL": 0.1992646852459936,
            "JS": 0.03118554103617789,
            "KL": 0.11255219213664655,
            "KS": 0.1992646852459936,
            "LP": 0.2818028203768902,
            "TVD": 0.1992646852459936,
        },
        abs=1e-9,
    )


def test_two_rows_with_a_continuous_label(data: Path) -> None:
    """The published run of two rows, rebuilt from what it says: (3, 5] is positive, and predicted only for the others."""
    rows = pa.table(
        {
            "star_rating": [5, 3],
            "product_category": ["Other", "Digital_Software"],
            "review": ["good", "bad"],
            "predicted": [5, 3],
        }
    )
    question = Question("star_rating", (3,), (Facet("product_category", ("Digital_Software",)),), "predicted")
    expected = published(data, "two_row_null_errors_analysis.json")
    assert assert_same(analyse(columns_of(rows), question), expected) == 19


def test_first_rows_of_the_baseline_turn_round(data: Path) -> None:
    """With 41 rows the facet 0 is a category; with 40 it is a threshold, and the group is the other one."""
    whole = arrow_csv.read_csv(data / "fairness/adult_ll_baseline_666.csv")
    for n, text, imbalance, difference in ((41, "0", 0.4146, 0.2672), (40, "(0, 1]", -0.4, 0.0)):
        stage = pre_training(columns_of(whole.slice(0, n)), QUESTION)
        (facet,) = stage.facets["sex"]
        values = {metric.name: metric.value for metric in facet.metrics}
        assert facet.value_or_threshold == text
        assert values["CI"] == pytest.approx(imbalance, abs=5e-5)
        assert values["DPL"] == pytest.approx(difference, abs=5e-5)
