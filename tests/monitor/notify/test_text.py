"""Text that others wrote is shown, and does nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.monitor.notify.text import body, link, outside, title

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftline.monitor.notify.message import Event

HOSTILE = [
    "<!channel>",
    "!channel>",
    "<@U123>",
    "@everyone",
    "<https://evil.example|click>",
    "[click](https://evil.example)",
    "<script>alert(1)</script>",
    "&lt;!channel&gt;",
    "`code`",
    "*bold*",
    "a\r\nBcc: everybody@example.com",
    "a\nSubject: forged",
    "\x1b[31m",
    "\u202egnp.exe",
    "javascript:alert(1)//",
    "||spoiler||",
    "# heading",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_harmless(text: str, event: Callable[..., Event]) -> None:
    said = event(
        reason=text,
        columns=[text] * 3,
        model=text,
        schedule=text,
        window={"start": text, "end": text},
        rule=text,
    )
    for found in (title(said), body(said)):
        assert not re.search(r"[<>&@\[\]`*|!#~\r\x1b\u202e]|://", found)
    assert "\n" not in title(said)
    assert len(body(said).split("\n")) == 4


@given(st.text(st.characters(codec=None), max_size=300))
def test_outside_text_is_one_short_line_without_meaning(text: str) -> None:
    found = outside(text)
    assert len(found) <= 82
    assert found.isprintable() or found == ""
    assert not re.search(r"[<>&@\[\]`*|!#~]|://", found)


def test_a_full_event(event: Callable[..., Event]) -> None:
    said = event(
        severity="critical",
        reason="Distribution of 3 columns moved",
        violations=12_000,
        columns=["tenure_months", "plan", "country"],
        endpoint="churn-prod",
        monitor="DataQuality",
        window={"start": "2026-11-23T06:00:00Z", "end": "2026-11-23T07:00:00Z"},
        url="https://driftline.example/alerts/01JD?tab=columns",
    )
    assert title(said) == "CRITICAL churn-hourly: alert opened"
    assert body(said) == (
        "Distribution of 3 columns moved\n"
        "12,000 violations in 3 columns: tenure_months, plan, country\n"
        "model churn, endpoint churn-prod, monitor DataQuality, schedule churn-hourly\n"
        "window 2026-11-23T06:00:00Z to 2026-11-23T07:00:00Z\n"
        "https://driftline.example/alerts/01JD?tab=columns"
    )


def test_ten_thousand_columns_are_counted_and_not_listed(event: Callable[..., Event]) -> None:
    said = body(event(violations=1, columns=[f"c{i}" for i in range(10_000)]))
    assert said.startswith("1 violation in 10,000 columns: c0, c1, c2, c3, c4 and 9,995 more\n")
    assert "in 700 columns: a and 699 more" in body(event(violations=2, columns=["a"], n_columns=700))


def test_a_title_is_told_where_there_is_no_reason(event: Callable[..., Event]) -> None:
    assert body(event(title="3 columns moved")).startswith("3 columns moved\n")
    assert body(event(title="3 columns moved", reason="since noon")).startswith("since noon\n")


def test_what_is_resolved_is_not_shouted(event: Callable[..., Event]) -> None:
    assert title(event("alert.resolved", severity="critical")) == "churn-hourly: alert resolved"


def test_an_event_that_says_nothing_has_a_body_and_a_title() -> None:
    from driftline.monitor.notify.message import Event

    said = Event("1", "io.driftline.model.registered.v1", "/w", "models/<b>", 0)
    assert (title(said), body(said)) == ("models/＜b＞: model registered", "Event 1")


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "https://a.example/<script>",
        "https://a.example/|click",
        "https://u:p@a.example/",
        "https://a.example/\n",
        "https://a.example/ x",
        "https://a.example/" + "x" * 1100,
        7,
        None,
    ],
)
def test_an_odd_link_is_left_out(url: object, event: Callable[..., Event]) -> None:
    said = event(url=url)
    assert link(said) is None
    assert "a.example" not in body(said)
