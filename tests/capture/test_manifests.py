from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from driftline.capture.blob import local_blob
from driftline.capture.manifests import hour_of, is_output, members, other_side

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("path", "microseconds", "output"),
    [
        ("dc/input/2026/11/23/07/m.json", 1_795_417_200_000_000, False),
        ("output/2026/11/23/07/", 1_795_417_200_000_000, True),
        ("2026/11/23/07", 1_795_417_200_000_000, False),
        ("dc/input/2026/13/23/07/m.json", None, False),
        ("m.json", None, False),
    ],
)
def test_what_a_path_tells(path: str, microseconds: int | None, output: bool) -> None:
    assert (hour_of(path), is_output(path)) == (microseconds, output)


@pytest.mark.parametrize(
    ("path", "other"),
    [
        ("s3://b/dc/input/2026/11/23/07/m.json?a=b/c", "s3://b/dc/output/2026/11/23/07/"),
        ("input/2026/11/23/07/", "output/2026/11/23/07/"),
        ("input/2026/11/23/07", "output/2026/11/23/07/"),
        ("dc/input/", None),
        ("output/2026/11/23/07/", None),
    ],
)
def test_where_the_outputs_are(path: str, other: str | None) -> None:
    assert other_side(path) == other


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "[1, 2]", '[{"a": 1}]', "[{", '{"prefix": "x"}', "[]"])
def test_other_files_are_no_manifests(tmp_path: Path, text: str) -> None:
    path = tmp_path / "m.json"
    path.write_text(text)
    assert members(local_blob(str(path))) is None


def test_names_may_stand_in_folders(tmp_path: Path) -> None:
    (tmp_path / "data" / "deep").mkdir(parents=True)
    (tmp_path / "data" / "deep" / "a.csv").write_text("1\n")
    path = tmp_path / "m.json"
    path.write_text(json.dumps([{"prefix": "data"}, "deep/a.csv"]))
    found = members(local_blob(str(path)))
    assert found is not None
    assert [(member.key, member.blob.size) for member in found] == [("deep/a.csv", 2)]
