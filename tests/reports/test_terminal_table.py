"""The violations fit every terminal: nothing but names is ever shortened."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len

from driftline.baselines.constraint import Severity
from driftline.reports import wording
from driftline.reports.outcome import Status
from driftline.reports.sparkline import BLOCKS, spark_pair
from driftline.reports.terminal import print_report
from driftline.reports.terminal_table import HEADS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from driftline.reports.outcome import Outcome
    from driftline.reports.report import ColumnView, Report

LONG = "number_of_days_since_the_last_contact_of_any_kind"
WIDE = "顧客の年齢区分（満年齢）と地域コードの組み合わせ"
WIDTHS = range(40, 201)


def shown(report: Report, width: int) -> str:
    stream = io.StringIO()
    print_report(report, stream, console_width=width)
    return stream.getvalue()


def violations(make: Callable[..., Outcome], *names: str, segment: str | None = None) -> list[Outcome]:
    facts: list[tuple[str, dict[str, Any]]] = [
        ("ks", {"value": 0.2201, "q_value": 1.4e-27}),
        ("l_infinity_robust", {"value": 0.123, "p_value": 0.0}),
        ("data_type", {"value": 0.9975, "n_bad": 1_234_567, "constraint": {"expected": "Fractional"}}),
        (
            "numeric_range",
            {"value": 0.5, "bound": 0.995, "n_bad": 12, "constraint": {"low": -1_234_567.5, "high": 1.5e8}},
        ),
        ("freshness", {"value": 266_400.0, "bound": 86_400.0}),
    ]
    outcomes = []
    for i, name in enumerate(names):
        more = {"segment": segment, "severity": Severity.CRITICAL if i else Severity.WARNING}
        outcomes += [make(check, name, Status.VIOLATED, **fact, **more) for check, fact in facts]
    return outcomes


def pictures(names: Sequence[str], view: Callable[..., ColumnView], **more: Any) -> list[ColumnView]:
    return [view(name, random.Random(i), shift=0.1, **more) for i, name in enumerate(names)]


@pytest.fixture(params=["short", "long", "segment", "wide", "undrawn"])
def difficult(
    request: pytest.FixtureRequest,
    make_outcome: Callable[..., Outcome],
    make_report: Callable[..., Report],
    make_view: Callable[..., ColumnView],
) -> Report:
    names = {"long": (LONG, LONG[:-4] + "sort"), "wide": (WIDE, WIDE[::-1])}.get(request.param, ("age", "x"))
    segment = "country=" + (WIDE if request.param == "wide" else "DE")
    segment = None if request.param in ("short", "long", "undrawn") else segment
    views = [] if request.param == "undrawn" else pictures(names, make_view, segment=segment)
    return make_report(violations(make_outcome, *names, segment=segment), views)


def test_no_width_cuts_a_header_a_number_or_a_histogram(difficult: Report) -> None:
    forms = set()
    for width in WIDTHS:
        text = shown(difficult, width)
        assert all(cell_len(line) <= width for line in text.splitlines())
        body = text[text.index("\nViolations") :].splitlines()[2:]
        heads = tuple(body[0].split())
        drawn = [line for line in body if any(block in line for block in BLOCKS)]
        is_table = heads[0] == "column"
        if is_table:
            assert heads in (HEADS, HEADS[:5])
        assert len(drawn) == (len(difficult.columns) if heads == HEADS else 0)
        pairs = [
            spark_pair(view.baseline_counts, view.current_counts, width=n)
            for view in difficult.columns
            for n in range(7, 21)
        ]
        for line in drawn:
            assert any(before in line and line.endswith(now.rstrip()) for before, now in pairs)
        words = {word.strip(",:") for line in body for word in line.split()}
        for outcome in difficult.violations:
            bounds = wording.bound(outcome.constraint), wording.short_bound(outcome.constraint)
            assert any(words.issuperset(bound.split()) for bound in bounds)
            assert words.issuperset(wording.value(outcome.measurement).split())
            assert words.issuperset(set(wording.evidence(outcome).split()) - {wording.NONE})
        forms.add(heads if is_table else ())
    assert forms == {(), HEADS[:5], HEADS} - (set() if difficult.columns else {HEADS})


def test_wider_never_shows_less(difficult: Report) -> None:
    def told(width: int) -> int:
        text = shown(difficult, width)
        return ("evidence" in text) + (" current\n" in text)

    shares = [told(width) for width in WIDTHS]
    assert shares == sorted(shares)


def test_names_are_folded_and_whole_where_they_are_short(
    make_outcome: Callable[..., Outcome], make_report: Callable[..., Report]
) -> None:
    name = "n_days_since_last_contact"
    report = make_report([make_outcome("ks", name, Status.VIOLATED, value=0.2201, q_value=1.4e-27)])
    folded = []
    for width in (60, 70, 80, 120):
        lines = shown(report, width).splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith("column"))
        cells = [line[: lines[at].index("check")].strip() for line in lines[at + 2 :]]
        assert "".join(cells) == name
        folded.append(len(cells))
    assert folded == [2, 2, 2, 1]


def test_a_narrow_terminal_gets_a_list(
    make_outcome: Callable[..., Outcome], make_report: Callable[..., Report]
) -> None:
    outcomes = [
        make_outcome("ks", "age", Status.VIOLATED, value=0.2201, q_value=1.4e-27),
        make_outcome("data_type", "age", Status.VIOLATED, value=0.5, n_bad=3),
        make_outcome("extra_column", "income", Status.VIOLATED, value=1.0, bound=0.0),
    ]
    assert shown(make_report(outcomes), 40).split("Violations  3\n")[1].splitlines() == [
        "  age",
        "    KS: 0.2201, max 0.1 allowed, q",
        "    1.4e-27",
        "    Data type: 50%, 100% allowed, 3",
        "    wrong",
        "  income",
        "    Extra column: 1, none allowed",
    ]
