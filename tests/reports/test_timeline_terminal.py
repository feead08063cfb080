"""Time lines in a terminal."""

from __future__ import annotations

import io

import pytest
from histories import hourly, month
from rich.cells import cell_len

from driftline.reports.timeline import STATES
from driftline.reports.timeline_terminal import SIGNS, print_timelines


def shown(width: int = 80, **given: str) -> str:
    stream = io.StringIO()
    print_timelines(month(**given), stream, console_width=width)
    return stream.getvalue()


def test_every_state_has_a_sign() -> None:
    assert set(SIGNS) == set(STATES)
    assert all(sign.isascii() and len(sign) == 1 for sign in SIGNS.values())


def test_one_character_for_each_window_and_its_sign_below() -> None:
    lines = shown(check="recall").splitlines()
    assert lines[:4] == [
        "Recall",
        "  █████ ███ ████ ███ ██▇▆▅▅▄▃▃▂▁▁",
        "       o   !    -      ?^^^^^~~~~",
        "  2026-10-26 00:00 UTC to 2026-11-27 00:00 UTC",
    ]
    legend = "^ violated, ? not judged, o no data, ! failed, - skipped or stopped, ~ an estimate"
    assert " ".join(lines[-2:]).endswith(legend)


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_lines_fit(width: int) -> None:
    assert all(cell_len(line) <= width for line in shown(width).splitlines())


def test_only_the_newest_windows_that_fit() -> None:
    stream = io.StringIO()
    print_timelines(hourly(), stream, console_width=80)
    text = stream.getvalue()
    assert "; 324 windows before" in text
    assert len(text.splitlines()[1].strip()) <= 76


def test_where_only_ascii_can_be_shown() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    print_timelines(month(check="recall"), stream, console_width=80)
    stream.flush()
    assert raw.getvalue().decode("ascii").splitlines()[1] == "  @@@@@ @@@ @@@@ @@@ @@#*++=--:.."


def test_nothing_gives_nothing() -> None:
    stream = io.StringIO()
    print_timelines((), stream, console_width=80)
    assert stream.getvalue().strip() == ""
