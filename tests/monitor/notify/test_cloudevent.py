"""What is sent is CloudEvents 1.0, whatever the data hold."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline import documents
from driftline.capture.window import moment_of
from driftline.monitor.notify.cloudevent import CONTENT_TYPE, cloudevent
from driftline.monitor.notify.message import Event

if TYPE_CHECKING:
    from collections.abc import Callable

# Written from section 3 of CloudEvents 1.0.2: required and optional attributes, their types and the characters of
# their names. Of extensions, whose names we do not use, there must be none.
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "additionalProperties": False,
    "propertyNames": {"pattern": "^[a-z0-9]+$|^data_base64$"},
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1},
        "source": {"type": "string", "minLength": 1, "format": "uri-reference"},
        "type": {"type": "string", "minLength": 1},
        "datacontenttype": {"type": "string", "pattern": "^[a-z]+/[a-z0-9.+-]+(; ?[a-z]+=[a-z0-9-]+)*$"},
        "dataschema": {"type": "string", "minLength": 1, "format": "uri"},
        "subject": {
            "type": "string",
            "minLength": 1,
            "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff\\ufdd0-\\ufdef\\ufffe\\uffff]+$",
        },
        "time": {
            "type": "string",
            "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$",
        },
        "data": {},
    },
}
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

text = st.text(st.characters(codec=None), max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=10,
)


def make(**fields: Any) -> Event:
    given = {"id": "1", "type": "io.driftline.alert.opened.v1", "source": "/w", "subject": "s", "time_us": 0}
    return Event(**{**given, **fields})


@given(text.filter(bool), st.integers(0, 10**17), st.dictionaries(text, json_values, max_size=4))
def test_every_event_follows_the_specification(subject: str, moment: int, data: dict[str, Any]) -> None:
    sent = cloudevent(make(subject=subject, time_us=moment, data=data))
    found = documents.decode(sent, file="event")
    VALIDATOR.validate(found)
    assert moment_of(found["time"]) == moment
    assert b"\n" not in sent
    assert cloudevent(make(subject=subject, time_us=moment, data=data)) == sent


def test_the_schema_refuses(event: Callable[..., Event]) -> None:
    good = json.loads(cloudevent(event()))
    for change in (
        {"specversion": "0.3"},
        {"id": ""},
        {"time": "2026-11-23 07:00"},
        {"subject": "a\nb"},
        {"Extra": 1},
        {"datacontenttype": "json"},
    ):
        assert not VALIDATOR.is_valid(good | change)
    for name in SCHEMA["required"]:
        assert not VALIDATOR.is_valid({key: value for key, value in good.items() if key != name})


def test_what_is_sent(event: Callable[..., Event]) -> None:
    assert json.loads(cloudevent(event(violations=3))) == {
        "specversion": "1.0",
        "id": "01JDB6Y5T8M4Z3Q7K2W9X1V0NC",
        "source": "/workspaces/churn",
        "type": "io.driftline.alert.opened.v1",
        "subject": "alerts/01JDB6Y5T8M4Z3Q7K2W9X1V0AA",
        "time": "2026-11-23T07:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "severity": "warning",
            "state": "open",
            "schedule": "churn-hourly",
            "model": "churn",
            "violations": 3,
        },
    }
    assert re.fullmatch(r"application/cloudevents\+json; charset=utf-8", CONTENT_TYPE)


def test_what_json_cannot_hold_is_spelled() -> None:
    data = {"a": math.nan, "b": (math.inf, -math.inf), "c\ud800": "x\udfff", "d": "\x00\u2028"}
    found = json.loads(cloudevent(make(data=data, subject="a\x00\ud800\ufffe\U0001ffffé")))
    assert found["data"] == {
        "a": "NaN",
        "b": ["Infinity", "-Infinity"],
        "c\\ud800": "x\\udfff",
        "d": "\x00\u2028",
    }
    assert found["subject"] == "a\\x00\\ud800\\ufffe\\U0001ffffé"


def test_hostile_data_stay_data(event: Callable[..., Event]) -> None:
    hostile = '"},"id":"forged","x":{"y":"'
    found = json.loads(cloudevent(event(columns=[hostile], **{hostile: hostile})))
    assert found["id"] == "01JDB6Y5T8M4Z3Q7K2W9X1V0NC"
    assert found["data"]["columns"] == [hostile]


def test_data_that_are_no_json_are_refused(event: Callable[..., Event]) -> None:
    with pytest.raises(TypeError):
        cloudevent(event(x=object()))
