"""Parquet files that are damaged, lie about themselves, or hold what no table should."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from bad_input.case import ANY, Case, as_data, refused_data, told
from bad_input.making import files, parquet, parquet_bytes, table, together

if TYPE_CHECKING:
    from bad_input.case import Make


def _good() -> bytes:
    return parquet_bytes(table(7, 1000), write_page_checksum=True)


def _file(data: bytes, name: str = "x.parquet") -> Make:
    return files({name: data})


def _flipped(at: int) -> bytes:
    data = bytearray(_good())
    data[at] ^= 0x10
    return bytes(data)


def _footer_of_length(length: int) -> bytes:
    data = _good()
    return data[:-8] + struct.pack("<I", length) + b"PAR1"


def _swapped_rows() -> bytes:
    """Two files with the data of one and the footer of the other."""
    few, many = parquet_bytes(table(7, 10)), parquet_bytes(table(7, 1000))
    size = struct.unpack("<I", many[-8:-4])[0]
    return few[:-8][: len(few) // 2] + many[-8 - size :]


def _many_groups() -> Make:
    return parquet(lambda: table(7, 1000), row_group_size=1)


CASES: list[Case] = [
    refused_data("zero-bytes", "x.parquet", "E-PARQUET: x.parquet: is empty; check what writes it", _file(b"")),
    refused_data("only-magic", "x.parquet", "?", _file(b"PAR1")),
    refused_data("two-magics", "x.parquet", "?", _file(b"PAR1PAR1")),
    refused_data("no-end", "x.parquet", "?", _file(_good()[: len(_good()) // 2])),
    refused_data("last-byte-missing", "x.parquet", "?", _file(_good()[:-1])),
    refused_data("begin-missing", "x.parquet", "?", _file(_good()[4:])),
    refused_data("footer-too-long", "x.parquet", "?", _file(_footer_of_length(1 << 30))),
    refused_data("footer-length-negative", "x.parquet", "?", _file(_footer_of_length(0xFFFFFFFF))),
    refused_data("footer-of-zeros", "x.parquet", "?", _file(b"PAR1" + bytes(1000) + struct.pack("<I", 1000) + b"PAR1")),
    refused_data("page-bit-flipped", "x.parquet", "?", _file(_flipped(300))),
    refused_data("footer-of-another-file", "x.parquet", "?", _file(_swapped_rows())),
    refused_data("encrypted", "x.parquet", "?", _file(_good()[:-4] + b"PARE")),
    refused_data("text-called-parquet", "x.parquet", "?", _file(b"amount,count,kind\n1,2,a\n")),
    refused_data("html-called-parquet", "x.parquet", "?", _file(b"<!DOCTYPE html><html><body>403 Forbidden</body></html>")),
    refused_data("pointer-to-large-file", "x.parquet", "?", _file(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")),
    refused_data("parquet-called-csv", "x.csv", "?", _file(_good(), "x.csv")),
    refused_data("parquet-called-jsonl", "x.jsonl", "?", _file(_good(), "x.jsonl")),
    refused_data("gzipped-parquet", "x.parquet.gz", "?", _file(__import__("gzip").compress(_good(), mtime=0), "x.parquet.gz")),
    refused_data("one-of-two-damaged", "d", "?", together(files({"d/a.parquet": _good, "d/b.parquet": _good()[:500]}))),
    refused_data("no-columns", "x.parquet", "?", parquet(lambda: pa.table({}).select([]))),
    refused_data("types-differ", "d", "?", files({"d/a.parquet": parquet_bytes({"v": [1, 2]}), "d/b.parquet": parquet_bytes({"v": [True, False]})})),
    as_data("many-row-groups", "x.parquet", _many_groups(), rows=1000, status="passed"),
    as_data("no-row-groups", "x.parquet", parquet(lambda: table(7, 0)), code=4, rows=0, status="undetermined"),
    told("parquet-without-suffix", "x", _file(_good(), "x"), 0, rows=1000, status="passed"),
]
