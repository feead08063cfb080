"""The report as a document."""

from __future__ import annotations

import hashlib
import json
import math
import time
from dataclasses import replace
from datetime import UTC
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.baselines.constraint import CHECKS, Constraint, Severity
from driftline.baselines.metrics import METRICS
from driftline.errors import DocumentError, InternalError
from driftline.reports.codec import from_json, report_id, to_json
from driftline.reports.exhibit import KINDS as EXHIBIT_KINDS
from driftline.reports.exhibit import UNITS, Exhibit
from driftline.reports.outcome import Measurement, Outcome, Place, Status
from driftline.reports.reading import INCIDENT_KINDS, KINDS
from driftline.reports.report import ColumnView, Incident, Report, Side

if TYPE_CHECKING:
    from pathlib import Path

FINITE = st.floats(allow_nan=False, allow_infinity=False)
INFINITE = st.floats(allow_nan=False)
COUNT = st.integers(0, 2**53)
TEXT = st.text(max_size=12)
PROBABILITY = st.floats(0, 1)
PLACES = st.lists(st.builds(Place, TEXT, st.integers(1, 2**40)), max_size=3).map(tuple)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
DIGEST = st.integers(0, 2**256 - 1).map(lambda n: f"sha256:{n:064x}")
MOMENT = st.datetimes(timezones=st.just(UTC)).map(lambda t: t.isoformat())
SUMMARY = st.dictionaries(
    TEXT, st.none() | FINITE | INFINITE | TEXT | st.sampled_from(["NaN", "Infinity"]), max_size=4
)

CONSTRAINTS = st.builds(
    Constraint,
    check=st.sampled_from(sorted((*CHECKS, *METRICS))),
    column=st.none() | TEXT,
    bound=st.none() | INFINITE,
    expected=st.none() | TEXT,
    low=st.none() | INFINITE,
    high=st.none() | INFINITE,
    domain=st.none() | TEXTS,
    evidence=st.booleans(),
    min_rows=COUNT,
    severity=st.sampled_from(list(Severity)),
    why=TEXT,
)
MEASUREMENTS = st.builds(
    Measurement,
    name=TEXT,
    value=st.none() | INFINITE,
    unit=TEXT,
    n_current=COUNT,
    n_baseline=st.none() | COUNT,
    interval=st.none() | st.tuples(INFINITE, INFINITE).map(lambda ends: (min(ends), max(ends))),
    sketch_error=st.floats(0, 1e300),
    p_value=st.none() | PROBABILITY,
    detectable=st.none() | INFINITE,
    n_bad=st.none() | COUNT,
    where=PLACES,
    examples=TEXTS,
    note=st.none() | TEXT,
    baseline=st.none() | INFINITE,
)
OUTCOMES = st.builds(
    Outcome,
    CONSTRAINTS,
    MEASUREMENTS,
    st.sampled_from(list(Status)),
    TEXT,
    st.none() | PROBABILITY,
    st.none() | TEXT,
)
SIDES = st.builds(Side, TEXT, COUNT, COUNT, DIGEST, TEXTS, st.none() | MOMENT)


@st.composite
def columns(draw: st.DrawFn) -> ColumnView:
    n = draw(st.integers(0, 4))
    counts = st.lists(st.floats(0, 1e300) | COUNT, min_size=n, max_size=n).map(tuple)
    shape: dict[str, Any] = {}
    if n and draw(st.booleans()):
        shape["edges"] = tuple(sorted(draw(st.lists(INFINITE, min_size=n + 1, max_size=n + 1))))
    elif n:
        shape["labels"] = draw(st.lists(TEXT, min_size=n, max_size=n).map(tuple))
    return ColumnView(
        name=draw(TEXT),
        kind=draw(st.sampled_from(KINDS)),
        inferred_type=draw(TEXT),
        baseline_counts=draw(st.just(()) | counts),
        current_counts=draw(st.just(()) | counts),
        baseline_summary=draw(SUMMARY),
        current_summary=draw(SUMMARY),
        segment=draw(st.none() | TEXT),
        **shape,
    )


@st.composite
def reports(draw: st.DrawFn) -> Report:
    outcomes = draw(st.lists(OUTCOMES, max_size=4).map(tuple))
    incidents = tuple(
        Incident(
            draw(st.sampled_from(INCIDENT_KINDS)), draw(TEXT), draw(TEXT), (at,), draw(TEXTS), draw(PLACES),
            draw(st.sampled_from(["warning", "critical"])),
        )
        for at, outcome in enumerate(outcomes)
        if outcome.is_violation
    )  # fmt: skip
    return Report(
        recipe=draw(TEXT),
        mode=draw(st.sampled_from(["default", "sagemaker"])),
        matching=draw(st.sampled_from(["name", "position"])),
        baseline=draw(SIDES),
        current=draw(SIDES),
        alpha=draw(PROBABILITY),
        n_tests=draw(COUNT),
        outcomes=outcomes,
        incidents=incidents,
        columns=draw(st.lists(columns(), max_size=3).map(tuple)),
        created=draw(MOMENT),
        versions=draw(st.dictionaries(TEXT, TEXT, max_size=3)),
        notes=draw(TEXTS),
        compat_differences=draw(TEXTS),
        segments=draw(st.none() | TEXT),
    )


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    text = resources.files("driftline.reports").joinpath("schema/report.schema.json").read_text("utf-8")
    schema = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@given(reports())
def test_the_round_trip_is_exact(report: Report) -> None:
    text = to_json(report)
    back = from_json(text, file="report.json")
    assert back == report
    assert to_json(back) == text
    assert from_json(text.encode(), file="report.json") == report


@given(reports())
def test_every_document_follows_the_schema(
    validator: jsonschema.Draft202012Validator, report: Report
) -> None:
    assert [error.message for error in validator.iter_errors(json.loads(to_json(report)))] == []


def test_the_examples_survive(any_report: Report, validator: jsonschema.Draft202012Validator) -> None:
    text = to_json(any_report)
    assert from_json(text, file="x") == any_report
    assert list(validator.iter_errors(json.loads(text))) == []
    assert text.encode("utf-8").decode("utf-8") == text


def test_the_schema_knows_the_same_words(validator: jsonschema.Draft202012Validator) -> None:
    parts = validator.schema["$defs"]
    assert parts["constraint"]["properties"]["check"]["enum"] == [*CHECKS, *METRICS]
    assert parts["exhibit"]["properties"]["kind"]["enum"] == list(EXHIBIT_KINDS)
    assert parts["exhibit"]["properties"]["units"]["items"]["enum"] == list(UNITS)
    assert parts["column"]["properties"]["kind"]["enum"] == list(KINDS)
    assert parts["incident"]["properties"]["kind"]["enum"] == list(INCIDENT_KINDS)
    assert parts["status"]["enum"] == [status.value for status in Status]
    for name, part in (
        ("side", Side),
        ("place", Place),
        ("constraint", Constraint),
        ("measurement", Measurement),
        ("outcome", Outcome),
        ("incident", Incident),
        ("column", ColumnView),
        ("exhibit", Exhibit),
    ):
        assert set(parts[name]["properties"]) == set(part.__slots__)


def test_not_a_number_reads_back() -> None:
    report = from_json(to_json(example(value=math.nan)), file="x")
    value = report.outcomes[0].measurement.value
    assert value is not None
    assert math.isnan(value)


def example(value: float | None = 0.5, **fields: Any) -> Report:
    outcome = Outcome(
        Constraint("ks", "a", 0.1), Measurement("ks", value, "distance", 10, 20), Status.VIOLATED, "far"
    )
    column = ColumnView(
        "a", "number", "Integral", (0.0, 1.0, 2.0), (), (3.0, 4.0), (1.0, 2.0), {"mean": 1.0}, {}
    )
    side = Side("a.csv", 20, 1, "sha256:" + "0" * 64, ("a.csv",))
    given_fields: dict[str, Any] = {
        "recipe": "data-quality", "mode": "default", "matching": "name", "baseline": side, "current": side,
        "alpha": 0.001, "n_tests": 1, "outcomes": (outcome,), "columns": (column,),
        "incidents": (Incident("drift", "a has drifted", "far", (0,), ("a",)),),
        "created": "2026-11-23T07:00:00Z", "versions": {"driftline": "0.1.0"},
    }  # fmt: skip
    return Report(**{**given_fields, **fields})


def test_the_document_can_be_searched_by_line(churn_report: Report) -> None:
    lines = to_json(churn_report).splitlines()
    assert sum(line.startswith('{"constraint":') for line in lines) == len(churn_report.outcomes)
    assert sum(line.startswith('{"baseline_counts":') for line in lines) == len(churn_report.columns)


# -- the name of the content


def test_the_id_can_be_recomputed_by_anybody(churn_report: Report) -> None:
    document = json.loads(to_json(churn_report))
    stated = document.pop("id")
    del (
        document["created"],
        document["versions"],
        document["baseline"]["created"],
        document["current"]["created"],
    )
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert stated == "sha256:" + hashlib.sha256(text.encode()).hexdigest() == report_id(churn_report)


def test_the_id_leaves_out_when_and_with_what() -> None:
    report = example()
    later = replace(
        report,
        created="2027-01-01T00:00:00+00:00",
        versions={"driftline": "9"},
        current=replace(report.current, created="2027-01-01T00:00:00Z"),
    )
    assert report_id(later) == report_id(report)


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": "sagemaker"},
        {"alpha": 0.002},
        {"notes": ("x",)},
        {"segments": "region"},
        {"columns": ()},
        {"n_tests": 2},
    ],
)
def test_the_id_follows_the_content(changes: dict[str, Any]) -> None:
    assert report_id(example(**changes)) != report_id(example())


def test_a_changed_file_is_recognised() -> None:
    text = to_json(example()).replace('"reason":"far"', '"reason":"fur"')
    with pytest.raises(DocumentError, match=r"^E-REPORT-ID: r.json: id: the content is not the one"):
        from_json(text, file="r.json")


@given(st.data())
def test_no_flipped_character_goes_unseen(data: st.DataObject) -> None:
    text = to_json(example())
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(
        st.characters(codec="ascii", categories=["L", "N", "P"]).filter(lambda c: c != text[at])
    )
    changed = text[:at] + other + text[at + 1 :]
    unnamed = ('"created":"', '"versions":{')
    line = changed[changed.rfind("\n", 0, at) + 1 :].split("\n", 1)[0]
    if line.startswith(unnamed) or text[text.rfind("\n", 0, at) + 1 :].startswith(unnamed):
        return
    with pytest.raises(DocumentError):
        from_json(changed, file="r.json")


# -- files of earlier releases


def test_the_example_of_version_1_stays_readable(
    data: Path, validator: jsonschema.Draft202012Validator
) -> None:
    text = (data / "reports/report-v1.json").read_text(encoding="utf-8")
    report = from_json(text, file="report-v1.json")
    assert list(validator.iter_errors(json.loads(text))) == []
    assert report_id(report) == "sha256:a0ba06658434eac260133711653aa353f55a04ef4419f7d60daa3cc8cbd79f7b"
    assert report.counts == {"passed": 3, "violated": 5, "undetermined": 1}
    assert report.outcomes[0].measurement.where == (Place("live/07.jsonl", 1),)
    assert report.outcomes[2].constraint.domain == ("Germany", "Italy")
    assert report.outcomes[4].measurement.detectable == math.inf
    assert report.columns[0].edges[0] == -math.inf
    assert report.columns[1].baseline_summary["most_frequent"] == "NaN"
    assert to_json(report) == text


# -- what cannot be written, and how long it takes


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(Constraint("ks", "a", math.nan), Measurement("ks", 0.1, "", 1), Status.PASSED, ""),
        Outcome(
            Constraint("ks", "a", 0.1), Measurement("ks", 0.1, "", 1, p_value=math.inf), Status.PASSED, ""
        ),
    ],
)
def test_a_number_without_meaning_is_never_written(outcome: Outcome) -> None:
    with pytest.raises(InternalError, match="holds a value that its document cannot"):
        to_json(example(outcomes=(outcome,), incidents=()))


def test_two_thousand_columns_are_written_in_a_blink(wide_report: Report) -> None:
    many = replace(
        wide_report,
        columns=tuple(replace(wide_report.columns[i % 300], name=f"c{i}") for i in range(2000)),
    )
    taken = []
    for _ in range(3):
        start = time.process_time()
        to_json(many)
        taken.append(time.process_time() - start)
    assert min(taken) < 0.3
