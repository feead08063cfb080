"""Goals: the numbers driftline wants to reach, and whether what was measured reaches them."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from benchmarks.pairs import Spread, paired

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.pairs import Usage

__all__ = ["GOALS", "Accuracy", "Comparison", "Goal", "Rate", "compare", "verdict"]

Form = Literal["ratio", "times", "difference", "value"]

_FORMS: dict[str, Callable[[float, float], float]] = {
    "ratio": operator.truediv,
    "times": lambda subject, rival: rival / subject,
    "difference": operator.sub,
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A number that follows from the rounds of one contest.

    Attributes
    ----------
    contest, subject : str
    rival : str
        Empty where the subject alone is looked at.
    form : {"ratio", "times", "difference", "value"}
        Subject over rival; rival over subject; subject less rival; the subject itself.
    quantity : str
    """

    contest: str
    subject: str
    rival: str = ""
    form: Form = "ratio"
    quantity: str = "wall"


@dataclass(frozen=True, slots=True)
class Accuracy:
    """A number that follows from the errors of all columns.

    Attributes
    ----------
    error : str
        Which of a column's errors.
    judged : {"greatest", "root mean square"}
        What is held to the goal: for an error with a bound the worst column; for one with a standard error the root mean
        square over the columns where it is not zero.
    """

    error: str
    judged: Literal["greatest", "root mean square"] = "greatest"


@dataclass(frozen=True, slots=True)
class Rate:
    """A number that the rounds of the sink, or of the service, tell themselves.

    Attributes
    ----------
    name : str
    part : {"sinking", "serving"}
    """

    name: str
    part: Literal["sinking", "serving"] = "sinking"


@dataclass(frozen=True, slots=True)
class Goal:
    """A number to reach.

    Attributes
    ----------
    what : str
    source : Comparison, Accuracy or Rate
        How it is measured.
    first_step, goal : float or None
        Bounds; the first step is None where there is none of its own.
    unit : {"", "x", "s", "/s", "MiB", "%", "e"}
        Nothing for a ratio, ``x`` for times as fast, ``e`` for a share in powers of ten.
    at_least : bool
        The bounds are lower bounds.
    """

    what: str
    source: Comparison | Accuracy | Rate
    first_step: float | None
    goal: float
    unit: str = ""
    at_least: bool = False


def _ratio(contest: str, subject: str, rival: str, quantity: str = "wall") -> Comparison:
    return Comparison(contest, subject, rival, "ratio", quantity)


def _more(contest: str, subject: str, rival: str) -> Comparison:
    return Comparison(contest, subject, rival, "difference")


CHECK, READ = "driftline check", "pyarrow read_table"
BOTH = "driftline baseline, then check"
SAME = 0.05
"""Seconds by which two runs of the same thing may differ: what stands for 'no difference at all'."""

GOALS: tuple[Goal, ...] = (
    Goal("W1 snappy, whole process / `read_table` process", _ratio("w1-snappy", CHECK, READ), 1.25, 0.75),
    Goal("W1 zstd, whole process / `read_table` process", _ratio("w1-zstd", CHECK, READ), 1.25, 0.75),
    Goal(
        "W1, one pass in process / `read_table`",
        _ratio("w1-inside", "driftline scan", READ, "warm"),
        1.25,
        0.65,
    ),
    Goal(
        "W2, one pass in process / `read_table`",
        _ratio("w2-inside", "driftline scan", READ, "warm"),
        1.0,
        0.5,
    ),
    Goal("W2, whole process / `read_table` process", _ratio("w2-snappy", CHECK, READ), 1.25, 0.75),
    Goal("W3, whole process / `read_table` process", _ratio("w3-snappy", CHECK, READ), 2.0, 1.3),
    Goal(
        "W1 both files, times as fast as DuckDB's hand-written query",
        Comparison("w1-both", BOTH, "DuckDB hand-written query", "times"),
        5.0,
        8.0,
        "x",
        at_least=True,
    ),
    Goal(
        "W1 both files, times as fast as pandas + scipy",
        Comparison("w1-both", BOTH, "pandas + scipy", "times"),
        10.0,
        18.0,
        "x",
        at_least=True,
    ),
    Goal(
        "W1, peak memory",
        Comparison("memory", "check of W1", form="value", quantity="peak"),
        400.0,
        260.0,
        "MiB",
    ),
    Goal("W2's peak memory / W1's", _ratio("memory", "check of W2", "check of W1", "peak"), 1.2, 1.05),
    Goal("W4, whole run with start-up", Comparison("w4", CHECK, form="value"), 0.30, 0.20, "s"),
    Goal("W4, whole run / DuckDB SUMMARIZE process", _ratio("w4", CHECK, "DuckDB SUMMARIZE"), None, 1.0),
    Goal(
        "`driftline --help` over bare Python",
        _more("start", "driftline --help", "bare Python"),
        0.10,
        0.05,
        "s",
    ),
    Goal(
        "`import driftline` over bare Python",
        _more("start", "import driftline", "bare Python"),
        0.06,
        0.02,
        "s",
    ),
    Goal(
        "W1, first run ever over a later one",
        _more("w1-first", "first run ever", "later run"),
        5.0,
        SAME,
        "s",
    ),
    Goal(
        "W4, first run ever over a later one",
        _more("w4-first", "first run ever", "later run"),
        SAME,
        SAME,
        "s",
    ),
    Goal(
        "W1, two threads against one, whole process",
        Comparison("w1-threads", "two threads", "one thread", "times"),
        1.6,
        1.85,
        "x",
        at_least=True,
    ),
    Goal(
        "W1, two threads against one, one pass in process",
        Comparison("w1-threads-inside", "two threads", "one thread", "times", "warm"),
        1.6,
        1.85,
        "x",
        at_least=True,
    ),
    Goal("Kolmogorov–Smirnov distance, largest error", Accuracy("ks"), 1e-3, 2e-4, "e"),
    Goal("Quantiles, largest error in rank", Accuracy("rank"), 0.5e-2, 0.1e-2, "%"),
    Goal(
        "Distinct values, relative error (standard error)",
        Accuracy("distinct", "root mean square"),
        2e-2,
        1e-2,
        "%",
    ),
    Goal("Mean, largest relative error", Accuracy("mean"), 1e-9, 1e-9, "e"),
    Goal("Standard deviation, largest relative error", Accuracy("deviation"), 1e-9, 1e-9, "e"),
    Goal(
        "Sink, records acknowledged in batches of 500",
        Rate("batch_records_per_second"),
        None,
        20_000.0,
        "/s",
        at_least=True,
    ),
    Goal("Sink, peak memory", Rate("batch_peak"), None, 512.0, "MiB"),
    Goal(
        "Middleware, added to the 99th percentile at 1,000 requests/s",
        Rate("added_p99", "serving"),
        None,
        0.001,
        "s",
    ),
    Goal(
        "Middleware, throughput lost at 1,000 requests/s",
        Rate("lost_at_rate", "serving"),
        None,
        0.05,
        "%",
    ),
    Goal(
        "Middleware, throughput lost of the most that one process can do",
        Rate("lost_at_most", "serving"),
        0.1,
        0.05,
        "%",
    ),
)


def compare(comparison: Comparison, rounds: Mapping[str, Mapping[str, Sequence[Usage]]]) -> Spread | None:
    """Return the number, or None where its contest was not run.

    Parameters
    ----------
    comparison : Comparison
    rounds : mapping
        Usages by contest and contender.
    """
    contest = rounds.get(comparison.contest)
    if contest is None:
        return None
    subject = contest[comparison.subject]
    if comparison.form == "value":
        return Spread.of(usage.quantity(comparison.quantity) for usage in subject)
    return paired(subject, contest[comparison.rival], comparison.quantity, _FORMS[comparison.form])


def verdict(goal: Goal, measured: float) -> Literal["goal met", "first step met", "missed"]:
    """Hold a number, in the unit of the goal, to its bounds."""

    def reached(bound: float | None) -> bool:
        if bound is None:
            return False
        return measured >= bound if goal.at_least else measured <= bound

    if reached(goal.goal):
        return "goal met"
    return "first step met" if reached(goal.first_step) else "missed"
