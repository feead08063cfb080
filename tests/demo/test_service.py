from __future__ import annotations

import json
from typing import Any

import pytest

from driftline.demo.census import model_of, people
from driftline.demo.scoring import FEATURES, Scoring
from driftline.demo.service import Asker, by_path, estimation, served

PEOPLE = people("test").slice(0, 40).to_pylist()
MODEL = Scoring(model_of(people("train").slice(0, 2000)))


def test_the_income_service_answers_each_person() -> None:
    heard: list[dict[str, Any]] = []

    async def recorded(scope: Any, receive: Any, send: Any) -> None:
        async def kept(message: Any) -> None:
            heard.append(message)
            await send(message)

        await estimation(MODEL)(scope, receive, kept)

    body = json.dumps({"instances": PEOPLE}).encode()
    with served(by_path({"/income": recorded})) as port, Asker(port) as somebody:
        somebody.ask("/income", [body], "application/json", ["first"])
    (answer,) = [json.loads(m["body"]) for m in heard if m["type"] == "http.response.body"]
    columns = {name: [person[name] for person in PEOPLE] for name in FEATURES}
    assert [one["probability"] for one in answer["predictions"]] == MODEL.probability(columns).tolist()
    assert {(one["prediction"], one["probability"] > 0.5) for one in answer["predictions"]} == {
        ("<=50K", False),
        (">50K", True),
    }


def test_a_service_that_does_not_answer() -> None:
    async def failing(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with (
        served(by_path({"/churn": failing})) as port,
        Asker(port) as somebody,
        pytest.raises(OSError, match="answers 503"),
    ):
        somebody.ask("/churn", [b"1,2"])
