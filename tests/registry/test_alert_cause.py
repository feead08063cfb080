"""One cause over many windows is one cause."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.registry.alert_cause import (
    MOST_CAUSES,
    Cause,
    fingerprint,
    headline,
    incidents_in,
    is_same,
    match,
    merged,
    shared_columns,
)

NAMES = [f"c{i:03}" for i in range(120)]


def cause(
    columns: list[str], kind: str = "rows", checks: tuple[str, ...] = ("data_type",), **given: object
) -> Cause:
    document = {"kind": kind, "title": f"{len(columns)} columns", "columns": sorted(columns)[:50]}
    mark = fingerprint(kind, columns, checks)
    return Cause.of(
        {**document, "fingerprint": mark, "n_columns": len(columns), "checks": list(checks), **given}
    )


@given(st.permutations(NAMES[:6]), st.permutations(["psi", "completeness", "data_type"]))
def test_fingerprints_do_not_depend_on_order(columns: list[str], checks: list[str]) -> None:
    mark = fingerprint("rows", columns, checks)
    assert mark == fingerprint("rows", sorted(columns), sorted(checks))
    assert len(mark) == 32


def test_fingerprints_differ_by_kind_columns_and_checks() -> None:
    marks = {
        fingerprint("rows", ["a"], ["psi"]),
        fingerprint("drift", ["a"], ["psi"]),
        fingerprint("rows", ["b"], ["psi"]),
        fingerprint("rows", ["a"], ["data_type"]),
        fingerprint("rows", ["a", "psi"], []),
    }
    assert len(marks) == 5


def test_a_column_more_or_less_is_the_same_cause() -> None:
    whole = cause(NAMES[:59])
    for gone in range(59):
        fewer = cause(NAMES[:gone] + NAMES[gone + 1 : 59])
        assert fewer.fingerprint != whole.fingerprint
        assert is_same(whole, fewer)
        assert is_same(fewer, whole)


@given(st.sets(st.sampled_from(NAMES[:50]), max_size=50), st.sets(st.sampled_from(NAMES[:50]), max_size=50))
def test_few_columns_are_compared_exactly(a: set[str], b: set[str]) -> None:
    index = len(a & b) / len(a | b) if a | b else 1.0
    assert shared_columns(cause(list(a)), cause(list(b))) == index
    assert is_same(cause(list(a)), cause(list(b))) == (index >= 0.5)


def test_many_columns_are_compared_as_far_as_they_are_named() -> None:
    assert shared_columns(cause(NAMES), cause(NAMES[::2])) == pytest.approx(0.5)
    assert shared_columns(cause(NAMES), cause(NAMES[:60])) == 1.0  # what is not named cannot differ
    assert shared_columns(cause(NAMES[:60]), cause(NAMES[60:])) == 0.0


def test_other_kinds_and_other_checks_are_other_causes() -> None:
    a = cause(["a", "b"], checks=("data_type", "completeness"))
    assert is_same(a, cause(["a", "b"], checks=("completeness",)))
    assert not is_same(a, cause(["a", "b"], checks=("psi",)))
    assert not is_same(a, cause(["a", "b"], kind="column", checks=a.checks))
    assert not is_same(cause([], "failed", ("E-A",)), cause([], "failed", ("E-B",)))
    assert is_same(cause([], "column", ()), cause([], "column", ()))
    # A drift that leaves the range, too, is told as a column; it is the same drift.
    both = cause(["a"], kind="column", checks=("ks", "numeric_range"))
    assert is_same(cause(["a"], kind="drift", checks=("ks",)), both)
    assert not is_same(cause(["a"], kind="drift", checks=("psi",)), both)


def test_an_incident_has_the_cause_that_it_is_most_like() -> None:
    causes = [cause(NAMES[:4]), cause(NAMES[:8]), cause(["x"])]
    assert match(cause(NAMES[:7]), causes) == 1
    assert match(cause(NAMES[:5]), causes) == 0
    assert match(cause(["y"]), causes) is None


def test_windows_of_one_cause_are_counted() -> None:
    causes: list[Cause] = []
    for i in range(5):
        causes, added = merged(causes, [cause(NAMES[: 59 - i % 2])], f"e{i}")
        assert len(added) == (i == 0)
    assert [(c.first, c.last, c.windows) for c in causes] == [("e0", "e4", 5)]
    assert causes[0].fingerprint == cause(NAMES[:59]).fingerprint


def test_a_revision_of_a_window_counts_only_new_causes() -> None:
    causes, _ = merged([], [cause(["a"])], "e1")
    causes, _ = merged(causes, [cause(["b"])], "e2")
    causes, added = merged(causes, [cause(["a"]), cause(["b"]), cause(["c"])], "e2b", before=[cause(["b"])])
    assert {c.columns: c.windows for c in causes} == {("a",): 2, ("b",): 1, ("c",): 1}
    assert [c.columns for c in added] == [("c",)]


def test_a_cause_keeps_its_highest_severity() -> None:
    causes, _ = merged([], [cause(["a"], severity="critical")], "e1")
    causes, _ = merged(causes, [cause(["a"], severity="warning")], "e2")
    assert causes[0].severity == "critical"


def test_incidents_of_one_run_with_one_cause_count_once() -> None:
    causes, added = merged([], [cause(["a", "b"]), cause(["a", "b"])], "e1")
    assert (len(causes), len(added), causes[0].windows) == (1, 1, 1)


def test_causes_are_bounded_and_the_rest_is_counted() -> None:
    many = [cause([f"x{i}"]) for i in range(MOST_CAUSES + 37)]
    causes, added = merged([], many, "e1")
    assert len(causes) == MOST_CAUSES + 1
    assert len(added) == MOST_CAUSES
    assert (causes[-1].kind, causes[-1].title, causes[-1].windows) == ("others", "37 more causes", 1)
    again, added = merged(causes, many, "e2")
    assert added == []
    assert [(c.kind, c.windows) for c in again] == [(c.kind, 2) for c in causes]
    assert headline("churn", again).endswith(f"and {MOST_CAUSES + 36} other causes")


def test_the_gravest_cause_comes_first() -> None:
    causes, _ = merged(
        [], [cause(NAMES[:9], "column", severity="warning"), cause(["z"], severity="critical")], "e1"
    )
    assert [c.severity for c in causes] == ["critical", "warning"]
    assert headline("churn-prod", causes) == "churn-prod: 1 columns, and 1 other cause"


def test_what_an_execution_found() -> None:
    result = {"severity": "critical", "incidents": [cause(["a"], severity="critical").document()]}
    result["incidents"].append(cause(["b"], severity="warning").document())  # type: ignore[attr-defined]
    violated = "CompletedWithViolations"
    assert len(incidents_in(violated, result)) == 2
    assert [c.columns for c in incidents_in(violated, result, min_severity="critical")] == [("a",)]
    assert incidents_in("Completed", result) == []
    (failed,) = incidents_in("Failed", None, error_code="E-BASELINE", message="why")
    assert (failed.kind, failed.checks, failed.detail) == ("failed", ("E-BASELINE",), "why")
    (lost,) = incidents_in(violated, None)
    assert (lost.kind, lost.severity) == ("unknown", "warning")
    (lost,) = incidents_in(violated, {"severity": "critical", "incidents": []})
    assert lost.severity == "critical"


def test_documents_are_read_back() -> None:
    whole = replace(cause(["a", "b"]), first="e1", last="e2", windows=2)
    assert Cause.of(whole.document()) == whole
    assert Cause.of({"kind": "rows", "title": "t", "of a later version": 1}).columns == ()
