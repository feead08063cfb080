from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from driftline.demo import shown
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


def printed(file: Any, *shown_: Any) -> None:
    for one in shown_:
        print_to(lambda _, one=one: one, file, console_width=80)


def days(story: Story) -> list[Any]:
    by_day = [[c for c in story.cells if c.day == day] for day in range(1, 8)]
    return [shown.head(), *(shown.day(d, [c for b in by_day[:i] for c in b]) for i, d in enumerate(by_day))]


def test_the_week(story: Story) -> None:
    file = io.StringIO()
    printed(file, *days(story))
    assert file.getvalue() == DAYS


def test_in_ascii(story: Story) -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    printed(file, *days(story), *shown.closing(story))
    file.flush()
    text = raw.getvalue().decode("ascii")
    assert "day 4    +       x 2     x 2 !   x 2 !" in text
    assert "\\u" not in text


def test_fits_80_columns(story: Story) -> None:
    file = io.StringIO()
    printed(file, *days(story), *shown.closing(story))
    assert max(map(len, file.getvalue().splitlines())) <= 80


def test_the_alert_and_where_it_leads(story: Story) -> None:
    file = io.StringIO()
    printed(file, *shown.closing(story))
    text = " ".join(file.getvalue().split())
    assert "One alert, open since day 4, 18:00: 15 windows, 1 notification." in text
    assert "churn 1, was trained on training.csv, sha256:383271660e5f…" in text
    assert "1,184 requests about 10,534 customers, none lost; 28 windows, none failed." in text
