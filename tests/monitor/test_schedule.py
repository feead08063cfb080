from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.errors import DocumentError, UsageError
from driftline.monitor.expression import Expression
from driftline.monitor.schedule import (
    CatchUp,
    Fire,
    Offsets,
    Planned,
    Window,
    due,
    duration_us,
    jitter_us,
    window_of,
)

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

HOURLY = Expression.parse("cron(0 * ? * * *)")
LINES = [
    "* * * * *",
    "*/45 * * * *",
    "0 * * * *",
    "*/20 1-3 * * *",
    "30 2 * * *",
    "0,30 2,3 * * *",
    "15 */2 * * *",
    "0 0 * * *",
    "0 9 * * MON-FRI",
    "59 23 L * *",
]
ZONES = ["UTC", "Europe/Rome", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Pacific/Apia"]


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


# Around the days on which clocks are set in these zones, and anywhere.
STARTS = st.one_of(
    st.sampled_from(
        ["2026-03-28", "2026-10-24", "2026-03-07", "2026-10-31", "2026-04-04", "2026-09-05", "2011-12-29"]
    )
    .map(at)
    .flatmap(lambda day: st.integers(day, day + 2 * DAY)),
    st.integers(at("1975-01-01"), at("2100-01-01")),
)


def test_sagemakers_default_window() -> None:
    fire = at("2026-02-01T14:00")
    assert window_of(HOURLY, fire) == Window(at("2026-02-01T13:00"), fire)


@given(st.sampled_from(LINES), st.sampled_from(ZONES), STARTS)
def test_default_windows_tile_time(line: str, zone: str, start: int) -> None:
    expression = Expression.parse(line, zone)
    windows = [window_of(expression, fire) for fire in expression.between(start, 2**62, 40)]
    assert windows[0].start_us <= start < windows[0].end_us
    assert all(a.end_us == b.start_us for a, b in pairwise(windows))
    assert all(w.start_us < w.end_us for w in windows)


@given(st.sampled_from(LINES), st.sampled_from(ZONES), STARTS, st.data())
def test_each_event_is_in_one_window(line: str, zone: str, start: int, data: st.DataObject) -> None:
    expression = Expression.parse(line, zone)
    windows = [window_of(expression, fire) for fire in expression.between(start, 2**62, 25)]
    edges = [edge for w in windows for edge in (w.start_us, w.end_us)]
    instants = data.draw(
        st.lists(st.one_of(st.integers(edges[0], edges[-1] - 1), st.sampled_from(edges[:-1])), max_size=50)
    )
    assert [sum(w.start_us <= i < w.end_us for w in windows) for i in instants] == [1] * len(instants)


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29T22:00", 23), ("2026-10-25T23:00", 25), ("2026-06-01T22:00", 24)]
)
def test_a_day_may_have_23_or_25_hours(day: str, hours: int) -> None:
    daily = Expression.parse("0 0 * * *", "Europe/Rome")
    window = window_of(daily, at(day))
    assert window.end_us - window.start_us == hours * HOUR


def test_offsets_are_of_fixed_length() -> None:
    daily = Expression.parse("0 0 * * *", "Europe/Rome")
    fire = at("2026-03-29T22:00")
    assert window_of(daily, fire, Offsets.parse("-P1D")) == Window(fire - DAY, fire)
    assert window_of(daily, fire, Offsets.parse("-PT5H", "-PT1H")) == Window(fire - 5 * HOUR, fire - HOUR)


def test_now_needs_both_offsets() -> None:
    now = Expression.parse("NOW")
    made = at("2026-02-01T14:07")
    assert window_of(now, made, Offsets.parse("-PT2H", "-PT1H")) == Window(made - 2 * HOUR, made - HOUR)
    with pytest.raises(UsageError, match="NOW needs a window") as caught:
        window_of(now, made)
    assert caught.value.code == "E-SCHEDULE"


def test_the_first_fire_of_all_looks_back_as_far_as_the_next_is_ahead() -> None:
    expression = Expression.parse("cron(0 6/6 1 1 ? 2027)")
    first = at("2027-01-01T00:00")
    assert window_of(expression, first) == Window(first - 6 * HOUR, first)
    with pytest.raises(UsageError, match="needs a window"):
        window_of(Expression.parse("cron(0 0 1 1 ? 2027)"), first)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("PT1H", HOUR),
        ("-PT5H", -5 * HOUR),
        ("-PT0H", 0),
        ("PT0S", 0),
        ("-P1D", -DAY),
        ("-PT15M", -15 * MINUTE),
        ("-PT90S", -90 * SECOND),
        ("-P1DT2H3M4S", -(DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND)),
        ("P2W", 14 * DAY),
        ("+PT36H", 36 * HOUR),
        ("P3660D", 3660 * DAY),
    ],
)
def test_durations(text: str, size: int) -> None:
    assert duration_us(text) == size


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "'' is no length of time"),
        ("P", "is no length of time"),
        ("PT", "is no length of time"),
        ("-P1DT", "is no length of time"),
        ("5H", "is no length of time"),
        ("-5h", "is no length of time"),
        ("-pt5h", "such as PT1H, PT15M or P1D"),
        ("PT1.5H", "is no length of time"),
        ("PT-1H", "is no length of time"),
        ("P1H", "is no length of time"),
        ("P1W1D", "is no length of time"),
        ("PT1H\n", "is no length of time"),
        ("PT1H\0", "is no length of time"),
        ("PT١H", "is no length of time"),
        ("P1M", "'P1M' has no fixed length; write days, hours and minutes"),
        ("-P1Y2DT3H", "has no fixed length"),
        ("P3661D", "more than 3,660 days"),
        ("P999999W", "more than 3,660 days"),
        ("PT" + "9" * 2000 + "H", "is no length of time"),
        (3600, "3600 is no length of time"),
        (None, "None is no length of time"),
        (["PT1H"], "is no length of time"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_bad_durations(text: object, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        duration_us(text)  # type: ignore[arg-type]
    assert caught.value.code == "E-SCHEDULE"
    assert caught.value.field == "delay"
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("start", "end", "field", "words"),
    [
        ("-PT1H", "-PT1H", "start_offset", "ends (-PT1H) before it begins (-PT1H)"),
        ("-PT1H", "-PT5H", "start_offset", "ends (-PT5H) before it begins (-PT1H)"),
        ("-PT0H", "PT0H", "start_offset", "before it begins"),
        ("-PT1H", "PT1H", "end_offset", "'PT1H' lies in the future of the run; write -PT1H"),
        ("+PT2H", "+PT3H", "start_offset", "write -PT2H"),
        ("PT1S", "-PT1H", "start_offset", "lies in the future"),
        ("yesterday", "-PT1H", "start_offset", "is no length of time"),
        ("-PT1H", "", "end_offset", "is no length of time"),
    ],
)
def test_bad_offsets(start: str, end: str, field: str, words: str) -> None:
    with pytest.raises(DocumentError) as caught:
        Offsets.parse(start, end, field="monitors.churn", file="driftline.toml")
    assert caught.value.code == "E-SCHEDULE"
    assert caught.value.field == f"monitors.churn.{field}"
    assert words in str(caught.value)


def test_sagemakers_limit_is_kept_where_asked() -> None:
    month = Offsets.parse("-P30D", "-PT0H")
    assert month == Offsets(-30 * DAY, 0)
    assert Offsets.parse("-PT25H", "-PT1H", sagemaker_limits=True) == Offsets(-25 * HOUR, -HOUR)
    with pytest.raises(UsageError, match="up to 24 hours") as caught:
        Offsets.parse("-PT25H", "-PT0H", sagemaker_limits=True)
    assert caught.value.field == "start_offset"


@pytest.mark.parametrize(
    "text", ["", "lates", "ALL", "none", None, 5, "x" * 5000], ids=lambda value: ascii(value)[:40]
)
def test_bad_policies(text: object) -> None:
    with pytest.raises(UsageError, match="is no way to catch up") as caught:
        CatchUp.parse(text)  # type: ignore[arg-type]
    assert caught.value.code == "E-SCHEDULE"
    if text == "lates":
        assert caught.value.fix == "did you mean latest?"


def fires(*hours: float) -> tuple[Fire, ...]:
    """Fires of 1 February 2026, without delay."""
    moments = [at("2026-02-01") + round(h * HOUR) for h in hours]
    return tuple(Fire(m, m) for m in moments)


def of_the_day(hour: float) -> int:
    return at("2026-02-01") + round(hour * HOUR)


@pytest.mark.parametrize(
    ("policy", "now", "runs", "skipped"),
    [
        # Nothing is due; one is, on time and late.
        (CatchUp.ALL, 9.99, (), ()),
        (CatchUp.ALL, 10, (10,), ()),
        (CatchUp.LATEST, 10, (10,), ()),
        (CatchUp.SKIP, 10, (10,), ()),
        (CatchUp.LATEST, 10.9, (10,), ()),
        (CatchUp.SKIP, 10.49, (10,), ()),
        (CatchUp.SKIP, 10.5, (), (10,)),
        # Several were missed.
        (CatchUp.ALL, 13.25, (10, 11, 12, 13), ()),
        (CatchUp.LATEST, 13.25, (13,), (10, 11, 12)),
        (CatchUp.LATEST, 13.75, (13,), (10, 11, 12)),
        (CatchUp.SKIP, 13.25, (13,), (10, 11, 12)),
        (CatchUp.SKIP, 13.75, (), (10, 11, 12, 13)),
    ],
)
def test_after_a_pause(
    policy: CatchUp, now: float, runs: tuple[float, ...], skipped: tuple[float, ...]
) -> None:
    planned = due(HOURLY, of_the_day(9), of_the_day(now), policy)
    last = max((*runs, *skipped), default=9)
    assert planned == Planned(fires(*runs), fires(*skipped), of_the_day(last))


def test_a_schedule_of_minutes_is_late_after_a_minute() -> None:
    minutes = Expression.parse("* * * * *")
    start = of_the_day(9)
    assert len(due(minutes, start, start + 2 * MINUTE - 1, CatchUp.SKIP).runs) == 1
    planned = due(minutes, start, start + 10 * MINUTE + 59 * SECOND, CatchUp.SKIP)
    assert [len(planned.runs), len(planned.skipped)] == [1, 9]


def test_a_last_fire_is_late_in_time() -> None:
    ends = Expression.parse("cron(0 * 1 1 ? 2027)")
    last = at("2027-01-01T23:00")
    assert due(ends, last - 1, last + 29 * MINUTE, CatchUp.SKIP).runs == (Fire(last, last),)
    assert due(ends, last - 1, last + 30 * MINUTE, CatchUp.SKIP).skipped == (Fire(last, last),)
    once = Expression.parse("cron(0 23 1 1 ? 2027)")
    assert due(once, last - 1, last + 12 * HOUR - 1, CatchUp.SKIP).runs == (Fire(last, last),)
    assert due(once, last - 1, last + 12 * HOUR, CatchUp.SKIP).skipped == (Fire(last, last),)


def test_a_delay_postpones() -> None:
    start, ten = of_the_day(9), of_the_day(10)
    assert due(HOURLY, start, ten + 2 * HOUR - 1, delay_us=2 * HOUR).runs == ()
    planned = due(HOURLY, start, ten + 2 * HOUR, CatchUp.SKIP, 2 * HOUR)
    assert planned == Planned((Fire(ten, ten + 2 * HOUR),), (), ten)


@pytest.mark.parametrize("policy", list(CatchUp))
def test_a_clock_that_goes_back_plans_nothing_new(policy: CatchUp) -> None:
    now = of_the_day(12.25)
    cursor = due(HOURLY, of_the_day(9), now, policy).cursor
    assert due(HOURLY, cursor, now - 2 * HOUR, policy) == Planned((), (), cursor)
    assert due(HOURLY, cursor, now, policy) == Planned((), (), cursor)
    assert due(HOURLY, cursor, of_the_day(13), policy).runs == fires(13)


@pytest.mark.parametrize("policy", list(CatchUp))
def test_400_days_of_minutes_come_in_slices(policy: CatchUp) -> None:
    minutes = Expression.parse("* * * * *")
    start = at("2026-02-01")
    now = start + 400 * DAY
    planned = due(minutes, start, now, policy)
    assert len(planned.runs) + len(planned.skipped) == 1000
    assert planned.cursor == start + 1000 * MINUTE
    assert planned.more
    assert bool(planned.runs) == (policy is CatchUp.ALL)


def test_now_is_never_due() -> None:
    assert due(Expression.parse("NOW"), 0, at("2026-02-01")) == Planned((), (), 0)


@pytest.mark.parametrize(("delay", "limit"), [(-1, 1), (0, 0)])
def test_bad_arguments(delay: int, limit: int) -> None:
    with pytest.raises(UsageError, match="make no sense"):
        due(HOURLY, 0, 1, delay_us=delay, limit=limit)


@given(
    st.sampled_from(LINES),
    st.sampled_from(ZONES),
    STARTS,
    st.sampled_from(CatchUp),
    st.sampled_from([0, 90 * SECOND, 3 * HOUR]),
    st.lists(st.tuples(st.integers(-2 * DAY, 5 * DAY), st.integers(1, 60)), max_size=12),
)
def test_every_fire_is_accounted_for_once(
    line: str, zone: str, start: int, policy: CatchUp, delay: int, steps: list[tuple[int, int]]
) -> None:
    """However the clock steps and the answers are sliced."""
    expression = Expression.parse(line, zone)
    now = latest = cursor = start
    seen: list[Fire] = []
    for step, limit in steps:
        now += step
        latest = max(latest, now)
        planned = due(expression, cursor, now, policy, delay, limit)
        assert planned.runs == tuple(sorted(planned.runs))
        assert len(planned.runs) + len(planned.skipped) <= limit
        assert cursor <= planned.cursor <= max(cursor, now - delay)
        assert all(fire.at_us + delay == fire.due_us <= now for fire in planned.runs + planned.skipped)
        seen += sorted(planned.runs + planned.skipped)
        cursor = planned.cursor
    assert [fire.at_us for fire in seen] == list(expression.between(start, cursor, 10**6))
    assert cursor <= latest


@given(
    st.sampled_from(LINES[1:]),
    st.sampled_from(ZONES),
    STARTS,
    st.sampled_from(CatchUp),
    st.integers(0, 3 * DAY),
    st.integers(1, 7),
)
def test_slices_decide_as_the_whole(
    line: str, zone: str, start: int, policy: CatchUp, pause: int, limit: int
) -> None:
    expression = Expression.parse(line, zone)
    whole = due(expression, start, start + pause, policy, limit=10**6)
    runs: tuple[Fire, ...] = ()
    skipped: tuple[Fire, ...] = ()
    cursor, more = start, True
    while more:
        planned = due(expression, cursor, start + pause, policy, limit=limit)
        runs, skipped = runs + planned.runs, skipped + planned.skipped
        cursor, more = planned.cursor, planned.more
    assert Planned(runs, skipped, cursor) == whole
    every = list(expression.between(start, start + pause, 10**6))
    assert len(whole.runs) == {CatchUp.ALL: len(every), CatchUp.LATEST: min(len(every), 1)}.get(
        policy, len(whole.runs)
    )
    assert bisect_right(every, whole.cursor) == len(every)


@given(st.text(max_size=20), st.integers(0, 2**60), st.integers(-5, 20 * MINUTE))
def test_jitter_is_bounded_and_stable(name: str, fire: int, most: int) -> None:
    delay = jitter_us(name, fire, most)
    assert 0 <= delay <= max(most, 0)
    assert delay == jitter_us(name, fire, most)


def test_jitter_spreads() -> None:
    delays = [jitter_us(f"schedule-{i}", 0, 20 * MINUTE) for i in range(1000)]
    assert min(delays) < MINUTE
    assert max(delays) > 19 * MINUTE
    assert 9 * MINUTE < sum(delays) / 1000 < 11 * MINUTE
    assert len({jitter_us("one", fire, 20 * MINUTE) for fire in range(100)}) == 100
    assert jitter_us("one", 0) == 0
