"""Baselines and reports never take each other's place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import driftline
from driftline.baselines.folder import refuse_baseline, refuse_report, refuse_same
from driftline.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

BASELINE = driftline.baseline({"x": [1.0, 2.0, 3.0]})
REPORT = driftline.check({"x": [1.0, 2.0]}, BASELINE)


def contents(folder: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in folder.iterdir()}


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    BASELINE.save(tmp_path / "baseline")
    return tmp_path / "baseline"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    REPORT.save(tmp_path / "report")
    return tmp_path / "report"


def spellings(folder: Path) -> list[str]:
    link = folder.parent / "link"
    link.symlink_to(folder)
    return [str(folder), f"{folder}/", f"{folder}/.", f"{folder}/../{folder.name}", str(link), f"{link}/"]


def test_a_report_is_never_written_over_a_baseline(baseline: Path) -> None:
    before = contents(baseline)
    for folder in spellings(baseline):
        with pytest.raises(UsageError, match="holds a baseline, which a report would overwrite") as caught:
            REPORT.save(folder)
        assert (caught.value.code, caught.value.file) == ("E-WRITE", folder)
        assert caught.value.fix == "choose another folder, for example -o report/"
    assert contents(baseline) == before


def test_a_baseline_is_never_written_over_a_report(report: Path) -> None:
    before = contents(report)
    for folder in spellings(report):
        with pytest.raises(UsageError, match="holds a report, which a baseline would overwrite") as caught:
            BASELINE.save(folder)
        assert (caught.value.code, caught.value.file) == ("E-WRITE", folder)
    assert contents(report) == before


@pytest.mark.parametrize(
    "names",
    [
        ["constraints.json"],
        ["constraints.json", "statistics.json"],
        ["statistics.json"],
        ["constraints.json", "statistics.json", "constraint_violations.json"],
        ["baseline.json", "report.json"],
    ],
)
def test_files_of_sagemaker_are_a_baseline_to_a_report(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("{}")
    with pytest.raises(UsageError, match="holds a baseline"):
        REPORT.save(tmp_path)
    assert contents(tmp_path) == dict.fromkeys(names, b"{}")


def test_violations_of_sagemaker_are_a_report_to_a_baseline(tmp_path: Path) -> None:
    (tmp_path / "constraint_violations.json").write_text("{}")
    with pytest.raises(UsageError, match="holds a report"):
        BASELINE.save(tmp_path)


def test_the_same_kind_is_written_again(baseline: Path, report: Path, data: Path) -> None:
    BASELINE.save(baseline)
    REPORT.save(report)
    assert driftline.load_baseline(baseline).digest == BASELINE.digest
    assert driftline.load_report(report).status == REPORT.status
    sagemaker = baseline.parent / "sagemaker"
    sagemaker.mkdir()
    (sagemaker / "constraints.json").write_bytes((data / "sagemaker/churn/constraints.json").read_bytes())
    BASELINE.save(sagemaker)
    assert driftline.load_baseline(sagemaker).digest == BASELINE.digest


def test_other_files_are_in_nobodys_way(tmp_path: Path) -> None:
    for name in ("train.parquet", "README.md"):
        (tmp_path / name).write_text("mine")
    REPORT.save(tmp_path)
    assert contents(tmp_path).keys() >= {"train.parquet", "report.json"}


def test_a_report_that_serves_as_a_baseline_is_not_written_over(report: Path) -> None:
    refuse_baseline(report)
    for home in (*spellings(report), str(report / "constraints.json")):
        for folder in (str(report), str(report.parent / "link")):
            with pytest.raises(UsageError, match="holds the baseline of this check"):
                refuse_same(folder, home)


def test_folders_that_are_not_there_refuse_nothing(tmp_path: Path, report: Path, baseline: Path) -> None:
    refuse_baseline(tmp_path / "new")
    refuse_report(tmp_path / "new")
    refuse_same(tmp_path / "new", baseline)
    refuse_same(report, tmp_path / "new")
    refuse_same(report, baseline)
    refuse_same(tmp_path, tmp_path)
    refuse_same("", "")
    refuse_baseline("")
    refuse_baseline("a\0b")


def test_a_relative_folder_is_the_one_it_leads_to(baseline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(baseline)
    for folder in (".", "./", "../baseline"):
        with pytest.raises(UsageError, match="holds a baseline"):
            refuse_baseline(folder)
        with pytest.raises(UsageError, match="holds the baseline of this check"):
            refuse_same(folder, "constraints.json")
