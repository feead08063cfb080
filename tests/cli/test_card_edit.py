"""``driftline card edit`` with an editor: reopened while anything is wrong, and nothing that was typed is lost."""

from __future__ import annotations

import json
import os
import pty
import re
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept goes away with the test."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))


@pytest.fixture
def editor(world: Path) -> Callable[[str], str]:
    """Write an editor: Python that changes ``text``, each time it is opened."""

    def write(body: str) -> str:
        path = world / "my editor.py"
        path.write_text(
            f"#!{sys.executable}\n"
            "import pathlib, re, sys\n"
            "path = pathlib.Path(sys.argv[-1])\n"
            "text = path.read_text('utf-8')\n"
            "opened = pathlib.Path('opened')\n"
            "times = len(opened.read_text()) if opened.exists() else 0\n"
            "opened.write_text('x' * (times + 1))\n"
            f"{body}\n"
            "path.write_text(text, 'utf-8')\n"
        )
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return f"'{path}' --wait"

    return write


@pytest.fixture
def on_terminal(world: Path) -> Callable[..., tuple[int, str]]:
    """Edit on a terminal, where somebody is there to correct what is wrong."""

    def start(editor: str, *arguments: str) -> tuple[int, str]:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "driftline", "card", "edit", "churn-card", *arguments],
            cwd=world,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "EDITOR": editor, "VISUAL": "", "TERM": "dumb", "COLUMNS": "100"},
        )
        os.close(theirs)
        shown = b""
        with suppress(OSError):
            while piece := os.read(ours, 4096):
                shown += piece
        os.close(ours)
        return process.wait(60), shown.decode().replace("\r\n", "\n")

    return start


def card(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("card", "show", "churn-card", "--json").out)
    return found


def kept(message: str) -> Path:
    found = re.search(r"the text is kept in (\S+)", message)
    assert found is not None, message
    return Path(found[1])


def test_what_the_editor_saves_is_the_next_version(run: Run, editor: Callable[[str], str]) -> None:
    command = editor("text = text.replace('Ranks', 'Orders')")
    done = run("card", "edit", "churn-card", "--reason", "clearer", env={"EDITOR": command})
    assert (done.code, done.out, done.err) == (0, "churn-card, version 3, Draft\n", "")
    version = card(run)["version"]
    assert version["content"]["intended_uses"]["purpose_of_model"] == "Orders customers"
    assert version["reason"] == "clearer"


def test_visual_goes_before_editor(run: Run, editor: Callable[[str], str]) -> None:
    command = editor("text = text.replace('Ranks', 'Orders')")
    assert run("card", "edit", "churn-card", env={"VISUAL": command, "EDITOR": "false"}).code == 0


@pytest.mark.parametrize("body", ["", "text = ''", "text = ' \\n'"])
def test_without_a_change_there_is_no_version(run: Run, editor: Callable[[str], str], body: str) -> None:
    done = run("card", "edit", "churn-card", env={"EDITOR": editor(body)})
    assert (done.code, done.out, done.err) == (0, "nothing was changed\n", "")
    assert card(run)["card"]["version"] == 2


def test_in_a_pipe_what_is_wrong_is_told_and_the_text_kept(run: Run, editor: Callable[[str], str]) -> None:
    command = editor("text = text.replace('Ranks', 'Orders').replace('\"Unknown\"', '\"Hgh\"')")
    done = run("card", "edit", "churn-card", env={"EDITOR": command})
    assert (done.code, done.out) == (2, "")
    assert "intended_uses.risk_rating" in done.err
    assert "Orders" in kept(done.err).read_text()
    assert card(run)["card"]["version"] == 2


def test_it_opens_again_with_everything_that_is_wrong_at_the_top(
    run: Run, editor: Callable[[str], str], on_terminal: Callable[..., tuple[int, str]], world: Path
) -> None:
    command = editor(
        "pathlib.Path(f'seen-{times}').write_text(text)\n"
        "if times == 0: text = text.replace('\"Unknown\"', '\"Hgh\"').replace('purpose_of', 'porpose_of')\n"
        "if times == 1: text = text.replace('\"Hgh\"', '\"High')\n"
        "if times == 2: text = text.replace('\"High', '\"High\"').replace('porpose_of', 'purpose_of')"
    )
    code, shown = on_terminal(command)
    assert (code, shown) == (0, "churn-card, version 3, Draft\n")
    told = [line for line in (world / "seen-1").read_text().splitlines() if line.startswith("#!")]
    assert any("intended_uses.risk_rating" in line and "did you mean 'High'?" in line for line in told)
    assert any("did you mean 'purpose_of_model'?" in line for line in told)
    told = [line for line in (world / "seen-2").read_text().splitlines() if line.startswith("#!")]
    assert any("line " in line for line in told)
    assert (world / "seen-2").read_text().count("This is not stored yet") == 1
    found = card(run)["version"]["content"]["intended_uses"]
    assert found == {"risk_rating": "High", "purpose_of_model": "Ranks customers"}


def test_whoever_leaves_it_wrong_gives_up_and_loses_nothing(
    run: Run, editor: Callable[[str], str], on_terminal: Callable[..., tuple[int, str]], world: Path
) -> None:
    command = editor(
        "if times == 0: text = text.replace('\"Unknown\"', '\"Hgh\"').replace('Ranks', 'Orders')"
    )
    code, shown = on_terminal(command)
    assert code == 2
    assert len((world / "opened").read_text()) == 2
    text = kept(shown).read_text()
    assert "Orders" in text
    assert '"Hgh"' in text
    assert card(run)["card"]["version"] == 2


def test_who_wrote_meanwhile_is_told_and_the_text_kept(run: Run, editor: Callable[[str], str]) -> None:
    command = editor(
        "import os, subprocess\n"
        "text = text.replace('Ranks', 'Orders')\n"
        "subprocess.run([sys.executable, '-m', 'driftline', 'card', 'edit', 'churn-card', '--set',\n"
        "    'business_details.line_of_business=Retail'], env={**os.environ, 'DRIFTLINE_USER': 'bob'},\n"
        "    check=True, stdout=subprocess.DEVNULL)"
    )
    done = run("card", "edit", "churn-card", env={"EDITOR": command})
    assert (done.code, done.out) == (2, "")
    assert "E-CARD-CONFLICT" in done.err
    assert "bob" in done.err
    assert "Orders" in kept(done.err).read_text()
    assert card(run)["card"]["version"] == 3


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("false", "ended with status 1"),
        ("no-such-editor", "does not start"),
        ("'", "a quote is never closed"),
    ],
)
def test_an_editor_that_does_not_work(run: Run, command: str, told: str) -> None:
    done = run("card", "edit", "churn-card", env={"EDITOR": command})
    assert (done.code, done.out) == (2, "")
    assert "E-EDITOR" in done.err
    assert told in done.err


def test_an_editor_that_falls_over_loses_nothing(run: Run, editor: Callable[[str], str]) -> None:
    command = editor("path.write_text(text.replace('Ranks', 'Orders')); sys.exit(3)")
    done = run("card", "edit", "churn-card", env={"EDITOR": command})
    assert "E-EDITOR" in done.err
    assert "Orders" in kept(done.err).read_text()


def test_another_encoding_is_told(run: Run, editor: Callable[[str], str]) -> None:
    command = editor("path.write_bytes(text.encode('utf-16')); sys.exit(0)")
    done = run("card", "edit", "churn-card", env={"EDITOR": command})
    assert "E-ENCODING" in done.err
    assert kept(done.err).exists()


def test_tags_can_be_edited_too(run: Run, editor: Callable[[str], str]) -> None:
    command = editor(
        'text = text.replace(\'model = "churn"\', \'model = "churn"\\ntags = {team = "growth"}\', 1)'
    )
    done = run("card", "edit", "churn-card", env={"EDITOR": command})
    assert (done.code, done.err) == (0, "")
    found = card(run)["card"]
    assert (found["tags"], found["version"]) == ({"team": "growth"}, 2)


def test_an_archived_card_is_not_opened(run: Run, editor: Callable[[str], str], world: Path) -> None:
    run("card", "archive", "churn-card")
    done = run("card", "edit", "churn-card", env={"EDITOR": editor("")})
    assert (done.code, "E-CARD-ARCHIVED" in done.err) == (2, True)
    assert not (world / "opened").exists()
