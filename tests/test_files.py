from __future__ import annotations

import errno
import hashlib
import os
import resource
import signal
import stat
import subprocess
import sys
import textwrap
import threading
from typing import TYPE_CHECKING, Any

import pytest

from driftline.errors import InputError, UsageError
from driftline.files import digest, read_regular, write_folder, write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OLD = {"part.bin": b"old part", "index.json": b"old index"}
NEW = {"part.bin": b"new part" * 9000, "more.bin": b"new more", "index.json": b"new index"}


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def hidden(folder: Path) -> list[Path]:
    return list(folder.rglob(".*"))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o077])
def any_umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def test_digest() -> None:
    assert digest(b"x") == "sha256:" + hashlib.sha256(b"x").hexdigest()


# --- one file -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("any_umask")
def test_file_and_the_folders_above_are_the_owners_alone(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "b" / "file", b"data")
    assert content(tmp_path) == {"a/b/file": b"data"}
    assert [mode(tmp_path / p) for p in ("a", "a/b", "a/b/file")] == [0o700, 0o700, 0o600]


@pytest.mark.parametrize("data", [b"", b"x", bytes(3_000_000)])
def test_file_is_replaced(tmp_path: Path, data: bytes) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    write_whole(target, data)
    assert content(tmp_path) == {"file": data}


def test_link_to_a_file_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_link_to_nothing_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("later")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "later").read_bytes() == b"new"


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_what_is_no_file_is_never_replaced(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "thing")
    before = os.lstat(tmp_path / "thing")
    with pytest.raises(UsageError, match=r"E-WRITE: .*thing: is not a regular file"):
        write_whole(tmp_path / "thing", b"data")
    assert os.lstat(tmp_path / "thing").st_mode == before.st_mode
    assert hidden(tmp_path) == []


@pytest.mark.parametrize("target", ["/dev/null", "/dev/full"])
def test_devices_are_never_replaced(target: str) -> None:
    before = os.lstat(target)
    with pytest.raises(UsageError, match="is not a regular file"):
        write_whole(target, b"data")
    assert os.lstat(target) == before


def test_an_open_file_without_a_name_is_never_replaced(tmp_path: Path) -> None:
    """What ``/dev/stdout`` is when standard output was caught in a file that has been deleted."""
    with (tmp_path / "gone").open("wb") as stream:
        (tmp_path / "gone").unlink()
        with pytest.raises(UsageError, match="is not a regular file"):
            write_whole(f"/proc/self/fd/{stream.fileno()}", b"data")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [lambda t: write_whole(t, b"x"), lambda t: write_folder(t, NEW)])
def test_names_that_cannot_be_written(tmp_path: Path, write: Callable[[Any], None]) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    for target in ("", "a\0b", tmp_path / "file" / "below", tmp_path / ("x" * 300), "/proc/self/nowhere/x"):
        with pytest.raises(UsageError) as caught:
            write(target)
        assert caught.value.code == "E-WRITE"
        assert caught.value.file == str(target)
        assert caught.value.fix
    assert content(tmp_path) == {"file": b"mine"}
    assert hidden(tmp_path) == []


# --- a folder -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("any_umask")
def test_folder_is_the_owners_alone(tmp_path: Path) -> None:
    write_folder(tmp_path / "a" / "b", NEW)
    assert content(tmp_path / "a" / "b") == NEW
    assert {mode(p) for p in (tmp_path / "a", tmp_path / "a" / "b")} == {0o700}
    assert {mode(p) for p in (tmp_path / "a" / "b").iterdir()} == {0o600}


def test_folder_keeps_its_other_files_and_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "notes.txt").write_bytes(b"mine")
    write_folder(tmp_path, OLD)
    write_folder(tmp_path, NEW)
    assert content(tmp_path) == {**NEW, "notes.txt": b"mine"}
    assert mode(tmp_path) == 0o755
    assert hidden(tmp_path) == []


def test_link_to_a_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    write_folder(tmp_path / "link", NEW)
    assert content(tmp_path / "real") == NEW
    assert (tmp_path / "link").is_symlink()


def test_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_folder(".", NEW)
    write_folder("here", OLD)
    assert content(tmp_path) == NEW | {f"here/{k}": v for k, v in OLD.items()}


def test_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(UsageError, match="file: is a file, expected a folder; choose another folder with -o"):
        write_folder(tmp_path / "file", NEW)
    assert content(tmp_path) == {"file": b"mine"}


def test_made_by_somebody_else_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs that begin in a folder that is not there: the second finds it made."""
    target = tmp_path / "out"
    real = os.rename

    def late(source: Any, goal: Any, **options: Any) -> None:
        if not target.exists():
            target.mkdir()
            (target / "theirs").write_bytes(b"theirs")
        real(source, goal, **options)

    monkeypatch.setattr(os, "rename", late)
    write_folder(target, NEW)
    assert content(target) == {**NEW, "theirs": b"theirs"}
    assert hidden(tmp_path) == []


def test_what_a_killed_writer_left_is_cleared_away(tmp_path: Path) -> None:
    write_folder(tmp_path / "out", OLD)
    (tmp_path / "out" / ".driftline-staging-dead").mkdir()
    (tmp_path / "out" / ".driftline-staging-dead" / "part.bin").write_bytes(b"half")
    write_folder(tmp_path / "out", NEW)
    assert content(tmp_path / "out") == NEW


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", refuse)
    write_folder(tmp_path, OLD)
    write_folder(tmp_path, NEW)
    assert content(tmp_path) == NEW


def test_many_writers_take_turns(tmp_path: Path) -> None:
    """The files that stand there at the end are all of one writer."""
    names = [f"{i}.bin" for i in range(12)]

    def write(writer: int) -> None:
        for _ in range(5):
            write_folder(tmp_path / "out", dict.fromkeys(names, b"%d" % writer))

    threads = [threading.Thread(target=write, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = content(tmp_path / "out")
    assert sorted(found) == sorted(names)
    assert len(set(found.values())) == 1
    assert hidden(tmp_path) == []


# --- faults ---------------------------------------------------------------------------------------------------------

KILLED = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from driftline.files import write_folder, write_whole
    step, count, target = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    real = getattr(os, step)
    seen = 0
    def fatal(*arguments, **options):
        global seen
        if seen == count:
            os.kill(os.getpid(), signal.SIGKILL)
        seen += 1
        return real(*arguments, **options)
    setattr(os, step, fatal)
    new = {"part.bin": b"new part" * 9000, "more.bin": b"new more", "index.json": b"new index"}
    write_folder(target, new)
    """
)


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize(
    ("step", "count"),
    [(step, count) for step in ("fsync", "open", "replace", "rename") for count in range(6)],
)
def test_killed_between_any_two_steps(tmp_path: Path, step: str, count: int, exists: bool) -> None:
    """Each file is whole; the index is new only if everything is; the next writer makes all good."""
    target = tmp_path / "out"
    if exists:
        write_folder(target, OLD)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, step, str(count), str(target)], capture_output=True, check=False
    )
    at_least = {"rename": 0, "replace": 3} if exists else {"rename": 1, "replace": 0}
    killed = done.returncode == -signal.SIGKILL
    assert killed or (done.returncode == 0 and count >= at_least.get(step, 5)), done.stderr
    if target.exists():
        found = {name: data for name, data in content(target).items() if not name.startswith(".")}
        for name, data in found.items():
            assert data in (OLD.get(name), NEW.get(name))
        if found.get("index.json") == NEW["index.json"]:
            assert found == NEW
        elif not exists:
            raise AssertionError("a new folder appeared before it was whole")
    else:
        assert not exists
    write_folder(target, NEW)
    assert content(target) == NEW


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize("step", ["os.fsync", "os.rename", "os.replace", "tempfile.mkdtemp", "os.open"])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS])
def test_no_room_at_any_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: int, exists: bool
) -> None:
    """Whichever call of a kind fails, the first or a later one, nothing new is seen and nothing is left behind."""
    module, _, name = step.partition(".")
    real = getattr(sys.modules[module] if module != "tempfile" else __import__("tempfile"), name)
    for failing in range(4):
        target = tmp_path / f"out-{failing}"
        if exists:
            write_folder(target, OLD)
        calls = 0

        def fail(*arguments: Any, _failing: int = failing, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == _failing + 1:
                raise OSError(error, os.strerror(error))
            return real(*arguments, **options)

        with monkeypatch.context() as patch:
            patch.setattr(step, fail)
            try:
                write_folder(target, NEW)
            except UsageError as caught:
                told = str(caught)
                assert os.strerror(error) in told
            else:
                assert calls <= failing
        assert hidden(tmp_path) == []
        found = content(target) if target.exists() else {}
        assert set(found.values()) <= set(OLD.values()) | set(NEW.values())
        if found.get("index.json") == NEW["index.json"]:
            assert found == NEW
        elif step != "os.replace":
            assert found == (OLD if exists else {})


def limited(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program that may write files of at most 64 KiB."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))

    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
    )


def test_a_file_larger_than_allowed(tmp_path: Path) -> None:
    """The kernel's own refusal in the middle of the bytes."""
    write_folder(tmp_path / "out", OLD)
    program = textwrap.dedent(
        """
        import sys
        from driftline.errors import UsageError
        from driftline.files import write_folder, write_whole
        data = bytes(200_000)
        for write in (
            lambda t: write_whole(t + "/out/part.bin", data),
            lambda t: write_whole(t + "/new/file", data),
            lambda t: write_folder(t + "/out", {"index.json": b"new", "part.bin": data}),
            lambda t: write_folder(t + "/fresh", {"index.json": b"new", "part.bin": data}),
        ):
            try:
                write(sys.argv[1])
            except UsageError as error:
                print(error)
        """
    )
    done = limited(program, str(tmp_path))
    lines = done.stdout.splitlines()
    assert done.stderr == ""
    assert len(lines) == 4
    assert all(
        "cannot be written: File too large; choose another place or make room" in line for line in lines
    )
    assert content(tmp_path) == {f"out/{k}": v for k, v in OLD.items()}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out"]


# --- reading --------------------------------------------------------------------------------------------------------


def test_read_regular(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "file", max_bytes=5) == b"12345"
    assert read_regular(str(tmp_path / "link"), max_bytes=100) == b"12345"
    (tmp_path / "file").write_bytes(b"")
    assert read_regular(tmp_path / "file", max_bytes=0) == b""


def test_file_whose_size_nobody_knows_before_reading() -> None:
    assert b"Name:" in read_regular("/proc/self/status", max_bytes=1 << 20)
    with pytest.raises(InputError, match="more than the limit of 3"):
        read_regular("/proc/self/status", max_bytes=3)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "big").write_bytes(b"123456")
    for name, told in (
        ("absent", "E-FILE: {}: does not exist; check the path"),
        ("pipe", "E-FILE: {}: is not a regular file"),
        (".", "E-FILE: {}: is not a regular file"),
        ("loop", "E-FILE: {}: cannot be read: Too many levels of symbolic links"),
        ("big", "E-FILE: {}: has 6 bytes, more than the limit of 5"),
        ("big/below", "E-FILE: {}: cannot be read: Not a directory"),
        ("x" * 300, "E-FILE: {}: cannot be read: File name too long"),
    ):
        path = f"{tmp_path}/{name}"
        with pytest.raises(InputError) as caught:
            read_regular(path, max_bytes=5)
        assert str(caught.value).replace(str(caught.value.file), path)[:200] == told.format(path)[:200]
    with pytest.raises(InputError, match="embedded null byte"):
        read_regular("a\0b", max_bytes=5)
    with pytest.raises(InputError, match="is not a regular file"):
        read_regular("/dev/zero", max_bytes=5)
