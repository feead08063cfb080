from __future__ import annotations

from driftline.demo.data import TARGET, customers, published, training
from driftline.demo.week import DRIFT_FROM, MANGLED, QUIET, moved, week

NAMES = [name for name in training().column_names if name != TARGET]


def test_the_same_week_each_time() -> None:
    assert list(week(NAMES)) == list(week(NAMES))
    assert list(week(NAMES)) != list(week(NAMES, seed=8))


def test_nobody_is_drawn_twice_in_a_window() -> None:
    assert len(set(customers())) == len(customers()) == 2666
    for window in week(NAMES):
        rows = [row for body in window.bodies for row in body.split()]
        assert len(rows) == window.n_rows
        if (window.day, window.hour) < DRIFT_FROM and (window.day, window.hour) != MANGLED:
            assert len(set(rows)) == len(rows)
            assert set(rows) <= set(customers())


def test_one_window_has_nobody_and_one_has_the_published_requests() -> None:
    by_time = {(w.day, w.hour): w for w in week(NAMES)}
    assert [at for at, window in by_time.items() if not window.bodies] == [QUIET]
    assert list(by_time[MANGLED].bodies) == published()
    assert [at for at, window in by_time.items() if published()[0] in window.bodies] == [MANGLED]


def test_minutes_move_and_none_are_lost() -> None:
    assert moved(b"7,100.3,5,50.0", 1, 3, 0.2) == b"7,80.2,5,70.1"
    assert moved(b"0,0,0,0", 1, 3) == b"0,0.0,0,0.0"


def test_from_day_four_on_each_row_has_the_same_minutes_in_all() -> None:
    day, night = NAMES.index("Day Mins"), NAMES.index("Night Mins")

    def minutes(row: bytes) -> float:
        fields = row.split(b",")
        return round(float(fields[day]) + float(fields[night]), 1)

    known = {minutes(row) for row in customers()}
    drifting = [w for w in week(NAMES) if (w.day, w.hour) >= DRIFT_FROM]
    assert {minutes(row) for w in drifting for body in w.bodies for row in body.split()} <= known
