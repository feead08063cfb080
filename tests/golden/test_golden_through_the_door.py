"""Golden tests through the public doors: files in, report and exit status out."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pytest

import driftline as dl
from driftline.errors import UsageError
from driftline.monitor.alert import AlertStatus, alert_states
from driftline.reports.violations import read_violations, violations_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@pytest.fixture(scope="module")
def files(data: Path) -> Path:
    return data / "sagemaker"


def _record(i: int, inputs: Iterable[str], prediction: str) -> str:
    side = {"observedContentType": "text/csv", "encoding": "CSV"}
    return json.dumps(
        {
            "captureData": {
                "endpointInput": {**side, "mode": "INPUT", "data": ",".join(inputs)},
                "endpointOutput": {**side, "mode": "OUTPUT", "data": prediction},
            },
            "eventMetadata": {"eventId": f"e{i}", "inferenceTime": "2022-04-18T00:21:48Z"},
            "eventVersion": "0",
        }
    )


def _told(report: dl.Report) -> list[dict[str, Any]]:
    return list(json.loads(violations_json(report, extras=False))["violations"])


def _by_feature(items: Iterable[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return sorted((i["feature_name"], i["constraint_check_type"], i["description"]) for i in items)


def test_golden_2_captured_housing_traffic(files: Path, tmp_path: Path) -> None:
    """Captured records, two manipulated requests: the four violations of the published report, and no other."""
    line = json.loads((files / "captured/housing_2021.jsonl").read_text().splitlines()[0])
    inputs = line["captureData"]["endpointInput"]["data"].strip().split(",")
    traffic = tmp_path / "traffic.jsonl"
    first = [repr(float(inputs[0]) * 100_000), *inputs[1:]]
    last = [*inputs[:-1], repr(-float(inputs[-1]))]
    traffic.write_text("\n".join([_record(1, first, "24.5"), _record(2, last, "21.25")]) + "\n")
    report = dl.check(traffic, files / "housing", compat="sagemaker")
    published = json.loads((files / "housing/constraint_violations.json").read_text())["violations"]
    assert _by_feature(_told(report)) == _by_feature(published)


def test_golden_4_churn_replay_from_capture_files(files: Path, tmp_path: Path) -> None:
    """1,977 captured requests: 60 violations, 59 of them 99.64592817400101 % and Churn 0.0 %."""
    with (files / "churn/test_sample.csv").open(newline="") as stream:
        rows = list(csv.reader(stream))
    with (files / "churn/test-dataset-input-cols.csv").open(newline="") as stream:
        cycle = list(csv.reader(stream))
    while len(rows) < 1977:
        rows.append(cycle[(len(rows) - 120) % len(cycle)])
    traffic = tmp_path / "AllTraffic/2022/04/18/00/traffic.jsonl"
    traffic.parent.mkdir(parents=True)
    traffic.write_text("".join(_record(i, row, f"0.{i % 89 + 10}3") + "\n" for i, row in enumerate(rows)))
    baseline = tmp_path / "baseline"
    baseline.mkdir()
    (baseline / "constraints.json").write_bytes((files / "churn/constraints.json").read_bytes())
    report = dl.check(tmp_path / "AllTraffic", baseline, compat="sagemaker")
    told = _told(report)
    assert len(told) == 60
    assert {v["constraint_check_type"] for v in told} == {"data_type_check"}
    assert sum("Only 99.64592817400101% of data is Integral." in v["description"] for v in told) == 59
    churn = next(v for v in told if v["feature_name"] == "Churn")
    assert "Only 0.0% of data" in churn["description"]
    published = json.loads((files / "observed_violations/churn_2022_first10.json").read_text())["violations"]
    assert set(_by_feature(published)) <= set(_by_feature(told))


def test_golden_4_is_one_incident(files: Path, tmp_path: Path) -> None:
    """The mangled row is told as one incident of 59 columns in the default mode."""
    traffic = tmp_path / "traffic.csv"
    header = ",".join(dl.load_baseline(files / "churn").names[1:])
    traffic.write_text(header + "\n" + (files / "churn/test-dataset-input-cols.csv").read_text())
    report = dl.check(traffic, files / "churn")
    rows = [i for i in report.incidents if i.kind == "rows"]
    assert [len(i.columns) for i in rows] == [59]
    assert [p.row for p in rows[0].where] == [1]


def test_golden_4_is_one_incident_in_sagemaker_mode(files: Path, tmp_path: Path) -> None:
    """So it is in SageMaker mode, which knows no rows: 59 columns with one cause, and Churn with another."""
    traffic = tmp_path / "traffic.csv"
    rows = (files / "churn/test-dataset-input-cols.csv").read_text().splitlines()
    traffic.write_text("".join(f"{i % 89 / 100:.2f},{row}\n" for i, row in enumerate(rows)))
    report = dl.check(traffic, files / "churn", compat="sagemaker", header=False)
    told = {(i.title, len(i.columns)) for i in report.incidents}
    assert told == {
        ("59 columns hold values of the wrong type", 59),
        ("Churn holds values of the wrong type", 1),
    }
    assert "Incidents <small>2</small>" in report.to_html()
    assert len(json.loads(report.to_json())["incidents"]) == 2


def test_golden_10_negative_numbers_are_a_violation_in_the_default_mode() -> None:
    """A column that is all negative against a baseline that never was."""
    baseline = dl.baseline({"x": [float(i) for i in range(200)]})
    report = dl.check({"x": [-1.0, -2.5, -3.0]}, baseline)
    found = [o for o in report.violations if o.constraint.check == "non_negative"]
    assert [o.measurement.n_bad for o in found] == [3]
    compat = dl.check({"x": [-1.0, -2.5, -3.0]}, baseline, compat="sagemaker")
    assert not [o for o in compat.outcomes if o.constraint.check == "non_negative"]


def test_golden_11_alert_table() -> None:
    """The worked example of the alert rule: two failures within three runs."""
    failures = [True, True, False, False, True, False, True]
    states = alert_states(failures, datapoints_to_alert=2, evaluation_period=3)
    assert [s.value for s in states] == ["OK", "InAlert", "InAlert", "OK", "OK", "OK", "InAlert"]
    assert alert_states([], datapoints_to_alert=1, evaluation_period=1) == []
    assert alert_states([True], datapoints_to_alert=1, evaluation_period=1) == [AlertStatus.IN_ALERT]


@pytest.mark.parametrize(("m", "n"), [(4, 3), (0, 1), (1, 0), (101, 101)])
def test_golden_11_alerts_that_can_never_fire_are_refused(m: int, n: int) -> None:
    with pytest.raises(UsageError):
        alert_states([True], datapoints_to_alert=m, evaluation_period=n)


@pytest.mark.parametrize(
    ("name", "n", "checks"),
    [
        (
            "sdk_fixtures/constraint_violations.json",
            7,
            {"categorical_values_check", "data_type_check", "completeness_check"},
        ),
        ("byoc/nlp_constraints_violations.json", None, {"baseline_drift_check"}),
    ],
)
def test_golden_12_old_and_foreign_violation_files_are_read(
    files: Path, name: str, n: int | None, checks: set[str]
) -> None:
    text = (files / name).read_text()
    read = read_violations(text, file=name)
    assert len(read) == (n if n is not None else len(json.loads(text)["violations"]))
    assert {v.constraint_check_type for v in read} == checks


def test_golden_13_captured_weather_traffic(files: Path) -> None:
    report = dl.check(files / "captured/weather_2021.jsonl", files / "weather", compat="sagemaker")
    published = json.loads((files / "observed_violations/weather_2021.json").read_text())["violations"]
    assert _by_feature(_told(report)) == _by_feature(published)
