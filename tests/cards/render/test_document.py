"""A card as JSON, and the check of it by itself."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from rendered_cards import rich, small, view_of, with_live

from driftline.cards.render.document import SCHEMA, check, document_of, to_json
from driftline.documents import decode


def test_everything_is_in_it_and_proves_itself() -> None:
    view = with_live(rich())
    document = decode(to_json(view))
    assert document["schema"] == SCHEMA
    assert document["content"] == view.version.content
    assert document["extensions"] == view.version.extensions
    assert document["version"]["approved_by"] == "bea.reviewer"
    assert document["version"]["created"] == "2026-11-25T16:00:00Z"
    assert len(document["chain"]["records"]) == 59
    assert len(document["monitors"]) == len(document["evidence"]) == 2
    assert check(document) == []


def test_the_same_view_is_the_same_text() -> None:
    assert to_json(rich()) == to_json(rich())
    assert to_json(small()).endswith("}\n")


def changed(path: list[Any], value: Any) -> Any:
    document = json.loads(to_json(rich()))
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (["content", "model_overview", "model_name"], "Other", "was changed"),
        (["extensions", "schema_version"], "1.1", "was changed"),
        (["chain", "records", 7, "who"], "somebody", "changed"),
        (["chain", "records", 58, "status"], "Draft", "changed"),
        (["content_hash"], "sha256:" + "0" * 64, "not the chain's"),
        (["version", "version"], 99, "does not hold the version"),
        (["schema"], "other", "no model card"),
        (["chain"], None, "no model card"),
    ],
)
def test_a_changed_document_is_found_out(path: list[Any], value: Any, told: str) -> None:
    breaks = check(changed(path, value))
    assert told in " ".join(one.what for one in breaks)


@pytest.mark.parametrize("document", [None, [], {}, 3, {"schema": SCHEMA, "chain": {}}])
def test_what_is_no_card_is_told(document: object) -> None:
    assert check(document)


def test_half_a_surrogate_pair_is_spelled() -> None:
    view = small()
    odd = dataclasses.replace(view, warnings=("a\ud800b",))
    text = to_json(odd)
    text.encode("utf-8")
    assert json.loads(text)["warnings"] == ["a\ud800b"]


def test_a_deleted_card_without_content_is_a_document() -> None:
    view = view_of({})
    assert (
        document_of(dataclasses.replace(view, card=dataclasses.replace(view.card, deleted=0)))["card"][
            "deleted"
        ]
        == "1970-01-01T00:00:00Z"
    )
