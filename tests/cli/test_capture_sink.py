"""The sink on the command line: whom it serves, what it says, what it refuses."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest
from sink_server import Server

if TYPE_CHECKING:
    from pathlib import Path

RECORD = {"id": "a", "input": {"x": 1}}
TOKEN = "a-token-of-the-tests"


def test_says_where_it_listens(tmp_path: Path) -> None:
    with Server(tmp_path / "captures") as running:
        assert running.said == (
            f"listening on http://127.0.0.1:{running.address[1]}, storing in {tmp_path / 'captures'}\n"
        )
        assert running.send("/v1/capture/churn", [RECORD]).status == 200
        assert running.stop() == (0, running.said + "stopped\n")
    assert list((tmp_path / "captures" / "churn").rglob("*.parquet"))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "example.org"])
def test_others_need_tokens(run: Any, tmp_path: Path, host: str) -> None:
    ended = run("capture", "sink", str(tmp_path / "captures"), "--host", host)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        f"driftline: E-TOKEN: listening on {host} lets everybody write who can reach it; "
        "give --token-file, or listen on 127.0.0.1\n"
    )
    assert not (tmp_path / "captures").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no token"),
        ("# nothing\n", "holds no token"),
        (f"{TOKEN}\n", "names no endpoint for its token"),
        (f"{TOKEN} a\n{TOKEN} b\n", "has a token that stands above already"),
        ("short a\n", "a token has at least 16 printable ASCII characters and no blank"),
        (f"{TOKEN} ../a\n", "'../a' is no name for an endpoint"),
        (f"{TOKEN} é\n", "is not ASCII text"),
    ],
)
def test_token_files(run: Any, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "tokens").write_text(text)
    ended = run("capture", "sink", str(tmp_path / "captures"), "--token-file", str(tmp_path / "tokens"))
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert TOKEN not in ended.err


def test_a_token_file_that_is_not_there(run: Any, tmp_path: Path) -> None:
    ended = run("capture", "sink", str(tmp_path / "captures"), "--token-file", str(tmp_path / "none"))
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "E-TOKEN-FILE" in ended.err


def test_a_port_that_is_taken(run: Any, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run("capture", "sink", str(tmp_path / "captures"), "--port", str(taken.getsockname()[1]))
    assert ended.code == 2
    assert "E-LISTEN: cannot listen on 127.0.0.1" in ended.err


@pytest.mark.parametrize("size", ["ten", "0", "-1GB", "1XB", "nan", "1e99GB"])
def test_sizes(run: Any, tmp_path: Path, size: str) -> None:
    ended = run("capture", "sink", str(tmp_path / "captures"), f"--disk-budget={size}")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "E-USAGE" in ended.err


def test_an_object_store_needs_a_state(run: Any) -> None:
    ended = run("capture", "sink", "s3://bucket/captures?endpoint_override=127.0.0.1:1", "--port", "0")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "E-STATE" in ended.err
