"""Take the pictures of reports that the documentation shows, in light and in dark.

::

    python docs/picture.py

Needs Chromium (Debian's package) and Playwright, which ``make test`` installs.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FOLDER", "NAMES", "SCHEMES", "take"]

FOLDER = Path(__file__).with_name("images")
NAMES = ("report", "drift", "column")
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

_WIDTH, _HEIGHT = 1060, 700
_CHROMIUM = "/usr/bin/chromium"
_SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
)


def _driftline(folder: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "driftline", *arguments]
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=False)  # noqa: S603


def _reports(folder: Path) -> tuple[Path, Path, Path]:
    """Make the demo's two reports, and the one of Tuesday's customers (see getting-started.md)."""
    page = Path(__file__).with_name("getting-started.md").read_text("utf-8")
    script = page.partition("```python\n# make_data.py\n")[2].partition("```")[0]
    subprocess.run([sys.executable, "-c", script], cwd=folder, check=True)  # noqa: S603
    _driftline(folder, "demo", "-o", "demo")
    _driftline(folder, "baseline", "train.parquet", "-o", "baseline")
    _driftline(folder, "check", "tuesday.parquet", "-b", "baseline", "-o", "tuesday")
    row, drift, tuesday = (
        folder / place / "report.html" for place in ("demo/report", "demo/drift", "tuesday")
    )
    return row, drift, tuesday


def take(schemes: Sequence[Literal["light", "dark"]] = SCHEMES) -> None:
    """Make the reports and photograph them."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        row, drift, tuesday = _reports(Path(name))
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_SWITCHES)
        for scheme in schemes:
            page = browser.new_page(viewport={"width": _WIDTH, "height": _HEIGHT}, color_scheme=scheme)
            page.goto(row.as_uri())
            page.screenshot(path=FOLDER / f"report-{scheme}.png")
            for name, where, column in (("drift", drift, "Day Mins"), ("column", tuesday, "income")):
                page.goto(where.as_uri())
                card = page.locator("article.card", has_text="Kolmogorov–Smirnov").filter(has_text=column)
                card.screenshot(path=FOLDER / f"{name}-{scheme}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    take()
