"""Digests of folders."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.capture.target import target_of
from driftline.errors import UsageError
from driftline.files import write_folder
from driftline.registry.folders import check_path, folder_digest, stored_digest

if TYPE_CHECKING:
    from pathlib import Path

_files = st.dictionaries(st.text(min_size=1, max_size=5), st.binary(max_size=8), max_size=4)


def test_the_digest_is_the_one_that_is_written_down() -> None:
    files = {"b": b"xyz", "ä": b""}
    spelled = b"".join(len(part).to_bytes(8, "big") + part for part in (b"b", b"xyz", "ä".encode(), b""))
    assert folder_digest(files) == "sha256:" + hashlib.sha256(spelled).hexdigest()
    assert folder_digest(dict(reversed(files.items()))) == folder_digest(files)


@given(_files, _files)
def test_equal_digests_mean_equal_folders(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    if not any("\ud800" <= ch <= "\udfff" for name in (*one, *other) for ch in name):
        assert (folder_digest(one) == folder_digest(other)) is (one == other)


def test_a_stored_folder_has_the_digest_of_its_files(tmp_path: Path) -> None:
    files = {"report.json": b"{}", "report.html": b"<p>"}
    write_folder(tmp_path / "reports" / "a", files)
    write_folder(tmp_path / "reports" / "ab", {"x": b"not of it"})
    target = target_of(tmp_path)
    assert stored_digest(target, "reports/a") == folder_digest(files)
    (tmp_path / "reports" / "a" / "report.json").write_bytes(b"[]")
    assert stored_digest(target, "reports/a") == folder_digest(files | {"report.json": b"[]"})
    assert stored_digest(target, "reports/none") is None


@pytest.mark.parametrize("path", ["baselines/churn/v1", "ä/b c", "a" * 1024])
def test_paths_below_the_workspace(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "/etc", "../x", "a/../b", "a/./b", "a//b", "a/", "a\\b", "a\0b", "a\nb", "\ud800", "a" * 1025, None],
)
def test_other_paths_are_refused(path: object) -> None:
    with pytest.raises(UsageError, match="E-PATH"):
        check_path(path)
