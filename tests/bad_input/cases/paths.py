"""Paths that lead nowhere, to what is no file, or to what may not be read."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from bad_input.case import BASELINE, Case, as_data, refused, refused_data
from bad_input.making import csv_bytes, files, json_lines, nothing, parquet_bytes, table, together

if TYPE_CHECKING:
    from bad_input.case import Make


def _made(what: str, name: str, target: str = "") -> Make:
    """A pipe, a socket, a folder, a link, …"""

    def make(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if what == "pipe":
            os.mkfifo(path)
        elif what == "socket":
            here = Path.cwd()
            os.chdir(path.parent)
            with socket.socket(socket.AF_UNIX) as made:
                made.bind(path.name)
            os.chdir(here)
        elif what == "folder":
            path.mkdir()
        else:
            path.symlink_to(target)

    return make


def _closed(name: str, mode: int = 0) -> Make:
    def make(folder: Path) -> None:
        (folder / name).chmod(mode)

    return make


def _bytes_name(folder: Path) -> None:
    with open(os.fsencode(folder) + b"/x\xff.csv", "wb") as stream:
        stream.write(csv_bytes())


LONG = "x" * 300 + ".csv"

CASES: list[Case] = [
    refused_data("missing", "nowhere.csv", "E-FILE: nowhere.csv: does not exist; check the path", nothing),
    refused_data(
        "missing-folder", "nowhere/x.csv", "E-FILE: nowhere/x.csv: does not exist; check the path", nothing
    ),
    refused_data("nothing-named", "", "E-FILE: '': names no file; say where the data is", nothing),
    refused_data(
        "name-too-long",
        LONG,
        "E-FILE: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…: cannot be read: File name too long",
        nothing,
    ),
    refused_data(
        "empty-folder",
        "d",
        "E-NO-DATA: d: holds no file; check the path and the time window",
        _made("folder", "d"),
    ),
    refused_data(
        "folder-without-data",
        "d",
        "E-NO-DATA: d: holds no data file, only files such as x.docx; give the format (parquet, csv, jsonl, sagemaker) or name the files",
        files({"d/notes.txt": b"x", "d/x.docx": b"x"}),
    ),
    refused_data(
        "folder-of-hidden-files",
        "d",
        "E-NO-DATA: d: holds no file; check the path and the time window",
        files({"d/.x.csv": b"a\n1\n", "d/_x.csv": b"a\n1\n"}),
    ),
    refused_data(
        "only-a-success-marker",
        "d",
        "E-NO-DATA: d: holds no file; check the path and the time window",
        files({"d/_SUCCESS": b""}),
    ),
    refused_data(
        "pattern-without-match",
        "nowhere/*.csv",
        "E-NO-DATA: nowhere/*.csv: no file matches; check the path and the time window",
        nothing,
    ),
    refused_data(
        "pattern-with-an-open-bracket",
        "x[.csv",
        "E-NO-DATA: x[.csv: no file matches; check the path and the time window",
        nothing,
    ),
    refused_data(
        "formats-mixed",
        "d",
        "E-MIXED: d/b.jsonl: this is jsonl and a.csv is csv: the files of one source must have one format; give the format, or name the files of one format",
        files({"d/a.csv": csv_bytes(), "d/b.jsonl": json_lines()}),
    ),
    refused_data(
        "formats-mixed-parquet",
        "d",
        "E-MIXED: d/b.parquet: this is parquet and a.csv is csv: the files of one source must have one format; give the format, or name the files of one format",
        files({"d/a.csv": csv_bytes(), "d/b.parquet": parquet_bytes(table(1, 5))}),
    ),
    refused_data(
        "file-under-a-file",
        "train.parquet/x.csv",
        "E-FILE: train.parquet/x.csv: does not exist; check the path",
        nothing,
    ),
    refused_data(
        "slash-after-a-file",
        "train.parquet/",
        "E-FILE: train.parquet/: does not exist; check the path",
        nothing,
    ),
    refused_data(
        "pipe",
        "x.csv",
        "E-FILE: x.csv: is not a regular file; give a file, a folder or a URL",
        _made("pipe", "x.csv"),
    ),
    refused_data(
        "pipe-in-a-folder",
        "d",
        "E-FILE: d/x.csv: is not a regular file; give a file, a folder or a URL",
        together(_made("pipe", "d/x.csv")),
    ),
    refused_data(
        "socket",
        "x.csv",
        "E-FILE: x.csv: is not a regular file; give a file, a folder or a URL",
        _made("socket", "x.csv"),
    ),
    refused_data(
        "endless-device",
        "/dev/zero",
        "E-FILE: /dev/zero: is not a regular file; give a file, a folder or a URL",
        nothing,
    ),
    refused_data(
        "null-device",
        "/dev/null",
        "E-FILE: /dev/null: is not a regular file; give a file, a folder or a URL",
        nothing,
    ),
    refused_data("standard-input", "-", "E-FILE: -: does not exist; check the path", nothing),
    refused_data(
        "link-to-nowhere",
        "x.csv",
        "E-FILE: x.csv: does not exist (any more); check the path",
        _made("link", "x.csv", "nowhere"),
    ),
    refused_data(
        "link-to-itself",
        "x.csv",
        "E-FILE: x.csv: cannot be read: Too many levels of symbolic links",
        _made("link", "x.csv", "x.csv"),
    ),
    refused_data(
        "links-in-a-circle",
        "x.csv",
        "E-FILE: x.csv: cannot be read: Too many levels of symbolic links",
        together(_made("link", "x.csv", "y.csv"), _made("link", "y.csv", "x.csv")),
    ),
    refused_data(
        "file-closed",
        "x.csv",
        "E-FILE: x.csv: may not be read: permission denied; allow reading it",
        together(files({"x.csv": csv_bytes()}), _closed("x.csv")),
        powers=False,
    ),
    refused_data(
        "folder-closed",
        "d",
        "E-FILE: d: may not be read: permission denied; allow reading it",
        together(files({"d/x.csv": csv_bytes()}), _closed("d")),
        powers=False,
    ),
    refused_data(
        "file-in-a-closed-folder",
        "d/x.csv",
        "E-FILE: d/x.csv: may not be read: permission denied; allow reading it",
        together(files({"d/x.csv": csv_bytes()}), _closed("d")),
        powers=False,
    ),
    refused_data(
        "inner-folder-closed",
        "d",
        "E-FILE: d/e: may not be read: permission denied; allow reading it",
        together(files({"d/x.csv": csv_bytes(), "d/e/y.csv": csv_bytes()}), _closed("d/e")),
        powers=False,
    ),
    refused_data(
        "parquet-closed",
        "x.parquet",
        "E-FILE: x.parquet: may not be read: permission denied; allow reading it",
        together(files({"x.parquet": parquet_bytes(table(1, 5))}), _closed("x.parquet")),
        powers=False,
    ),
    refused_data(
        "memory-of-the-process",
        "/proc/self/mem",
        "E-EMPTY: /proc/self/mem: is empty; check what writes it",
        nothing,
    ),
    refused_data(
        "web-page",
        "https://127.0.0.1:9/x.csv",
        "E-STORE: https://127.0.0.1:9/x.csv: the store cannot be read: <any>; check the URL, the credentials in the environment and the network",
        nothing,
    ),
    refused_data(
        "unknown-scheme",
        "gopher://host/x.csv",
        "E-STORE: gopher://host/x.csv: the store cannot be read: <any>; check the URL, the credentials in the environment and the network",
        nothing,
    ),
    refused_data(
        "store-without-a-bucket", "s3://", "E-STORE: s3:: names no bucket; write s3://bucket/key", nothing
    ),
    refused_data(
        "file-url-without-a-path",
        "file://host/x.csv",
        "E-FILE: file://host/x.csv: a file URL needs an absolute path; write file:///folder/name",
        nothing,
    ),
    refused_data(
        "secret-in-an-url",
        "ftp://user:hunter2@host/x.csv?token=hunter3",
        "E-STORE: ftp://host/x.csv: the store cannot be read: <any>; check the URL, the credentials in the environment and the network",
        nothing,
    ),
    as_data("file-named-like-a-pattern", "x[1]*.csv", files({"x[1]*.csv": csv_bytes()}), rows=5),
    as_data("file-named-like-an-url", "s3://x.csv", files({"s3:/x.csv": csv_bytes()}), rows=5),
    as_data("file-named-like-an-option", "--help", files({"--help": csv_bytes()}), rows=5),
    refused_data(
        "file-named-in-no-encoding",
        "x\udcff.csv",
        "E-FILE: x\\udcff.csv: has a name that is not UTF-8; rename it",
        _bytes_name,
    ),
    as_data(
        "folder-called-parquet",
        "x.parquet",
        files({"x.parquet/part-0.parquet": parquet_bytes(table(1, 5)), "x.parquet/_SUCCESS": b""}),
        rows=5,
    ),
    as_data(
        "folder-linked-into-itself",
        "d",
        together(files({"d/x.csv": csv_bytes()}), _made("link", "d/again", "../d")),
        rows=5,
    ),
    as_data(
        "link-to-a-file",
        "x.csv",
        together(files({"y.csv": csv_bytes()}), _made("link", "x.csv", "y.csv")),
        rows=5,
    ),
    as_data(
        "the-same-file-twice",
        "[xy].csv",
        together(files({"y.csv": csv_bytes()}), _made("link", "x.csv", "y.csv")),
        rows=10,
    ),
    as_data("upper-case-ending", "X.CSV", files({"X.CSV": csv_bytes()}), rows=5),
    as_data("unknown-ending", "x.dat", files({"x.dat": csv_bytes()}), rows=5),
    refused(
        "baseline-missing",
        ("check", "live.parquet", "-b", "nowhere"),
        "E-BASELINE: nowhere: does not exist; make a baseline with `driftline baseline`",
        nothing,
    ),
    refused(
        "baseline-of-no-name",
        ("check", "live.parquet", "-b", ""),
        "E-BASELINE: '': names no folder; say where the baseline is",
        nothing,
    ),
    refused(
        "baseline-is-data",
        ("check", "live.parquet", "-b", "train.parquet"),
        "E-BASELINE: train.parquet: is not a baseline; give a folder, or a file called constraints.json, baseline.json, analysis.json",
        nothing,
    ),
    refused(
        "baseline-is-an-empty-folder",
        ("check", "live.parquet", "-b", "d"),
        "E-BASELINE: d: there is no constraints.json here; give the folder that `driftline baseline` wrote, or one with SageMaker's files",
        _made("folder", "d"),
    ),
    refused(
        "baseline-is-a-pipe",
        ("check", "live.parquet", "-b", "d"),
        "E-BASELINE: d: is not a folder; make a baseline with `driftline baseline`",
        _made("pipe", "d"),
    ),
    refused(
        "baseline-is-a-device",
        ("check", "live.parquet", "-b", "/dev/zero"),
        "E-BASELINE: /dev/zero: is not a folder; make a baseline with `driftline baseline`",
        nothing,
    ),
    refused(
        "baseline-closed",
        ("check", "live.parquet", "-b", BASELINE),
        "E-FILE: baseline/report.json: cannot be read: Permission denied; check the path and the permissions",
        _closed(BASELINE),
        powers=False,
    ),
    refused(
        "baseline-index-closed",
        ("check", "live.parquet", "-b", BASELINE),
        "E-FILE: baseline/baseline.json: cannot be read: Permission denied",
        _closed(BASELINE + "/baseline.json"),
        powers=False,
    ),
    refused(
        "baseline-is-a-report",
        ("check", "live.parquet", "-b", "good-report"),
        "E-BASELINE: good-report: is a report, not a baseline; give the folder of a baseline; to hold data to the data of this report, its constraints.json",
        nothing,
    ),
    refused(
        "baseline-through-a-circle-of-links",
        ("check", "live.parquet", "-b", "l"),
        "E-BASELINE: l: does not exist; make a baseline with `driftline baseline`",
        _made("link", "l", "l"),
    ),
    refused(
        "data-is-the-baseline",
        ("check", BASELINE, "-b", BASELINE),
        "E-NO-DATA: baseline: is a baseline, not data; give the folder with the data",
        nothing,
    ),
    refused(
        "data-is-a-report",
        ("check", "good-report", "-b", BASELINE),
        "E-NO-DATA: good-report: is a report, not data; give the folder with the data",
        nothing,
    ),
    refused("show-missing", ("show", "nowhere"), "E-FILE: nowhere: does not exist; check the path", nothing),
    refused(
        "show-data",
        ("show", "train.parquet"),
        "E-DOCUMENT: train.parquet: is not a report; give a report.json, or the folder that `driftline check -o` wrote",
        nothing,
    ),
    refused(
        "show-empty-folder",
        ("show", "d"),
        "E-FILE: d: holds no report; give a report.json, or the folder that `driftline check -o` wrote",
        _made("folder", "d"),
    ),
    refused("show-a-pipe", ("show", "p"), "E-FILE: p: is not a regular file", _made("pipe", "p")),
    refused(
        "show-closed",
        ("show", "good-report"),
        "E-FILE: good-report/report.json: Permission denied",
        _closed("good-report"),
        powers=False,
    ),
    refused(
        "config-missing",
        ("check", "live.parquet", "-b", BASELINE, "-c", "nowhere.toml"),
        "E-FILE: nowhere.toml: does not exist; check the path",
        nothing,
    ),
    refused(
        "config-is-a-folder",
        ("check", "live.parquet", "-b", BASELINE, "-c", BASELINE),
        "E-FILE: baseline: is not a regular file",
        nothing,
    ),
    refused(
        "config-is-a-pipe",
        ("check", "live.parquet", "-b", BASELINE, "-c", "p"),
        "E-FILE: p: is not a regular file",
        _made("pipe", "p"),
    ),
    refused(
        "config-closed",
        ("check", "live.parquet", "-b", BASELINE, "-c", "c.toml"),
        "E-FILE: c.toml: cannot be read: Permission denied",
        together(files({"c.toml": b""}), _closed("c.toml")),
        powers=False,
    ),
]
