"""The part of the extensions' table that is the post-market plan; :mod:`driftline.cards.post_market` fills it."""

from __future__ import annotations

from typing import Final

from driftline.cards.extension_kinds import Choice, Date, Digest, Flag, ListOf, Number, Text, Whole
from driftline.cards.extension_parts import group, name

__all__ = ["KINDS", "PLAN"]

KINDS: Final = ("data-quality", "model-quality", "bias", "attribution")
"""What a monitor looks at."""

_THRESHOLD: Final = group(
    "one bound in force",
    "check",
    "source",
    check=name("check or metric"),
    column=Text("column, facet or feature; not there: all", 1024),
    columns=Whole("of how many columns this is the bound"),
    enabled=Flag("whether the check runs"),
    bound=Number("value beyond which it is a violation"),
    low=Number("lower end of what is allowed"),
    high=Number("upper end of what is allowed"),
    baseline=Number("value of the baseline"),
    tolerance=Number("how much worse than the baseline it may be"),
    min_rows=Whole("fewer rows are not judged"),
    severity=Choice("of a violation", ("warning", "critical")),
    source=Choice("who says so", ("configuration", "baseline", "built in")),
)

_SCHEDULE: Final = group(
    "one monitor",
    "name",
    "kind",
    "endpoint",
    "state",
    name=name("of the schedule"),
    kind=Choice("what it looks at", KINDS),
    endpoint=name("endpoint or batch job whose traffic it looks at"),
    variant=name("variant of the endpoint; not there: all"),
    state=Choice("whether it runs", ("active", "stopped", "failed")),
    cron=name("when it runs"),
    timezone=name("time zone of the schedule"),
    window=group(
        "what a run looks at",
        start_offset=name("from so long before its time; not there: from the run before"),
        end_offset=name("to so long before its time; not there: to its time"),
        delay=name("how long it waits for late data"),
    ),
    inputs=Choice("what it reads", ("captured", "labelled")),
    mode=Choice("whose arithmetic", ("default", "sagemaker")),
    baseline=group(
        "what it compares with",
        "name",
        name=name("of the baseline"),
        version=Whole("that is current", 1),
        digest=Digest("SHA-256 of the baseline's files, constraints among them"),
        accepted_by=name("who accepted it"),
    ),
    alpha=Number("false discovery rate of a run", 0.0, 1.0),
    thresholds=ListOf("bounds in force", _THRESHOLD, 200),
    thresholds_left_out=Whole("bounds that are in force, and not listed"),
    alerts=ListOf(
        "rules that make runs an alarm",
        group(
            "one rule: m failures among the last n runs",
            "name",
            "datapoints_to_alert",
            "evaluation_period",
            name=name("of the rule"),
            datapoints_to_alert=Whole("m", 1, 100),
            evaluation_period=Whole("n", 1, 100),
            count_failed_runs=Flag("whether runs that broke count as failures"),
            min_severity=Choice("least severity that counts", ("warning", "critical")),
            keep_firing=Whole("clean runs before the alarm is over", 0, 100),
        ),
        50,
        ("name",),
    ),
    alert_after_failures=Whole("runs in a row that break before there is an alarm; 0: never"),
    alert_on_no_data=Whole("runs in a row without data before there is an alarm; 0: never"),
    owner=name("who looks after it"),
    description=Text("what it is for"),
)

PLAN: Final = group(
    "plan for watching the model after it is placed on the market",
    statement=Text("what the plan is to achieve, and who acts on what it finds"),
    review=Text("when the plan is looked at again", 1024),
    generated=Date("when the rest was taken from the live configuration"),
    model=name("the registry's model"),
    owners=ListOf(
        "who answers for the model and its monitors",
        group("one owner", "name", "role", name=name("who"), role=name("of what")),
        50,
    ),
    endpoints=ListOf(
        "what serves the model",
        group(
            "one endpoint",
            "name",
            name=name("of the endpoint"),
            kind=Choice("what it is", ("endpoint", "batch")),
            versions=ListOf("versions that it serves", name("one version"), 50),
        ),
        200,
        ("name",),
    ),
    schedules=ListOf("monitors", _SCHEDULE, 200, ("name",)),
    schedules_left_out=Whole("monitors that are not listed"),
    uncovered=ListOf("kinds of monitors that the model does not have", Choice("one kind", KINDS), 4),
    targets=ListOf(
        "where notifications go; addresses are not part of the plan",
        group(
            "one target",
            "name",
            "kind",
            name=name("of the target"),
            kind=name("such as webhook"),
            events=ListOf("events it is told of", name("one pattern"), 50),
            severity=Choice("least severity it is told of", ("warning", "critical")),
        ),
        100,
        ("name",),
    ),
    retention=Text("how long captures, reports and this card are kept"),
)
"""Plan for watching a model after it is placed on the market."""
