from __future__ import annotations

from typing import TYPE_CHECKING

from driftline.capture import wal
from driftline.capture.carry import carried_on

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_carried_is_on_the_disk(tmp_path: Path) -> None:
    with carried_on(tmp_path) as take:
        assert take([wal.frame(b"x")])
        (path,) = tmp_path.iterdir()
        assert wal.read_log(path.read_bytes()).payloads == [b"x"]
    assert not take([wal.frame(b"y")])


def test_nothing_carried_leaves_nothing(tmp_path: Path) -> None:
    with carried_on(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
