"""Evidence of a report: within all limits, true to its numbers, and "cannot tell" never looks like "passed"."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import metric_reports
import pytest

from driftline.baselines.constraint import Constraint, Severity
from driftline.cards.evidence import BUDGET, evaluation_of_report, is_monitor_made, job_name, without_charts
from driftline.cards.validation import problems
from driftline.reports.codec import from_json
from driftline.reports.exhibit import Exhibit
from driftline.reports.outcome import Measurement, Outcome, Status
from driftline.reports.report import ColumnView, Incident, Report, Side

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTILE = (
    "<script>window.__dlx=1</script>",
    "a\nb\x00c\u202ed",
    "=cmd|' /C calc'!A0",
    "#set text(red) $x^2$ @cite",
    "| a | b |\n|---|---|",
    "{{7*7}} ${7*7} %s %n",
    "\ud800 lone",
    "",
    " ",
    "\U0001f600" * 40,
    "日本語の列名" * 30,
    "עברית" * 30,
    "x" * 5000,
    "../../etc/passwd",
    'quote " and \\ backslash',
)


def outcome(
    column: str | None, check: str = "ks", status: Status = Status.VIOLATED, **fields: Any
) -> Outcome:
    given: dict[str, Any] = {"value": 0.5, "unit": "distance", "n_current": 100, "n_baseline": 1000}
    measured = {k: fields.pop(k) for k in list(fields) if k in Measurement.__dataclass_fields__}
    bounds: dict[str, Any] = {"bound": 0.1, "severity": fields.pop("severity", Severity.WARNING)}
    reason = fields.pop("reason", f"{column} has moved.")
    return Outcome(
        Constraint(check, column, **(bounds | fields.pop("constraint", {}))),
        Measurement(check, **(given | measured)),
        status,
        reason,
        **fields,
    )


def data_report(outcomes: list[Outcome], **fields: Any) -> Report:
    side = Side("churn", 100, 3, "sha256:" + "ab" * 32, ("a.csv",), "2026-11-23T07:00:00Z")
    given: dict[str, Any] = {
        "recipe": "data-quality",
        "mode": "default",
        "matching": "name",
        "baseline": replace(side, label="train", n_rows=1000),
        "current": side,
        "alpha": 0.001,
        "n_tests": len(outcomes),
        "outcomes": tuple(outcomes),
        "incidents": (),
        "columns": (),
        "created": "2026-11-23T07:00:00Z",
        "versions": {"driftline": "0.1.0"},
    }
    return Report(**(given | fields))


def wide(n: int = 2000) -> Report:
    """A report of many columns: some critical, more violated, some that nobody can tell."""
    outcomes = []
    for i in range(n):
        status = Status.VIOLATED if i % 3 == 0 else Status.UNDETERMINED if i % 3 == 1 else Status.PASSED
        severity = Severity.CRITICAL if i % 300 == 0 else Severity.WARNING
        outcomes += [
            outcome(f"column_{i}", value=0.1 + i / 10_000, status=status, severity=severity),
            outcome(f"column_{i}", "completeness", Status.PASSED, value=1.0, constraint={"bound": 0.98}),
        ]
    hit = tuple(i for i, o in enumerate(outcomes) if o.is_violation)
    incidents = tuple(
        Incident("column", f"column {i} has drifted", "It moved.", (i,), (f"column_{i}",)) for i in hit
    )
    views = tuple(
        ColumnView(f"column_{i}", "number", "Fractional", tuple(range(26)), (), (3.0,) * 25, (4.0,) * 25)
        for i in range(n)
    )
    return data_report(outcomes, incidents=incidents, columns=views, notes=("A note.",) * 200)


def hostile(recipe: str) -> Report:
    check = {
        "data-quality": "l_infinity",
        "model-quality": "recall",
        "bias": "bias_di",
        "attribution": "attribution_change",
    }
    outcomes = [
        outcome(
            None if recipe == "model-quality" else text,
            check[recipe],
            status,
            reason=text * 3,
            segment=text if recipe == "model-quality" else None,
            value=value,
            constraint={"low": -math.inf, "high": math.inf} if recipe == "bias" else {},
        )
        for text in HOSTILE
        for status, value in ((Status.VIOLATED, 1e308), (Status.UNDETERMINED, None), (Status.UNDETERMINED, math.inf))
    ]  # fmt: skip
    exhibits = tuple(
        Exhibit(f"{text[:200]}{i}", kind, text[:4000], text[:4000], columns, rows)
        for i, text in enumerate(HOSTILE)
        for kind, columns, rows in (
            ("curve", (text, text, text), ((text, 0.0, 1.0), (text, 1.0, 2.0))),
            ("bars", (text, text, text), ((text, 1.0, 2.0), (text, None, math.nan))),
            ("matrix", (text, "b"), ((text, 1.0),)),
            ("table", (text, text), ((text, 1.0), (None, 2))),
        )
    )
    views = tuple(
        ColumnView(text, "text", "String", (), (text, "b"), (1.0, 2.0), (2.0, 3.0)) for text in HOSTILE
    )
    incidents = tuple(Incident("column", text, text, (0,), (text,)) for text in HOSTILE)
    side = Side(HOSTILE[0], 10, 1, "sha256:" + "ab" * 32, HOSTILE)
    return data_report(
        outcomes, recipe=recipe, exhibits=exhibits, columns=views, incidents=incidents, notes=HOSTILE,
        current=side, baseline=replace(side, label=HOSTILE[10]),
    )  # fmt: skip


def nothing(recipe: str) -> Report:
    side = Side("none", 0, 0, "sha256:" + "00" * 32)
    return data_report([], recipe=recipe, current=side, n_tests=0)


RECIPES = ("data-quality", "model-quality", "bias", "attribution")


def reports() -> Iterator[tuple[str, Report]]:
    yield "quality", metric_reports.quality()
    yield "bias", metric_reports.bias()
    yield "bias of 60 groups", metric_reports.bias(60)
    yield "attribution", metric_reports.attribution()
    yield "odd", metric_reports.metric_report("model-quality", [], exhibits=metric_reports.odd_exhibits())
    yield "wide", wide()
    for recipe in RECIPES:
        yield f"hostile {recipe}", hostile(recipe)
        yield f"nothing {recipe}", nothing(recipe)


ALL = dict(reports())


@pytest.fixture(params=ALL)
def report(request: pytest.FixtureRequest) -> Report:
    return ALL[request.param]


def metrics_of(job: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for group in job["metric_groups"]:
        for metric in group["metric_data"]:
            yield group["name"], metric


@pytest.mark.parametrize("level", ["full", "short"])
def test_every_report_becomes_a_valid_job_that_fits(report: Report, level: Any) -> None:
    facts = {"source": "executions/01ABC", "schedule": "churn-hourly", "baseline_version": 3, "model": None}
    job = evaluation_of_report(report, level=level, facts=facts, arn="arn:x")
    assert problems({"evaluation_details": [job]}) == []
    assert len(json.dumps(job)) <= (BUDGET if level == "full" else 4_000)
    keys = ["name", "evaluation_observation", "evaluation_job_arn", "datasets", "metadata", "metric_groups"]
    assert list(job) == keys
    assert job == evaluation_of_report(report, level=level, facts=facts, arn="arn:x")


def test_the_stored_report_of_an_earlier_release_becomes_one(data: Path) -> None:
    path = data.parent / "reports/report-v1.json"
    job = evaluation_of_report(from_json(path.read_bytes(), file=str(path)))
    assert problems({"evaluation_details": [job]}) == []


def test_nothing_looks_passed_that_is_not(report: Report) -> None:
    job = evaluation_of_report(report)
    verdict = {m["name"]: m["value"] for group, m in metrics_of(job) if group == "verdict"}
    assert verdict["status"] == report.status.value
    assert {s.value: verdict[s.value] for s in Status} == report.counts
    for group, metric in metrics_of(job):
        notes = metric.get("notes", "")
        if group.startswith("undetermined"):
            assert metric["value"] == "cannot tell"
        elif "cannot tell" in notes:
            assert notes.startswith("undetermined")
        if metric["value"] == "cannot tell":
            assert "passed" not in notes


@pytest.mark.parametrize("recipe", RECIPES)
def test_no_rows_are_undetermined(recipe: str) -> None:
    job = evaluation_of_report(nothing(recipe))
    verdict = {m["name"]: m["value"] for _, m in metrics_of(job)}
    assert (verdict["status"], verdict["rows"], verdict["passed"]) == ("undetermined", 0, 0)


def test_numbers_are_those_of_the_report() -> None:
    source = metric_reports.quality()
    job = evaluation_of_report(source)
    shown = {m["name"]: m for group, m in metrics_of(job) if group == "model-quality metrics"}
    for one in source.outcomes:
        if one.segment is None:
            metric = shown[one.constraint.check]
            assert (metric["type"], metric["value"]) == ("number", one.measurement.value)
            m = one.measurement
            assert m.interval is not None
            for number in (m.baseline, *m.interval, one.constraint.bound):
                assert re.search(rf"(?<![\d.]){re.escape(repr(number))}(?![\d])", metric["notes"])
            assert metric["notes"].startswith(one.status.value)
    lines = {m["name"]: m for _, m in metrics_of(job) if m["type"] == "linear_graph"}
    roc = next(e for e in source.exhibits if e.name == "roc_curve")
    points = [[x, y] for side, x, y in roc.rows if side == "current"]
    drawn = lines["roc_curve - current"]
    assert all(point in points for point in drawn["value"])
    assert (drawn["value"][0], drawn["value"][-1]) == (points[0], points[-1])
    assert "24 of 201 points" in drawn["notes"]
    matrix = next(m for _, m in metrics_of(job) if m["type"] == "matrix")
    assert matrix["value"] == [[5810, 437], [1101, 772]]
    assert matrix["x_axis_name"] == matrix["y_axis_name"] == ["0", "1"]


def test_slices_and_groups_have_their_own() -> None:
    quality = {group for group, _ in metrics_of(evaluation_of_report(metric_reports.quality()))}
    assert {"model-quality metrics - sex=Female", "model-quality metrics - race=Other"} <= quality
    bias = evaluation_of_report(metric_reports.bias())
    groups = [one["name"] for one in bias["metric_groups"]]
    assert "bias metrics - sex=Female" in groups
    values = {m["name"]: m["value"] for group, m in metrics_of(bias) if group == "bias metrics - sex=Female"}
    assert values["bias_te"] == "infinite"


def test_attributions_are_bars() -> None:
    job = evaluation_of_report(metric_reports.attribution())
    bars = {m["name"]: m for _, m in metrics_of(job) if m["type"] == "bar_chart"}
    now = bars["global_attributions - current"]
    assert dict(zip(now["x_axis_name"], now["value"], strict=True))["sex"] == 0.1120
    assert bars["global_attributions - baseline"]["value"][now["x_axis_name"].index("sex")] == 0.0321


def test_violations_are_words_with_the_sentence_and_the_numbers() -> None:
    job = evaluation_of_report(metric_reports.quality())
    found = [m for group, m in metrics_of(job) if group == "violations - model-quality"]
    assert found[0]["name"] == "recall"
    assert found[0]["value"] == "critical: worse than allowed"
    assert "value 0.4123; baseline 0.5875" in found[0]["notes"]
    assert all(m["type"] == "string" and len(m["value"]) <= 63 for m in found)


def test_of_many_violations_the_worst_are_there_and_the_others_counted() -> None:
    source = wide()
    job = evaluation_of_report(source)
    found = [m for group, m in metrics_of(job) if group == "violations - data-quality"]
    n_critical = sum(o.constraint.severity is Severity.CRITICAL for o in source.violations)
    assert len(found) > n_critical > 0
    assert all(m["value"].startswith("critical") for m in found[:n_critical])
    told = re.search(r"Not shown here, for want of room: ([\d,]+) violations", job["evaluation_observation"])
    assert told is not None
    assert int(told[1].replace(",", "")) == len(source.violations) - len(found)
    verdict = {m["name"]: m["value"] for group, m in metrics_of(job) if group == "verdict"}
    assert verdict["violated"] == len(source.violations)
    charts = [m for _, m in metrics_of(job) if m["type"] in ("bar_chart", "linear_graph")]
    assert charts[0]["name"] == "distance from the baseline"
    assert len(charts[0]["value"]) == 20


def test_distributions_of_what_moved_are_drawn() -> None:
    job = evaluation_of_report(wide(6))
    drawn = {m["name"]: m for _, m in metrics_of(job) if m["type"] == "linear_graph"}
    assert drawn["distribution of column_0 - current"]["value"][:2] == [[0, 4.0], [1, 4.0]]
    assert len(drawn["distribution of column_0 - baseline"]["value"]) == 25


def test_checks_of_data_quality_are_counted() -> None:
    job = evaluation_of_report(wide(9))
    counted = {m["name"]: m["value"] for group, m in metrics_of(job) if group == "checks - data-quality"}
    assert counted == {
        "ks": "3 passed, 3 violated, 3 undetermined",
        "completeness": "9 passed, 0 violated, 0 undetermined",
    }


def test_short_ones_have_no_charts() -> None:
    job = evaluation_of_report(metric_reports.quality(), level="short")
    assert {m["type"] for _, m in metrics_of(job)} <= {"string", "number"}
    assert any(group.startswith("violations") for group, _ in metrics_of(job))


def test_facts_stand_in_the_metadata() -> None:
    source = metric_reports.quality()
    facts = {
        "source": "executions/01A",
        "schedule": "churn",
        "window": "a to b",
        "baseline_version": 3,
        "model": None,
    }
    job = evaluation_of_report(source, facts=facts)
    assert job["name"] == "Model quality: churn"
    assert job["metadata"] == {
        "monitor": "model-quality", "source": "executions/01A", "schedule": "churn", "window": "a to b",
        "baseline_version": "3", "status": "violated", "baseline_digest": source.baseline.digest,
        "data_digest": source.current.digest, "mode": "default", "created": source.created,
        "driftline_version": "0.1.0",
    }  # fmt: skip
    verdict = {m["name"]: m["value"] for group, m in metrics_of(job) if group == "verdict"}
    assert verdict["baseline"] == "census-test, first half, version 3"
    assert verdict["window"] == "a to b"
    assert verdict["alpha"] == 0.01
    assert is_monitor_made(job)
    assert not is_monitor_made(evaluation_of_report(source))
    assert not is_monitor_made({"name": "by hand", "metadata": {"source": "my laptop"}})


def test_many_files_are_named_by_their_folder() -> None:
    sources = tuple(f"captures/churn/hour={i:02}/a.parquet" for i in range(24))
    report = data_report([], current=Side("churn", 1, 1, "sha256:" + "ab" * 32, sources))
    assert evaluation_of_report(report)["datasets"] == ["churn", "captures/churn (24 files)"]


def test_names_of_jobs_fit_and_stay_different() -> None:
    names = {job_name("attribution", "s" * 62 + last) for last in "ab"}
    assert len(names) == 2
    assert max(map(len, names)) == 63


def test_charts_can_be_taken_away_once() -> None:
    job = evaluation_of_report(metric_reports.attribution())
    bare = without_charts(job)
    assert not [m for _, m in metrics_of(bare) if m["type"] not in ("string", "number")]
    assert bare["evaluation_observation"].endswith("Its charts were left out for want of room.")
    assert without_charts(bare) == bare
    assert len(json.dumps(bare)) < len(json.dumps(job))
    assert problems({"evaluation_details": [bare]}) == []
    assert any(m["type"] == "bar_chart" for _, m in metrics_of(job))
