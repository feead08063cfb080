from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Console

import driftline
from driftline.baselines.column import Limits
from driftline.cli.shown import _table
from driftline.monitor.views import view
from driftline.reports.sparkline import spark

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_report_as_check_printed_it(run: Callable[..., Any]) -> None:
    printed = run("check", "drift.parquet", "-b", "baseline", "-o", "out").out
    for path in ("out", "out/", "out/report.json"):
        done = run("show", path)
        assert (done.code, done.err) == (0, "")
        assert printed.startswith(done.out)


def test_report_as_json(run: Callable[..., Any], example: Path) -> None:
    done = run("show", "report-drift", "--json")
    assert done.out.encode() == (example / "report-drift" / "report.json").read_bytes()


def test_report_as_a_page(run: Callable[..., Any], world: Path, example: Path) -> None:
    done = run("show", "report-drift", "--html", "pages/page.html")
    assert (done.code, done.out, done.err) == (0, "pages/page.html\n", "")
    page = (world / "pages" / "page.html").read_text()
    assert page == driftline.load_report(example / "report-drift").to_html()


def test_page_never_takes_the_place_of_a_device(run: Callable[..., Any], world: Path) -> None:
    os.mkfifo(world / "pipe")
    for target in ("pipe", "/dev/null", "/dev/stdout"):
        done = run("show", "report-drift", "--html", target)
        assert (done.code, done.out) == (2, "")
        assert done.err == f"driftline: E-WRITE: {target}: is not a regular file; name another file\n"
    assert (world / "pipe").is_fifo()


def test_baseline(run: Callable[..., Any]) -> None:
    for path in ("baseline", "baseline/baseline.json", "baseline/constraints.json"):
        done = run("show", path, env={"COLUMNS": "200"})
        assert (done.code, done.err) == (0, "")
        lines = done.out.splitlines()
        assert lines[0].startswith("baseline of train: 1,000 rows, 3 columns, made 20")
        assert [line.split()[:2] for line in lines[2:]] == [
            ["amount", "Fractional"],
            ["count", "Integral"],
            ["kind", "String"],
        ]


def test_baseline_as_json(run: Callable[..., Any]) -> None:
    assert json.loads(run("show", "baseline", "--json").out)["label"] == "train"


def test_some_columns_of_a_baseline(run: Callable[..., Any]) -> None:
    done = run("show", "baseline", "--column", "kind", "--column", "amount", env={"COLUMNS": "200"})
    assert [line.split()[0] for line in done.out.splitlines()[2:]] == ["amount", "kind"]


def test_unknown_column_names_the_nearest(run: Callable[..., Any]) -> None:
    done = run("show", "baseline", "--column", "amuont")
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith("amuont: the baseline has no such column; did you mean 'amount'?\n")


def test_what_makes_no_sense_is_said(run: Callable[..., Any], world: Path) -> None:
    for arguments, told in (
        (("baseline", "--html", "page.html"), "leave out --html"),
        (("report-drift", "--column", "amount"), "leave out --column"),
        (("nowhere",), "does not exist"),
        (("train.parquet",), "E-"),
    ):
        done = run("show", *arguments)
        assert (done.code, done.out) == (2, "")
        assert told in done.err
        assert done.err.count("\n") == 1
    assert not (world / "page.html").exists()


def test_no_width_cuts_a_header_a_number_or_a_histogram(example: Path) -> None:
    baseline = driftline.load_baseline(example / "baseline")
    histogram = spark(view("amount", baseline.columns(Limits())["amount"], None).baseline_counts)
    heads = []
    for width in range(40, 201):
        console = Console(file=io.StringIO(), width=width)
        with console.capture() as captured:
            console.print(_table(baseline, list(baseline.constraints.features), width))
        text = captured.get()
        assert all(cell_len(line.rstrip()) <= width for line in text.splitlines())
        words = set(text.split())
        assert {"column", "type", "held", "amount", "Fractional"} <= words
        heads.append(
            sum(head in words for head in ("missing", "distinct", "median", "range", "distribution"))
        )
        assert ("1,000" in words) is ("distinct" in words)
        assert (histogram in words) is ("distribution" in words)
    assert heads == sorted(heads)
    assert (heads[0], heads[-1]) == (0, 5)
