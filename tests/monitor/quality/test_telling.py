"""Telling: what moved together is one incident, and every violated outcome is in exactly one."""

from __future__ import annotations

from scored import BINARY, REGRESSION, binary, numbers

from driftline.baselines.constraint import Constraint, Severity
from driftline.capture.open import open_source
from driftline.monitor.quality.figures import Figures
from driftline.monitor.quality.fold import Folded, fold
from driftline.monitor.quality.settings import read_settings
from driftline.monitor.quality.telling import incidents_of, notes_of
from driftline.reports.outcome import Measurement, Outcome, Status


def outcome(
    check: str,
    segment: str | None = None,
    *,
    status: Status = Status.VIOLATED,
    severity: Severity = Severity.WARNING,
) -> Outcome:
    constraint = Constraint(check, None, 0.5, severity=severity)
    return Outcome(constraint, Measurement(check, 0.4, "share", 100), status, f"{check} fell.", None, segment)


def side(table: object = None) -> Folded:
    return fold(open_source(binary(200, 1) if table is None else table), read_settings(BINARY))


def test_the_whole_model_is_one_incident() -> None:
    outcomes = [
        outcome("accuracy"),
        outcome("auc", status=Status.PASSED),
        outcome("recall"),
        outcome("precision_at_k", "k=50"),
        outcome("recall", "region=north", severity=Severity.CRITICAL),
        outcome("recall", "estimated"),
    ]
    whole, estimated, north = incidents_of(outcomes, (side(), side()))
    assert whole.outcomes == (0, 2, 3)
    assert whole.title == "The model got worse: Accuracy, Recall and Precision at k"
    assert "of the rows are actual positives; in the baseline" in whole.detail
    assert (north.outcomes, north.severity, whole.severity) == ((4,), "critical", "warning")
    assert north.title == "The model got worse for region=north: Recall"
    assert estimated.title == "The model is expected to be worse: Recall"
    assert {one.kind for one in (whole, north, estimated)} == {"metric"}


def test_nothing_violated_is_no_incident() -> None:
    assert incidents_of([outcome("recall", status=Status.UNDETERMINED)], (None, side())) == ()


def test_errors_to_one_side_are_told() -> None:
    settings = read_settings(REGRESSION)
    table = numbers(300, 1)
    shifted = table.set_column(1, "said", [[value + 1.5 for value in table["said"].to_pylist()]])
    sides = (fold(open_source(table), settings), fold(open_source(shifted), settings))
    [one] = incidents_of([outcome("mae")], sides)
    assert "On average predictions are 1.5" in one.detail
    assert "too high" in one.detail


def test_notes_say_what_is_left_out() -> None:
    assert notes_of(side(), Figures({}), [], ()) == []
    some = notes_of(side(binary(200, 1, unlabelled=0.5)), Figures({}), [], ())
    assert len(some) == 1
    assert "of 200 rows have no label" in some[0]
