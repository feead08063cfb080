"""Compressed files: cut off, damaged, twice, not at all, and bombs."""

from __future__ import annotations

import gzip
import zlib
from functools import cache

from bad_input.case import Case, as_data, refused_data
from bad_input.making import csv_bytes, files, json_lines, packed

X = "x.csv.gz"


def _changed(at: int, to: int) -> bytes:
    data = bytearray(packed(csv_bytes(500)))
    data[at] ^= to
    return bytes(data)


@cache
def _bomb(unit: bytes, mebibytes: int) -> bytes:
    """So much of the same, in a file a thousand times smaller."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = unit * ((1 << 20) // len(unit))
    return b"".join(
        [squeeze.compress(b"a,b\n"), *(squeeze.compress(block) for _ in range(mebibytes)), squeeze.flush()]
    )


CASES: list[Case] = [
    refused_data("zero-bytes", X, "E-EMPTY: x.csv.gz: is empty; check what writes it", files({X: b""})),
    refused_data(
        "nothing-compressed", X, "E-EMPTY: x.csv.gz: is empty; check what writes it", files({X: packed(b"")})
    ),
    refused_data(
        "cut-off",
        X,
        "E-GZIP: x.csv.gz: ends in the middle of its gzip data; copy the file again",
        files({X: packed(csv_bytes(500))[:-200]}),
    ),
    refused_data(
        "cut-off-in-the-header",
        X,
        "E-GZIP: x.csv.gz: ends in the middle of its gzip data; copy the file again",
        files({X: packed(csv_bytes())[:5]}),
    ),
    refused_data(
        "last-byte-missing",
        X,
        "E-GZIP: x.csv.gz: ends in the middle of its gzip data; copy the file again",
        files({X: packed(csv_bytes())[:-1]}),
    ),
    refused_data(
        "bit-flipped",
        X,
        "E-GZIP: x.csv.gz: cannot be decompressed: damaged gzip data, <any>; copy the file again",
        files({X: _changed(700, 4)}),
    ),
    refused_data(
        "checksum-wrong",
        X,
        "E-GZIP: x.csv.gz: cannot be decompressed: damaged gzip data, <any>; copy the file again",
        files({X: _changed(-8, 1)}),
    ),
    refused_data(
        "length-wrong",
        X,
        "E-GZIP: x.csv.gz: cannot be decompressed: damaged gzip data, <any>; copy the file again",
        files({X: _changed(-1, 1)}),
    ),
    refused_data(
        "unknown-method",
        X,
        "E-GZIP: x.csv.gz: cannot be decompressed: damaged gzip data, <any>; copy the file again",
        files({X: _changed(2, 1)}),
    ),
    refused_data(
        "garbage-after-the-end",
        X,
        "E-GZIP: x.csv.gz: cannot be decompressed: damaged gzip data, <any>; copy the file again",
        files({X: packed(csv_bytes()) + b"garbage"}),
    ),
    refused_data(
        "twice",
        X,
        "E-ENCODING: x.csv.gz: is a gzip archive, not text; unpack it, or convert it to Parquet",
        files({X: packed(packed(csv_bytes()))}),
    ),
    refused_data(
        "cut-off-jsonl",
        "x.jsonl.gz",
        "E-GZIP: x.jsonl.gz: ends in the middle of its gzip data; copy the file again",
        files({"x.jsonl.gz": packed(json_lines(500))[:-100]}),
    ),
    refused_data(
        "zip-called-gz",
        X,
        "E-ENCODING: x.csv.gz: is a zip archive or an Excel file, not text; unpack it, or convert it to Parquet",
        files({X: b"PK\x03\x04" + bytes(30)}),
    ),
    refused_data(
        "bomb-of-one-line",
        X,
        "E-LINE: x.csv.gz:2: the line is longer than 64 MiB; check that this is a CSV file",
        files({X: lambda: _bomb(b"x", 200)}),
    ),
    refused_data(
        "bomb-of-nul",
        X,
        "E-ENCODING: x.csv.gz:2: holds a NUL byte, so it is not text; write the file again as UTF-8 text",
        files({X: lambda: _bomb(b"\0", 200)}),
    ),
    refused_data(
        "bomb-of-an-open-quote",
        X,
        "E-CSV-COLUMNS: x.csv.gz:14: expected 2 columns, found 1; quote values that hold the delimiter, and repair the line",
        files({X: lambda: _bomb(b'1,"x\n' + b"y\n" * 10, 100)}),
    ),
    refused_data(
        "bomb-of-json",
        "x.jsonl.gz",
        "E-JSON-DEPTH: x.jsonl.gz:1: the document nests deeper than 64 levels",
        files({"x.jsonl.gz": lambda: packed(b'{"a":' * 1_000_000)}),
    ),
    as_data(
        "bomb-of-rows",
        X,
        files({X: lambda: _bomb(b"1,2\n", 64)}),
        most_mib=600,
        rows=16 << 20,
        facts={"a.max": 1.0},
    ),
    as_data("plain-text-called-gz", X, files({X: csv_bytes()}), rows=5),
    as_data("gzip-called-csv", "x.csv", files({"x.csv": packed(csv_bytes())}), rows=5),
    as_data("several-members", X, files({X: packed(b"a,b\n1,2\n") + packed(b"3,4\n") + bytes(512)}), rows=2),
    as_data(
        "name-and-comment-in-the-header",
        X,
        files(
            {
                X: b"\x1f\x8b\x08\x18"
                + bytes(4)
                + b"\x00\x03../../etc/passwd\0$(touch canary)\0"
                + gzip.compress(b"a,b\n1,2\n", mtime=0)[10:]
            }
        ),
        rows=1,
    ),
]
