from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import driftline

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_says_what_was_learnt_and_where_it_lies(run: Callable[..., Any], world: Path) -> None:
    done = run("baseline", "train.parquet", "-o", "a/b")
    assert (done.code, done.err) == (0, "")
    assert "train.parquet: 1,000 rows, 3 columns (2 number, 1 text)" in done.out
    assert "driftline show a/b" in done.out
    names = {p.name for p in (world / "a" / "b").iterdir()}
    assert names == {"baseline.json", "constraints.json", "statistics.json", "profile.arrow"}


def test_same_as_the_python_call(run: Callable[..., Any], world: Path) -> None:
    run("baseline", str(world / "train.parquet"), "-o", "out")
    made = driftline.baseline(world / "train.parquet").files()
    for name in ("constraints.json", "statistics.json", "profile.arrow"):
        assert (world / "out" / name).read_bytes() == made[name]


def test_json_is_the_index(run: Callable[..., Any], world: Path) -> None:
    done = run("baseline", "train.parquet", "-o", "out", "--json")
    assert done.out.encode() == (world / "out" / "baseline.json").read_bytes()
    assert json.loads(done.out)["n_rows"] == 1000


def test_quiet(run: Callable[..., Any]) -> None:
    done = run("baseline", "train.parquet", "-o", "out", "-q")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_segments(run: Callable[..., Any], world: Path) -> None:
    assert run("baseline", "train.parquet", "-o", "out", "--by", "kind").code == 0
    loaded = driftline.load_baseline(world / "out")
    assert loaded.segment_column == "kind"
    assert sorted(s.value for s in loaded.segments) == ["a", "b", "c"]


def test_made_again_without_segments(run: Callable[..., Any], world: Path) -> None:
    """What an earlier baseline left in the folder is no part of the new one."""
    run("baseline", "train.parquet", "-o", "out", "--by", "kind")
    assert run("baseline", "train.parquet", "-o", "out").code == 0
    assert driftline.load_baseline(world / "out").segments == ()
    assert run("check", "clean.parquet", "-b", "out").code == 0


def test_unique_identifiers(run: Callable[..., Any], world: Path) -> None:
    (world / "ids.csv").write_text("id,x\n" + "".join(f"{i:08d}a,{i % 7}\n" for i in range(500)))
    for flags, expected in (((), False), (("--unique",), True)):
        assert run("baseline", "ids.csv", "-o", "out", *flags).code == 0
        assert ("uniqueness" in (world / "out" / "constraints.json").read_text()) is expected


def test_compat(run: Callable[..., Any], world: Path) -> None:
    assert run("baseline", "train.parquet", "-o", "out", "--compat", "sagemaker").code == 0
    assert driftline.load_baseline(world / "out").mode == "sagemaker"


def test_nothing_is_written_for_data_that_cannot_be_read(run: Callable[..., Any], world: Path) -> None:
    (world / "bad.parquet").write_bytes(b"PAR1 and no more")
    done = run("baseline", "bad.parquet", "-o", "out")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("driftline: E-")
    assert "bad.parquet" in done.err
    assert not (world / "out").exists()


def test_output_is_a_file(run: Callable[..., Any], world: Path) -> None:
    (world / "file").write_text("mine")
    done = run("baseline", "train.parquet", "-o", "file")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "driftline: E-WRITE: file: is a file, expected a folder; choose another folder with -o\n"
    )
    assert (world / "file").read_text() == "mine"


def test_output_without_a_name(run: Callable[..., Any]) -> None:
    """``-o "$FOLDER"`` with nothing in it does not fill the current folder."""
    done = run("baseline", "train.parquet", "-o", "")
    assert done.code == 2
    assert "is not a name that a file can have" in done.err


def test_a_baseline_never_takes_the_place_of_a_report(run: Callable[..., Any], world: Path) -> None:
    for output in ("report-drift", "./report-drift/"):
        # The data are not there: nothing is read before the refusal.
        done = run("baseline", "nowhere.parquet", "-o", output)
        assert (done.code, done.out) == (2, "")
        assert done.err == (
            f"driftline: E-WRITE: {output}: holds a report, which a baseline would overwrite; "
            "choose another folder, for example -o baseline/\n"
        )


def test_one_is_spelled_as_one(run: Callable[..., Any], world: Path) -> None:
    (world / "one.csv").write_text("x\n1\n")
    assert ": 1 row, 1 column (1 number)\n" in run("baseline", "one.csv", "-o", "out").out


def test_compat_tells_numbers_from_texts(run: Callable[..., Any]) -> None:
    done = run("baseline", "train.parquet", "-o", "out", "--compat", "sagemaker")
    assert "3 columns (2 number, 1 text)\n" in done.out
