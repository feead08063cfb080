from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from driftline.demo import shown, shown_income
from driftline.reports.terminal import print_to

if TYPE_CHECKING:
    from driftline.demo import Story

DAYS = """\
         00–06   06–12   12–18   18–24
day 1    ✓       ✓       ✓       ✓
day 2    ✓       ✓       ✕ 59    ✓       1 row breaks 59 columns
day 3    –       ✓       ✓       ✓       nobody asked: no data, no failure
day 4    ✓       ✕ 2     ✕ 2 !   ✕ 2 !   Day Mins has drifted, and 1 more
day 5    ✕ 2 !   ✕ 2 !   ✕ 2 !   ✕ 2 !
day 6    ✕ 2 !   ✕ 2 !   ✕ 2 !   ✕ 2 !
day 7    ✕ 2 !   ✕ 2 !   ✕ 2 !   ✕ 2 !
"""


INCOME = """\
         data    quality   bias    attribution
day 1    ✓       ✓         ✓       ✓
day 2    ✓       ✓         ✓       ✓
day 3    ✓       ✓         ✓       ✓
day 4    ✕       ✕         ✕       ✕
day 5    ✕ !     ✕ !       ✕ !     ✕ !
day 6    ✕ !     ✕ !       ✕ !     ✕ !
day 7    ✕ !     ·         ·       ✕ !
"""


def printed(file: Any, *shown_: Any) -> None:
    for one in shown_:
        print_to(lambda _, one=one: one, file, console_width=80)


def days(story: Story) -> list[Any]:
    by_day = [[c for c in story.cells if c.day == day] for day in range(1, 8)]
    return [shown.head(), *(shown.day(d, [c for b in by_day[:i] for c in b]) for i, d in enumerate(by_day))]


def income(story: Story) -> list[Any]:
    return [*shown_income.week(story.income), *shown_income.closing(story.income)]


def test_the_week(story: Story) -> None:
    file = io.StringIO()
    printed(file, *days(story))
    assert file.getvalue() == DAYS


def test_in_ascii(story: Story) -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    printed(file, *days(story), *shown.closing(story), *income(story))
    file.flush()
    text = raw.getvalue().decode("ascii")
    assert "day 4    +       x 2     x 2 !   x 2 !" in text
    assert "\\u" not in text


def test_fits_80_columns(story: Story) -> None:
    file = io.StringIO()
    printed(file, *days(story), *shown.closing(story), *income(story))
    assert max(map(len, file.getvalue().splitlines())) <= 80


def test_the_alert_and_where_it_leads(story: Story) -> None:
    file = io.StringIO()
    printed(file, *shown.closing(story))
    text = " ".join(file.getvalue().split())
    assert "One alert, open since day 4, 18:00: 15 windows, 1 notification." in text
    assert "churn 1, was trained on training.csv, sha256:383271660e5f…" in text
    assert "1,184 requests about 10,534 customers, none lost; 28 windows, none failed." in text


def test_the_week_of_the_income_model(story: Story) -> None:
    """How many constraints are violated is the monitors' affair."""
    file = io.StringIO()
    printed(file, *shown_income.week(story.income))
    text = re.sub(r"✕ (\d+)", lambda found: "✕" + " " * len(found[1]), file.getvalue())
    lines = [re.sub(r"✕ {2,}!", "✕ !", line).rstrip() for line in text.splitlines()]
    assert [line.split() for line in lines[2:10]] == [line.split() for line in INCOME.splitlines()]


def test_what_the_reports_say_and_what_nobody_would_have_noticed(story: Story) -> None:
    file = io.StringIO()
    printed(file, *shown_income.closing(story.income))
    text = " ".join(file.getvalue().split())
    assert "700 requests about 14,000 people, none lost; 12,000 truths; 4 alerts." in text
    for report in story.income.reports.values():
        assert " ".join(report.incidents[0].title.split()) in text
        assert " ".join(report.incidents[0].detail[:500].split()) in text
    assert "and passes: nobody would have noticed." in text
    assert "since day 4 women fill in another form" in text
