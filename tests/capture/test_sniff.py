from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from driftline.capture.find import find
from driftline.capture.sniff import settled
from driftline.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

CAPTURE = b'{"captureData":{}}\n'


@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    [
        ("x", b"PAR1", "parquet"),
        ("x", b"a,b\n", "csv"),
        ("x", b"\xef\xbb\xbf{}", "jsonl"),
        ("x", b'\n  {"a":1}', "jsonl"),
        ("x", b"[{}]", "jsonl"),
        ("x", gzip.compress(b'{"a":1}', mtime=0), "jsonl"),
        ("x", gzip.compress(b"a,b", mtime=0), "csv"),
        ("x", CAPTURE, "sagemaker"),
        ("x.jsonl", b'{"a":1}\n', "jsonl"),
        ("x.jsonl", b"\n" + CAPTURE, "sagemaker"),
        ("x.jsonl.gz", gzip.compress(CAPTURE, mtime=0), "sagemaker"),
        ("x.jsonl", b'{"groundTruthData":{}}', "sagemaker"),
        ("x.json", b"[" + CAPTURE + b"]", "sagemaker"),
        ("x.jsonl", b"", "jsonl"),
        ("x.csv", CAPTURE, "csv"),
        ("x.parquet", CAPTURE, "parquet"),
    ],
)
def test_the_first_bytes_tell(tmp_path: Path, name: str, raw: bytes, expected: str) -> None:
    (tmp_path / name).write_bytes(raw)
    assert settled(find([str(tmp_path / name)])).format == expected


def test_the_first_record_of_any_file_tells(tmp_path: Path) -> None:
    (tmp_path / "1.jsonl").write_bytes(b"\n")
    (tmp_path / "2.jsonl").write_bytes(CAPTURE)
    assert settled(find([str(tmp_path)])).format == "sagemaker"


def test_what_was_asked_for_stays(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(CAPTURE)
    assert settled(find([str(tmp_path / "x")], "csv")).format == "csv"
    assert settled(find([str(tmp_path / "x")], "sagemaker")).format == "sagemaker"


@pytest.mark.parametrize(
    ("raw", "text"), [(b"", "is empty"), (b"SQLite format 3", "a database"), (b"BZh91AY", "a bzip2 archive")]
)
def test_what_is_not_ours_is_named(tmp_path: Path, raw: bytes, text: str) -> None:
    (tmp_path / "x").write_bytes(raw)
    with pytest.raises(SourceError, match=text):
        settled(find([str(tmp_path / "x")]))
