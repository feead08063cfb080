"""Every card that goes to another system's document and comes back is the same card, or says what it lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from card_strategies import HOSTILE, contents, extensions
from hypothesis import given
from hypothesis import strategies as st

from driftline.cards import extensions as rules
from driftline.cards import validation
from driftline.cards.convert import cyclonedx, huggingface, model_card_toolkit, spdx
from driftline.cards.convert.converted import Meta
from driftline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

KEEPING = {"huggingface": huggingface, "cyclonedx": cyclonedx, "spdx": spdx}
ALL = {**KEEPING, "model_card_toolkit": model_card_toolkit}
HASH = "sha256:" + "0f" * 32

metas = st.builds(
    Meta,
    name=st.sampled_from(["churn", "income-2"]),
    version=st.none() | st.integers(1, 9),
    content_hash=st.none() | st.just(HASH),
    moment=st.sampled_from([0, 1_700_000_000_000_000]),
)


def _same(found: Any, wanted: Any) -> bool:
    return json.dumps(found, sort_keys=True) == json.dumps(wanted, sort_keys=True)


@pytest.mark.parametrize("system", KEEPING.values(), ids=KEEPING)
@given(content=contents(), beyond=extensions() | st.just({}), meta=metas)
def test_a_card_there_and_back_is_the_same(
    system: ModuleType, content: dict[str, Any], beyond: dict[str, Any], meta: Meta
) -> None:
    written = system.write(content, beyond, meta)
    assert written.lost == ()
    found = system.read(written.data, "card")
    assert _same(found.content, content)
    assert _same(found.extensions, beyond)
    assert system.write(content, beyond, meta) == written, "the same bytes for the same card"


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if value in ({}, []) or value is None:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(f"{path}.{printable(key, 80)}".lstrip("."), inner)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _leaves(f"{path}.{place}", inner)
    else:
        yield path, value


@pytest.mark.parametrize("system", ALL.values(), ids=ALL)
@given(content=contents(), beyond=extensions())
def test_what_is_not_there_is_told(
    system: ModuleType, content: dict[str, Any], beyond: dict[str, Any]
) -> None:
    written = system.write(content, beyond, Meta("churn", keep=False))
    assert b"driftline:" not in written.data.replace(b"driftline:/", b"") or "driftline:" in json.dumps(
        [content, beyond]
    )
    found = system.read(written.data)
    assert validation.problems(found.content) == []
    assert rules.problems(found.extensions) == []
    there = dict(_leaves("", found.content)) | dict(_leaves("extensions", found.extensions))
    for path, value in [*_leaves("", content), *_leaves("extensions", beyond)]:
        if any(line.startswith((f"{part}: ", f"{part}.")) for line in written.lost for part in _above(path)):
            continue
        assert path in there, path
        assert _same(there[path], value), path


def _above(path: str) -> list[str]:
    parts = path.split(".")
    return [".".join(parts[:n]) for n in range(1, len(parts) + 1)]


@pytest.mark.parametrize("system", KEEPING.values(), ids=KEEPING)
@pytest.mark.parametrize("name", ["seed_sample_card", "model_package_card"])
def test_the_sample_cards(system: ModuleType, name: str, data: Path) -> None:
    content = json.loads((data / f"content/{name}.content.json").read_bytes())
    found = system.read(system.write(content, {}, Meta(name, 1, HASH)).data)
    assert _same(found.content, content)
    assert list(found.content) == list(content), "the sections keep their order"
    assert found.extensions == {}
    assert found.lost == ()


@pytest.mark.parametrize("system", ALL.values(), ids=ALL)
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_odd_texts_are_kept_or_told(system: ModuleType, text: str) -> None:
    content = {
        "model_overview": {"model_description": text, "model_name": text, "algorithm_type": text},
        "intended_uses": {"purpose_of_model": text, "intended_uses": text},
        "training_details": {"training_observations": text},
        "additional_information": {
            "ethical_considerations": text,
            "custom_details": {text.strip() or "k": text},
        },
    }
    beyond = {
        "scope": {"limitations": [text]},
        "architecture": {"description": text},
        "legal": {"licence": text[:255]},
    }
    for keep in (True, False):
        written = system.write(content, beyond, Meta("churn", keep=keep))
        found = system.read(written.data)
        if not written.lost:
            assert _same(found.content, content)
            assert _same(found.extensions, beyond)
        assert validation.problems(found.content) == []


@pytest.mark.parametrize("system", KEEPING.values(), ids=KEEPING)
def test_what_was_kept_is_not_put_into_a_document_that_somebody_changed(system: ModuleType) -> None:
    content = {
        "model_overview": {"model_name": "churn", "model_id": "arn:churn"},
        "training_details": {"training_observations": "Ten rounds."},
        "evaluation_details": [
            {
                "name": "a",
                "metric_groups": [
                    {"name": "g", "metric_data": [{"name": "m", "type": "number", "value": 1}]}
                ],
            }
        ],
    }
    content["evaluation_details"][0]["metric_groups"][0]["metric_data"][0]["notes"] = "of the old text"
    written = system.write(content, {}, Meta("churn")).data
    changed = written.replace(b"churn", b"chorn").replace(b"arn:chorn", b"arn:churn")
    found = system.read(changed)
    assert found.content["model_overview"] == {"model_name": "chorn", "model_id": "arn:churn"}
    assert "of the old text" not in json.dumps(found.content)
    assert any("the document was changed after driftline wrote it" in line for line in found.lost)
