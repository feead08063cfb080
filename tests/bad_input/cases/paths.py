"""Paths that lead nowhere, to what is no file, or to what may not be read."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from bad_input.case import BASELINE, Case, as_data, refused, refused_data, told
from bad_input.making import csv_bytes, files, json_lines, nothing, parquet_bytes, table, together

if TYPE_CHECKING:
    from pathlib import Path

    from bad_input.case import Make


def _made(what: str, name: str, target: str = "") -> Make:
    """A pipe, a socket, a folder, a link, …"""

    def make(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if what == "pipe":
            os.mkfifo(path)
        elif what == "socket":
            here = os.getcwd()
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
    refused_data("missing", "nowhere.csv", "?", nothing),
    refused_data("missing-folder", "nowhere/x.csv", "?", nothing),
    refused_data("nothing-named", "", "?", nothing),
    refused_data("name-too-long", LONG, "?", nothing),
    refused_data("empty-folder", "d", "?", _made("folder", "d")),
    refused_data("folder-without-data", "d", "?", files({"d/notes.txt": b"x", "d/x.docx": b"x"})),
    refused_data("folder-of-hidden-files", "d", "?", files({"d/.x.csv": b"a\n1\n", "d/_x.csv": b"a\n1\n"})),
    refused_data("only-a-success-marker", "d", "?", files({"d/_SUCCESS": b""})),
    refused_data("pattern-without-match", "nowhere/*.csv", "?", nothing),
    refused_data("pattern-with-an-open-bracket", "x[.csv", "?", nothing),
    refused_data("formats-mixed", "d", "?", files({"d/a.csv": csv_bytes(), "d/b.jsonl": json_lines()})),
    refused_data("formats-mixed-parquet", "d", "?", files({"d/a.csv": csv_bytes(), "d/b.parquet": parquet_bytes(table(1, 5))})),
    refused_data("file-under-a-file", "train.parquet/x.csv", "?", nothing),
    refused_data("slash-after-a-file", "train.parquet/", "?", nothing),
    refused_data("pipe", "x.csv", "?", _made("pipe", "x.csv")),
    refused_data("pipe-in-a-folder", "d", "?", together(_made("pipe", "d/x.csv"))),
    refused_data("socket", "x.csv", "?", _made("socket", "x.csv")),
    refused_data("endless-device", "/dev/zero", "?", nothing),
    refused_data("null-device", "/dev/null", "?", nothing),
    refused_data("standard-input", "-", "?", nothing),
    refused_data("link-to-nowhere", "x.csv", "?", _made("link", "x.csv", "nowhere")),
    refused_data("link-to-itself", "x.csv", "?", _made("link", "x.csv", "x.csv")),
    refused_data("links-in-a-circle", "x.csv", "?", together(_made("link", "x.csv", "y.csv"), _made("link", "y.csv", "x.csv"))),
    refused_data("file-closed", "x.csv", "?", together(files({"x.csv": csv_bytes()}), _closed("x.csv")), powers=False),
    refused_data("folder-closed", "d", "?", together(files({"d/x.csv": csv_bytes()}), _closed("d")), powers=False),
    refused_data("file-in-a-closed-folder", "d/x.csv", "?", together(files({"d/x.csv": csv_bytes()}), _closed("d")), powers=False),
    refused_data("inner-folder-closed", "d", "?", together(files({"d/x.csv": csv_bytes(), "d/e/y.csv": csv_bytes()}), _closed("d/e")), powers=False),
    refused_data("parquet-closed", "x.parquet", "?", together(files({"x.parquet": parquet_bytes(table(1, 5))}), _closed("x.parquet")), powers=False),
    refused_data("memory-of-the-process", "/proc/self/mem", "?", nothing),
    refused_data("web-page", "https://127.0.0.1:9/x.csv", "?", nothing),
    refused_data("unknown-scheme", "gopher://host/x.csv", "?", nothing),
    refused_data("store-without-a-bucket", "s3://", "?", nothing),
    refused_data("file-url-without-a-path", "file://host/x.csv", "?", nothing),
    refused_data("secret-in-an-url", "ftp://user:hunter2@host/x.csv?token=hunter3", "?", nothing),
    as_data("file-named-like-a-pattern", "x[1]*.csv", files({"x[1]*.csv": csv_bytes()}), rows=5),
    as_data("file-named-like-an-url", "s3://x.csv", files({"s3:/x.csv": csv_bytes()}), rows=5),
    as_data("file-named-like-an-option", "--help", files({"--help": csv_bytes()}), rows=5),
    as_data("file-named-in-no-encoding", "x\udcff.csv", _bytes_name, rows=5),
    as_data("folder-called-parquet", "x.parquet", files({"x.parquet/part-0.parquet": parquet_bytes(table(1, 5)), "x.parquet/_SUCCESS": b""}), rows=5),
    as_data("folder-linked-into-itself", "d", together(files({"d/x.csv": csv_bytes()}), _made("link", "d/again", "../d")), rows=5),
    as_data("link-to-a-file", "x.csv", together(files({"y.csv": csv_bytes()}), _made("link", "x.csv", "y.csv")), rows=5),
    as_data("the-same-file-twice", "[xy].csv", together(files({"y.csv": csv_bytes()}), _made("link", "x.csv", "y.csv")), rows=10),
    as_data("upper-case-ending", "X.CSV", files({"X.CSV": csv_bytes()}), rows=5),
    as_data("unknown-ending", "x.dat", files({"x.dat": csv_bytes()}), rows=5),
    refused("baseline-missing", ("check", "live.parquet", "-b", "nowhere"), "?", nothing),
    refused("baseline-of-no-name", ("check", "live.parquet", "-b", ""), "?", nothing),
    refused("baseline-is-data", ("check", "live.parquet", "-b", "train.parquet"), "?", nothing),
    refused("baseline-is-an-empty-folder", ("check", "live.parquet", "-b", "d"), "?", _made("folder", "d")),
    refused("baseline-is-a-pipe", ("check", "live.parquet", "-b", "d"), "?", _made("pipe", "d")),
    refused("baseline-is-a-device", ("check", "live.parquet", "-b", "/dev/zero"), "?", nothing),
    refused("baseline-closed", ("check", "live.parquet", "-b", BASELINE), "?", _closed(BASELINE), powers=False),
    refused("baseline-index-closed", ("check", "live.parquet", "-b", BASELINE), "?", _closed(BASELINE + "/baseline.json"), powers=False),
    refused("baseline-is-a-report", ("check", "live.parquet", "-b", "good-report"), "?", nothing),
    refused("baseline-through-a-circle-of-links", ("check", "live.parquet", "-b", "l"), "?", _made("link", "l", "l")),
    refused("data-is-the-baseline", ("check", BASELINE, "-b", BASELINE), "?", nothing),
    refused("data-is-a-report", ("check", "good-report", "-b", BASELINE), "?", nothing),
    refused("show-missing", ("show", "nowhere"), "?", nothing),
    refused("show-data", ("show", "train.parquet"), "?", nothing),
    refused("show-empty-folder", ("show", "d"), "?", _made("folder", "d")),
    refused("show-a-pipe", ("show", "p"), "?", _made("pipe", "p")),
    refused("show-closed", ("show", "good-report"), "?", _closed("good-report"), powers=False),
    refused("config-missing", ("check", "live.parquet", "-b", BASELINE, "-c", "nowhere.toml"), "?", nothing),
    refused("config-is-a-folder", ("check", "live.parquet", "-b", BASELINE, "-c", BASELINE), "?", nothing),
    refused("config-is-a-pipe", ("check", "live.parquet", "-b", BASELINE, "-c", "p"), "?", _made("pipe", "p")),
    refused("config-closed", ("check", "live.parquet", "-b", BASELINE, "-c", "c.toml"), "?", together(files({"c.toml": b""}), _closed("c.toml")), powers=False),
]
