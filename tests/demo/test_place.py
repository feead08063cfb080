from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from driftline.demo.place import MARK, begin
from driftline.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

TOML = b"# the demo's\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Folder in which a demo has been."""
    folder = begin(tmp_path / "demo", TOML)
    (folder / "driftline.toml").write_bytes(TOML)
    (folder / "registry.db").write_bytes(b"x")
    (folder / "income.py").write_bytes(b"x")
    for name in (
        "captures/churn/AllTraffic",
        "captures/.driftline",
        "captures/income/AllTraffic",
        "captures/ground_truth/income",
        "income/bias",
        "models",
        "reports/churn",
        "profiles/0a",
        "report",
    ):
        (folder / name).mkdir(parents=True)
        (folder / name / "file").write_bytes(b"x")
    return folder


def test_a_new_folder(tmp_path: Path) -> None:
    begin(tmp_path / "a" / "b", TOML)
    assert [p.name for p in (tmp_path / "a" / "b").iterdir()] == [MARK]


def test_begun_anew(place: Path) -> None:
    (place / "page.html").write_text("mine")
    begin(place, TOML)
    assert {p.name for p in place.iterdir()} == {MARK, "page.html"}


def test_an_edited_configuration_is_kept(place: Path) -> None:
    (place / "driftline.toml").write_bytes(b"# mine\n")
    begin(place, TOML)
    assert (place / "driftline.toml.before").read_bytes() == b"# mine\n"


@pytest.mark.parametrize("name", ["registry.db", "captures", "driftline.toml", "training.csv"])
def test_what_no_demo_made_is_not_touched(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(UsageError, match=f"holds {name}, which the demo did not make"):
        begin(tmp_path, TOML)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [(name, b"mine")]


def test_what_others_put_beside_the_demos_own_is_not_touched(place: Path) -> None:
    (place / "captures" / "payments").mkdir()
    with pytest.raises(UsageError, match="holds captures/payments, which"):
        begin(place, TOML)
    assert (place / "registry.db").is_file()


def test_a_link_to_elsewhere_is_not_followed(place: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    (mine / "churn").mkdir(parents=True)
    (place / "baselines").symlink_to(mine)
    with pytest.raises(UsageError, match="holds baselines, which"):
        begin(place, TOML)
    assert (mine / "churn").is_dir()


@pytest.mark.parametrize("name", ["", "file/demo"])
def test_a_folder_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError) as refused:
        begin(name, TOML)
    assert refused.value.code == "E-WRITE"
