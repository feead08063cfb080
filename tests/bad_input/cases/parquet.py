"""Parquet files that are damaged, lie about themselves, or hold what no table should."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pyarrow as pa

from bad_input.case import Case, as_data, refused_data, told
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
    refused_data(
        "zero-bytes", "x.parquet", "E-PARQUET: x.parquet: is empty; check what writes it", _file(b"")
    ),
    refused_data(
        "only-magic",
        "x.parquet",
        "E-PARQUET: x.parquet: is not a readable Parquet file: its end is missing; write or copy the file again",
        _file(b"PAR1"),
    ),
    refused_data(
        "two-magics",
        "x.parquet",
        "E-PARQUET: x.parquet: is not a readable Parquet file: its end is missing; write or copy the file again",
        _file(b"PAR1PAR1"),
    ),
    refused_data(
        "no-end",
        "x.parquet",
        "E-PARQUET: x.parquet: is not a readable Parquet file: its end is missing; write or copy the file again",
        _file(_good()[: len(_good()) // 2]),
    ),
    refused_data(
        "last-byte-missing",
        "x.parquet",
        "E-PARQUET: x.parquet: is not a readable Parquet file: its end is missing; write or copy the file again",
        _file(_good()[:-1]),
    ),
    refused_data(
        "begin-missing",
        "x.parquet",
        "E-PARQUET: x.parquet: kind: row group 0 cannot be decoded: <any>; write or copy the file again",
        _file(_good()[4:]),
    ),
    refused_data(
        "footer-too-long",
        "x.parquet",
        "E-PARQUET: x.parquet: is not a readable Parquet file: <any>; write or copy the file again",
        _file(_footer_of_length(1 << 30)),
    ),
    refused_data(
        "footer-length-negative",
        "x.parquet",
        "E-PARQUET: x.parquet: is not a readable Parquet file: <any>; write or copy the file again",
        _file(_footer_of_length(0xFFFFFFFF)),
    ),
    refused_data(
        "footer-of-zeros",
        "x.parquet",
        "E-PARQUET: x.parquet: is not a readable Parquet file: <any>; write or copy the file again",
        _file(b"PAR1" + bytes(1000) + struct.pack("<I", 1000) + b"PAR1"),
    ),
    refused_data(
        "page-bit-flipped",
        "x.parquet",
        "E-PARQUET: x.parquet: amount: row group 0 cannot be decoded: <any>; write or copy the file again",
        _file(_flipped(300)),
    ),
    refused_data(
        "footer-of-another-file",
        "x.parquet",
        "E-PARQUET: x.parquet: kind: row group 0 cannot be decoded: <any>; write or copy the file again",
        _file(_swapped_rows()),
    ),
    refused_data(
        "encrypted",
        "x.parquet",
        "E-PARQUET: x.parquet: is encrypted, which driftline does not read; write it without encryption",
        _file(_good()[:-4] + b"PARE"),
    ),
    refused_data(
        "text-called-parquet",
        "x.parquet",
        "E-PARQUET: x.parquet: is not a readable Parquet file: it begins with 'amount,count,kin'; name it by what it is, or check what writes it",
        _file(b"amount,count,kind\n1,2,a\n"),
    ),
    refused_data(
        "html-called-parquet",
        "x.parquet",
        "E-PARQUET: x.parquet: is not a readable Parquet file: it begins with '<!DOCTYPE html><'; name it by what it is, or check what writes it",
        _file(b"<!DOCTYPE html><html><body>403 Forbidden</body></html>"),
    ),
    refused_data(
        "pointer-to-large-file",
        "x.parquet",
        "E-PARQUET: x.parquet: is not a readable Parquet file: it begins with 'version https://'; name it by what it is, or check what writes it",
        _file(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
    ),
    refused_data(
        "parquet-called-csv",
        "x.csv",
        "E-ENCODING: x.csv: is a Parquet file, not text; name it by what it is, or give its format",
        _file(_good(), "x.csv"),
    ),
    refused_data(
        "parquet-called-jsonl",
        "x.jsonl",
        "E-ENCODING: x.jsonl: is a Parquet file, not text; name it by what it is, or give its format",
        _file(_good(), "x.jsonl"),
    ),
    refused_data(
        "gzipped-parquet",
        "x.parquet.gz",
        "E-PARQUET: x.parquet.gz: is not a readable Parquet file: it begins with '\\x1f\\x8b\\x08\\x00\\x00\\x00\\x00\\x00\\x02\\x03\\x95z\\t4U\\xdf'; name it by what it is, or check what writes it",
        _file(__import__("gzip").compress(_good(), mtime=0), "x.parquet.gz"),
    ),
    refused_data(
        "one-of-two-damaged",
        "d",
        "E-PARQUET: d/b.parquet: is not a readable Parquet file: its end is missing; write or copy the file again",
        together(files({"d/a.parquet": _good, "d/b.parquet": _good()[:500]})),
    ),
    refused_data(
        "no-columns",
        "x.parquet",
        "E-NO-COLUMNS: x.parquet: has no columns; check what writes it",
        parquet(lambda: pa.table({}).select([])),
    ),
    refused_data(
        "types-differ",
        "d",
        "E-TYPES: d/b.parquet: v: is bool here and int64 in d/a.parquet; write both files with one type",
        files(
            {"d/a.parquet": parquet_bytes({"v": [1, 2]}), "d/b.parquet": parquet_bytes({"v": [True, False]})}
        ),
    ),
    as_data("many-row-groups", "x.parquet", _many_groups(), rows=1000, status="passed"),
    as_data(
        "no-row-groups", "x.parquet", parquet(lambda: table(7, 0)), code=4, rows=0, status="undetermined"
    ),
    told("parquet-without-suffix", "x", _file(_good(), "x"), 0, rows=1000, status="passed"),
]
