from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).resolve().parents[1] / "data"
CAPTURED = DATA / "sagemaker" / "captured"


def test_captured_traffic(run: Callable[..., Any]) -> None:
    first = run("capture", "import", str(CAPTURED), "--endpoint", "all", "--to", "captures")
    assert (first.code, first.err) == (0, "")
    lines = first.out.splitlines()
    assert (
        lines[0]
        == "7 files: received 25 = stored 15 + duplicate 0 + quarantined 0 + dropped 10 (ground truth)"
    )
    assert lines[1].startswith("note: ")
    second = run("capture", "import", str(CAPTURED), "--endpoint", "all", "--to", "captures")
    assert second.out.splitlines()[:2] == [
        "7 files: received 25 = stored 0 + duplicate 25 + quarantined 0",
        "nothing new: all of it was stored before",
    ]
    quiet = run("capture", "import", str(CAPTURED), "--endpoint", "all", "--to", "captures", "-q")
    assert (quiet.code, quiet.out) == (0, "")
    told = json.loads(
        run("capture", "import", str(CAPTURED), "--endpoint", "x", "--to", "captures", "--json").out
    )
    assert (told["files"], told["received"], told["stored"], told["dropped"]) == (
        7,
        25,
        15,
        {"ground truth": 10},
    )


def test_quarantine_is_said(run: Callable[..., Any], world: Path) -> None:
    text = (CAPTURED / "churn_2022.jsonl").read_text()
    (world / "bad.jsonl").write_text(text + text[:300] + "\n")
    done = run("capture", "import", "bad.jsonl", "--endpoint", "churn", "--to", "captures")
    assert done.code == 0
    assert "received 4 = stored 3 + duplicate 0 + quarantined 1" in done.out
    assert (
        "1 could not be read and lies in quarantine: E-JSON 1; see why: driftline capture replay captures"
        in done.out
    )
    assert "bad.jsonl:4: not JSON" in run("capture", "replay", "captures", "--dry-run").out


def test_files_that_cannot_be_read_are_told_and_the_others_stored(
    run: Callable[..., Any], world: Path
) -> None:
    (world / "in").mkdir()
    (world / "in" / "a.jsonl").write_bytes(b'{"a": "\0"}\n')
    (world / "in" / "b.jsonl").write_bytes((CAPTURED / "churn_2022.jsonl").read_bytes())
    done = run("capture", "import", "in", "--endpoint", "churn", "--format", "sagemaker", "--to", "captures")
    assert done.code == 2
    assert "stored 3 " in done.out
    assert done.err.startswith("driftline: E-ENCODING: in/a.jsonl:1: ")
    assert done.err.count("\n") == 1


def test_a_preprocessor(run: Callable[..., Any], world: Path) -> None:
    (world / "make.py").write_text(
        "def preprocess_handler(record):\n"
        "    return {'rate': float(record.endpoint_output.data), 'first': record.endpoint_input.data[:2]}\n"
    )
    asked = (
        "capture",
        "import",
        str(CAPTURED / "churn_2022.jsonl"),
        "--endpoint",
        "churn",
        "--to",
        "captures",
    )
    done = run(*asked, "--preprocessor", "make.py")
    assert (done.code, done.out) == (0, "1 file: received 3 = stored 3 + duplicate 0 + quarantined 0\n")
    assert "nothing new" in run(*asked, "--preprocessor", "make.py").out
    run("baseline", "captures/churn", "-o", "learnt")
    assert "rate" in run("show", "learnt").out
    (world / "make.py").write_text("def preprocess_handler(record):\n    return 1 / 0\n")
    failed = run(*asked, "--preprocessor", "make.py")
    assert failed.code == 2
    assert "E-PREPROCESSOR" in failed.err


def test_a_batch_job(run: Callable[..., Any], world: Path) -> None:
    (world / "in").mkdir()
    (world / "in" / "a.csv").write_text("x,y\n1,2\n3,4\n")
    (world / "in" / "a.csv.out").write_text("0.5\n0.6\n")
    asked = (
        "capture",
        "import",
        "in",
        "--endpoint",
        "nightly",
        "--to",
        "captures",
        "--time",
        "2026-11-23T07:00:00Z",
    )
    done = run(*asked, "--model-version", "7")
    assert (done.code, done.out) == (0, "2 files: received 2 = stored 2 + duplicate 0 + quarantined 0\n")
    assert list((world / "captures" / "nightly" / "AllTraffic" / "date=2026-11-23" / "hour=07").iterdir())
    again = run(
        "capture", "import", "in", "--endpoint", "nightly", "--to", "captures", "--model-version", "7"
    )
    assert again.out.splitlines() == [
        "2 files: received 2 = stored 0 + duplicate 2 + quarantined 0",
        "nothing new: all of it was stored before",
        "note: these files were imported before",
    ]
    (world / "out.jsonl").write_text('{"x": 3, "p": 1}\n{"x": 1, "p": 2}\n')
    joined = run(
        "capture",
        "import",
        "in/a.csv",
        "--outputs",
        "out.jsonl",
        "--id",
        "x",
        "--endpoint",
        "j",
        "--to",
        "captures",
    )
    assert "stored 2 " in joined.out


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("missing", "--endpoint", "x"), "E-FILE", "missing: does not exist"),
        (("train.parquet",), "E-NAME", "a batch job needs a name"),
        (("train.parquet", "--endpoint", "a b"), "E-NAME", "'a b' is no name"),
        (("train.parquet", "--endpoint", "x", "--time", "soon"), "E-TIME", "'soon' is no time"),
        (("train.parquet", "--endpoint", "x", "--outputs", "nothing"), "E-FILE", "nothing: does not exist"),
        (("train.parquet", "--endpoint", "x", "--preprocessor", "p.py"), "E-USAGE", "over captured records"),
        (("train.parquet", "--endpoint", "x", "--format", "xml"), "E-USAGE", "xml"),
        ((str(CAPTURED / "churn_2022.jsonl"),), "E-NAME", "--endpoint"),
        (("train.parquet", "--format", "csv", "--endpoint", "x"), "E-ENCODING", "train.parquet"),
        (
            ("train.parquet", "--endpoint", "x", "--outputs", "few.parquet"),
            "E-BATCH-ROWS",
            "few.parquet has 3",
        ),
    ],
)
def test_bad_input(
    run: Callable[..., Any], world: Path, arguments: tuple[str, ...], code: str, text: str
) -> None:
    done = run("capture", "import", *arguments, "--to", "captures")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"driftline: {code}: ")
    assert text in done.err
    assert done.err.count("\n") == 1
    assert list((world / "captures").rglob("*.parquet")) == []


def test_an_object_store_needs_a_state(run: Callable[..., Any]) -> None:
    done = run("capture", "import", "train.parquet", "--endpoint", "x", "--to", "s3://bucket/x")
    assert done.code == 2
    assert done.err.startswith("driftline: E-STATE: ")
