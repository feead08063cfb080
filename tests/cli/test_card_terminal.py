"""How a card looks in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rendered_cards import hostile, rich, small, with_live

from driftline.cards.render.page import page_of
from driftline.cli.card_terminal import print_page

if TYPE_CHECKING:
    from driftline.cards.view import CardView


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def shown(view: CardView, capsys: pytest.CaptureFixture[str]) -> str:
    print_page(page_of(view))
    return capsys.readouterr().out


def test_a_small_card(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(small(), capsys)
    assert "model-card-test-model" in text
    assert "Minimize" in text
    assert "accuracy" in text
    assert "Annex" not in text.partition("Nothing is said about")[0]


def test_every_kind_of_block(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(with_live(rich()), capsys)
    assert "runs from" in text  # a curve
    assert any(ch in text for ch in "▁▂▃▄▅▆▇█")
    assert "confusion" in text.lower()
    for state in with_live(rich()).monitors:
        assert state.schedule in text
    assert max(map(len, text.splitlines())) <= 100
    assert not any(line != line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[2J\x1b]0;owned\x07",
        "\u202egnp.exe\u2066",
        "[bold red]markup[/] [link=file:///etc/passwd]x[/link]",
        "\r\n\t\x0b\x0c\x85\u2028",
        "🧑‍🤝‍🧑 नमस्ते עברית العربية 漢字",
        "W" * 300,
    ],
)
def test_whatever_stands_in_a_card_cannot_move_the_cursor(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = shown(hostile(text), capsys)
    assert not set(out) & set("\x1b\x07\r\x0b\x0c\x85\u2028\u202e\u2066\t")
    if "markup" in text:
        assert "[bold red]markup[/]" in out
