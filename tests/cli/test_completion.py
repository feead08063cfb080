from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_of_a_shell(run: Callable[..., Any], shell: str) -> None:
    done = run("completion", shell)
    assert (done.code, done.err) == (0, "")
    assert f"_DRIFTLINE_COMPLETE={shell}_complete" in done.out
    if shell == "bash":
        subprocess.run(["bash", "-n", "-c", done.out], check=True)


def test_other_shells_are_refused(run: Callable[..., Any]) -> None:
    done = run("completion", "cmd")
    assert (done.code, done.out) == (2, "")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("driftline ch", ["check"]),
        ("driftline check --expl", ["--explain-compat"]),
        ("driftline completion z", ["zsh"]),
    ],
)
def test_what_is_offered(run: Callable[..., Any], words: str, offered: list[str]) -> None:
    variables = {
        "_DRIFTLINE_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    done = run(env=variables)
    assert (done.code, done.err) == (0, "")
    assert [line.split(",", 1)[1] for line in done.out.splitlines()] == offered
