"""CSV files: broken, ragged, in strange encodings, and those that only look broken."""

from __future__ import annotations

from bad_input.case import Case, as_data, refused_data, told, undetermined
from bad_input.making import csv_bytes, files

X = "x.csv"


def _csv(text: str | bytes, name: str = X):
    return files({name: text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text})


def _wide(columns: int, lines: int) -> bytes:
    names = ",".join(f"c{i}" for i in range(columns))
    row = ",".join(str(i % 7) for i in range(columns))
    return "\n".join([names] + [row] * lines).encode() + b"\n"


CASES: list[Case] = [
    refused_data("zero-bytes", X, "E-EMPTY: x.csv: is empty; check what writes it", _csv(b"")),
    refused_data("only-newlines", X, "E-EMPTY: x.csv: is empty; check what writes it", _csv("\n\n\r\n")),
    refused_data(
        "only-byte-order-mark", X, "E-EMPTY: x.csv: is empty; check what writes it", _csv(b"\xef\xbb\xbf")
    ),
    refused_data(
        "utf16",
        X,
        "E-ENCODING: x.csv:1: is UTF-16 or UTF-32 text; save the file as UTF-8",
        _csv("a,b\n1,2\n".encode("utf-16")),
    ),
    refused_data(
        "utf16-without-mark",
        X,
        "E-ENCODING: x.csv:1: holds a NUL byte, so it is not text; write the file again as UTF-8 text",
        _csv("a,b\n1,2\n".encode("utf-16-le")),
    ),
    refused_data(
        "utf32",
        X,
        "E-ENCODING: x.csv:1: is UTF-16 or UTF-32 text; save the file as UTF-8",
        _csv("a,b\n1,2\n".encode("utf-32")),
    ),
    refused_data(
        "latin1-value",
        X,
        "E-ENCODING: x.csv:3: byte 3 of the line is not valid UTF-8; save the file as UTF-8",
        _csv("name,n\nok,1\nGrün,2\nok,3\n".encode("latin-1")),
    ),
    refused_data(
        "latin1-header",
        X,
        "E-ENCODING: x.csv:1: byte 3 of the line is not valid UTF-8; save the file as UTF-8",
        _csv("Größe,n\nok,1\n".encode("latin-1")),
    ),
    refused_data(
        "invalid-utf8-far-down",
        X,
        "E-ENCODING: x.csv:400002: byte 1 of the line is not valid UTF-8; save the file as UTF-8",
        _csv(b"name,n\n" + b"ok,1\n" * 400_000 + b"\xff\xfe,2\n"),
    ),
    refused_data(
        "surrogate-in-utf8",
        X,
        "E-ENCODING: x.csv:2: byte 1 of the line is not valid UTF-8; save the file as UTF-8",
        _csv(b"name,n\n\xed\xa0\x80,1\n"),
    ),
    refused_data(
        "overlong-utf8",
        X,
        "E-ENCODING: x.csv:2: byte 1 of the line is not valid UTF-8; save the file as UTF-8",
        _csv(b"name,n\n\xc0\xaf,1\n"),
    ),
    refused_data(
        "nul-byte",
        X,
        "E-ENCODING: x.csv:4: holds a NUL byte, so it is not text; write the file again as UTF-8 text",
        _csv(b"name,n\nok,1\nok,2\no\0k,3\n"),
    ),
    refused_data(
        "all-nul",
        X,
        "E-ENCODING: x.csv:1: holds a NUL byte, so it is not text; write the file again as UTF-8 text",
        _csv(bytes(5000)),
    ),
    refused_data(
        "quote-never-closed",
        X,
        'E-CSV-QUOTE: x.csv:3: a quote opens in this record and is never closed; close it, or double it if it is part of the value ("")',
        _csv('a,b\n1,2\n3,"4\n5,6\n7,8\n'),
    ),
    refused_data(
        "quote-never-closed-in-header",
        X,
        'E-CSV-QUOTE: x.csv:1: a quote opens in this record and is never closed; close it, or double it if it is part of the value ("")',
        _csv('a,"b\n1,2\n'),
    ),
    refused_data(
        "row-too-long",
        X,
        "E-CSV-COLUMNS: x.csv:4: expected 2 columns, found 3; quote values that hold the delimiter, and repair the line",
        _csv("a,b\n1,2\n3,4\n5,6,7\n8,9\n"),
    ),
    refused_data(
        "row-too-short",
        X,
        "E-CSV-COLUMNS: x.csv:3: expected 3 columns, found 2; quote values that hold the delimiter, and repair the line",
        _csv("a,b,c\n1,2,3\n4,5\n"),
    ),
    refused_data(
        "row-too-long-after-quoted-lines",
        X,
        "E-CSV-COLUMNS: x.csv:5: expected 2 columns, found 3; quote values that hold the delimiter, and repair the line",
        _csv('a,b\n"1\n1\n1",2\n3,4,5\n'),
    ),
    refused_data(
        "row-too-long-far-down",
        X,
        "E-CSV-COLUMNS: x.csv:700002: expected 2 columns, found 3; quote values that hold the delimiter, and repair the line",
        _csv(b"a,b\n" + b"1,2\n" * 700_000 + b"1,2,3\n"),
    ),
    refused_data(
        "trailing-garbage",
        X,
        "E-CSV-COLUMNS: x.csv:3: expected 2 columns, found 1; quote values that hold the delimiter, and repair the line",
        _csv("a,b\n1,2\n-- 1 row selected --\n"),
    ),
    refused_data(
        "duplicate-names",
        X,
        "E-DUPLICATE: x.csv: a: two columns have this name, number 1 and number 3; rename one of them",
        _csv("a,b,a\n1,2,3\n"),
    ),
    refused_data(
        "made-up-name-taken",
        X,
        "E-DUPLICATE: x.csv: _c1: two columns have this name, number 2 and number 3; rename one of them",
        _csv("a,,_c1\n1,2,3\n"),
    ),
    refused_data(
        "line-too-long",
        X,
        "E-LINE: x.csv:2: the line is longer than 64 MiB; check that this is a CSV file",
        _csv(b"a\n" + b"x" * (70 << 20)),
    ),
    refused_data(
        "more-columns-than-the-limit",
        X,
        "E-NO-COLUMNS: x.csv: has 100,001 columns, more than the limit of 100,000; leave columns out, or give the data column groups apart",
        _csv(_wide(100_001, 1)),
    ),
    refused_data(
        "header-here-and-not-there",
        "d",
        "E-CSV-HEADER: d/b.csv:1: begins with a row, but d/a.csv with a header; say header=True or header=False (--header or --no-header on the command line)",
        files({"d/a.csv": b"a,b\n1,2\n", "d/b.csv": b"3,4\n5,6\n"}),
    ),
    refused_data(
        "widths-differ-without-header",
        "d",
        "E-CSV-COLUMNS: d/b.csv:1: has 3 columns, but d/a.csv has 2, and there is no header to match them by; read the files apart, or give them headers",
        files({"d/a.csv": b"1,2\n", "d/b.csv": b"1,2,3\n"}),
    ),
    refused_data(
        "excel-file-called-csv",
        X,
        "E-ENCODING: x.csv: is a zip archive or an Excel file, not text; unpack it, or convert it to Parquet",
        _csv(b"PK\x03\x04\x14\x00\x06\x00\x08\x00" + bytes(200)),
    ),
    as_data("only-header", X, _csv("a,b\n"), code=4, rows=0, columns=["a", "b"], status="undetermined"),
    as_data("byte-order-mark", X, _csv("\ufeffa,b\n1,2\n3,4\n"), columns=["a", "b"], rows=2),
    as_data(
        "carriage-return-and-line-feed",
        X,
        _csv("a,b\r\n1,x\r\n2,y\r\n"),
        columns=["a", "b"],
        rows=2,
        facts={"a.type": "Integral", "a.max": 2.0, "b.n_distinct": 2},
    ),
    as_data(
        "carriage-return-alone",
        X,
        _csv("a,b\r1,x\r2,y\r"),
        columns=["a", "b"],
        rows=2,
        facts={"a.type": "Integral"},
    ),
    as_data("line-ends-mixed", X, _csv("a,b\r\n1,x\n2,y\r3,z"), columns=["a", "b"], rows=3),
    as_data(
        "quoted-lines",
        X,
        _csv('a,b\n"1","x\ny"\n"2","x\r\ny"\n'),
        rows=2,
        facts={"a.max": 2.0, "b.n_distinct": 2},
    ),
    as_data(
        "quoted-delimiters-and-quotes",
        X,
        _csv('a,b\n1,"x,y"\n2,"say ""hi"""\n'),
        rows=2,
        facts={"b.n_distinct": 2, "b.max_length": 8.0},
    ),
    as_data(
        "quote-inside-a-value", X, _csv('a,b\n1,5" pipe\n2,6" pipe\n'), rows=2, facts={"b.n_distinct": 2}
    ),
    as_data("blank-lines", X, _csv("\n\na,b\n\n1,2\n\n\n3,4\n\n"), rows=2, columns=["a", "b"]),
    as_data("names-missing", X, _csv("a,,\n1,2,3\n"), columns=["a", "_c1", "_c2"], rows=1),
    as_data("no-line-end-at-the-end", X, _csv("a,b\n1,2\n3,4"), rows=2),
    as_data(
        "semicolons", X, _csv("a;b\n1,5;x\n2,5;y\n"), columns=["a", "b"], rows=2, facts={"a.type": "String"}
    ),
    as_data("header-of-numbers", X, _csv("1,2\n3,4\n"), columns=["_c0", "_c1"], rows=2),
    as_data(
        "years-as-header",
        X,
        _csv("region,2021,2022\nx,1,2\ny,3,4\n"),
        columns=["region", "2021", "2022"],
        rows=2,
        notes=lambda n: "taken for a header" in n[0],
    ),
    as_data(
        "missing-in-all-spellings",
        X,
        _csv('a,b\n,x\n"",y\nnan,z\nNaN,z\n7,z\n'),
        rows=5,
        facts={"a.n_missing": 4, "a.type": "Fractional"},
    ),
    as_data(
        "odd-numbers",
        X,
        _csv("a\n1e5\n+5\n 7\n-0\n.5\n5.\n1E-400\n"),
        rows=7,
        facts={"a.type": "Fractional", "a.n_missing": 0, "a.max": 1e5},
    ),
    as_data(
        "not-quite-numbers",
        X,
        _csv('a\n0x10\n1_000\n"1,5"\n١٢\n１２\n1e\n--1\n'),
        rows=7,
        facts={"a.type": "String", "a.n_distinct": 7},
    ),
    as_data(
        "numbers-beyond-double",
        X,
        _csv("a\n1\n1e309\n-1e309\n2\n"),
        rows=4,
        facts={"a.n_infinite": 2, "a.max": 2.0},
    ),
    as_data("infinities-spelt", X, _csv("a\n1\nInfinity\n-Infinity\ninf\n2\n"), rows=5),
    as_data(
        "number-of-a-thousand-digits", X, _csv("a\n1\n" + "9" * 1000 + "\n0." + "3" * 1000 + "\n"), rows=3
    ),
    as_data(
        "whole-numbers-beyond-int64",
        X,
        _csv("a\n1\n18446744073709551615\n99999999999999999999\n"),
        rows=3,
        facts={"a.type": "Integral", "a.max": 1e20},
    ),
    as_data(
        "mixed-kinds",
        X,
        _csv("a\n1\ntwo\n3.5\ntrue\n\n2020-01-01\n"),
        rows=5,
        facts={"a.n_missing": 0, "a.type": "String"},
    ),
    as_data(
        "formulas",
        X,
        _csv("a,b\n=1+1,@SUM(A1)\n+cmd|' /C calc'!A0,-2+3\n"),
        rows=2,
        facts={"a.type": "String"},
    ),
    as_data("white-space-only", X, _csv("a,b\n   ,1\n\t,2\n"), rows=2, facts={"a.n_missing": 0}),
    as_data("tabs-called-csv", X, _csv("a\tb\n1\t2\n"), columns=["a", "b"], rows=1),
    as_data("one-column-one-value", X, _csv("a\n1\n"), rows=1, facts={"a.n_distinct": 1}),
    as_data(
        "cell-of-fifty-megabytes",
        X,
        _csv(b'a,b\n1,"' + b"x" * (50 << 20) + b'"\n2,y\n'),
        most_mib=900,
        rows=2,
        facts={"b.max_length": float(50 << 20)},
    ),
    as_data(
        "ten-thousand-columns",
        X,
        _csv(_wide(10_000, 3)),
        most_mib=900,
        rows=3,
        columns=lambda names: len(names) == 10_000,
    ),
    told(
        "one-mangled-value-in-a-number",
        X,
        _csv(b"amount,count,kind\n9.5,1,a\noops,2,b\n10.1,3,c\n"),
        1,
        violated=["amount/data_type"],
    ),
    told(
        "text-where-numbers-were",
        X,
        _csv(b"amount,count,kind\nx,y,a\nz,w,b\n"),
        1,
        violated=["amount/data_type", "count/data_type"],
    ),
    told("columns-in-another-order", X, _csv(b"kind,amount,count\na,9.5,1\nb,10,2\n"), 0, violated=[]),
    told(
        "header-taken-for-a-row",
        X,
        _csv(csv_bytes()),
        1,
        "--no-header",
        violated=["amount/data_type", "count/data_type"],
    ),
    told(
        "semicolons-and-decimal-commas",
        X,
        _csv(b"amount;count;kind\n9,5;1;a\n10,1;2;b\n"),
        1,
        violated=["amount/data_type"],
    ),
    undetermined(
        "header-without-rows", X, _csv("amount,count,kind\n"), rows=0, undetermined=lambda u: "amount/ks" in u
    ),
]
