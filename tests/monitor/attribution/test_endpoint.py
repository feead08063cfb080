"""A model behind an address, over real sockets: batches, tries, limits, and errors that say what happened."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from monitor_attribution_shared import numbers

from driftline.errors import UsageError
from driftline.monitor.attribution.endpoint import EndpointModel
from driftline.monitor.attribution.failure import ModelError
from driftline.monitor.attribution.model_settings import ModelSettings
from driftline.monitor.attribution.models import Predictor

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor_attribution_shared import ModelServer

AB = numbers("a", "b")
X = np.arange(40.0).reshape(20, 2)
CSV = {"Content-Type": "text/csv"}


def summed(body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """Answer CSV with the sum of each line."""
    lines = [sum(map(float, line.split(","))) for line in body.decode().splitlines()]
    return 200, CSV, "\n".join(map(str, lines)).encode()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Wait for nothing, and tell how long it would have been."""
    told: list[float] = []
    monkeypatch.setattr(EndpointModel, "sleep", staticmethod(told.append))
    return told


def endpoint(server: ModelServer, **more: Any) -> EndpointModel:
    given = {"allow_private": True, "allow_http": True, "timeout_seconds": 10.0, **more}
    return EndpointModel(ModelSettings("http", url=server.url, **given), AB)


def test_batches(serve: Callable[..., ModelServer]) -> None:
    server = serve(summed)
    found = Predictor(endpoint(server, batch=8))(X)
    np.testing.assert_array_equal(found[:, 0], X.sum(axis=1))
    assert [body.count(b"\n") for body, _ in server.asked] == [8, 8, 4]
    assert server.asked[0][1]["content-type"] == "text/csv"


def test_json_and_its_path(serve: Callable[..., ModelServer]) -> None:
    def answer(body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        rows = json.loads(body)["instances"]
        return 200, {}, json.dumps({"predictions": [{"score": sum(row)} for row in rows]}).encode()

    server = serve(answer)
    found = Predictor(endpoint(server, format="json", response="predictions.score"))(X)
    np.testing.assert_array_equal(found[:, 0], X.sum(axis=1))
    assert server.asked[0][1]["accept"] == "application/json"


def test_open_inference_protocol(serve: Callable[..., ModelServer]) -> None:
    def answer(body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        (tensor,) = json.loads(body)["inputs"]
        x = np.array(tensor["data"]).reshape(tensor["shape"])
        output = {"name": "p", "shape": [len(x)], "datatype": "FP64", "data": x.sum(axis=1).tolist()}
        return 200, {}, json.dumps({"outputs": [output]}).encode()

    found = Predictor(endpoint(serve(answer), format="v2"))(X)
    np.testing.assert_array_equal(found[:, 0], X.sum(axis=1))


def test_headers_and_tokens(serve: Callable[..., ModelServer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_TOKEN", "s3cret")
    server = serve(summed)
    Predictor(endpoint(server, token_env="MODEL_TOKEN", headers=(("X-Team", "risk"),)))(X[:1])
    assert server.asked[0][1]["authorization"] == "Bearer s3cret"
    assert server.asked[0][1]["x-team"] == "risk"
    Predictor(endpoint(server, token_env="MODEL_TOKEN", token_header="X-Api-Key"))(X[:1])
    assert server.asked[1][1]["x-api-key"] == "s3cret"
    with pytest.raises(ModelError, match="the variable NOBODY is not set"):
        endpoint(server, token_env="NOBODY")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_failure_that_passes(status: int, serve: Callable[..., ModelServer], waits: list[float]) -> None:
    failures = iter([True, True, False])

    def answer(body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        return (status, {"Retry-After": "7"}, b"busy") if next(failures) else summed(body, headers)

    np.testing.assert_array_equal(Predictor(endpoint(serve(answer)))(X)[:, 0], X.sum(axis=1))
    assert len(waits) == 2
    assert min(waits) > 6.9


def test_a_failure_that_stays(serve: Callable[..., ModelServer], waits: list[float]) -> None:
    server = serve(lambda body, headers: (500, {}, b"Traceback: weights are gone\n"))
    with pytest.raises(ModelError) as caught:
        Predictor(endpoint(server, retries=3))(X)
    assert caught.value.code == "E-MODEL-HTTP"
    assert "was asked 4 times" in str(caught.value)
    assert "status 500, 'Traceback: weights are gone'" in str(caught.value)
    assert "invocations" not in str(caught.value)
    assert (len(server.asked), len(waits)) == (4, 3)


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (400, {}, "was asked once and gave no predictions: status 400, 'no'"),
        (404, {}, "status 404"),
        (302, {"Location": "http://169.254.169.254/"}, "a redirect, which is not followed"),
    ],
)
def test_what_trying_again_does_not_help(
    status: int, headers: dict[str, str], words: str, serve: Callable[..., ModelServer], waits: list[float]
) -> None:
    server = serve(lambda body, _: (status, headers, b"no"))
    with pytest.raises(ModelError) as caught:
        Predictor(endpoint(server))(X)
    assert words in str(caught.value)
    assert (len(server.asked), waits) == (1, [])


def test_a_budget_that_would_be_exceeded_is_told_before_the_first_request(
    serve: Callable[..., ModelServer],
) -> None:
    server = serve(summed)
    model = endpoint(server, batch=100, max_requests=50)
    model.planned(5000, "")
    with pytest.raises(ModelError) as caught:
        model.planned(5001, "explain fewer rows")
    assert caught.value.code == "E-MODEL-BUDGET"
    assert "up to 5,001 predictions are needed, 51 requests of 100 rows, and max_requests is 50" in str(
        caught.value
    )
    assert "explain fewer rows" in str(caught.value)
    assert server.asked == []


def test_tries_count_against_the_budget(serve: Callable[..., ModelServer], waits: list[float]) -> None:
    server = serve(lambda body, headers: (500, {}, b""))
    with pytest.raises(ModelError, match=r"E-MODEL-BUDGET: .*retries included"):
        Predictor(endpoint(server, retries=9, max_requests=3))(X)
    assert len(server.asked) == 3


def test_no_time_to_try_again(serve: Callable[..., ModelServer], waits: list[float]) -> None:
    server = serve(lambda body, headers: (503, {"Retry-After": "3000"}, b""))
    with pytest.raises(ModelError, match="E-MODEL-TIMEOUT"):
        Predictor(endpoint(server, max_seconds=20.0))(X)
    assert waits == []


def test_a_server_that_does_not_answer(serve: Callable[..., ModelServer], waits: list[float]) -> None:
    over = threading.Event()

    def answer(body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        over.wait(20)
        return 200, CSV, b"1"

    server = serve(answer)
    with pytest.raises(ModelError, match="did not answer in time"):
        Predictor(endpoint(server, timeout_seconds=0.3, retries=1))(X)
    over.set()
    assert len(waits) == 1


def test_nobody_is_there(waits: list[float]) -> None:
    model = EndpointModel(
        ModelSettings("http", url="http://127.0.0.1:1/x", allow_private=True, allow_http=True, retries=1), AB
    )
    with pytest.raises(ModelError, match="no connection to"):
        Predictor(model)(X)


@pytest.mark.parametrize(
    ("url", "more", "words"),
    [
        ("http://models.example.com/x", {}, "not encrypted"),
        ("https://127.0.0.1/x", {}, "not a public address"),
        ("https://169.254.169.254/x", {"allow_private": True}, "metadata service"),
        ("file:///etc/passwd", {}, "no https URL"),
        ("https://user:secret@models.example.com/", {}, "user name or a password"),
    ],
)
def test_addresses_that_are_not_asked(url: str, more: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        EndpointModel(ModelSettings("http", url=url, **more), AB)


@pytest.mark.parametrize("content", [b"0.5\n", b"nan\n" * 20, b"hello", b"1\n" * 21])
def test_answers_that_are_none(content: bytes, serve: Callable[..., ModelServer]) -> None:
    server = serve(lambda body, headers: (200, CSV, content))
    with pytest.raises(ModelError, match="E-MODEL-ANSWER"):
        Predictor(endpoint(server))(X)
    assert len(server.asked) == 1
