from __future__ import annotations

import copy
import time
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.errors import DocumentError, DriftlineError, UsageError
from driftline.monitor.expression import MACROS, MAX_TEXT, Expression, default_expression

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def shown(moments: list[int]) -> list[str]:
    return [datetime.fromtimestamp(m // SECOND, UTC).strftime("%dT%H:%M") for m in moments]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cron(0 * ? * * *)", [f"01T{h:02}:00" for h in range(24)]),
        ("cron(0 0 ? * * *)", ["01T00:00"]),
        ("cron(0 05 ? * * *)", ["01T05:00"]),
        ("cron(0 17/12 ? * * *)", ["01T05:00", "01T17:00"]),
        ("cron(0 0/10 ? * * *)", ["01T00:00", "01T10:00", "01T20:00"]),
        ("cron(0 12/01 ? * * *)", [f"01T{h:02}:00" for h in range(24)]),
        ("cron(0 00/24 ? * * *)", ["01T00:00"]),
        ("  CRON( 0  5 ? * * * ) ", ["01T05:00"]),
        ("@hourly", [f"01T{h:02}:00" for h in range(24)]),
        ("@daily", ["01T00:00"]),
        ("@weekly", ["01T00:00"]),
        ("@monthly", ["01T00:00"]),
        ("0 7-9 * * *", ["01T07:00", "01T08:00", "01T09:00"]),
        ("0\t7 * feb sun", ["01T07:00"]),
    ],
)
def test_fires_of_a_day(text: str, expected: list[str]) -> None:
    """1 February 2026, a Sunday."""
    expression = Expression.parse(text)
    start = at("2026-02-01")
    assert shown(list(expression.between(start - 1, start + DAY - 1, 100))) == expected


def test_a_zone_is_kept() -> None:
    expression = Expression.parse("0 9 * * *", "America/New_York")
    assert expression.timezone == "America/New_York"
    assert shown(list(expression.between(at("2026-03-07"), at("2026-03-10"), 9))) == [
        "07T14:00",
        "08T13:00",
        "09T13:00",
    ]


@pytest.mark.parametrize("name", ["UTC", "Etc/UTC"])
def test_utc_has_one_name(name: str) -> None:
    assert Expression.parse("cron(0 5 ? * * *)", name) == Expression.parse("cron( 0 5 ? * * *)")


def test_equal_by_text_and_zone() -> None:
    one, same = Expression.parse("0  5 * * *"), Expression.parse("0 5 * * *")
    assert one == same == Expression.parse(one.text, one.timezone) == copy.deepcopy(one)
    assert hash(one) == hash(same)
    assert one != Expression.parse("0 5 * * *", "Europe/Rome")
    assert repr(one) == "Expression(text='0 5 * * *', timezone='UTC')"


def test_now_has_no_fires() -> None:
    now = Expression.parse("now", "Europe/Rome")
    assert now.is_now
    assert now.text == "NOW"
    assert now.next_after(0) is now.previous_before(0) is None
    assert list(now.between(-(2**62), 2**62, 5)) == []
    assert now.period_at(0) == 0
    assert not Expression.parse("@daily").is_now


def test_strictly_after_and_before() -> None:
    hourly = Expression.parse("@hourly")
    noon = at("2026-02-01T12:00")
    assert hourly.next_after(noon) == noon + HOUR
    assert hourly.next_after(noon - 1) == noon == hourly.previous_before(noon + 1)
    assert hourly.previous_before(noon) == noon - HOUR


def test_between_takes_its_end_and_its_limit() -> None:
    hourly = Expression.parse("@hourly")
    noon = at("2026-02-01T12:00")
    assert list(hourly.between(noon, noon + 2 * HOUR, 9)) == [noon + HOUR, noon + 2 * HOUR]
    assert list(hourly.between(noon, noon + 2 * HOUR, 1)) == [noon + HOUR]
    assert list(hourly.between(noon, noon, 9)) == list(hourly.between(noon, noon - DAY, 9)) == []


def test_a_year_of_aws_ends() -> None:
    expression = Expression.parse("cron(0 0 1 1 ? 2027-2028)")
    first, last = at("2027-01-01"), at("2028-01-01")
    assert list(expression.between(at("2026-01-01"), at("2199-01-01"), 9)) == [first, last]
    assert expression.next_after(last) is None
    assert expression.previous_before(first) is None
    assert expression.explain() == "At 00:00 on January 1, in 2027-2028, UTC"
    assert Expression.parse("cron(0 0 1 1 ? 1999)").next_after(at("2026-01-01")) is None


@pytest.mark.parametrize(
    ("text", "moment", "hours"),
    [
        ("@hourly", "2026-02-01T12:00", 1),
        ("0 9,17 * * *", "2026-02-01T12:00", 8),
        ("0 9,17 * * *", "2026-02-01T17:00", 16),
        ("cron(0 0 1 * ? 2027)", "2026-02-01", 31 * 24),
        ("cron(0 0 1 * ? 2027)", "2030-02-01", 30 * 24),
        ("cron(0 0 1 1 ? 2027)", "2026-02-01", 0),
        ("cron(0 0 1 1 ? 2027)", "2030-02-01", 0),
    ],
)
def test_period(text: str, moment: str, hours: int) -> None:
    assert Expression.parse(text).period_at(at(moment)) == hours * HOUR


@pytest.mark.parametrize(("day", "hours"), [("2026-03-28T12:00", 23), ("2026-10-24T12:00", 25)])
def test_days_of_23_and_25_hours(day: str, hours: int) -> None:
    assert Expression.parse("0 0 * * *", "Europe/Rome").period_at(at(day) + 14 * HOUR) == hours * HOUR


@given(
    st.sampled_from(["* * * * *", "*/7 */5 * * *", "30 2 * * *", "0,30 0-3 * * SUN", "5 1 L * *", *MACROS]),
    st.sampled_from(["UTC", "Europe/Rome", "Australia/Lord_Howe", "America/Santiago", "Pacific/Apia"]),
    st.integers(0, at("2199-01-01")),
)
def test_each_fire_is_unique_and_later(text: str, zone: str, start: int) -> None:
    expression = Expression.parse(text, zone)
    fires = list(expression.between(start, 2**62, 30))
    assert all(a < b for a, b in pairwise([start, *fires]))
    assert all(expression.previous_before(b) == a for a, b in pairwise(fires))
    assert all(fire % (60 * SECOND) == 0 for fire in fires if fire > at("1972-01-08"))


@given(st.integers())
def test_any_moment_is_answered(moment: int) -> None:
    expression = Expression.parse("0 12 * * *", "Europe/Rome")
    after, before = expression.next_after(moment), expression.previous_before(moment)
    assert after is None or after > moment
    assert before is None or before < moment
    assert (after, before) != (None, None)


@pytest.mark.parametrize(
    ("text", "zone", "words"),
    [
        ("cron(0 17/12 ? * * *)", "UTC", "At 05:00 and 17:00 every day, UTC"),
        (
            "*/15 8-18 * * MON-FRI",
            "Europe/Rome",
            "Every 15th minute from 08:00 through 18:59 on Monday through Friday",
        ),
        (
            "cron(0 8 15W * ? *)",
            "UTC",
            "At 08:00 every day, only on the weekday nearest to day 15 of the month, UTC",
        ),
        ("NOW", "UTC", "Once, when it is made"),
    ],
)
def test_explained(text: str, zone: str, words: str) -> None:
    assert Expression.parse(text, zone).explain().startswith(words)


def test_without_an_expression_the_name_decides_the_hour() -> None:
    hours = {name: default_expression(name).text for name in (f"schedule-{i}" for i in range(200))}
    assert set(hours.values()) == {f"cron(0 {h} ? * * *)" for h in range(24)}
    assert default_expression("churn").text == "cron(0 22 ? * * *)"


BAD = {
    "": "'' is no schedule",
    " \t ": "is no schedule",
    "* * * * * *": "has no seconds, its shortest period is one minute",
    "0 * * * * *": "has no seconds",
    "* * * *": "a cron line has five fields and this has 4",
    "* * * * * * *": "this has 7",
    "0 0 30 2 *": "'0 0 30 2 *': it never fires",
    "0 0 31 4,6,9,11 *": "never fires",
    "cron(0 0 29 2 ? 2027)": "never fires",
    "cron(0 0 31W 2 ? *)": "never fires",
    "cron(0 0 ? 2 MON#5 2026)": "never fires",
    "*/0 * * * *": "'*/0' is no minute",
    "*/61 * * * *": "'*/61' is no minute; take a step of 1 to 60",
    "0 */25 * * *": "'*/25' is no hour; take a step of 1 to 24",
    f"*/{'9' * 200} * * * *": "is no minute",
    f"{'9' * 200} * * * *": "is no minute",
    "60 * * * *": "'60' is no minute",
    "-1 * * * *": "'-1' is no minute",
    "1,,2 * * * *": "is no minute",
    "5-1 * * * *": "is no minute",
    "1-2-3 * * * *": "is no minute",
    "1/2/3 * * * *": "is no minute",
    "1.5 * * * *": "is no minute",
    "0 24 * * *": "'24' is no hour",
    "0 0 0 * *": "'0' is no day of the month",
    "0 0 32 * *": "'32' is no day of the month",
    "0 0 L/2 * *": "'L/2' is no day of the month; L takes no step",
    "0 0 LW-3 * *": "'LW-3' is no day of the month",
    "0 0 1 13 *": "'13' is no month",
    "0 0 1 JANUARY *": "'JANUARY' is no month",
    "0 0 * * 8": "'8' is no day of the week",
    "0 0 * * MON#6": "'MON#6' is no day of the week",
    "0 ? * * *": "? stands for a day in cron(...) only",
    "x" * 2000: "has up to 256 characters and this has 2,000",
    "* " * 1000: "this has 2,000",
    "0," * 127 + "0 * * * *": "has up to 256",
    "0 0 \0 * *": r"has characters that no schedule has",
    "0 0 * *\n*": "has characters that no schedule has",
    "٣ * * * *": "has characters that no schedule has",
    "０ * * * *": "has characters that no schedule has",
    "0 0 * * *\u202e": "has characters that no schedule has",
    "\ud800 * * * *": "has characters that no schedule has",
    "@yearly": "write @hourly, @daily, @weekly, @monthly",
    "@hourl": "did you mean @hourly?",
    "@": "is no schedule",
    "rate(5 minutes)": 'write a cron line, such as "*/5 * * * *"',
    "every 5 minutes": "has five fields and this has 3",
    "NOW NOW": "this has 2",
    "cron(0 * ? * * *": "does not end in a parenthesis",
    "cron()": "has six fields and this has 0",
    "cron(0 * ? * *)": "has six fields and this has 5",
    "cron(0 0 1 * MON *)": "not both",
    "cron(0 0 ? * 0 *)": "in cron(...) write 1 (Sunday) to 7 (Saturday)",
    "cron(0 0 ? * 8 *)": "'8' is no day of the week",
    "cron(0 0 ? * FRI-SUN *)": "'FRI-SUN' is no day of the week",
    "cron(0 0 ? * MON/0 *)": "is no day of the week",
    "cron(0 0 ? * *-3 *)": "is no day of the week",
    "cron(0 0/0 ? * * *)": "N from 1 to 24",
    "cron(0 0/25 ? * * *)": "N from 1 to 24",
    "cron(0 24/2 ? * * *)": "H from 0 to 23",
    "cron(0 0 0W * ? *)": "write 1W to 31W",
    "cron(0 0 1 1 ? 9999)": "'9999' is no year; write 1970 to 2199",
    "cron(0 0 1 1 ? 1969)": "is no year",
    "cron(0 0 1 1 ? 2030-2020)": "is no year",
    "cron(0 0 1 1 ? 2030/0)": "is no year",
    "cron(0 0 1 1 ? 20300)": "is no year",
    "cron(0 0 1 1 ? ?)": "is no year",
    "cron(? 0 1 1 ? *)": "'?' is no minute",
}


@pytest.mark.parametrize(("text", "words"), BAD.items(), ids=lambda value: ascii(value)[:40])
def test_bad_expressions(text: str, words: str) -> None:
    began = time.process_time()
    with pytest.raises(UsageError) as caught:
        Expression.parse(text)
    assert time.process_time() - began < 1
    assert caught.value.code == "E-SCHEDULE"
    assert caught.value.field == "schedule"
    assert caught.value.fix
    assert words in str(caught.value)


@pytest.mark.parametrize("value", [None, 5, 0.5, True, [], ["* * * * *"], b"* * * * *"])
def test_no_text(value: object) -> None:
    with pytest.raises(UsageError, match=r"E-SCHEDULE: schedule: .* is no schedule"):
        Expression.parse(value)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"E-SCHEDULE: schedule: .* is no time zone"):
        Expression.parse("@daily", value)  # type: ignore[arg-type]


def test_the_document_is_named() -> None:
    with pytest.raises(DocumentError) as caught:
        Expression.parse("60 * * * *", field="monitors.churn.schedule", file="driftline.toml")
    assert str(caught.value) == (
        "E-SCHEDULE: driftline.toml: monitors.churn.schedule: '60 * * * *': '60' is no minute; "
        "write 0 to 59; lists, ranges and steps of them"
    )


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Europe/Rom", "did you mean Europe/Rome?"),
        ("europe/rome", "did you mean Europe/Rome?"),
        ("utc", "did you mean UTC?"),
        ("CEST", "write a name of the IANA database"),
        ("Europe", "is no time zone"),
        ("", "is no time zone"),
        ("../../etc/passwd", "is no time zone"),
        ("/etc/localtime", "is no time zone"),
        ("posix/Europe/Rome", "is no time zone"),
        ("right/Europe/Rome", "is no time zone"),
        ("localtime", "is no time zone"),
        ("leapseconds", "is no time zone"),
        ("Europe/Rome\0", "is no time zone"),
        ("A" * 10_000, "is no time zone"),
        ("+02:00", "is no time zone"),
    ],
)
def test_bad_zones(zone: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        Expression.parse("@daily", zone)
    assert caught.value.code == "E-SCHEDULE"
    assert words in str(caught.value)


def test_the_form_of_aws_is_utc() -> None:
    with pytest.raises(UsageError) as caught:
        Expression.parse("cron(0 17/12 ? * * *)", "Europe/Rome")
    assert str(caught.value) == (
        'E-SCHEDULE: schedule: cron(...) is in UTC, not in Europe/Rome; write it as five fields: "0 5,17 * * *"'
    )
    with pytest.raises(UsageError, match="leave the time zone out"):
        Expression.parse("cron(0 0 1 1 ? 2027)", "Europe/Rome")


def parsed(text: str) -> Expression | DriftlineError:
    try:
        return Expression.parse(text)
    except DriftlineError as error:
        return error


WORDS = st.sampled_from(
    [
        *"0159*/-,?#LW@()",
        "10",
        "59",
        "60",
        "MON",
        "JAN",
        "SUN#2",
        "5L",
        "LW",
        "15W",
        "cron(",
        ")",
        "2027",
        " ",
        " ",
    ]
)


@given(st.one_of(st.text(max_size=300), st.lists(WORDS, max_size=40).map("".join)))
def test_any_text_is_a_schedule_or_refused(text: str) -> None:
    expression = parsed(text)
    if isinstance(expression, DriftlineError):
        assert expression.code == "E-SCHEDULE"
    else:
        assert len(text) <= MAX_TEXT
        assert expression.explain()
        assert Expression.parse(expression.text, expression.timezone) == expression


FIELD = st.sampled_from(
    ["*", "1", "*/2", "1-3", "1,2", "0/2", "L", "LW", "15W", "2#1", "6L", "?", "SUN", "31", "2026"]
)


@given(st.lists(FIELD, min_size=5, max_size=6))
def test_what_is_accepted_fires_and_is_explained(fields: list[str]) -> None:
    line = " ".join(fields)
    expression = parsed(line if len(fields) == 5 else f"cron({line})")
    if isinstance(expression, DriftlineError):
        assert expression.code == "E-SCHEDULE"
    else:
        assert expression.next_after(-1) is not None
        assert expression.explain()
