"""Names of columns and values that somebody made to hurt: through Parquet, so that no parser stands in between."""

from __future__ import annotations

import json

import pyarrow as pa

from bad_input.case import Case, as_data, refused_data, told
from bad_input.making import parquet

X = "x.parquet"

HOSTILE = [
    "../../etc/passwd",
    "/etc/passwd",
    "a/b",
    "a\nb",
    "a\rb",
    "a\tb",
    "a\0b",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\u202egnp.eliforp",
    "\u2066isolate",
    "zero\u200bwidth",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "</style></script>",
    "javascript:alert(1)",
    "{{7*7}}${7*7}#{7*7}",
    "$(touch canary)",
    "`touch canary`",
    "; touch canary",
    "' OR 1=1 --",
    "=cmd|' /C calc'!A0",
    "%s%n%d{}{0}",
    "[bold red]markup[/]",
    "__proto__",
    "😀 family 👨‍👩‍👧‍👦",
    "\ufeffmark",
    "\uffff",
    " ",
    "  leading and trailing  ",
    "",
    ".",
    "..",
    "NaN",
    "null",
    "None",
    "true",
    "-",
    "é",
    "e\u0301",
    "Ä",
    "ä",
    "x" * 10_000,
    "👾" * 2_500,
]


def _named() -> dict[str, list[float]]:
    return {name: [float(i), i + 1.0, i + 2.0] for i, name in enumerate(HOSTILE)}


def _valued() -> dict[str, list[object]]:
    return {"n": list(range(len(HOSTILE))), "text": HOSTILE}


def _with_names(names: list[str], values: list[object]) -> pa.Table:
    return pa.table([pa.array([v, v]) for v in values], names=names)


def _hostile_json(folder):
    row = json.dumps({name: i for i, name in enumerate(HOSTILE)})
    (folder / "x.jsonl").write_text(row + "\n" + row + "\n")


def _hostile_csv(folder) -> None:
    header = ",".join('"' + n.replace('"', '""') + '"' for n in HOSTILE if n and "\0" not in n)
    row = ",".join("1" for n in HOSTILE if n and "\0" not in n)
    (folder / "x.csv").write_bytes((header + "\n" + row + "\n" + row + "\n").encode())


CASES: list[Case] = [
    as_data(
        "hostile-names-parquet",
        X,
        parquet(_named),
        rows=3,
        columns=lambda names: sorted(names) == sorted(HOSTILE),
    ),
    as_data(
        "hostile-names-jsonl",
        "x.jsonl",
        _hostile_json,
        rows=2,
        columns=lambda names: sorted(names) == sorted(HOSTILE),
    ),
    as_data(
        "hostile-names-csv",
        "x.csv",
        _hostile_csv,
        rows=2,
        columns=lambda names: len(names) == len(set(names)) == len(HOSTILE) - 2,
    ),
    as_data(
        "hostile-values", X, parquet(_valued), rows=len(HOSTILE), facts={"text.n_distinct": len(HOSTILE)}
    ),
    as_data("hostile-values-as-segments", X, parquet(_valued), "--by", "text", rows=len(HOSTILE)),
    told(
        "hostile-new-values",
        X,
        parquet(lambda: {"amount": [10.0] * len(HOSTILE), "count": [1] * len(HOSTILE), "kind": HOSTILE}),
        1,
        violated=lambda v: "kind/categorical_values" in v,
    ),
    told(
        "hostile-extra-columns",
        X,
        parquet(_named),
        1,
        violated=lambda v: (
            sum(k.endswith("/missing_column") for k in v) == 3
            and sum(k.endswith("/extra_column") for k in v) == len(HOSTILE)
        ),
    ),
    refused_data(
        "duplicate-names",
        X,
        "E-DUPLICATE: x.parquet: a: two columns have this name, number 1 and number 3; rename one of them",
        parquet(lambda: _with_names(["a", "b", "a"], [1, 2, 3])),
    ),
    refused_data(
        "duplicate-hostile-names",
        X,
        "E-DUPLICATE: x.parquet: a\\n\\x1b[2J: two columns have this name, number 1 and number 2; rename one of them",
        parquet(lambda: _with_names(["a\n\x1b[2J", "a\n\x1b[2J"], [1, 2])),
    ),
    refused_data(
        "duplicate-long-names",
        X,
        "E-DUPLICATE: x.parquet: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…: two columns have this name, number 1 and number 2; rename one of them",
        parquet(lambda: _with_names(["x" * 10_000] * 2, [1, 2])),
    ),
    as_data(
        "names-that-differ-in-case", X, parquet(lambda: _with_names(["a", "A"], [1, 2])), columns=["a", "A"]
    ),
    as_data(
        "names-that-differ-in-white-space",
        X,
        parquet(lambda: _with_names(["a", "a ", " a"], [1, 2, 3])),
        columns=["a", "a ", " a"],
    ),
    as_data(
        "names-that-look-alike",
        X,
        parquet(lambda: _with_names(["é", "e\u0301", "а", "a"], [1, 2, 3, 4])),
        columns=["é", "e\u0301", "а", "a"],
    ),
    as_data(
        "name-of-the-data-set",
        X,
        parquet(lambda: _with_names(["", "Missing columns", "Extra columns"], [1, 2, 3])),
        columns=["", "Missing columns", "Extra columns"],
    ),
    as_data(
        "index-of-pandas",
        X,
        parquet(lambda: _with_names(["a", "__index_level_0__"], [1, 2])),
        columns=["a"],
        notes=lambda n: "index" in n[0],
    ),
    as_data(
        "only-the-index-of-pandas",
        X,
        parquet(lambda: _with_names(["__index_level_0__"], [1])),
        columns=["__index_level_0__"],
    ),
]
