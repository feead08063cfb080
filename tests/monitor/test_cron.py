from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import assume, given
from hypothesis import strategies as st

from driftline.monitor.cron import FIRST_YEAR, LAST_YEAR, Cron, CronError, amazon

# Changes of an hour, of half an hour, at midnight, by a whole day, none, a minute after midnight (until 2011).
ZONES = [
    "Europe/Rome",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "America/St_Johns",
]


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def fires(cron: Cron, start: int, count: int) -> list[int]:
    found = []
    for _ in range(count):
        following = cron.next_after(start)
        if following is None:
            break
        found.append(start := following)
    return found


def numbers(low: int, high: int) -> st.SearchStrategy[str]:
    return st.lists(st.integers(low, high), min_size=1, max_size=4, unique=True).map(
        lambda values: ",".join(map(str, sorted(values)))
    )


@st.composite
def lines(draw: st.DrawFn) -> str:
    """Cron lines that fire at least once a year."""
    steps = st.integers(1, 20).map("*/{}".format)
    minute = draw(st.one_of(st.just("*"), steps, numbers(0, 59), st.just("10-50/7")))
    hour = draw(st.one_of(st.just("*"), steps, numbers(0, 23), st.just("1-3"), st.just("22-23")))
    day = draw(st.sampled_from(["*", "*", "*", "1", "15,28", "*/3", "L", "LW"]))
    month = draw(st.sampled_from(["*", "*", "*", "3,4,10,11", "MAR", "*/2"]))
    weekday = draw(st.sampled_from(["*", "*", "*", "MON-FRI", "0", "7", "SUN#2", "5L"]))
    assume(day == "*" or weekday == "*")
    return f"{minute} {hour} {day} {month} {weekday}"


STARTS = st.integers(seconds("1990-01-01"), seconds("2035-01-01"))


@given(lines(), STARTS)
def test_in_utc_it_is_cronsim(line: str, start: int) -> None:
    oracle = CronSim(line, datetime.fromtimestamp(start, UTC))
    expected = [int(next(oracle).timestamp()) for _ in range(40)]
    assert fires(Cron(line.split()), start, 40) == expected


@given(lines(), st.sampled_from(["Europe/Rome", "America/New_York", "Asia/Kolkata"]), STARTS)
def test_in_a_zone_it_is_cronsim(line: str, name: str, start: int) -> None:
    """From a time of day at which no clock is set: from within an hour that comes twice cronsim goes back."""
    zone = ZoneInfo(name)
    local = datetime.fromtimestamp(start, zone).replace(hour=12)
    oracle = CronSim(line, local)
    expected = [int(next(oracle).timestamp()) for _ in range(40)]
    assert fires(Cron(line.split(), zone), int(local.timestamp()), 40) == expected


def changes(name: str) -> list[int]:
    """Return the instants at which the clocks of a zone are set in some years, to the hour."""
    zone = ZoneInfo(name)
    found = []
    for year in (2010, 2011, 2026):
        hours = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(hours=h) for h in range(366 * 24)]
        found += [
            int(b.timestamp())
            for a, b in pairwise(hours)
            if a.astimezone(zone).utcoffset() != b.astimezone(zone).utcoffset()
        ]
    return found


CHANGES = [(name, change) for name in ZONES for change in changes(name)]


@pytest.mark.parametrize("name", ZONES)
def test_without_a_time_of_day_the_clock_on_the_wall_decides(name: str) -> None:
    """Twin: look at every minute of two days."""
    zone = ZoneInfo(name)
    for moment in changes(name) or [seconds("2026-03-29")]:
        start = moment - 86_400
        walls = [(s, datetime.fromtimestamp(s, zone)) for s in range(start + 60, moment + 86_401, 60)]
        for fields in ("* *", "*/15 *", "7 *", "*/20 0,1,2", "5,35 */2", "* 23,0,3"):
            read = CronSim(f"{fields} * * *", datetime(2000, 1, 1, tzinfo=UTC))
            expected = [s for s, wall in walls if wall.minute in read.minutes and wall.hour in read.hours]
            cron = Cron([*fields.split(), "*", "*", "*"], zone)
            assert fires(cron, start, len(expected)) == expected, (moment, fields)
            before = expected[-1] + 1
            for second in reversed(expected):
                assert cron.previous_before(before) == second, (moment, fields)
                before = second


@given(st.sampled_from(CHANGES), numbers(0, 59), numbers(0, 23))
def test_at_a_time_of_day_it_fires_once_a_day(change: tuple[str, int], minute: str, hour: str) -> None:
    """Twin: Debian's rule, wall time by wall time."""
    name, moment = change
    zone = ZoneInfo(name)
    midnight = datetime.fromtimestamp(moment, zone).replace(hour=0, minute=0, second=0, tzinfo=None)
    expected = set()
    for day in range(-3, 5):
        for h in map(int, hour.split(",")):
            for m in map(int, minute.split(",")):
                wall = midnight + timedelta(days=day, hours=h, minutes=m)
                while (there := wall.replace(tzinfo=zone).astimezone(UTC)).astimezone(zone).replace(
                    tzinfo=None
                ) != wall:
                    wall += timedelta(minutes=1)
                expected.add(int(there.timestamp()))
    start, end = moment - 86_400, moment + 2 * 86_400
    cron = Cron((minute, hour, "*", "*", "*"), zone)
    found: list[int] = []
    while (following := cron.next_after(found[-1] if found else start)) is not None and following <= end:
        found.append(following)
    assert found == sorted(second for second in expected if start < second <= end)


@given(lines(), st.sampled_from([None, *ZONES]), STARTS)
def test_back_is_the_way_forth(line: str, name: str | None, start: int) -> None:
    cron = Cron(line.split(), ZoneInfo(name) if name else None)
    there = fires(cron, start, 12)
    assert there == sorted(set(there))
    assert there[0] > start
    back = [there[-1]]
    while len(back) < len(there):
        previous = cron.previous_before(back[-1])
        assert previous is not None
        back.append(previous)
    assert back[::-1] == there
    before = cron.previous_before(there[0])
    assert before is None or before <= start


@pytest.mark.parametrize(
    ("line", "start", "expected"),
    [
        ("30 2 * * *", "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:30"]),
        ("0,30 2 * * *", "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:00"]),
        ("*/30 2 * * *", "2026-03-28T12:00", ["2026-03-30T00:00", "2026-03-30T00:30"]),
        ("30 2 * * *", "2026-10-24T12:00", ["2026-10-25T00:30", "2026-10-26T01:30"]),
        ("*/30 2 * * *", "2026-10-24T23:59", ["2026-10-25T00:00", "2026-10-25T00:30", "2026-10-25T01:00"]),
        # Between the first 02:30 and the second there is nothing left to fire.
        ("30 2 * * *", "2026-10-25T01:10", ["2026-10-26T01:30"]),
        ("0 3 * * *", "2026-10-25T01:10", ["2026-10-25T02:00"]),
    ],
)
def test_when_clocks_change_in_rome(line: str, start: str, expected: list[str]) -> None:
    cron = Cron(line.split(), ZoneInfo("Europe/Rome"))
    assert fires(cron, seconds(start), len(expected)) == [seconds(e) for e in expected]


def test_a_day_that_a_zone_left_out() -> None:
    """Samoa had no 30 December 2011; what was due that day fires when the 31st begins."""
    cron = Cron(["15", "9", "*", "*", "*"], ZoneInfo("Pacific/Apia"))
    assert fires(cron, seconds("2011-12-29T12:00"), 3) == [
        seconds("2011-12-29T19:15"),
        seconds("2011-12-30T10:00"),
        seconds("2011-12-30T19:15"),
    ]


def test_the_first_and_the_last_fire() -> None:
    cron = Cron(["0", "0", "1", "1", "*"])
    first, last = seconds(f"{FIRST_YEAR}-01-01"), seconds(f"{LAST_YEAR}-01-01")
    assert cron.next_after(-(10**18)) == first == cron.next_after(first - 1)
    assert cron.previous_before(10**18) == last == cron.previous_before(last + 1)
    assert cron.previous_before(first) is None
    assert cron.next_after(last) is None


def test_few_days_are_remembered() -> None:
    cron = Cron(["*", "*", "*", "*", "*"], ZoneInfo("Europe/Rome"))
    for day in range(100):
        assert cron.next_after(day * 86_400) == day * 86_400 + 60
    assert len(cron._kept) <= 8


def test_the_rarest_day() -> None:
    cron = Cron(["0", "0", "*", "2", "MON#5"])
    found = fires(cron, seconds("2026-01-01"), 4)
    assert [datetime.fromtimestamp(f, UTC).date().isoformat() for f in found] == [
        "2044-02-29",
        "2072-02-29",
        "2112-02-29",
        "2140-02-29",
    ]


def days(text: str, start: str, count: int) -> list[str]:
    cron = amazon(text)
    return [
        datetime.fromtimestamp(f, UTC).strftime("%Y-%m-%d %H:%M")
        for f in fires(cron, seconds(start) - 1, count)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # 1 February 2026 is a Sunday.
        ("0 8 ? * 1 *", ["2026-02-01 08:00", "2026-02-08 08:00"]),
        ("0 8 ? * 7 *", ["2026-02-07 08:00", "2026-02-14 08:00"]),
        ("0 8 ? * SAT *", ["2026-02-07 08:00", "2026-02-14 08:00"]),
        ("0 8 ? * L *", ["2026-02-07 08:00", "2026-02-14 08:00"]),
        ("0 8 ? * 2-6 *", ["2026-02-02 08:00", "2026-02-03 08:00"]),
        ("0 8 ? * MON-FRI *", ["2026-02-02 08:00", "2026-02-03 08:00"]),
        ("0 8 ? * 2/3 *", ["2026-02-02 08:00", "2026-02-05 08:00", "2026-02-09 08:00"]),
        ("0 8 ? * */3 *", ["2026-02-01 08:00", "2026-02-04 08:00", "2026-02-07 08:00", "2026-02-08 08:00"]),
        ("0 8 ? * 2#1 *", ["2026-02-02 08:00", "2026-03-02 08:00"]),
        ("0 8 ? * 6L *", ["2026-02-27 08:00", "2026-03-27 08:00"]),
        ("0 8 L * ? *", ["2026-02-28 08:00", "2026-03-31 08:00"]),
        # The 15th of February 2026 is a Sunday, the 1st of August a Saturday, the 31st of May a Sunday.
        ("0 8 15W * ? *", ["2026-02-16 08:00", "2026-03-16 08:00", "2026-04-15 08:00"]),
        ("0 8 1W 8 ? *", ["2026-08-03 08:00"]),
        ("0 8 31W 5 ? *", ["2026-05-29 08:00"]),
        ("0 8 14W 2 ? *", ["2026-02-13 08:00"]),
        ("0/20 8 * * ? *", ["2026-02-01 08:00", "2026-02-01 08:20", "2026-02-01 08:40", "2026-02-02 08:00"]),
        ("0 0 1 1 ? 2028", ["2028-01-01 00:00"]),
        ("0 0 1 1 ? 2026-2028", ["2027-01-01 00:00", "2028-01-01 00:00"]),
        ("0 0 1 1 ? 2024/3", ["2027-01-01 00:00", "2030-01-01 00:00"]),
        ("0 0 1 1 ? 2027,2031", ["2027-01-01 00:00", "2031-01-01 00:00"]),
        ("0 0 1 1 ? */100", ["2070-01-01 00:00", "2170-01-01 00:00"]),
    ],
)
def test_fields_of_aws(text: str, expected: list[str]) -> None:
    assert days(text, "2026-02-01", len(expected)) == expected


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ("17/12", {5, 17}),
        ("0/10", {0, 10, 20}),
        ("0/5", {0, 5, 10, 15, 20}),
        ("3/7", {3, 10, 17, 0}),
        ("23/24", {23}),
        ("0/1", set(range(24))),
        ("*/6", {0, 6, 12, 18}),
        ("8-17/3", {8, 11, 14, 17}),
        ("17/12,9", {5, 9, 17}),
    ],
)
def test_hours_go_around_the_clock(hours: str, expected: set[int]) -> None:
    found = fires(amazon(f"0 {hours} ? * * *"), seconds("2026-02-01") - 1, len(expected))
    assert {(f % 86_400) // 3600 for f in found} == expected
    assert found[-1] < seconds("2026-02-02")


@given(st.integers(0, 23), st.integers(1, 24))
def test_hours_by_the_formula(hour: int, step: int) -> None:
    wanted = {(hour + k * step) % 24 for k in range(-(-24 // step))}
    found = fires(amazon(f"0 {hour}/{step} ? * * *"), seconds("2026-02-01") - 1, len(wanted))
    assert {(f % 86_400) // 3600 for f in found} == wanted


def test_what_is_refused_says_what_to_do() -> None:
    with pytest.raises(CronError, match="'60' is no minute") as caught:
        Cron(["60", "*", "*", "*", "*"])
    assert caught.value.fix == "write 0 to 59; lists, ranges and steps of them"
