"""The card of the income model in the demo: approved by another, never touched again, and true."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pypdf
import pytest

from driftline.cards.text import read_card
from driftline.cards.validation import problems
from driftline.demo.data import read
from driftline.demo.governance import AUTHOR, CARD, REVIEWER
from driftline.demo.playing import MONITORS
from driftline.demo.shown_card import card as shown
from driftline.workspace import Workspace

if TYPE_CHECKING:
    from driftline.demo import Story
    from driftline.demo.governance import Governed


@pytest.fixture
def governed(story: Story) -> Governed:
    return story.governed


def test_another_has_approved_exactly_this_text(story: Story, governed: Governed) -> None:
    with Workspace(story.folder, database=str(story.folder / "registry.db")) as ws:
        version = ws.cards.version(CARD, "approved")
        assert ws.cards.verify() == []
        assert ws.cards.version(CARD).version == version.version == 3
    assert (version.author, version.approved_by) == (AUTHOR, REVIEWER)
    assert version.content_hash == governed.approved_hash
    assert governed.n_breaks == 0
    assert problems(version.content) == []


def test_what_was_measured_is_in_it(story: Story) -> None:
    with Workspace(story.folder, database=str(story.folder / "registry.db")) as ws:
        content = ws.cards.version(CARD, "approved").content
        plan = ws.cards.version(CARD, "approved").extensions["post_market_plan"]
    assert [job["name"].partition(":")[0] for job in content["evaluation_details"]] == [
        "Baseline, data quality",
        "Baseline, model quality",
        "Baseline, bias",
        "Baseline, feature attribution",
    ]
    assert {one["name"] for one in plan["schedules"]} == set(MONITORS)


def test_what_the_monitors_found_stands_beside_it(story: Story, governed: Governed) -> None:
    ran = [cell for cell in story.income.cells if cell.execution.report]
    assert governed.n_evidence == len(ran) + len(MONITORS)
    newest = {one.schedule: one for one in governed.evidence if one.schedule}
    assert {one.status for one in newest.values()} == {"violated"}
    assert [one.open_alerts for one in governed.monitors] == [1, 1, 1, 1]


def test_the_paper_says_so(governed: Governed) -> None:
    paper = pypdf.PdfReader(io.BytesIO(governed.pdf.read_bytes()))
    text = "".join(page.extract_text() for page in paper.pages)
    assert f"Approved by {REVIEWER}" in text
    assert governed.approved_hash.removeprefix("sha256:")[:40] in text.replace("\n", "")
    page = governed.page.read_text("utf-8")
    assert governed.approved_hash in page
    assert "<script" not in page


def test_it_is_told(governed: Governed) -> None:
    from rich.console import Console

    console = Console(file=io.StringIO(), width=100)
    console.print(*shown(governed), sep="\n")
    assert isinstance(console.file, io.StringIO)
    told = " ".join(console.file.getvalue().split())
    assert "version 3, written by ann, approved by ruth" in told
    assert "37 records of its chain, and every text, computed anew: all as it was written." in told
    document = json.loads(json.dumps(governed.document()))
    assert document["verified"] is True
    assert document["completeness"]["total"] == 23


def test_the_file_is_what_a_team_would_keep() -> None:
    card = read_card(read("income-card.toml"), "income-card.toml")
    assert (card.name, card.model, card.base) == (CARD, "income", None)
    assert "evaluation_details" not in card.content
