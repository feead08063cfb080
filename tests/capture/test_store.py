from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftline.capture.open import open_records, open_source
from driftline.capture.store import _compiled
from driftline.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Values = Callable[[Any], dict[str, list[Any]]]


def _parquet(**columns: list[Any]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


@pytest.fixture(scope="module", autouse=True)
def _objects(store: Any, data: Path) -> None:
    for number in range(3):
        store.put(f"p/y=2026/part-{number}.parquet", _parquet(a=[number], s=["x"]))
    store.put("p/y=2026/_SUCCESS", b"")
    store.put("p/.hidden.parquet", b"x")
    store.put("marker/", b"")
    store.put("marker/a.csv", b"a\n1\n")
    store.put("odd/we[ird*.csv", b"a,b\n1,2\n")
    store.put("odd/a b%20c+é.csv", b"a\n1\n")
    capture = (data / "sagemaker" / "captured" / "churn_2022.jsonl").read_bytes()
    for hour in range(40):
        store.put(f"cap/ep/AllTraffic/2026/11/23/{hour:02}/x.jsonl", capture)
    store.put("twice//a.csv", b"a\n1\n")
    store.put("big.csv", b"a,b\n" + b"1,2\n" * 3_000_000)
    store.put("torn.parquet", _parquet(a=[1, 2])[:-20])


@pytest.mark.parametrize(
    "key", ["p", "p/", "p/**/*.parquet", "p/*/part-[012].parquet", "p/y=2026/part*", "**/part-*.parquet"]
)
def test_prefixes_and_patterns(store: Any, values: Values, key: str) -> None:
    source = open_source(store.url(key))
    assert source.sources == tuple(f"s3://bucket/p/y=2026/part-{n}.parquet" for n in range(3))
    assert values(source) == {"a": [0, 1, 2], "s": ["x"] * 3}


def test_one_object(store: Any, values: Values) -> None:
    source = open_source(store.url("p/y=2026/part-1.parquet"))
    assert source.label == "s3://bucket/p/y=2026/part-1.parquet"
    assert values(source) == {"a": [1], "s": ["x"]}


def test_many_small_captures(store: Any, values: Values) -> None:
    source = open_source(store.url("cap/ep"))
    assert len(source.sources) == 40
    assert len(values(source)["_c0"]) == 120
    assert len(source.parts) == 1
    assert len(list(open_records(store.url("cap/ep/*/2026/11/23/1*")).records())) == 30


def test_a_large_object_is_streamed(store: Any, values: Values) -> None:
    source = open_source(store.url("big.csv"), batch_rows=500_000)
    sizes = [len(batch.arrays[0]) for batch in source.parts[0].read([1])]
    assert sum(sizes) == 3_000_000
    assert max(sizes) <= 500_000


@pytest.mark.parametrize("key", ["odd/we[ird*.csv", "odd/a b%20c+é.csv", "marker", "marker/"])
def test_odd_keys_are_literal(store: Any, values: Values, key: str) -> None:
    assert values(open_source(store.url(key)))["a"] == ["1"]


@pytest.mark.parametrize(
    ("key", "code", "text"),
    [
        ("nothing/here", "E-NO-DATA", "holds no file"),
        ("nothing/*.csv", "E-NO-DATA", "no file matches"),
        ("twice//a.csv", "E-STORE", "folder without a name"),
        ("twice", "E-STORE", "folder without a name"),
        ("torn.parquet", "E-PARQUET", "not a readable Parquet file"),
    ],
)
def test_refusals(store: Any, key: str, code: str, text: str) -> None:
    with pytest.raises(SourceError, match=text) as caught:
        open_source(store.url(key))
    assert caught.value.code == code
    assert "endpoint_override" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("s3:///key", "names no bucket"),
        ("s3://KEY:VERYSECRET@bucket/x?bogus=VERYSECRET", "cannot be read"),
        ("nonsense://bucket/x", "cannot be read"),
    ],
)
def test_bad_urls_show_no_secret(url: str, text: str) -> None:
    with pytest.raises(SourceError, match=text) as caught:
        open_source(url)
    assert caught.value.code == "E-STORE"
    assert "VERYSECRET" not in str(caught.value)


def test_an_unknown_bucket_is_named(store: Any) -> None:
    url = store.url("x").replace("//bucket", "//other")
    with pytest.raises(SourceError, match="bucket does not exist"):
        open_source(url)


def test_an_object_that_changes_is_noticed(store: Any, values: Values) -> None:
    store.put("changing.parquet", _parquet(a=[1]))
    source = open_source(store.url("changing.parquet"))
    store.put("changing.parquet", _parquet(a=list(range(1000))))
    with pytest.raises(SourceError) as caught:
        values(source)
    assert caught.value.code == "E-CHANGED"


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("a/*.csv", ["a/x.csv", "a/.csv", "a/d.csv/e"], ["a/b/x.csv", "a/x.tsv", "b/x.csv"]),
        ("a/**/x", ["a/x", "a/b/x", "a/b/c/x", "a/x/y"], ["a/bx", "x"]),
        ("**", ["a", "a/b"], []),
        ("[!ab]/x", ["c/x"], ["a/x", "b/x"]),
        ("[a-c]x[", ["bx["], ["dx["]),
        ("a.b*", ["a.b", "a.bc"], ["aXb"]),
    ],
)
def test_compiled_patterns(pattern: str, yes: list[str], no: list[str]) -> None:
    expression = _compiled(pattern)
    assert [key for key in yes if not expression.fullmatch(key)] == []
    assert [key for key in no if expression.fullmatch(key)] == []
