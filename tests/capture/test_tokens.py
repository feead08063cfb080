"""Tokens open what they name, and nothing when they are gone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from driftline.capture.tokens import Tokens
from driftline.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

A, B = "a" * 16, "b" * 16


def test_endpoints() -> None:
    tokens = Tokens({A: ["churn"], B: ["*"]})
    assert tokens.endpoints(A) == {"churn"}
    assert tokens.endpoints(B) == {"*"}
    for other in ("", A[:-1], A + "a", "\udc80"):
        assert tokens.endpoints(other) is None
    assert A not in repr(tokens) + repr(vars(tokens))


def test_the_file_is_read_again(tmp_path: Path) -> None:
    seconds = [0.0]
    file = tmp_path / "tokens"
    file.write_text(f"{A} churn\n")
    tokens = Tokens(file=file, monotonic=lambda: seconds[0])

    def later(text: str | None) -> None:
        if text is None:
            file.unlink()
        else:
            file.write_text(text)
            os.utime(file, (seconds[0], seconds[0]))
        seconds[0] += 1.5

    later(f"{B} churn\n")
    assert (tokens.endpoints(A), tokens.endpoints(B)) == (None, {"churn"})
    later("nonsense\n")
    assert tokens.endpoints(B) is None
    later(f"{A} churn\n")
    assert tokens.endpoints(A) == {"churn"}
    later(None)
    assert tokens.endpoints(A) is None
    later(f"{A} churn\n")
    assert tokens.endpoints(A) == {"churn"}


@pytest.mark.parametrize("token", ["short", "with a blank in it", "é" * 16, "new\nline" * 4])
def test_bad_tokens(token: str) -> None:
    with pytest.raises(UsageError) as caught:
        Tokens({token: ["*"]})
    assert caught.value.code == "E-TOKEN"
    assert token not in str(caught.value)
