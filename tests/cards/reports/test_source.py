"""Sources: a report is read from wherever it lies, and one that is not there is a missing file."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pyarrow.fs
import pytest

from driftline.capture import store
from driftline.capture.blob import Blob
from driftline.cards.reports import load, read, source
from driftline.errors import DocumentError, InputError, SourceError
from driftline.monitor.notify.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REPORT = b'{"regression_metrics": {"mae": {"value": 1.5}}}'
GROUPS = [{"name": "regression_metrics", "metric_data": [{"name": "mae", "type": "number", "value": 1.5}]}]


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "a report.json"
    path.write_bytes(REPORT)
    return path


def test_a_path_and_a_file_url_are_the_same(report: Path) -> None:
    for one in (report, str(report), report.as_uri(), f"file:{str(report).replace(' ', '%20')}"):
        assert load(one).groups == GROUPS


@pytest.mark.parametrize("name", ["none.json", "", "a\0b", "x" * 5000])
def test_a_missing_file_is_a_missing_file(tmp_path: Path, name: str) -> None:
    place = f"{tmp_path}/nowhere/{name}"
    with pytest.raises(FileNotFoundError, match="E-FILE") as caught:
        load(place)
    assert isinstance(caught.value, SourceError)


@pytest.mark.parametrize("data", [b"", b" \n", b"{}", b"[]", b"null"])
def test_an_empty_file_is_refused(report: Path, data: bytes) -> None:
    report.write_bytes(data)
    with pytest.raises(ValueError, match="is empty") as caught:
        load(report, "Clarify Bias")
    assert isinstance(caught.value, DocumentError)
    assert caught.value.code == "E-CARD-REPORT"


@pytest.mark.parametrize(
    "data", [b"{", b"\xff\xfe{}", REPORT[:-4], b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[" * 200]
)
def test_a_damaged_file_is_refused(report: Path, data: bytes) -> None:
    report.write_bytes(data)
    with pytest.raises(ValueError, match="E-JSON") as caught:
        load(report)
    assert isinstance(caught.value, DocumentError)
    assert caught.value.file == str(report)


def test_a_list_is_no_report(report: Path) -> None:
    report.write_bytes(b"[1]")
    with pytest.raises(DocumentError, match="holds no object"):
        read(report)


def test_a_folder_and_a_large_file_are_refused(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="not a regular file"):
        read(report.parent)
    monkeypatch.setattr(source, "MOST_BYTES", 10)
    with pytest.raises(InputError, match="more than the limit"):
        read(report)


@pytest.mark.parametrize("url", ["ftp://host/a.json", "file://host/a.json", "data://x"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(SourceError, match="E-URL"):
        read(url)


# -- object stores


@pytest.fixture
def bucket(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store with one object, s3://bucket/report.json; a real one is looked at by the tests of capture."""

    def remote(url: str) -> tuple[bool, list[Blob]]:
        if "missing" in url:
            return False, []
        local = pyarrow.fs.LocalFileSystem()
        return True, [Blob("s3://bucket/report.json", str(report), report.stat().st_size, local)]

    monkeypatch.setattr(store, "remote", remote)


@pytest.mark.usefixtures("bucket")
def test_an_object_is_read_and_a_missing_one_is_a_missing_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load("s3://key:secret@bucket/report.json?region=x").groups == GROUPS
    with pytest.raises(FileNotFoundError) as caught:
        load("s3://key:secret@bucket/missing.json?secret=x")
    assert "s3://bucket/missing.json: " in str(caught.value)
    assert "secret" not in str(caught.value)
    monkeypatch.setattr(source, "MOST_BYTES", 10)
    with pytest.raises(SourceError, match="more than the limit"):
        load("s3://bucket/report.json")


# -- the web


@pytest.fixture
def web() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = {"/report.json": 200, "/moved": 302, "/broken": 500}.get(
                self.path.partition("?")[0], 404
            )
            self.send_response(status)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(REPORT)))
            self.end_headers()
            self.wfile.write(REPORT)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def allowed(**limits: Any) -> Guard:
    return Guard(allow_private=("127.0.0.1",), allow_http=True, **{"body_cap": 1 << 20, **limits})


def test_a_report_on_the_web_is_read_whatever_its_content_type(web: str) -> None:
    assert load(f"{web}/report.json?token=x", web=allowed()).groups == GROUPS


def test_what_the_web_does_not_give_is_told(web: str) -> None:
    with pytest.raises(FileNotFoundError, match="the server answers 404"):
        read(f"{web}/none.json", web=allowed())
    for path, told in (("/moved", "answers 302; give the URL that it leads to"), ("/broken", "answers 500")):
        with pytest.raises(SourceError, match=told):
            read(f"{web}{path}", web=allowed())
    with pytest.raises(SourceError, match="broke off"):
        read(f"{web}/report.json", web=allowed(body_cap=10))


def test_nobody_leads_the_reader_inside(web: str) -> None:
    for url in (
        f"{web}/report.json",
        "https://127.0.0.1/report.json",
        "https://169.254.169.254/latest/meta-data",
    ):
        with pytest.raises(SourceError, match="E-URL") as caught:
            read(f"{url}?token=secret")
        assert "secret" not in str(caught.value)
