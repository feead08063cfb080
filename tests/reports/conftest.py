"""Reports to render: built by hand, so that these tests need no data and no engine."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import metric_reports
import pytest

from driftline.baselines.constraint import CHECKS, Constraint, Severity
from driftline.reports.incident import group
from driftline.reports.outcome import Measurement, Outcome, Place, Status
from driftline.reports.report import ColumnView, Report, Side

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STATES = [
    *("AK AL AR AZ CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS").split(),  # noqa: SIM905
    *("MT NC ND NE NH NJ NM NV NY OH OK OR PA RI SC SD TN TX UT VA VT WA WI WV WY").split(),  # noqa: SIM905
]
FLAGS = [f"State_{state}" for state in STATES]
FLAGS += ["Area Code_408", "Area Code_415", "Area Code_510"]
FLAGS += ["Int'l Plan_no", "Int'l Plan_yes", "VMail Plan_no", "VMail Plan_yes"]
WHOLE = {"Churn", "VMail Message", "Account Length", "Day Calls", "Eve Calls", "Night Calls", "Intl Calls"}
NUMBERS = ["Account Length", "VMail Message", "Day Mins", "Day Calls", "Eve Mins", "Eve Calls"]
NUMBERS += ["Night Mins", "Night Calls", "Intl Mins", "Intl Calls", "CustServ Calls"]
CREATED = "2026-11-23T07:00:00Z"
VERSIONS = {"driftline": "0.1.0", "numpy": "2.4.0", "pyarrow": "26.0.0", "python": "3.11.9"}


def outcome(
    check: str,
    column: str | None,
    status: Status = Status.PASSED,
    *,
    value: float | None = None,
    bound: float | None = None,
    reason: str | None = None,
    severity: Severity = Severity.WARNING,
    q_value: float | None = None,
    segment: str | None = None,
    constraint: dict[str, Any] | None = None,
    **measured: Any,
) -> Outcome:
    """Build an outcome from what a test cares about."""
    info = CHECKS[check]
    limit = info.default_bound if bound is None else bound
    said = reason if reason is not None else f"{check} of {column} is {value}, the limit is {limit}"
    return Outcome(
        Constraint(check, column, limit, severity=severity, why="default bound", **(constraint or {})),
        Measurement(check, value, info.unit, measured.pop("n_current", 1000), **measured),
        status,
        said,
        q_value,
        segment,
    )


def report(outcomes: Sequence[Outcome], columns: Sequence[ColumnView] = (), **fields: Any) -> Report:
    """Build a report around outcomes."""
    n_columns = len({o.constraint.column for o in outcomes} - {None})
    given: dict[str, Any] = {
        "recipe": "data-quality",
        "mode": "default",
        "matching": "name",
        "baseline": Side(
            "training.csv", 2333, n_columns, "sha256:" + "ab" * 32, ("data/training.csv",), CREATED
        ),
        "current": Side(
            "live/2026-11-23", 334, n_columns, "sha256:" + "cd" * 32, ("live/07.jsonl",), CREATED
        ),
        "alpha": 0.001,
        "n_tests": sum(o.measurement.p_value is not None for o in outcomes),
        "outcomes": tuple(outcomes),
        "incidents": group(outcomes),
        "columns": tuple(columns),
        "created": CREATED,
        "versions": VERSIONS,
    }
    return Report(**{**given, **fields})


def bell(rng: random.Random, n: int, centre: float, width: float, bins: int = 30) -> tuple[float, ...]:
    """Counts of a noisy bell curve over `bins` bins."""
    heights = [math.exp(-(((i + 0.5) / bins - centre) ** 2) / (2 * width**2)) for i in range(bins)]
    total = sum(heights)
    return tuple(float(round(n * h / total * (1 + rng.uniform(-0.12, 0.12)))) for h in heights)


def summary(
    n: float, missing: float, mean: float, spread: float, distinct: float
) -> dict[str, float | str | None]:
    """A plausible summary of numbers."""
    return {
        "n_rows": n,
        "n_missing": missing,
        "mean": mean,
        "std_dev": spread,
        "min": mean - 3 * spread,
        "q25": mean - 0.67 * spread,
        "median": mean,
        "q75": mean + 0.67 * spread,
        "max": mean + 3 * spread,
        "n_distinct": distinct,
    }


def number_view(
    name: str, rng: random.Random, *, shift: float = 0.0, segment: str | None = None
) -> ColumnView:
    """Both sides of a numeric column, the current one moved by `shift` of the range."""
    low, high = 0.0, 400.0
    edges = tuple(low + (high - low) * i / 30 for i in range(31))
    return ColumnView(
        name,
        "number",
        "Fractional",
        edges=edges,
        baseline_counts=bell(rng, 2333, 0.45, 0.15),
        current_counts=bell(rng, 334, 0.45 + shift, 0.15 - shift / 4),
        baseline_summary=summary(2333, 0, 180.2, 54.1, 1654),
        current_summary=summary(334, 0, 180.2 + 400 * shift, 50.3, 320),
        segment=segment,
    )


def flag_view(name: str, rng: random.Random) -> ColumnView:
    """Both sides of a 0/1 column with a stray value in the current data."""
    ones, now = rng.randint(20, 60), rng.randint(2, 12)
    return ColumnView(
        name,
        "number",
        "Integral",
        edges=(0.0, 0.25, 0.5, 0.75, 1.0),
        baseline_counts=(2333.0 - ones, 0.0, 0.0, float(ones)),
        current_counts=(333.0 - now, 1.0, 0.0, float(now)),
        baseline_summary=summary(2333, 0, ones / 2333, 0.1, 2),
        current_summary=summary(334, 0, now / 334, 0.1, 3),
    )


def text_view(name: str, labels: Sequence[str], before: Sequence[float], now: Sequence[float]) -> ColumnView:
    """Both sides of a text column."""
    return ColumnView(
        name,
        "text",
        "String",
        labels=tuple(labels),
        baseline_counts=tuple(before),
        current_counts=tuple(now),
        baseline_summary={"n_rows": sum(before), "n_missing": 3, "n_distinct": len(labels)},
        current_summary={"n_rows": sum(now), "n_missing": 0, "n_distinct": len(labels)},
    )


def churn() -> Report:
    """One mangled row breaks 59 columns; two columns drift, one has gaps, one holds unknown values."""
    rng = random.Random(7)
    outcomes: list[Outcome] = []
    columns: list[ColumnView] = []
    where = (Place("live/2026/11/23/07/07-12-310.jsonl", 1),)
    for i, name in enumerate(["Churn", *NUMBERS, *FLAGS]):
        is_flag = name in FLAGS or name == "CustServ Calls"
        is_hit = is_flag
        kind = "Integral" if is_flag or name in WHOLE else "Fractional"
        if is_hit:
            outcomes.append(
                outcome(
                    "data_type",
                    name,
                    Status.VIOLATED,
                    value=333 / 334,
                    n_current=334,
                    n_bad=1,
                    where=where,
                    examples=(f"{0.1 + i / 200:.2f}",),
                    constraint={"expected": kind},
                    reason=f"1 of 334 present values of {name} is not {kind}; all of them must be.",
                )
            )
        else:
            outcomes.append(
                outcome(
                    "data_type",
                    name,
                    value=1.0,
                    n_current=334,
                    constraint={"expected": kind},
                    reason="All values fit.",
                )
            )
        if name == "Day Mins":
            outcomes.append(
                outcome(
                    "completeness",
                    name,
                    Status.VIOLATED,
                    value=0.9521,
                    bound=0.99,
                    n_current=334,
                    n_baseline=2333,
                    n_bad=16,
                    interval=(0.924, 0.971),
                    where=tuple(Place(where[0].source, r) for r in (12, 40, 41, 77, 101, 150, 208, 300)),
                    reason="95.21% of the rows have a value, at least 99% must.",
                    severity=Severity.CRITICAL,
                    p_value=3.1e-6,
                    q_value=4e-5,
                )
            )
        else:
            outcomes.append(
                outcome("completeness", name, value=1.0, bound=1.0, n_current=334, n_baseline=2333, n_bad=0)
            )
        outcomes.append(outcome("non_negative", name, value=1.0, bound=1.0, n_current=334, n_bad=0))
        if name == "VMail Message":
            outcomes.append(
                outcome(
                    "ks",
                    name,
                    Status.UNDETERMINED,
                    value=None,
                    n_current=12,
                    n_baseline=2333,
                    constraint={"min_rows": 30},
                    reason="Only 12 values, at least 30 are needed to compare.",
                )
            )
        elif name in ("Day Mins", "Eve Mins"):
            outcomes.append(
                outcome(
                    "ks",
                    name,
                    Status.VIOLATED,
                    value=0.3127 if name == "Day Mins" else 0.1846,
                    n_current=318,
                    n_baseline=2333,
                    interval=(0.26, 0.37),
                    p_value=2e-24,
                    q_value=1.2e-22,
                    detectable=0.08,
                    sketch_error=0.0002,
                    reason="The distributions differ by more than 0.1 and chance does not explain it.",
                )
            )
        elif not is_flag:
            outcomes.append(
                outcome(
                    "ks",
                    name,
                    value=0.031,
                    n_current=334,
                    n_baseline=2333,
                    interval=(0.01, 0.07),
                    p_value=0.92,
                    q_value=0.98,
                )
            )
        shift = 0.16 if name == "Day Mins" else 0.09 if name == "Eve Mins" else 0.0
        columns.append(flag_view(name, rng) if is_flag else number_view(name, rng, shift=shift))
    labels = ("fibre", "dsl", "cable", "satellite", "mobile", "none", "other", "…")
    columns.append(
        text_view("Access", labels, (900, 500, 400, 200, 150, 80, 63, 40), (90, 60, 80, 20, 44, 20, 10, 10))
    )
    outcomes.append(
        outcome(
            "categorical_values",
            "Access",
            Status.VIOLATED,
            value=0.9701,
            n_current=334,
            n_bad=10,
            examples=("5g", "starlink"),
            reason="10 of 334 values are unknown: “5g”, “starlink”.",
            constraint={"domain": labels[:7]},
            where=tuple(Place(where[0].source, r) for r in (3, 5, 8, 21, 34, 55, 89, 144)),
        )
    )
    return report(
        outcomes,
        columns,
        notes=("Distances of numbers are exact on the baseline's grid; the largest grid error is 0.0002.",),
        compat_differences=(
            "SageMaker counts every distinct value once: it would not report drift of Eve Mins.",
            "SageMaker does not enforce is_non_negative; driftline does. No column differs because of it.",
        ),
    )


def wide(n: int = 300) -> Report:
    """Many columns, a sixth of them drifting and a tenth with too few values."""
    rng = random.Random(11)
    outcomes: list[Outcome] = []
    columns: list[ColumnView] = []
    for i in range(n):
        name = f"feature_{i:04d}"
        status = Status.VIOLATED if i % 6 == 0 else Status.UNDETERMINED if i % 10 == 1 else Status.PASSED
        value = (
            None
            if status is Status.UNDETERMINED
            else 0.12 + i % 7 / 50
            if status is Status.VIOLATED
            else 0.02
        )
        reasons = {
            Status.VIOLATED: f"The distributions differ by {value}, at most 0.1 is allowed.",
            Status.UNDETERMINED: f"Only {3 + i % 20} values, at least 30 are needed to compare.",
            Status.PASSED: "The distributions are alike.",
        }
        outcomes.append(
            outcome("data_type", name, value=1.0, n_current=334, constraint={"expected": "Fractional"})
        )
        outcomes.append(
            outcome(
                "ks",
                name,
                status,
                value=value,
                n_current=334,
                n_baseline=2333,
                reason=reasons[status],
                p_value=None if value is None else 1e-9,
                q_value=None if value is None else 3e-8,
                interval=None if value is None else (value - 0.02, value + 0.03),
            )
        )
        columns.append(number_view(name, rng, shift=0.08 if status is Status.VIOLATED else 0.0))
    return report(outcomes, columns)


def passed() -> Report:
    """Nothing is wrong."""
    rng = random.Random(3)
    outcomes = [
        outcome(check, name, value=1.0 if check == "data_type" else 0.02, n_current=334, n_baseline=2333)
        for name in NUMBERS
        for check in ("data_type", "ks")
    ]
    return report(outcomes, [number_view(name, rng) for name in NUMBERS])


def undetermined() -> Report:
    """Nothing could be judged."""
    outcomes = [
        outcome(
            check,
            name,
            Status.UNDETERMINED,
            n_current=n,
            reason=f"Only {n} values, at least 30 are needed."
            if check == "ks"
            else "The column has no value at all.",
        )
        for n, name in enumerate(NUMBERS)
        for check in ("data_type", "ks")
    ]
    return report(outcomes)


HOSTILE = (
    "<script>window.__dlx=1</script>",
    '"><img src=x onerror=window.__dlx=1>',
    "'; DROP TABLE reports; --",
    "a\u202egnp.exe",
    "line\nbreak\tand\x1b[31mred",
    "nul\x00byte",
    "]]></style><style>body{display:none}</style>",
    "{{7*7}} ${7*7} [bold red]rich[/bold red]",
    "&lt;already&gt; &amp;",
    "\ud800 lone surrogate",
    "très_long_" + "x" * 500,
    "שלום عالم 漢字 😀 e\u0301",
    "",
    "javascript:alert(1)",
    "__proto__",
)


def hostile() -> Report:
    """Names, labels, reasons and paths that try to break out."""
    rng = random.Random(5)
    outcomes: list[Outcome] = []
    columns: list[ColumnView] = []
    for i, name in enumerate(HOSTILE):
        outcomes.append(
            outcome(
                "categorical_values",
                name,
                Status.VIOLATED,
                value=0.5,
                n_current=10,
                n_bad=5 + i,
                examples=(name, HOSTILE[i - 1]),
                where=(Place(f"/data/{name}/f.csv", i + 1),),
                reason=f"unknown value {name}",
                segment=f"{name}={name}" if i % 4 == 0 else None,
            )
        )
        outcomes.append(outcome("ks", name, Status.UNDETERMINED, reason=f"{name} has no values"))
        view = (
            number_view(name, rng)
            if i % 2
            else text_view(name, HOSTILE[:5], (1, 2, 3, 4, 5), (5, 4, 3, 2, 1))
        )
        columns.append(view)
    sides = [Side(name, 10, len(HOSTILE), "sha256:" + "0" * 64, (name, *HOSTILE)) for name in HOSTILE[:2]]
    return report(
        outcomes,
        columns,
        baseline=sides[0],
        current=sides[1],
        notes=HOSTILE,
        compat_differences=HOSTILE,
        versions={name: name for name in HOSTILE},
        segments=HOSTILE[0],
    )


def thousands(n: int = 10_000) -> Report:
    """A report as wide as driftline must bear."""
    narrow = wide(60)
    outcomes: list[Outcome] = []
    columns: list[ColumnView] = []
    for i in range(n):
        name = f"a rather long column name, as exports from data warehouses have them, number {i:05d}"
        pair = narrow.outcomes[2 * (i % 60) : 2 * (i % 60) + 2]
        outcomes += [replace(o, constraint=replace(o.constraint, column=name)) for o in pair]
        columns.append(replace(narrow.columns[i % 60], name=name))
    return report(outcomes, columns)


@pytest.fixture(scope="session")
def make_outcome() -> Callable[..., Outcome]:
    return outcome


@pytest.fixture(scope="session")
def make_view() -> Callable[..., ColumnView]:
    return number_view


@pytest.fixture(scope="session")
def make_report() -> Callable[..., Report]:
    return report


@pytest.fixture(scope="session")
def churn_report() -> Report:
    return churn()


@pytest.fixture(scope="session")
def wide_report() -> Report:
    return wide()


@pytest.fixture(scope="session")
def passed_report() -> Report:
    return passed()


@pytest.fixture(scope="session")
def undetermined_report() -> Report:
    return undetermined()


@pytest.fixture(scope="session")
def hostile_report() -> Report:
    return hostile()


@pytest.fixture(scope="session")
def thousands_report() -> Report:
    return thousands()


@pytest.fixture(scope="session")
def empty_report() -> Report:
    return report(())


@pytest.fixture(scope="session")
def quality_report() -> Report:
    return metric_reports.quality()


@pytest.fixture(scope="session")
def bias_report() -> Report:
    return metric_reports.bias()


@pytest.fixture(scope="session")
def attribution_report() -> Report:
    return metric_reports.attribution()


@pytest.fixture(scope="session")
def odd_report() -> Report:
    return replace(metric_reports.quality(), exhibits=metric_reports.odd_exhibits())


EXAMPLES = [
    "churn",
    "wide",
    "passed",
    "undetermined",
    "hostile",
    "empty",
    "quality",
    "bias",
    "attribution",
    "odd",
]


@pytest.fixture(scope="session", params=EXAMPLES)
def any_report(request: pytest.FixtureRequest) -> Report:
    """Each of the example reports in turn."""
    found: Report = request.getfixturevalue(f"{request.param}_report")
    return found
