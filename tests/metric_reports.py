"""Reports about metrics, built by hand: of model quality, bias and feature attribution, ordinary and odd."""

from __future__ import annotations

import math
import random
from typing import Any

from driftline.baselines.constraint import Constraint, Severity
from driftline.baselines.metrics import ATTRIBUTION, BIAS, check_info
from driftline.reports.exhibit import Exhibit
from driftline.reports.outcome import Measurement, Outcome, Status
from driftline.reports.report import Incident, Report, Side

__all__ = ["attribution", "bias", "metric_outcome", "metric_report", "odd_exhibits", "quality"]

CREATED = "2026-11-23T07:00:00Z"


def metric_outcome(
    check: str,
    value: float | None,
    baseline: float | None,
    status: Status = Status.PASSED,
    *,
    column: str | None = None,
    segment: str | None = None,
    bound: float | None = None,
    low: float | None = None,
    high: float | None = None,
    interval: tuple[float, float] | None = None,
    reason: str | None = None,
    severity: Severity = Severity.WARNING,
    q_value: float | None = None,
    why: str = "baseline less 2 standard errors",
    **measured: Any,
) -> Outcome:
    """Build the outcome of a metric from what a test cares about."""
    info = check_info(check)
    said = reason if reason is not None else f"{info.title} is {value}; in the baseline it was {baseline}."
    return Outcome(
        Constraint(check, column, bound, low=low, high=high, evidence=True, severity=severity, why=why),
        Measurement(
            check,
            value,
            info.unit,
            measured.pop("n_current", 8_120),
            measured.pop("n_baseline", 16_281),
            interval=interval,
            p_value=None if q_value is None else q_value / 3,
            baseline=baseline,
            **measured,
        ),
        status,
        said,
        q_value,
        segment,
    )


def metric_report(
    recipe: str, outcomes: list[Outcome], incidents: tuple[Incident, ...] = (), **fields: Any
) -> Report:
    """Build a report around metrics."""
    given: dict[str, Any] = {
        "recipe": recipe,
        "mode": "default",
        "matching": "name",
        "baseline": Side(
            "census-test, first half", 16_281, 15, "sha256:" + "ab" * 32, ("data/test.csv",), CREATED
        ),
        "current": Side(
            "income, 2026-11-22 to 2026-11-23",
            8_120,
            15,
            "sha256:" + "cd" * 32,
            ("captures/income",),
            CREATED,
        ),
        "alpha": 0.01,
        "n_tests": sum(o.measurement.p_value is not None for o in outcomes),
        "outcomes": tuple(outcomes),
        "incidents": incidents,
        "columns": (),
        "created": CREATED,
        "versions": {"driftline": "0.1.0", "numpy": "2.4.0", "python": "3.11.9"},
    }
    return Report(**{**given, **fields})


# -- model quality


def quality() -> Report:
    """A classifier that misses more positives than it did, most of all of one group."""
    rows = [
        ("recall", 0.4123, 0.5875, 0.5512, (0.3811, 0.4430), Status.VIOLATED, 3.1e-12),
        ("true_positive_rate", 0.4123, 0.5875, 0.5512, (0.3811, 0.4430), Status.VIOLATED, 3.1e-12),
        ("false_negative_rate", 0.5877, 0.4125, 0.4488, (0.5570, 0.6189), Status.VIOLATED, 3.1e-12),
        ("f1", 0.5041, 0.6438, 0.6201, (0.4773, 0.5311), Status.VIOLATED, 4e-9),
        ("f2", 0.4439, 0.6088, 0.5760, (0.4140, 0.4745), Status.VIOLATED, 2e-10),
        ("precision", 0.7010, 0.7121, 0.6702, (0.6601, 0.7402), Status.PASSED, 0.71),
        ("f0_5", 0.6150, 0.6831, 0.6530, (0.5860, 0.6440), Status.UNDETERMINED, 0.034),
        ("accuracy", 0.8262, 0.8438, 0.8301, (0.8178, 0.8344), Status.UNDETERMINED, 0.21),
        ("true_negative_rate", 0.9301, 0.9249, 0.9150, (0.9231, 0.9368), Status.PASSED, 0.97),
        ("false_positive_rate", 0.0699, 0.0751, 0.0850, (0.0632, 0.0769), Status.PASSED, 0.97),
        ("auc", 0.8610, 0.8785, 0.8622, (0.8490, 0.8725), Status.UNDETERMINED, 0.45),
        ("log_loss", 0.3520, 0.3410, 0.3620, (0.3390, 0.3655), Status.PASSED, 0.88),
        ("brier", 0.1122, 0.1098, 0.1181, (0.1072, 0.1174), Status.PASSED, 0.95),
        ("calibration_error", 0.0410, 0.0190, 0.0400, (0.0310, 0.0525), Status.UNDETERMINED, 0.48),
    ]
    outcomes = [
        metric_outcome(
            check,
            value,
            before,
            status,
            bound=bound,
            interval=interval,
            q_value=q,
            severity=Severity.CRITICAL if check == "recall" else Severity.WARNING,
            reason=_quality_reason(check, value, before, status),
        )
        for check, value, before, bound, interval, status, q in rows
    ]
    outcomes += [
        metric_outcome(
            "recall", 0.2110, 0.5210, Status.VIOLATED, bound=0.4612, interval=(0.1650, 0.2601), q_value=8e-14,
            segment="sex=Female", n_current=2_702, n_baseline=5_421,
            reason="Of sex=Female the model now misses 78.9% of the actual positives; in the baseline it missed 47.9%.",
        ),
        metric_outcome(
            "recall", 0.5502, 0.6010, Status.PASSED, bound=0.5410, interval=(0.5120, 0.5880), q_value=0.61,
            segment="sex=Male", n_current=5_418, n_baseline=10_860,
        ),
        metric_outcome(
            "precision", None, 0.6900, Status.UNDETERMINED, bound=0.61, segment="race=Other", n_current=11,
            reason="Precision of race=Other: nobody was predicted as positive, so there is nothing to divide by.",
        ),
    ]  # fmt: skip
    incidents = (
        Incident(
            "metric",
            "The model misses more of the actual positives",
            "It now misses 58.8% of the actual positives (95% interval 55.7% to 61.9%); in the baseline it missed"
            " 41.3%, and up to 44.9% was allowed. Five metrics say the same: recall, true positive rate, false"
            " negative rate, F1 and F2.",
            (0, 1, 2, 3, 4),
            (),
            (),
            "critical",
        ),
        Incident(
            "metric",
            "Recall fell most for sex=Female",
            "Of sex=Female the model now finds 21.1% of the actual positives; in the baseline it found 52.1%.",
            (14,),
            (),
        ),
    )
    return metric_report(
        "model-quality",
        outcomes,
        incidents,
        exhibits=_quality_exhibits(rows),
        notes=("412 of 8,532 captured rows have no label yet; they are not counted.",),
    )


def _quality_reason(check: str, value: float, before: float, status: Status) -> str:
    title = check_info(check).title
    if status is Status.UNDETERMINED:
        return f"{title} is {value:.4g}, beyond its bound, but within the noise of 8,120 rows."
    return f"{title} is {value:.4g}; in the baseline it was {before:.4g}."


def _quality_exhibits(rows: list[tuple[Any, ...]]) -> tuple[Exhibit, ...]:
    intervals = []
    for check, value, before, bound, interval, status, _ in rows:
        info = check_info(check)
        allowed = (bound, None) if info.worse == "lower" else (None, bound)
        intervals.append((info.title, before, value, *interval, *allowed, status.value))
    heads = ("metric", "baseline", "current", "low", "high", "allowed_low", "allowed_high", "status")
    return (
        Exhibit(
            "metrics", "intervals", "Metrics", "What was measured, beside the baseline and what is allowed.", heads,
            tuple(intervals), ("text", *["number"] * 6, "text"),
        ),
        Exhibit(
            "confusion_matrix", "matrix", "Confusion matrix", "Rows are what was true, columns what was predicted.",
            ("actual \\ predicted", "0", "1"), (("0", 5_810, 437), ("1", 1_101, 772)), ("text", "rows", "rows"),
        ),
        _roc(),
        _reliability(),
        Exhibit(
            "slices", "table", "Slices", "The same metrics for parts of the rows.",
            ("slice", "rows", "recall", "recall, baseline", "precision", "precision, baseline"),
            (
                ("sex=Female", 2_702, 0.211, 0.521, 0.661, 0.690), ("sex=Male", 5_418, 0.5502, 0.601, 0.712, 0.719),
                ("race=Other", 11, 0.0, 0.5, None, 0.69), ("race=White", 6_990, 0.42, 0.58, 0.70, 0.71),
            ),
            ("text", "rows", "share", "share", "share", "share"),
        ),
        Exhibit(
            "top_k", "table", "The highest scores", "Precision and recall among the k highest scores.",
            ("k", "precision", "recall", "lift"),
            ((10, 1.0, 0.0053, 4.34), (100, 0.97, 0.0518, 4.21), (1000, 0.742, 0.3962, 3.22)),
            ("rows", "share", "share", "number"),
        ),
    )  # fmt: skip


def _roc() -> Exhibit:
    rows: list[tuple[str, float, float]] = []
    for series, power in (("baseline", 0.22), ("current", 0.30)):
        rows += [(series, i / 200, (i / 200) ** power) for i in range(201)]
    return Exhibit(
        "roc_curve", "curve", "ROC curve", "Nearer to the upper left is better; the dashed line is chance.",
        ("side", "false positive rate", "true positive rate"), tuple(rows), ("text", "share", "share"),
        {"diagonal": True, "x_min": 0, "x_max": 1, "y_min": 0, "y_max": 1},
    )  # fmt: skip


def _reliability() -> Exhibit:
    rows: list[tuple[str, float | None, float | None]] = []
    for series, sag in (("baseline", 0.02), ("current", 0.12)):
        rows += [
            (series, (i + 0.5) / 10, max(0.0, (i + 0.5) / 10 - sag * math.sin(i / 3))) for i in range(10)
        ]
    return Exhibit(
        "reliability", "curve", "Reliability",
        "Of the rows with a predicted probability, the share that is positive; on the dashed line both are the same.",
        ("side", "predicted probability", "observed share"), tuple(rows), ("text", "share", "share"),
        {"diagonal": True},
    )  # fmt: skip


# -- bias


def bias(groups: int = 4) -> Report:
    """A model that grew unfair to one group; `groups` groups in all, the last of them small."""
    rng = random.Random(17)
    names = ["sex=Female", "race=Black", "age=(45, 90]", "sex=Female & race=Black"]
    names += [f"native-country=Country of origin number {i}" for i in range(4, groups)]
    outcomes: list[Outcome] = []
    exhibits: list[Exhibit] = []
    hit = []
    for g, group in enumerate(names[:groups]):
        rows: list[tuple[str | float | None, ...]] = []
        for check, info in BIAS.items():
            is_ratio = info.unit == "ratio"
            before = round(0.82 if is_ratio else rng.uniform(-0.08, 0.14), 4)
            now = round(before + rng.uniform(-0.02, 0.02), 4)
            low, high = (round(min(before, 1 / before), 4), round(max(before, 1 / before), 4)) if is_ratio else (
                -abs(before) - 0.04, abs(before) + 0.04)  # fmt: skip
            status, q = Status.PASSED, rng.uniform(0.2, 1)
            if g == 0 and check in ("bias_dppl", "bias_di", "bias_rd"):
                now, status, q = (0.61 if is_ratio else before + 0.19), Status.VIOLATED, 2e-8
                hit.append(len(outcomes))
            value: float | None = now
            interval: tuple[float, float] | None = (now - 0.03, now + 0.03)
            if check == "bias_te":
                value, interval, status = math.inf, None, Status.UNDETERMINED
            elif g == 3:
                value, interval, status = (None, None, Status.UNDETERMINED) if check == "bias_dcr" else (
                    now, (now - 0.3, now + 0.3), Status.UNDETERMINED)  # fmt: skip
            reasons = {
                Status.PASSED: f"{info.title} of {group} is within its range.",
                Status.VIOLATED: f"{info.title} of {group} is {now:.4g}; in the baseline it was {before}, and"
                f" {low:.4g} to {high:.4g} is allowed.",
                Status.UNDETERMINED: f"{info.title} of {group}: 12 rows, at least 30 are needed."
                if g == 3
                else f"{info.title} of {group} is infinite: there is no false positive to divide by.",
            }
            outcomes.append(
                metric_outcome(
                    check, value, before, status, column=group, low=low, high=high, interval=interval,
                    reason=reasons[status], q_value=q if status is not Status.UNDETERMINED else None,
                    why="the baseline's distance from parity, to both sides",
                    n_current=12 if g == 3 else 2_702,
                )
            )  # fmt: skip
            rows.append((info.title, before, value, *(interval or (None, None)), low, high, status.value))
        exhibits.append(
            Exhibit(
                f"bias:{group}", "intervals", f"Bias of {group}",
                f"{group} against all other rows. Zero means no difference, for disparate impact one.",
                ("metric", "baseline", "current", "low", "high", "allowed_low", "allowed_high", "status"),
                tuple(rows), ("text", *["number"] * 6, "text"), {"reference": 0},
            )
        )  # fmt: skip
    first = (
        Exhibit(
            "facets", "table", "Groups", "Rows of each group, and how many of them are positive.",
            ("group", "rows", "of all", "positive labels", "positive predictions"),
            tuple((name, 2702 - 40 * i, 0.33, 0.112, 0.078 if i else 0.041) for i, name in enumerate(names[:groups])),
            ("text", "rows", "share", "share", "share"),
        ),
        Exhibit(
            "rates", "bars", "Share of positive predictions", "Of each group, on both sides.",
            ("group", "baseline", "current"),
            tuple((name, 0.11, 0.041 if not i else 0.1 + i / 500) for i, name in enumerate(names[:groups])),
            ("text", "share", "share"),
        ),
    )  # fmt: skip
    incident = Incident(
        "metric",
        "Bias against sex=Female has grown",
        "The others' share of positive predictions exceeds theirs by 19 points more than in the baseline, and the"
        " model finds fewer of their actual positives.",
        tuple(hit),
        ("sex=Female",),
        (),
        "critical",
    )
    return metric_report("bias", outcomes, (incident,), exhibits=(*first, *exhibits))


# -- feature attribution


def attribution() -> Report:
    """One feature took over from another."""
    features = {
        "age": (0.0596, 0.0601), "workclass": (0.0093, 0.0091), "education_num": (0.0989, 0.0402),
        "marital_status": (0.0545, 0.0551), "occupation": (0.0025, 0.0026), "relationship": (0.0182, 0.0180),
        "sex": (0.0321, 0.1120), "capital_gain": (0.0991, 0.0987), "hours_per_week": (0.0364, 0.0359),
        "country": (0.0049, 0.0052),
    }  # fmt: skip
    outcomes = [
        metric_outcome(
            "ndcg", 0.8602, 1.0, Status.VIOLATED, bound=0.9, interval=(0.842, 0.8771), q_value=1e-5,
            why="default bound", reason="Rank agreement is 0.8602, at least 0.9 is allowed.",
        ),
        metric_outcome(
            "attribution_distance", 0.1612, 0.0, Status.VIOLATED, bound=0.1, interval=(0.142, 0.181), q_value=1e-7,
            why="default bound",
        ),
        metric_outcome("attribution_magnitude", 1.06, 1.0, low=0.8, high=1.25, interval=(1.01, 1.11), q_value=0.4),
    ]  # fmt: skip
    assert all(o.constraint.check in ATTRIBUTION for o in outcomes)
    whole = sum(before for before, _ in features.values())
    for feature, (before, now) in features.items():
        change = (now - before) / whole
        status = Status.VIOLATED if abs(change) > 0.05 else Status.PASSED
        outcomes.append(
            metric_outcome(
                "attribution_change", change, 0.0, status, column=feature, bound=0.05, why="default bound",
                interval=(change - 0.01, change + 0.01), q_value=1e-6 if status is Status.VIOLATED else 0.8,
            )
        )  # fmt: skip
    at = [i for i, o in enumerate(outcomes) if o.is_violation]
    incident = Incident(
        "metric",
        "The model now leans on sex where it leant on education_num",
        "The order of the features agrees with the baseline's to 0.8602 (at least 0.9 is allowed). sex went from"
        " 7.7% to 25.5% of all attribution, education_num from 23.8% to 9.1%.",
        tuple(at),
        ("sex", "education_num"),
    )
    curves = []
    for feature in ("sex", "education_num", "age"):
        rows: list[tuple[str, float, float]] = []
        for series, slope in (("baseline", 0.3), ("current", 0.6)):
            rows += [(series, float(i), 0.2 + slope * i / 16 + 0.02 * (i % 3)) for i in range(16)]
        curves.append(
            Exhibit(
                f"partial_dependence:{feature}", "curve", f"Partial dependence on {feature}",
                "The mean prediction with the feature set to each value.", ("side", feature, "mean prediction"),
                tuple(rows), ("text", "number", "number"),
            )
        )  # fmt: skip
    bars = Exhibit(
        "global_attributions", "bars", "Global attributions", "Mean absolute SHAP value of each feature.",
        ("feature", "baseline", "current"), tuple((f, *pair) for f, pair in features.items()),
        ("text", "number", "number"),
    )  # fmt: skip
    return metric_report("attribution", outcomes, (incident,), exhibits=(bars, *curves))


# -- odd


LONG = (
    "a feature name as exports from data warehouses have them, joined from four tables and two views, number "
)


def odd_exhibits() -> tuple[Exhibit, ...]:
    """Exhibits with everything that is hard to draw: nothing, infinities, huge and tiny numbers, markup, long names."""
    inf, nan = math.inf, math.nan
    hostile = "<script>window.__dlx=1</script>"
    intervals: list[tuple[str | float | None, ...]] = [
        (LONG + "1", 0.5, inf, None, None, 0.1, 0.9, "violated"),
        (LONG + "2", 0.5, -inf, -inf, inf, None, 0.9, "undetermined"),
        (hostile, None, None, None, None, None, None, None),
        ("tiny", 1e-300, 2e-300, 1e-300, 3e-300, 0, None, "passed"),
        ("huge", 1e300, -1.7e308, -1.79e308, 1.79e308, -1e308, 1e308, "passed"),
        ("nan", nan, nan, nan, nan, nan, nan, "undetermined"),
        ("a\u202eb\x00c", 1, 2, 1, 3, -inf, inf, "passed"),
        ("same", 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, "passed"),
    ]
    heads = ("metric", "baseline", "current", "low", "high", "from", "to", "status")
    classes = [f"class {i}" for i in range(40)]
    matrix = tuple(
        (c, *(float((i * j) % 7 * 10 ** (i % 5)) for j in range(40))) for i, c in enumerate(classes)
    )
    return (
        Exhibit("odd:intervals", "intervals", hostile, hostile, heads, tuple(intervals), (), {"reference": 0.0}),
        Exhibit("odd:none", "intervals", "Nothing", "", heads, ()),
        Exhibit("matrix", "matrix", "Forty classes", "", ("actual \\ predicted", *classes), matrix),
        Exhibit(
            "small", "matrix", "Odd cells", "", ("is", "a", hostile, "c"),
            (("a", None, inf, -3), (hostile, nan, 0, 0), ("c", 1e308, 1e308, 1e308)), ("text", "rows", "rows", "share"),
        ),
        Exhibit(
            "curve", "curve", "Odd curve", "With gaps.", (hostile, hostile, LONG + "y"),
            (
                *(("baseline", x / 7, 1e308 * (-1) ** x) for x in range(8)), ("current", 0.1, 3.0), ("current", None, 1),
                ("current", 0.5, inf), ("current", 0.7, nan), ("current", 0.9, -4), (hostile, 0.3, None),
                *((f"{LONG}{i}", x / 3, i * 1e307) for i in range(12) for x in range(4)),
            ),
            ("text", "share", "number"), {"diagonal": True},
        ),
        Exhibit("point", "curve", "One point", "", ("s", "x", "y"), (("only", 2, 3),)),
        Exhibit("no point", "curve", "No point", "", ("s", "x", "y"), (("only", None, 3),)),
        Exhibit(
            "bars", "bars", "Odd bars", "", ("feature", "baseline", "current"),
            ((LONG + "3", inf, -inf), ("none", None, None), ("small", 1e-9, -1e-9),
             ("usual", 0.4, -0.7), (hostile, nan, 0)),
        ),
        Exhibit(
            "table", "table", "Odd table", "", (hostile, "number", "share", "rows", "text"),
            tuple((f"{LONG}{i}", inf, nan, None, hostile) for i in range(60)), ("text", "number", "share", "rows", "text"),
        ),
    )  # fmt: skip
