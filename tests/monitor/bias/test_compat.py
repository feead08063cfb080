"""The point rule, told as outcomes."""

from __future__ import annotations

import math

from driftline.baselines.analysis import Analysis, FacetResult, MetricValue, Stage
from driftline.monitor.bias.compat import compat_verdicts
from driftline.reports.outcome import Status


def analysis(facet: str = "0", **values: float | None) -> Analysis:
    metrics = tuple(MetricValue(name, "", value) for name, value in values.items())
    return Analysis(post_training=Stage("y", "1", {"Sex": (FacetResult(facet, metrics),)}))


def test_farther_from_zero_is_violated() -> None:
    found = compat_verdicts(
        analysis(DI=0.5, RD=-0.1, TE=2.0, AD=0.1), analysis(DI=0.4, RD=0.2, TE=math.inf, AD=-0.1)
    )
    assert [(o.constraint.check, o.status) for o in found.outcomes] == [
        ("bias_di", Status.PASSED),
        ("bias_rd", Status.VIOLATED),
        ("bias_te", Status.VIOLATED),
        ("bias_ad", Status.PASSED),
    ]
    rd, te = found.outcomes[1], found.outcomes[2]
    assert rd.reason == "Metric value 0.2 doesn't meet the baseline constraint requirement -0.1"
    assert te.reason == "Metric value Infinity doesn't meet the baseline constraint requirement 2.0"
    assert (rd.constraint.low, rd.constraint.high, rd.constraint.column) == (-0.1, 0.1, "Sex=0")
    assert rd.measurement.baseline == -0.1


def test_a_group_is_one_incident() -> None:
    (incident,) = compat_verdicts(analysis(RD=0.1, AD=0.1), analysis(RD=0.2, AD=0.3)).incidents
    assert incident.title == "Sex=0: 2 bias metrics are farther from 0 than in the baseline"
    assert incident.detail == "RD 0.2 (baseline 0.1), AD 0.3 (baseline 0.1)."
    assert incident.outcomes == (0, 1)


def test_what_is_not_there_is_undetermined_and_told() -> None:
    found = compat_verdicts(analysis(RD=0.1, AD=None), analysis("1", RD=0.2))
    assert {o.status for o in found.outcomes} == {Status.UNDETERMINED}
    assert found.incidents == ()
    assert found.notes == ("the current data say nothing about Sex=0",)


def test_a_metric_of_a_later_clarify_is_left_alone() -> None:
    assert compat_verdicts(analysis(ZZ=0.1), analysis(ZZ=0.9)).outcomes == ()


def test_every_group_has_an_exhibit() -> None:
    (exhibit,) = compat_verdicts(analysis(RD=0.1), analysis(RD=0.2)).exhibits
    assert exhibit.name == "bias:Sex=0"
    assert exhibit.rows == (("RD", 0.1, 0.2, None, None, -0.1, 0.1, "violated"),)
