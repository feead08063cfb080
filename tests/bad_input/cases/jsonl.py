"""JSON Lines: broken lines, hostile keys, values of all kinds, and what is no record."""

from __future__ import annotations

import json

from bad_input.case import Case, as_data, refused_data, told
from bad_input.making import files, json_lines

X = "x.jsonl"


def _lines(*lines: str | bytes, name: str = X):
    return files(
        {
            name: b"".join(
                (line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line) + b"\n"
                for line in lines
            )
        }
    )


GOOD = '{"a": 1, "b": "x"}'
MANY = [GOOD] * 100

CASES: list[Case] = [
    refused_data(
        "zero-bytes",
        X,
        "E-EMPTY: x.jsonl: holds no record; check the path and the time window",
        files({X: b""}),
    ),
    refused_data(
        "only-blank-lines",
        X,
        "E-EMPTY: x.jsonl: holds no record; check the path and the time window",
        _lines("", "  ", "\t"),
    ),
    refused_data(
        "cut-off-in-a-line",
        X,
        "E-JSON: x.jsonl:3: not JSON: <any>; write one whole JSON object a line",
        _lines(GOOD, GOOD, '{"a": 1, "b"'),
    ),
    refused_data(
        "cut-off-after-many-lines",
        X,
        "E-JSON: x.jsonl:101: not JSON: <any>; write one whole JSON object a line",
        _lines(*MANY, '{"a": 1, "b"'),
    ),
    refused_data(
        "trailing-comma",
        X,
        "E-JSON: x.jsonl:2: not JSON: <any>; write one whole JSON object a line",
        _lines(GOOD, '{"a": 1,}'),
    ),
    refused_data(
        "single-quotes",
        X,
        "E-JSON: x.jsonl:1: not JSON: <any>; write one whole JSON object a line",
        _lines("{'a': 1}"),
    ),
    refused_data(
        "comment",
        X,
        "E-JSON: x.jsonl:1: not JSON: <any>; write one whole JSON object a line",
        _lines("// rows", GOOD),
    ),
    refused_data(
        "two-objects-on-a-line",
        X,
        "E-JSON: x.jsonl:1: not JSON: <any>; write one whole JSON object a line",
        _lines(GOOD + GOOD),
    ),
    refused_data(
        "two-objects-on-a-line-among-many",
        X,
        "E-JSON: x.jsonl:101: not JSON: <any>; write one whole JSON object a line",
        _lines(*MANY, GOOD + GOOD),
    ),
    refused_data(
        "object-over-several-lines",
        X,
        "E-JSON: x.jsonl:1: not JSON: <any>; write one whole JSON object a line",
        _lines("{", '  "a": 1', "}"),
    ),
    refused_data(
        "scalar-lines",
        X,
        'E-RECORD: x.jsonl:1: expected an object, found a number; write one object a line, such as {"age": 31}',
        _lines("1", "2"),
    ),
    refused_data(
        "list-lines",
        X,
        'E-RECORD: x.jsonl:2: expected an object, found a list; write one object a line, such as {"age": 31}',
        _lines(GOOD, "[1, 2]"),
    ),
    refused_data(
        "list-of-scalars",
        X,
        'E-RECORD: x.jsonl:1: expected an object, found a number; write one object a line, such as {"age": 31}',
        files({X: b"[1, 2, 3]"}),
    ),
    refused_data(
        "null-line",
        X,
        'E-RECORD: x.jsonl:2: expected an object, found null; write one object a line, such as {"age": 31}',
        _lines(GOOD, "null"),
    ),
    refused_data(
        "empty-list",
        X,
        "E-EMPTY: x.jsonl: holds no record; check the path and the time window",
        files({X: b"[]"}),
    ),
    refused_data(
        "empty-objects", X, "E-NO-COLUMNS: x.jsonl: has no columns; check what writes it", _lines("{}", "{}")
    ),
    refused_data(
        "nan",
        X,
        "E-JSON: x.jsonl:2: NaN is not JSON; write null, or a string where the field allows one",
        _lines(GOOD, '{"a": NaN, "b": "x"}'),
    ),
    refused_data(
        "nan-among-many",
        X,
        "E-JSON: x.jsonl:101: NaN is not JSON; write null, or a string where the field allows one",
        _lines(*MANY, '{"a": NaN, "b": "x"}'),
    ),
    refused_data(
        "infinity",
        X,
        "E-JSON: x.jsonl:1: -Infinity is not JSON; write null, or a string where the field allows one",
        _lines('{"a": -Infinity}'),
    ),
    refused_data(
        "number-beyond-double",
        X,
        "E-JSON: x.jsonl:2: the number 1e999 is larger than a double can hold",
        _lines(GOOD, '{"a": 1e999}'),
    ),
    refused_data(
        "number-of-five-thousand-digits",
        X,
        "E-JSON: x.jsonl:1: an integer of 5000 digits is larger than driftline reads",
        _lines('{"a": ' + "9" * 5000 + "}"),
    ),
    refused_data(
        "number-of-four-hundred-digits",
        X,
        "E-VALUE: x.jsonl:2: a: a whole number larger than a double can hold; convert it with a preprocessor",
        _lines('{"a": 1}', '{"a": ' + "9" * 400 + "}"),
    ),
    refused_data(
        "leading-zeros",
        X,
        "E-JSON: x.jsonl:1: not JSON: <any>; write one whole JSON object a line",
        _lines('{"a": 007}'),
    ),
    refused_data(
        "hexadecimal",
        X,
        "E-JSON: x.jsonl:1: not JSON: <any>; write one whole JSON object a line",
        _lines('{"a": 0x1F}'),
    ),
    refused_data(
        "duplicate-key",
        X,
        "E-JSON: x.jsonl:2: the key 'a' occurs twice in one object",
        _lines(GOOD, '{"a": 1, "a": 2}'),
    ),
    refused_data(
        "duplicate-key-among-many",
        X,
        "E-JSON: x.jsonl:101: the key 'a' occurs twice in one object",
        _lines(*MANY, '{"a": 1, "a": 2}'),
    ),
    refused_data(
        "duplicate-key-by-escape",
        X,
        "E-JSON: x.jsonl:1: the key 'a' occurs twice in one object",
        _lines('{"a": 1, "\\u0061": 2}'),
    ),
    refused_data(
        "dotted-key-and-object",
        X,
        "E-NESTED: x.jsonl:1: a.b: occurs twice, once as a key with a dot and once as an inner object; rename one with a preprocessor",
        _lines('{"a.b": 1, "a": {"b": 2}}'),
    ),
    refused_data(
        "list-value",
        X,
        "E-NESTED: x.jsonl:2: a: a list has no place in a table of one value a cell; take it apart with a preprocessor",
        _lines(GOOD, '{"a": [1, 2], "b": "x"}'),
    ),
    refused_data(
        "list-value-among-many",
        X,
        "E-NESTED: x.jsonl:101: a: a list has no place in a table of one value a cell; take it apart with a preprocessor",
        _lines(*MANY, '{"a": [1, 2], "b": "x"}'),
    ),
    refused_data(
        "deep",
        X,
        "E-JSON-DEPTH: x.jsonl:1: the document nests deeper than 64 levels",
        _lines('{"a": ' * 100 + "1" + "}" * 100),
    ),
    refused_data(
        "very-deep",
        X,
        "E-JSON-DEPTH: x.jsonl:1: the document nests deeper than 64 levels",
        _lines("[" * 100_000),
    ),
    refused_data(
        "very-deep-object",
        X,
        "E-JSON-DEPTH: x.jsonl:1: the document nests deeper than 64 levels",
        _lines('{"a":' * 100_000 + "1" + "}" * 100_000),
    ),
    refused_data(
        "lone-surrogate-value",
        X,
        "E-VALUE: x.jsonl:2: b: text with half of a surrogate pair, which is not Unicode; convert it with a preprocessor",
        _lines(GOOD, '{"a": 1, "b": "\\ud800"}'),
    ),
    refused_data(
        "lone-surrogate-key",
        X,
        "E-ENCODING: x.jsonl: \\udfff: the name of this column holds half of a surrogate pair, which is not Unicode; rename it",
        _lines('{"\\udfff": 1}'),
    ),
    refused_data(
        "invalid-utf8",
        X,
        "E-JSON-ENCODING: x.jsonl:2: byte 15 is not valid UTF-8; save the file as UTF-8",
        _lines(GOOD, b'{"a": 1, "b": "\xff"}'),
    ),
    refused_data(
        "invalid-utf8-among-many",
        X,
        "E-JSON-ENCODING: x.jsonl:101: byte 15 is not valid UTF-8; save the file as UTF-8",
        _lines(*MANY, b'{"a": 1, "b": "\xff"}'),
    ),
    refused_data(
        "nul-byte",
        X,
        "E-ENCODING: x.jsonl:2: holds a NUL byte, so it is not text; write the file again as UTF-8 text",
        _lines(GOOD, b'{"a": 1, "b": "\0"}'),
    ),
    refused_data(
        "control-character-unescaped",
        X,
        "E-JSON: x.jsonl:1: not JSON: <any>; write one whole JSON object a line",
        _lines('{"a": "x\x01y"}'),
    ),
    refused_data(
        "utf16",
        X,
        "E-ENCODING: x.jsonl:1: is UTF-16 or UTF-32 text; save the file as UTF-8",
        files({X: (GOOD + "\n").encode("utf-16")}),
    ),
    refused_data(
        "line-too-long",
        X,
        "E-LINE: x.jsonl:1: the line is longer than 64 MiB; check that this is a file of lines",
        files({X: b'{"a": "' + b"x" * (70 << 20) + b'"}\n'}),
    ),
    refused_data(
        "csv-called-jsonl",
        X,
        "E-JSON: x.jsonl:1: not JSON: <any>; write one whole JSON object a line",
        _lines("a,b", "1,2"),
    ),
    refused_data(
        "html-called-json",
        "x.json",
        "E-JSON: x.json:1: not JSON: <any>; write one whole JSON object a line",
        files({"x.json": b"<html></html>"}),
    ),
    as_data("byte-order-mark", X, _lines("\ufeff" + GOOD, GOOD), rows=2, columns=["a", "b"]),
    as_data("carriage-returns", X, files({X: (GOOD + "\r\n").encode() * 3}), rows=3),
    as_data("no-line-end-at-the-end", X, files({X: f"{GOOD}\n{GOOD}".encode()}), rows=2),
    as_data("one-document", "x.json", files({"x.json": f"[{GOOD},\n{GOOD}]".encode()}), rows=2),
    as_data("one-object", "x.json", files({"x.json": GOOD.encode()}), rows=1),
    as_data(
        "inner-objects",
        X,
        _lines('{"a": {"b": {"c": 1}}}', '{"a": {"b": {"c": 2}}}'),
        columns=["a.b.c"],
        rows=2,
    ),
    as_data(
        "inner-object-and-value",
        X,
        _lines('{"a": {"b": 1}}', '{"a": 5}'),
        columns=["a.b", "a"],
        rows=2,
        facts={"a.n_missing": 1, "a.b.n_missing": 1},
    ),
    as_data(
        "keys-come-and-go",
        X,
        _lines('{"a": 1}', '{"b": 2}', '{"a": 3, "c": null}'),
        columns=["a", "b", "c"],
        rows=3,
        facts={"a.n_missing": 1, "b.n_missing": 2, "c.n_missing": 3},
    ),
    as_data(
        "all-null",
        X,
        _lines('{"a": null}', '{"a": null}'),
        code=4,
        rows=2,
        facts={"a.n_missing": 2, "a.type": "Unknown"},
    ),
    as_data(
        "mixed-kinds",
        X,
        _lines('{"a": 1}', '{"a": "x"}', '{"a": true}', '{"a": null}', '{"a": 2.5}'),
        rows=5,
        facts={"a.n_missing": 1, "a.type": "String"},
    ),
    as_data("numbers-and-numbers-in-quotes", X, _lines('{"a": 1}', '{"a": "2"}', '{"a": 3}'), rows=3),
    as_data("truth-and-numbers", X, _lines('{"a": true}', '{"a": 1}', '{"a": 0}'), rows=3),
    as_data(
        "whole-numbers-beyond-int64",
        X,
        _lines('{"a": 9223372036854775808}', '{"a": -99999999999999999999}', '{"a": 1}'),
        rows=3,
        notes=lambda n: any("beyond int64" in t for t in n),
        facts={"a.max": 2.0**63},
    ),
    as_data(
        "whole-numbers-beyond-2-to-53",
        X,
        _lines('{"a": 9007199254740993}', '{"a": 9007199254740992}'),
        rows=2,
        facts={"a.type": "Integral", "a.n_distinct": 2},
    ),
    as_data(
        "minus-zero",
        X,
        _lines('{"a": -0.0}', '{"a": 0.0}', '{"a": -0}'),
        rows=3,
        facts={"a.n_zero": 3, "a.n_distinct": 1},
    ),
    as_data("subnormal", X, _lines('{"a": 5e-324}', '{"a": -5e-324}', '{"a": 1e-400}'), rows=3),
    as_data("empty-key", X, _lines('{"": 1}', '{"": 2}'), columns=[""], rows=2),
    as_data(
        "prototype-keys",
        X,
        _lines('{"__proto__": 1, "constructor": "x", "toString": 2}'),
        columns=["__proto__", "constructor", "toString"],
        rows=1,
    ),
    as_data(
        "five-thousand-keys",
        X,
        files({X: b"".join(json.dumps({f"k{i}": i}).encode() + b"\n" for i in range(5000))}),
        most_mib=900,
        rows=5000,
        columns=lambda names: len(names) == 5000,
    ),
    as_data(
        "times-as-text",
        X,
        _lines('{"a": "2020-01-01"}', '{"a": "0001-01-01T00:00:00Z"}', '{"a": "not a time"}'),
        rows=3,
        facts={"a.type": "String"},
    ),
    as_data("escaped-nul", X, _lines('{"a": "x\\u0000y"}', '{"a": "x"}'), rows=2, facts={"a.n_distinct": 2}),
    told(
        "text-where-numbers-were",
        X,
        _lines('{"amount": "9.5", "count": 1, "kind": "a"}', '{"amount": "n/a", "count": 2, "kind": "b"}'),
        1,
        violated=["amount/data_type"],
    ),
    told(
        "unknown-category",
        X,
        _lines(
            *['{"amount": 10, "count": 1, "kind": "a"}'] * 5,
            *['{"amount": 10, "count": 1, "kind": "new\\nline"}'] * 5,
        ),
        1,
        violated=["count/ks", "kind/categorical_values", "kind/l_infinity"],
    ),
    told(
        "without-a-known-column",
        X,
        _lines('{"other": 1}'),
        1,
        violated=lambda v: "amount/missing_column" in v,
    ),
    told("good-lines", X, files({X: json_lines(300)}), 0, status="passed"),
]
