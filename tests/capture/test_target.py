from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from captured import LostAnswer

from driftline.capture import target as module
from driftline.capture.target import Folder, Objects, Target, target_of
from driftline.errors import SourceError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

_numbers = itertools.count()


@pytest.fixture(params=["folder", "objects"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    if request.param == "folder":
        return target_of(tmp_path / "a b")
    store = request.getfixturevalue("store")
    return target_of(store.url(f"target/{next(_numbers)}"))


def test_files_are_written_and_read(target: Target) -> None:
    target.write("x/y/a.parquet", b"one")
    target.write("x/y/b.parquet", pa.py_buffer(b"two"))
    target.write("x/y/a.parquet", b"three")
    assert target.read("x/y/a.parquet").to_pybytes() == b"three"
    assert target.read("x/y/b.parquet").to_pybytes() == b"two"
    assert target.shown("x/y/a.parquet") == f"{target.name}/x/y/a.parquet"


def test_a_missing_file_is_told_as_such(target: Target) -> None:
    with pytest.raises(FileNotFoundError):
        target.read("nothing.parquet")
    target.remove("nothing.parquet")


def test_files_are_listed_and_the_state_is_not(target: Target) -> None:
    assert target.paths("") == []
    assert target.paths("nothing") == []
    for path in ("b/1.parquet", "a/x/2.parquet", "a/3.parquet", ".driftline/4.json"):
        target.write(path, b"x")
    assert target.paths("") == ["a/3.parquet", "a/x/2.parquet", "b/1.parquet"]
    assert target.paths("a") == ["a/3.parquet", "a/x/2.parquet"]
    assert target.paths(".driftline") == [".driftline/4.json"]
    target.remove("a/3.parquet")
    assert target.paths("a") == ["a/x/2.parquet"]


def test_empty_folders_go_and_the_root_stays(tmp_path: Path) -> None:
    target = Folder(tmp_path / "root")
    target.write("a/b/1", b"x")
    target.write("a/2", b"x")
    target.remove("a/b/1")
    assert not (tmp_path / "root/a/b").exists()
    target.remove("a/2")
    assert list((tmp_path / "root").iterdir()) == []


def test_files_are_for_the_owner_only(tmp_path: Path) -> None:
    target = Folder(tmp_path / "root")
    target.write("a/1", b"x")
    assert (tmp_path / "root/a/1").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "root/a").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_written_or_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    target = Folder(tmp_path)
    with pytest.raises(UsageError) as info:
        target.write("file/a", b"x")
    assert info.value.code == "E-WRITE"
    (tmp_path / "folder").mkdir()
    with pytest.raises(SourceError) as read:
        target.read("folder")
    assert read.value.code == "E-FILE"


def test_which_target_is_meant(tmp_path: Path) -> None:
    assert isinstance(target_of(tmp_path), Folder)
    assert isinstance(target_of(f"file://{tmp_path}"), Folder)
    assert target_of(f"file://{tmp_path}").name == str(tmp_path)
    made = target_of("s3://key:secret@bucket/a/b/?region=eu-central-1&endpoint_override=x")
    assert (made.name, made.is_local) == ("s3://bucket/a/b", False)
    assert "secret" not in repr(made)


@pytest.mark.parametrize("url", ["s3://", "s3:///key", "ftp://host/x", "http://host/x"])
def test_what_is_no_store(url: str) -> None:
    with pytest.raises(SourceError) as info:
        target_of(url)
    assert info.value.code == "E-STORE"


def test_a_store_is_not_asked_before_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    from driftline.capture import store as opener

    monkeypatch.setattr(opener, "opened_store", lambda _: pytest.fail("asked"))
    made = Objects("s3://bucket/key")
    assert made.shown("a") == "s3://bucket/key/a"


class Shaky:
    """A store whose requests fail, before or after they had their effect."""

    def __init__(self, real: Any) -> None:
        self.real = real
        self.before: list[Exception] = []
        self.after: list[Exception] = []
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **more: Any) -> Any:
            self.asked += 1
            if self.before:
                raise self.before.pop()
            done = getattr(self.real, name)(*args, **more)
            if self.after:
                if name == "open_output_stream":
                    return LostAnswer(done, self.after.pop())
                raise self.after.pop()
            return done

        return call


@pytest.fixture
def shaky(store: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Objects, Shaky]:
    target = Objects(store.url(f"shaky/{next(_numbers)}"), seconds=60.0)
    real, base = target._open()
    made = Shaky(real)
    target._opened = (made, base)
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    return target, made


def test_requests_that_fail_before_their_effect_are_tried_again(shaky: tuple[Objects, Shaky]) -> None:
    target, store = shaky
    for action in (
        lambda: target.write("a", b"x"),
        lambda: target.read("a"),
        lambda: target.paths(""),
        lambda: target.remove("a"),
    ):
        store.before = [OSError("503 SlowDown")] * 3
        store.asked = 0
        action()
        assert store.asked == 4


def test_requests_whose_answer_is_lost_are_repeated(shaky: tuple[Objects, Shaky]) -> None:
    target, store = shaky
    store.after = [OSError("connection reset")]
    target.write("a", b"x")
    assert target.read("a").to_pybytes() == b"x"
    store.after = [OSError("connection reset")]
    target.remove("a")
    with pytest.raises(FileNotFoundError):
        target.read("a")


def test_a_body_that_is_too_short_is_read_again(
    shaky: tuple[Objects, Shaky], monkeypatch: pytest.MonkeyPatch
) -> None:
    target, _ = shaky
    target.write("a", b"whole")
    left = [b"wh"]

    class Short:
        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def size(self) -> int:
            return 5

        def read_buffer(self) -> pa.Buffer:
            return pa.py_buffer(left.pop() if left else b"whole")

    monkeypatch.setattr(Shaky, "open_input_file", lambda *_: Short(), raising=False)
    assert target.read("a").to_pybytes() == b"whole"
    assert left == []


def test_a_store_that_stays_away_is_told_in_time(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    target = Objects(store.url("away"), seconds=3.0)
    real, base = target._open()
    target._opened = (Shaky(real), base)
    target._opened[0].before = [OSError("503\nSlowDown")] * 1000
    at, pauses = [0.0], []

    def sleep(seconds: float) -> None:
        at[0] += seconds
        pauses.append(seconds)

    monkeypatch.setattr(module.time, "sleep", sleep)
    monkeypatch.setattr(module.time, "monotonic", lambda: at[0])
    with pytest.raises(UsageError, match="503 SlowDown") as info:
        target.write("a", b"x")
    assert info.value.code == "E-STORE"
    assert at[0] <= 3.0
    assert pauses[-1] > pauses[0]
    with pytest.raises(SourceError):
        target.read("a")


def test_a_refusal_is_final(shaky: tuple[Objects, Shaky]) -> None:
    target, store = shaky
    store.before = [OSError("AWS Error ACCESS_DENIED during PutObject")] * 5
    with pytest.raises(UsageError, match="ACCESS_DENIED"):
        target.write("a", b"x")
    assert store.asked == 1


def test_a_missing_bucket_is_final(store: Any) -> None:
    target = Objects(
        f"s3://no-such-bucket/x?endpoint_override=127.0.0.1:{store.port}&scheme=http", seconds=60.0
    )
    with pytest.raises((UsageError, SourceError)) as info:
        target.write("a", b"x")
    assert info.value.code == "E-STORE"
    assert "testing" not in str(info.value)


def test_no_temporary_file_is_left(tmp_path: Path) -> None:
    target = Folder(tmp_path)
    target.write("a/1", b"x" * 1000)
    assert os.listdir(tmp_path / "a") == ["1"]  # noqa: PTH208
