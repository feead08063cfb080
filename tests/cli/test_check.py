from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest

import driftline
from driftline.cli.check import exit_status
from driftline.reports.codec import report_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from driftline.reports.report import Report


@pytest.fixture(scope="module")
def reports(example: Path) -> dict[str, Report]:
    baseline = driftline.load_baseline(example / "baseline")
    return {
        name: driftline.check(example / f"{name}.parquet", baseline)
        for name in ("clean", "drift", "few", "none")
    }


@pytest.mark.parametrize(
    ("name", "lenient", "strict"), [("clean", 0, 0), ("drift", 1, 1), ("few", 0, 4), ("none", 4, 4)]
)
def test_exit_status(reports: dict[str, Report], name: str, lenient: int, strict: int) -> None:
    assert exit_status(reports[name]) == lenient
    assert exit_status(reports[name], strict=True) == strict


def test_exit_status_of_a_report_without_outcomes(reports: dict[str, Report]) -> None:
    assert exit_status(dataclasses.replace(reports["clean"], outcomes=())) == 4


def test_same_as_the_python_call(run: Callable[..., Any], example: Path, reports: dict[str, Report]) -> None:
    done = run("check", str(example / "drift.parquet"), "-b", "baseline", "--json")
    assert json.loads(done.out)["id"] == report_id(reports["drift"])


def test_json_is_what_is_written(run: Callable[..., Any], world: Path) -> None:
    done = run("check", "drift.parquet", "-b", "baseline", "-o", "out", "--json")
    assert done.out.encode() == (world / "out" / "report.json").read_bytes()


def test_output(run: Callable[..., Any], world: Path) -> None:
    done = run("check", "drift.parquet", "-b", "baseline", "-o", "out/")
    assert done.out.endswith("\nreport: out/report.html\n")
    names = {p.name for p in (world / "out").iterdir()}
    assert names == {
        "constraint_violations.json",
        "constraints.json",
        "report.html",
        "report.json",
        "statistics.json",
    }


def test_quiet(run: Callable[..., Any]) -> None:
    done = run("check", "drift.parquet", "-b", "baseline", "-q")
    assert (done.code, done.out, done.err) == (1, "", "")


def test_config(run: Callable[..., Any], world: Path) -> None:
    (world / "calm.toml").write_text(
        "[columns.amount.checks.ks]\nenabled = false\n[columns.amount.checks.numeric_range]\nenabled = false\n"
    )
    done = run("check", "drift.parquet", "-b", "baseline", "-c", "calm.toml")
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize("text", ["nonsense = 1\n", "= broken", "a = \x00"])
def test_config_that_is_wrong(run: Callable[..., Any], world: Path, text: str) -> None:
    (world / "wrong.toml").write_text(text)
    done = run("check", "clean.parquet", "-b", "baseline", "-c", "wrong.toml", "-o", "out")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("driftline: E-")
    assert "wrong.toml" in done.err
    assert done.err.count("\n") == 1
    assert not (world / "out").exists()


def test_config_of_an_unknown_column(run: Callable[..., Any], world: Path) -> None:
    (world / "wrong.toml").write_text("[columns.amuont]\n")
    done = run("check", "clean.parquet", "-b", "baseline", "-c", "wrong.toml")
    assert (done.code, done.out) == (2, "")
    assert "columns.amuont: " in done.err
    assert done.err.endswith("did you mean 'amount'?\n")


def test_explain_compat(run: Callable[..., Any]) -> None:
    done = run("check", "drift.parquet", "-b", "baseline", "--explain-compat", "--json")
    assert (done.code, done.err) == (1, "")
    assert json.loads(done.out)["compat_differences"]


def test_segments(run: Callable[..., Any]) -> None:
    run("baseline", "train.parquet", "-o", "split", "--by", "kind")
    done = run("check", "drift.parquet", "-b", "split", "--by", "kind", "--json")
    assert (done.code, done.err) == (1, "")
    assert json.loads(done.out)["segments"] == "kind"


def test_segments_that_the_baseline_lacks(run: Callable[..., Any]) -> None:
    done = run("check", "drift.parquet", "-b", "baseline", "--by", "kind")
    assert (done.code, done.out) == (2, "")
    assert "--by" in done.err


def test_a_report_never_takes_the_place_of_the_baseline(run: Callable[..., Any], world: Path) -> None:
    run("baseline", "train.parquet", "-o", "mine")
    (world / "link").symlink_to(world / "mine")
    before = {entry.name: entry.read_bytes() for entry in (world / "mine").iterdir()}
    for output in ("mine", "./mine/", "link", "mine/../mine"):
        # The data are not there: nothing is read before the refusal.
        done = run("check", "nowhere.parquet", "-b", "mine", "-o", output)
        assert (done.code, done.out) == (2, "")
        assert done.err == (
            f"driftline: E-WRITE: {output}: holds the baseline of this check, which the report would overwrite; "
            "choose another folder, for example -o report/\n"
        )
    assert {entry.name: entry.read_bytes() for entry in (world / "mine").iterdir()} == before


def test_a_report_never_takes_the_place_of_sagemakers_files(run: Callable[..., Any], world: Path) -> None:
    run("baseline", "train.parquet", "-o", "mine")
    for name in ("baseline.json", "profile.arrow"):
        (world / "mine" / name).unlink()
    for given, words in (
        ("mine", "the baseline of this check"),
        ("mine/constraints.json", "the baseline of this check"),
        ("baseline", "a baseline"),
    ):
        done = run("check", "nowhere.parquet", "-b", given, "-o", "mine")
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(f"driftline: E-WRITE: mine: holds {words}, which")
    assert {entry.name for entry in (world / "mine").iterdir()} == {"constraints.json", "statistics.json"}


def test_a_report_takes_the_place_of_an_earlier_one(run: Callable[..., Any], world: Path) -> None:
    for name, code in (("drift", 1), ("clean", 0)):
        assert run("check", f"{name}.parquet", "-b", "baseline", "-o", "out", "-q").code == code
    assert json.loads((world / "out" / "report.json").read_text())["status"] == "passed"
    done = run("check", "clean.parquet", "-b", "out/constraints.json", "-o", "out")
    assert (done.code, done.out) == (2, "")
    assert "holds the baseline of this check" in done.err


def test_strict_notices_segments_that_the_baseline_does_not_know(
    run: Callable[..., Any], world: Path
) -> None:
    (world / "train.csv").write_text("k,x\n" + "a,1\n" * 400)
    (world / "live.csv").write_text("k,x\n" + "a,1\n" * 399 + "b,1\n")
    (world / "calm.toml").write_text("[columns.k]\nignore = true\n")
    run("baseline", "train.csv", "-o", "split", "--by", "k")
    arguments = ("check", "live.csv", "-b", "split", "--by", "k", "-c", "calm.toml")
    assert run(*arguments).code == 0
    done = run(*arguments, "--strict")
    assert done.code == 4
    assert "the baseline has no segment k=b to compare with (rows: 1)." in " ".join(done.out.split())
