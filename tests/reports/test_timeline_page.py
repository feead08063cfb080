"""Time lines as a page."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from histories import hourly, month
from playwright.sync_api import Browser, sync_playwright

from driftline.reports.html import POLICY
from driftline.reports.timeline_page import to_html

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from driftline.reports.timeline import Timeline

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
HOSTILE = '<script>window.__dlx=1</script>"\u202e'


def page(found: tuple[Timeline, ...] | None = None) -> str:
    return to_html(
        month() if found is None else found,
        schedule="income-quality",
        kind="model-quality",
        created="2026-11-27 07:00 UTC",
        version="0.1.0",
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield chromium
        chromium.close()


def test_it_is_whole_and_asks_for_nothing() -> None:
    text = page()
    assert text.startswith("<!doctype html>")
    assert POLICY in text
    assert not re.search(r"<(link|img|iframe|object|form)\b|url\(|@import", text)
    assert "3 metrics over 30 windows, 2026-10-26 00:00 UTC to 2026-11-27 00:00 UTC." in text
    assert text == page()


def test_links_lead_to_the_time_lines() -> None:
    text = page()
    ids = re.findall(r' id="([\w-]+)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([\w-]+)"', text)) <= set(ids)
    assert text.count('<section class="timeline"') == 3


def test_the_legend_has_only_what_occurs() -> None:
    assert "Estimated before the labels came" in page()
    assert "The run failed" in page()
    other = page(month(check="precision"))
    assert "Estimated before the labels came" not in other
    assert "<nav" not in other


def test_the_windows_stand_in_a_table_newest_first() -> None:
    table = re.search(r"<tbody>(.*?)</tbody>", page(month(check="recall")), re.DOTALL)
    assert table is not None
    rows = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in table[1].split("<tr>")[1:]]
    assert len(rows) == 30
    assert rows[0].startswith("2026-11-26 00:00 UTC to 2026-11-27 00:00 UTC – – at least 55% 3")
    assert rows[-6].endswith("no data NoData on day 5")
    assert rows[-1] == (
        "2026-10-26 00:00 UTC to 2026-10-27 00:00 UTC 58.5% 55.5% to 61.5% at least 55% 59.5% passed (look 2)"
    )


def test_nothing_at_all_is_said() -> None:
    assert "No window was looked at yet." in page(())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_it_is_quiet_and_fits_and_shows_the_newest_first(
    browser: Browser, tmp_path: Path, scheme: str, width: int
) -> None:
    hostile = tuple(replace(one, feature=HOSTILE, schedule=HOSTILE) for one in (*month(), *hourly()))
    file = tmp_path / "page.html"
    file.write_text(page(hostile), encoding="utf-8")
    opened = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800}).new_page()  # type: ignore[arg-type]
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(file.as_uri())
    assert opened.evaluate("document.documentElement.scrollWidth") == width
    assert opened.evaluate("window.__dlx === undefined")
    right = "[...document.querySelectorAll('svg.time')].map(e => e.getBoundingClientRect().right)"
    assert all(end <= width for end in opened.evaluate(right))
    assert complaints == []
