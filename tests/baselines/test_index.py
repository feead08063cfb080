"""Index: nothing in a baseline's folder changes unnoticed."""

from __future__ import annotations

import json

import pytest

from driftline.baselines.index import INDEX, SCHEMA, Index, index_id, read_index, recipe_of, write_index
from driftline.errors import DocumentError

INDEX_OF = Index(
    "bias",
    "training",
    12,
    "sha256:ab",
    ("sex", "label"),
    {"label": "label", "facets": ["sex"], "share": 0.5},
    created="2026-01-02T00:00:00Z",
    sources=("a.csv",),
    versions={"driftline": "1"},
    notes=("one note",),
    details={"kept": 3},
)
FILES = {"states.arrow": b"states", "analysis.json": b"{}"}


def written(index: Index = INDEX_OF, files: dict[str, bytes] = FILES) -> dict[str, bytes]:
    return {**files, INDEX: write_index(index, files)}


def test_written_and_read_back() -> None:
    assert read_index(written(), file="somewhere", recipe="bias") == INDEX_OF
    bare = Index("bias", "x", 0, "sha256:00", (), {})
    assert read_index(written(bare), file="somewhere", recipe="bias") == bare


def test_the_same_index_gives_the_same_bytes() -> None:
    assert write_index(INDEX_OF, FILES) == write_index(INDEX_OF, dict(FILES))


def test_an_editable_file_may_change_and_that_is_noted() -> None:
    files = written() | {"analysis.json": b'{"a": 1}'}
    found = read_index(files, file="x", recipe="bias", editable=("analysis.json",))
    assert found.notes == ("one note", "analysis.json was edited after the baseline was made")
    with pytest.raises(DocumentError, match=r"E-BASELINE-DAMAGED: x/analysis\.json"):
        read_index(files, file="x", recipe="bias")


def test_a_missing_file_is_named() -> None:
    files = written()
    del files["states.arrow"]
    with pytest.raises(DocumentError, match=r"states\.arrow is missing"):
        read_index(files, file="x", recipe="bias")


@pytest.mark.parametrize("key", ["label", "n_rows", "digest", "settings", "details", "created"])
def test_a_changed_index_is_noticed(key: str) -> None:
    document = json.loads(written()[INDEX])
    document[key] = {"label": "other", "n_rows": 13, "settings": {}, "details": {}}.get(key, "2027")
    files = FILES | {INDEX: json.dumps(document).encode()}
    with pytest.raises(DocumentError, match="its id names"):
        read_index(files, file="x", recipe="bias")


def test_another_recipe_or_schema_is_refused() -> None:
    with pytest.raises(DocumentError, match="a baseline of bias, expected one of attribution"):
        read_index(written(), file="x", recipe="attribution")
    document = json.loads(written()[INDEX]) | {"schema": "driftline.baseline/v9"}
    with pytest.raises(DocumentError, match=r"expected 'driftline\.baseline/v1'"):
        read_index({INDEX: json.dumps(document).encode()}, file="x", recipe="bias")


def test_the_recipe_is_told() -> None:
    assert recipe_of(written(), file="x") == "bias"
    assert recipe_of({}, file="x") is None
    assert recipe_of({INDEX: json.dumps({"schema": SCHEMA}).encode()}, file="x") == "data-quality"


def test_the_id_is_of_everything_else() -> None:
    document = json.loads(written()[INDEX])
    assert document["id"] == index_id(document)
    assert index_id(document | {"notes": []}) != document["id"]
