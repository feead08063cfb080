"""Engine: columns paired, rules judged together, and a report that never passes what was not looked at."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from driftline.baselines.baseline import Baseline, Segment
from driftline.baselines.describe import SKETCH_ERROR, statistics_of
from driftline.baselines.sagemaker import write_constraints, write_statistics
from driftline.baselines.suggestion import suggest
from driftline.capture.open import open_source
from driftline.kernels.evidence import benjamini_hochberg
from driftline.monitor.engine import LEAST_PER_SEGMENT, MOST_DRAWN, Run, compare
from driftline.monitor.job import check
from driftline.monitor.kinds import load_baseline
from driftline.monitor.overrides import read_overrides
from driftline.monitor.scan import scan
from driftline.reports.outcome import Outcome, Place, Status

if TYPE_CHECKING:
    from pathlib import Path

    from driftline.baselines.profile import Profile
    from driftline.reports.report import Report


def profile(data: Any) -> Profile:
    return scan(open_source(data), threads=1, compiled=False)


def baseline_of(data: Any, **changes: Any) -> Baseline:
    folded = profile(data)
    return dataclasses.replace(Baseline("before", suggest(folded), folded), **changes)


def run(current: Any, baseline: Baseline, overrides: dict[str, Any] | None = None, **changes: Any) -> Report:
    settings = Run("after", "2026-11-23T07:00:00Z", 1_795_417_200.0, {}, read_overrides(overrides))
    return compare(baseline, profile(current), dataclasses.replace(settings, **changes))


def found(report: Report, check: str, column: str | None = None, segment: str | None = None) -> Outcome:
    (outcome,) = [
        o
        for o in report.outcomes
        if (o.constraint.check, o.constraint.column, o.segment) == (check, column, segment)
    ]
    return outcome


def statuses(report: Report) -> dict[tuple[str, str | None], str]:
    return {(o.constraint.check, o.constraint.column): o.status.value for o in report.outcomes}


def table(n: int, seed: int, shift: float = 0.0) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "x": rng.standard_normal(n) + shift,
            "c": [f"c{i}" for i in rng.integers(0, 4, n)],
            "flag": rng.random(n) < 0.4,
            "id": np.arange(n),
        }
    )


@pytest.fixture(scope="module")
def before() -> Baseline:
    return baseline_of(table(5_000, 1))


# --- pairing --------------------------------------------------------------------------------------------------------


def test_data_like_the_baseline_pass_every_check(before: Baseline) -> None:
    report = run(table(4_000, 2), before)
    assert report.status is Status.PASSED
    assert report.counts == {"passed": len(report.outcomes), "violated": 0, "undetermined": 0}
    assert report.matching == "name"
    assert [v.name for v in report.columns] == ["x", "c", "flag", "id"]
    assert found(report, "missing_column").reason == "All 4 columns of the baseline are there, and no others."
    assert "identifiers are not looked at for drift: 'id'" in report.notes


def test_order_of_columns_does_not_matter(before: Baseline) -> None:
    data = table(4_000, 2)
    turned = run(data.select(["id", "flag", "c", "x"]), before)
    assert statuses(turned) == statuses(run(data, before))


def test_columns_that_came_and_went(before: Baseline) -> None:
    data = table(4_000, 2).rename_columns(["x", "c", "flag", "ID"])
    report = run(data, before)
    assert report.status is Status.VIOLATED
    assert found(report, "missing_column", "id").status is Status.VIOLATED
    assert found(report, "extra_column", "ID").status is Status.VIOLATED
    assert found(report, "ks", "x").status is Status.PASSED


def test_columns_may_be_allowed_to_come_and_go(before: Baseline) -> None:
    data = table(4_000, 2).rename_columns(["x", "c", "flag", "ID"])
    off = {"checks": {"missing_column": {"enabled": False}, "extra_column": {"enabled": False}}}
    report = run(data, before, off)
    assert not [o for o in report.outcomes if o.constraint.check in ("missing_column", "extra_column")]
    ignored = run(data, before, {"columns": {"id": {"ignore": True}, "ID": {"ignore": True}}})
    assert (
        found(ignored, "missing_column").reason == "All 3 columns of the baseline are there, and no others."
    )
    mine = {"columns": {"id": {"checks": {"missing_column": {"severity": "critical"}}}}}
    assert found(run(data, before, mine), "missing_column", "id").constraint.severity.value == "critical"


def test_columns_without_names_are_paired_by_position(before: Baseline) -> None:
    data = table(4_000, 2).rename_columns(["_c0", "_c1", "_c2", "_c3"])
    report = run(data, before, named=False)
    assert report.matching == "position"
    assert statuses(report) == statuses(run(table(4_000, 2), before))
    assert any("paired by position" in note for note in report.notes)
    assert run(data, before).matching == "position"  # names that are mere positions are no names


def test_an_ignored_column_keeps_its_position(before: Baseline) -> None:
    data = table(4_000, 2).rename_columns(["_c0", "_c1", "_c2", "_c3"])
    report = run(data, before, {"columns": {"x": {"ignore": True}}}, named=False)
    assert ("ks", "x") not in statuses(report)
    assert found(report, "l_infinity", "c").status is Status.PASSED


@pytest.mark.parametrize(("columns", "check"), [(["x", "c"], "missing_column"), (None, "extra_column")])
def test_another_number_of_nameless_columns_ends_the_comparison(
    before: Baseline, columns: list[str] | None, check: str
) -> None:
    data = table(50, 2)
    data = data.select(columns) if columns else data.append_column("more", data["x"])
    report = run(data, before, named=False)
    assert list(statuses(report)) == [(check, None)]
    assert report.status is Status.VIOLATED
    assert "cannot be paired" in report.outcomes[0].reason


def test_switched_off_constraints_look_at_nothing_and_pass_nothing(before: Baseline) -> None:
    off = dataclasses.replace(before.constraints.monitoring, evaluate_constraints=False)
    quiet = dataclasses.replace(before, constraints=dataclasses.replace(before.constraints, monitoring=off))
    report = run(table(50, 2, shift=9), quiet)
    assert report.outcomes == ()
    assert report.status is Status.UNDETERMINED
    assert len(report.columns) == 4


# --- too little data ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 5, 30])
def test_too_few_rows_never_pass_a_drift_check(before: Baseline, n: int) -> None:
    report = run(table(n, 3), before)
    for check_name, column in (("ks", "x"), ("l_infinity", "c"), ("l_infinity", "flag")):
        outcome = found(report, check_name, column)
        assert outcome.status is Status.UNDETERMINED
        assert "chance alone reaches" in outcome.reason
    assert report.status is not Status.PASSED


def test_a_small_baseline_is_said_to_be_small() -> None:
    report = run(table(50_000, 3), baseline_of(table(60, 1)))
    assert "the baseline itself is too small" in found(report, "ks", "x").reason


def test_no_rows_can_tell_nothing(before: Baseline) -> None:
    report = run(table(0, 3), before)
    assert report.status is Status.UNDETERMINED
    assert {o.status for o in report.outcomes if o.constraint.column} == {Status.UNDETERMINED}
    assert "the data has no rows: nothing can be told" in report.notes
    assert run(table(0, 3), before, {"checks": {"row_volume": {"low": 1}}}).status is Status.VIOLATED


def test_a_baseline_without_rows_judges_nothing() -> None:
    report = run(table(500, 3), baseline_of(table(0, 1)))
    assert report.status is Status.UNDETERMINED


def test_all_null_is_incomplete_and_otherwise_undetermined(before: Baseline) -> None:
    data = table(400, 3)
    data = data.set_column(0, "x", pa.nulls(400, pa.float64()))
    report = run(data, before)
    assert found(report, "completeness", "x").status is Status.VIOLATED
    for check_name in ("data_type", "numeric_range", "ks"):
        assert found(report, check_name, "x").status is Status.UNDETERMINED


def test_constant_columns_are_compared() -> None:
    before = baseline_of({"x": [2.0] * 900, "c": ["a"] * 900, "flag": [False] * 900})
    same = run({"x": [2.0] * 600, "c": ["a"] * 600, "flag": [False] * 600}, before)
    assert same.status is Status.PASSED
    other = run({"x": [3.0] * 600, "c": ["b"] * 600, "flag": [True] * 600}, before)
    for check_name, column in (
        ("ks", "x"),
        ("l_infinity", "c"),
        ("l_infinity", "flag"),
        ("categorical_values", "c"),
    ):
        assert found(other, check_name, column).status is Status.VIOLATED


# --- meaning --------------------------------------------------------------------------------------------------------


def test_whole_doubles_are_valid_integers_and_integers_valid_doubles() -> None:
    whole, real = {"x": list(range(800))}, {"x": [float(i) for i in range(800)]}
    assert found(run(real, baseline_of(whole)), "data_type", "x").status is Status.PASSED
    assert found(run(whole, baseline_of(real)), "data_type", "x").status is Status.PASSED
    assert found(run({"x": [0.5] * 800}, baseline_of(whole)), "data_type", "x").status is Status.VIOLATED


def test_nan_is_missing() -> None:
    report = run({"x": [1.0, np.nan] * 300}, baseline_of({"x": [1.0, 2.0] * 300}))
    assert found(report, "completeness", "x").measurement.n_bad == 300


def test_infinities_do_not_pass_silently() -> None:
    rng = np.random.default_rng(0)
    before = baseline_of({"x": rng.standard_normal(5_000)})
    x = rng.standard_normal(5_000)
    x[::50] = np.inf
    report = run({"x": x}, before)
    assert found(report, "numeric_range", "x").status is Status.VIOLATED
    assert found(report, "numeric_range", "x").measurement.where[0] == Place("", 1)


def test_type_change_is_found_and_drift_is_undetermined() -> None:
    report = run({"x": ["a", "b"] * 300}, baseline_of({"x": np.arange(600) * 1.5}))
    assert found(report, "data_type", "x").status is Status.VIOLATED
    assert found(report, "ks", "x").status is Status.UNDETERMINED


def test_drift_is_found_with_its_evidence(before: Baseline) -> None:
    report = run(table(2_000, 2, shift=0.5), before)
    outcome = found(report, "ks", "x")
    assert outcome.status is Status.VIOLATED
    assert outcome.q_value is not None
    assert outcome.q_value < 1e-9
    assert [i.kind for i in report.incidents] == ["drift"]
    assert report.columns[0].edges
    assert sum(report.columns[0].current_counts) == pytest.approx(2_000)


def test_corrections_are_over_the_run_and_alpha_is_the_users(before: Baseline) -> None:
    report = run(table(2_000, 2), before, {"alpha": 0.05})
    tested = [o for o in report.outcomes if o.q_value is not None]
    assert report.n_tests == len(tested)
    assert report.alpha == 0.05
    corrected = benjamini_hochberg([o.measurement.p_value or 0.0 for o in tested])
    assert [o.q_value for o in tested] == corrected


def test_freshness_is_measured_from_the_time_of_the_run() -> None:
    rows = {"at": pa.array([1_795_417_200 - 7_200], pa.timestamp("s"))}
    decided = {"columns": {"at": {"checks": {"freshness": {"bound": 3_600}}}}}
    outcome = found(run(rows, baseline_of(rows), decided), "freshness", "at")
    assert (outcome.status, outcome.measurement.value) == (Status.VIOLATED, 7_200.0)


def test_uniqueness_of_an_identifier() -> None:
    before = baseline_of({"id": list(range(500))})
    decided = {"columns": {"id": {"checks": {"uniqueness": {"bound": 1.0}}}}}
    assert found(run({"id": list(range(90))}, before, decided), "uniqueness", "id").status is Status.PASSED
    again = found(run({"id": [*range(90), 5]}, before, decided), "uniqueness", "id")
    assert (again.status, again.measurement.n_bad) == (Status.VIOLATED, 1)


def test_same_input_same_report(before: Baseline) -> None:
    assert run(table(900, 7), before) == run(table(900, 7), before)
    assert run(table(900, 7), before).to_json() == run(table(900, 7), before).to_json()


def test_wide_tables_draw_the_violated_columns_first() -> None:
    n = MOST_DRAWN + 20
    rng = np.random.default_rng(0)
    before = baseline_of({f"x{i:04d}": rng.standard_normal(400) for i in range(n)})
    data = {f"x{i:04d}": rng.standard_normal(400) + 5 * (i == n - 1) for i in range(n)}
    report = run(data, before)
    assert len(report.columns) == n
    drawn = [v.name for v in report.columns if v.edges]
    assert len(drawn) == MOST_DRAWN
    assert drawn[-1] == f"x{n - 1:04d}"


# --- what others computed -------------------------------------------------------------------------------------------


def test_statistics_alone_are_enough_to_compare(before: Baseline) -> None:
    statistics = write_statistics(statistics_of(before.profile)).encode()  # type: ignore[arg-type]
    files = {
        "statistics.json": statistics,
        "constraints.json": write_constraints(before.constraints).encode(),
    }
    borrowed = Baseline.from_files(files, file="there")
    clean, moved = run(table(4_000, 2), borrowed), run(table(4_000, 2, shift=0.5), borrowed)
    assert found(clean, "ks", "x").status is Status.PASSED
    assert found(moved, "ks", "x").status is Status.VIOLATED
    assert found(clean, "ks", "x").measurement.sketch_error >= SKETCH_ERROR
    assert "the baseline's distributions come from SageMaker's sketches" in clean.notes


@pytest.mark.parametrize("folder", ["churn", "housing", "weather", "amazon_reviews", "sdk_fixtures"])
def test_sagemakers_baselines_are_held_against_their_own_kind_of_data(data: Path, folder: str) -> None:
    before = load_baseline(data / "sagemaker" / folder)
    n = 40
    columns: dict[str, list[Any]] = {}
    for feature in before.constraints.features:
        if feature.domains:
            columns[feature.name] = [feature.domains[0]] * n
        elif feature.inferred_type.is_number:
            statistics = before.statistics.feature(feature.name) if before.statistics else None
            mean = statistics.numeric.mean if statistics and statistics.numeric else 1.0
            columns[feature.name] = [round(mean or 1.0)] * n
        else:
            columns[feature.name] = ["text"] * n
    report = run(columns, before)
    assert found(report, "missing_column").status is Status.PASSED
    assert {o.constraint.column for o in report.outcomes if o.constraint.column} == set(before.names)
    for outcome in report.outcomes:
        if outcome.constraint.check in ("data_type", "completeness", "categorical_values"):
            assert outcome.status is Status.PASSED, outcome.reason
        if outcome.constraint.check in ("ks", "l_infinity"):
            # Forty equal rows are no sample of anything. (A fixture allows a distance of 1, which nothing exceeds.)
            assert outcome.status is not Status.PASSED or outcome.constraint.bound == 1.0


def test_the_churn_traffic_is_compared_by_its_values(data: Path) -> None:
    """Its baseline was made of a file with names; the captured requests have none, so position pairs them."""
    folder = data / "sagemaker"
    report = check(folder / "captured" / "churn_2022.jsonl", folder / "churn")
    assert report.matching == "position"
    assert report.mode == "default"
    # The first captured column is a probability, the baseline's a label. 0.0 is a valid Integral everywhere else.
    wrong = [o.constraint.column for o in report.violations if o.constraint.check == "data_type"]
    assert wrong == ["Churn"]
    assert report.judged_anything


def test_without_statistics_drift_cannot_be_looked_at(data: Path) -> None:
    constraints = (data / "sagemaker" / "housing" / "constraints.json").read_bytes()
    before = Baseline.from_files({"constraints.json": constraints}, file="there")
    report = run({name: [1.0, 2.0] for name in before.names}, before)
    assert found(report, "ks", "crim").status is Status.UNDETERMINED
    assert "the baseline has no statistics: drift cannot be looked at" in report.notes


# --- segments -------------------------------------------------------------------------------------------------------


def _segmented(n: int, seed: int) -> dict[str, pa.Table]:
    return {"north": table(n, seed), "south": table(n, seed + 1)}


def _with_segments(n: int = 2_000) -> Baseline:
    parts = _segmented(n, 10)
    whole = baseline_of(pa.concat_tables(parts.values()))
    segments = tuple(Segment(name, profile(part)) for name, part in parts.items())
    return dataclasses.replace(whole, segment_column="c", segments=segments)


def test_segments_are_judged_on_their_own() -> None:
    before = _with_segments()
    parts = {"north": table(2_000, 20), "south": table(2_000, 21, shift=1.0)}
    segments = {name: profile(part) for name, part in parts.items()}
    report = run(pa.concat_tables(parts.values()), before, segments=segments, segment_column="c")
    assert found(report, "ks", "x", "c=north").status is Status.PASSED
    assert found(report, "ks", "x", "c=south").status is Status.VIOLATED
    assert [v.segment for v in report.columns if v.segment] == ["c=south"]
    assert not [o for o in report.outcomes if o.segment and o.constraint.column == "c"]
    assert all(o.measurement.where == () for o in report.outcomes if o.segment)
    assert report.segments == "c"


@pytest.mark.parametrize(
    ("n_before", "n_after"), [(2_000, LEAST_PER_SEGMENT - 1), (LEAST_PER_SEGMENT - 1, 2_000), (2_000, 0)]
)
def test_small_segments_are_undetermined(n_before: int, n_after: int) -> None:
    before = _with_segments(n_before)
    after = {"north": profile(table(n_after, 20))} if n_after else {}
    report = run(table(2_000, 20), before, segments=after, segment_column="c")
    outcome = found(report, "row_volume", None, "c=north")
    assert outcome.status is Status.UNDETERMINED
    assert f"{LEAST_PER_SEGMENT} are needed" in outcome.reason
    assert ("the data" if n_after < n_before else "the baseline") in outcome.reason


def test_segments_unknown_to_the_baseline_are_undetermined() -> None:
    segments = {"west": profile(table(50, 3)), None: profile(table(1, 4))}
    report = run(table(50, 3), _with_segments(), segments=segments, segment_column="c")
    west = found(report, "row_volume", None, "c=west")
    assert west.status is Status.UNDETERMINED
    assert west.reason == "Row volume: the baseline has no segment c=west to compare with (rows: 50)."
    assert found(report, "row_volume", None, "c=(missing)").reason.endswith("(rows: 1).")


# --- hostile numbers ------------------------------------------------------------------------------------------------

EVERYTHING = {
    "checks": {
        name: {"enabled": True}
        for name in (
            "l_infinity_robust",
            "chi_squared",
            "psi",
            "js_distance",
            "hellinger",
            "total_variation",
            "wasserstein",
        )
    }
}
HOSTILE: dict[str, Any] = {
    "powers": np.concatenate([2.0 ** np.arange(-1022, 1024), -(2.0 ** np.arange(-1022, 1024))]),
    "ends": np.array([-1.7976931348623157e308, 1.7976931348623157e308] * 100),
    "subnormal": np.array([5e-324, 1e-310, -5e-324] * 100),
    "infinite": np.array([np.inf, -np.inf] * 100),
    "nan": np.full(200, np.nan),
    "mixed": np.array([np.nan, np.inf, -np.inf, 1e308, -0.0] * 50),
    "large ids": np.array([2**63 - 1, -(2**63), 2**53 + 1] * 100),
    "zero": np.zeros(200),
    "empty texts": [""] * 200,
    "one long text": ["x" * 100_000] * 40,
    "surrogates": ["\ufeff\u202e\x00"] * 40,
}


@pytest.mark.parametrize("before", HOSTILE)
def test_hostile_columns_are_judged_and_written(before: str) -> None:
    baseline = baseline_of({"x": HOSTILE[before]})
    Baseline.from_files(baseline.files(), file="there")
    for values in HOSTILE.values():
        report = run({"x": values}, baseline, EVERYTHING)
        assert report.outcomes
        report.to_json()
    assert run({"x": HOSTILE[before]}, baseline, EVERYTHING).violations == ()
