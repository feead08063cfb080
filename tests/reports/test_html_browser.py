"""The page in a browser: nothing runs but the sorting, in any theme and width. Needs Debian's Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from driftline.reports.html import to_html
from driftline.reports.notebook import repr_html

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from driftline.reports.report import Report

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield chromium
        chromium.close()


def opened(browser: Browser, folder: Path, report: Report, **options: Any) -> tuple[Any, list[str]]:
    path = folder / "report.html"
    path.write_text(to_html(report), encoding="utf-8")
    page = browser.new_context(**options).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request", lambda request: None if request.url.startswith("file:") else complaints.append(request.url)
    )
    page.goto(path.as_uri())
    return page, complaints


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_it_is_quiet_and_fits(
    browser: Browser, tmp_path: Path, any_report: Report, scheme: str, width: int
) -> None:
    page, complaints = opened(
        browser, tmp_path, any_report, color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate("window.__dlx === undefined && ({}).polluted === undefined")
    assert complaints == []


def test_a_click_sorts_up_and_down_with_blanks_last(
    browser: Browser, tmp_path: Path, churn_report: Report
) -> None:
    page, _ = opened(browser, tmp_path, churn_report)
    cells = "[...document.querySelectorAll('#violations tbody tr')].map(r => r.cells[6].dataset.v)"
    heading = page.locator("#violations thead th").nth(6)
    heading.get_by_role("button").click()
    assert page.evaluate(cells)[:4] == ["1.2e-22", "1.2e-22", "4e-05", ""]
    assert heading.get_attribute("aria-sort") == "ascending"
    heading.get_by_role("button").press("Enter")
    assert page.evaluate(cells)[:4] == ["4e-05", "1.2e-22", "1.2e-22", ""]
    assert heading.get_attribute("aria-sort") == "descending"


def test_everything_is_there_without_scripts(browser: Browser, tmp_path: Path, churn_report: Report) -> None:
    page, complaints = opened(browser, tmp_path, churn_report, java_script_enabled=False)
    assert page.locator("#violations tbody tr").count() == 63
    assert page.locator("#violations thead button").count() == 0
    assert complaints == []


@pytest.mark.parametrize("which", ["churn", "quality", "bias", "attribution"])
def test_text_stands_out_in_both_schemes(
    request: pytest.FixtureRequest, browser: Browser, tmp_path: Path, which: str
) -> None:
    report: Report = request.getfixturevalue(f"{which}_report")
    contrast = """() => {
      const light = (colour) => {
        const full = colour.startsWith("color(srgb") ? 1 : 255;
        const [r, g, b] = colour.match(/[\\d.]+/g).map((x) => x / full)
          .map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const ground = (node) => {
        for (let at = node; at; at = at.parentElement) {
          const colour = getComputedStyle(at).backgroundColor;
          if (!colour.startsWith("rgba(0, 0, 0, 0")) return colour;
        }
      };
      const worst = [];
      for (const node of document.querySelectorAll("body *")) {
        if (node.closest("svg, script, style")) continue;
        if (![...node.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
        const [a, b] = [light(getComputedStyle(node).color), light(ground(node))].sort((x, y) => y - x);
        worst.push((a + 0.05) / (b + 0.05));
      }
      return Math.min(...worst);
    }"""
    for scheme in ("light", "dark"):
        page, _ = opened(browser, tmp_path, report, color_scheme=scheme)
        assert page.evaluate(contrast) >= 4.5


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_a_narrow_notebook_cuts_nothing(browser: Browser, any_report: Report, width: int) -> None:
    page = browser.new_context(viewport={"width": width, "height": 800}).new_page()
    page.set_content(f"<!doctype html><body style='margin:8px'>{repr_html(any_report)}")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    ends = page.evaluate("[...document.querySelectorAll('svg')].map(e => e.getBoundingClientRect().right)")
    # A telephone of 320 pixels may have to scroll the table sideways.
    assert all(end <= max(390, width) - 8 for end in ends)
