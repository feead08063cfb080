from __future__ import annotations

import os
from pathlib import Path

import pytest

from driftline.capture.find import find, format_of, shown
from driftline.errors import SourceError


def _tree(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a\n1\n")


def _names(root: Path, *paths: str, kind: str | None = None) -> list[str]:
    found = find([str(root / path) for path in paths], kind)
    return [str(Path(blob.name).relative_to(root)) for blob in found.blobs]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.parquet", "parquet"),
        ("A.PARQUET", "parquet"),
        ("part-0.snappy.parquet", "parquet"),
        ("a.csv.gz", "csv"),
        ("a.tsv", "csv"),
        ("a.ndjson.gz", "jsonl"),
        ("a.json", "jsonl"),
        ("a.txt", None),
        ("parquet", None),
        ("a.gz", None),
    ],
)
def test_the_end_of_a_name_tells_the_format(name: str, expected: str | None) -> None:
    assert format_of(name) == expected


def test_a_folder_means_its_data_files(tmp_path: Path) -> None:
    _tree(
        tmp_path,
        "b.csv",
        "a/2026/11/23/x.csv",
        "year=2026/_c0=1/c.csv",
        ".hidden.csv",
        "_SUCCESS",
        "_x=1.csv",
        "_temporary/0.csv",
        ".git/x.csv",
        "README.md",
    )
    found = find([str(tmp_path)])
    assert [Path(blob.name).name for blob in found.blobs] == ["x.csv", "b.csv", "c.csv"]
    assert found.format == "csv"
    assert found.notes == (
        f"1 file(s) that do not end like data were left out, such as {tmp_path / 'README.md'}",
    )


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.csv", ["a.csv", "b.csv"]),
        ("?.csv", ["a.csv", "b.csv"]),
        ("[!b].csv", ["a.csv"]),
        ("**/*.csv", ["a.csv", "b.csv", "d/e/f.csv", "d/g.csv"]),
        ("d/**", ["d/e/f.csv", "d/g.csv"]),
        ("d*", ["d/e/f.csv", "d/g.csv"]),
        ("_s/*.csv", ["_s/x.csv"]),
    ],
)
def test_patterns(tmp_path: Path, pattern: str, expected: list[str]) -> None:
    _tree(tmp_path, "a.csv", "b.csv", "d/e/f.csv", "d/g.csv", "_s/x.csv", ".h/x.csv")
    assert _names(tmp_path, pattern) == expected


def test_a_name_that_exists_wins_over_a_pattern(tmp_path: Path) -> None:
    _tree(tmp_path, "a[1].csv", "a1.csv", "*.csv")
    assert _names(tmp_path, "a[1].csv") == ["a[1].csv"]
    assert _names(tmp_path, "*.csv") == ["*.csv"]


def test_lists_and_repetitions(tmp_path: Path) -> None:
    _tree(tmp_path, "a.csv", "d/b.csv")
    found = find([str(tmp_path / "d"), str(tmp_path / "a.csv"), str(tmp_path / "*.csv")])
    assert [Path(blob.name).name for blob in found.blobs] == ["a.csv", "b.csv"]
    assert found.notes == ("1 file(s) named more than once were read once",)


def test_file_urls_are_paths(tmp_path: Path) -> None:
    _tree(tmp_path, "a b.csv")
    found = find([f"file://{tmp_path}/a%20b.csv"])
    assert found.blobs[0].path == str(tmp_path / "a b.csv")
    with pytest.raises(SourceError, match="absolute path"):
        find(["file://host/x.csv"])


def test_mixed_formats_name_the_files(tmp_path: Path) -> None:
    _tree(tmp_path, "a.csv", "b.jsonl")
    with pytest.raises(SourceError, match=r"this is jsonl and a\.csv is csv") as caught:
        find([str(tmp_path)])
    assert caught.value.code == "E-MIXED"
    assert caught.value.file == str(tmp_path / "b.jsonl")
    assert _names(tmp_path, ".", kind="csv") == ["a.csv"]
    assert _names(tmp_path, ".", kind="sagemaker") == ["b.jsonl"]


def test_a_format_takes_odd_names_only_where_no_name_says_so(tmp_path: Path) -> None:
    _tree(tmp_path, "part-0.out", "part-1.out")
    assert _names(tmp_path, ".", kind="csv") == ["part-0.out", "part-1.out"]
    _tree(tmp_path, "x.csv")
    assert _names(tmp_path, ".", kind="csv") == ["x.csv"]


@pytest.mark.parametrize(
    ("path", "code", "text"),
    [
        ("nope.csv", "E-FILE", "does not exist"),
        ("nope*.csv", "E-NO-DATA", "no file matches"),
        ("empty", "E-NO-DATA", "holds no file"),
        ("texts", "E-NO-DATA", "only files such as x.md"),
        ("a\0b", "E-FILE", "NUL"),
    ],
)
def test_nothing_to_read(tmp_path: Path, path: str, code: str, text: str) -> None:
    (tmp_path / "empty").mkdir()
    _tree(tmp_path, "texts/x.md")
    with pytest.raises(SourceError, match=text) as caught:
        find([f"{tmp_path}/{path}"])
    assert caught.value.code == code


def test_links_are_followed_once(tmp_path: Path) -> None:
    _tree(tmp_path, "d/a.csv", "e/b.csv")
    (tmp_path / "d" / "up").symlink_to(tmp_path)
    (tmp_path / "d" / "e").symlink_to(tmp_path / "e")
    names = [Path(blob.name).name for blob in find([str(tmp_path / "d")]).blobs]
    assert sorted(names) == ["a.csv", "b.csv"]


def test_a_broken_link_is_no_silence(tmp_path: Path) -> None:
    _tree(tmp_path, "a.csv")
    (tmp_path / "b.csv").symlink_to(tmp_path / "gone")
    with pytest.raises(SourceError, match="does not exist"):
        find([str(tmp_path)])


def test_a_pipe_in_a_folder_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.csv")
    with pytest.raises(SourceError, match="not a regular file"):
        find([str(tmp_path)])


@pytest.mark.parametrize("name", ["-rf.csv", "a\nb.csv", "$(x).csv", "‮.csv", "é.csv"])
def test_odd_file_names(tmp_path: Path, name: str) -> None:
    path = os.path.join(tmp_path, name)  # noqa: PTH118
    with open(path, "w") as stream:  # noqa: PTH123
        stream.write("a\n1\n")
    found = find([str(tmp_path)])
    assert found.blobs[0].path == path
    assert b"".join(found.blobs[0].chunks()) == b"a\n1\n"


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    with open(os.path.join(os.fsencode(tmp_path), b"a\xff.csv"), "w") as stream:  # noqa: PTH118, PTH123
        stream.write("a\n1\n")
    with pytest.raises(SourceError, match="not UTF-8; rename it"):
        find([str(tmp_path)])


def test_shown_hides_credentials() -> None:
    assert shown("s3://KEY:SECRET@bucket/a?endpoint_override=x") == "s3://bucket/a"
    assert shown("a/b?c") == "a/b?c"
