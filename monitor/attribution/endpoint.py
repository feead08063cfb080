"""EndpointModel: a model behind an address, asked batch by batch, within a budget."""

from __future__ import annotations

import random
import time
from collections.abc import Callable  # noqa: TC003  a class variable has it
from typing import TYPE_CHECKING, Any, ClassVar, Final

from driftline.errors import printable
from driftline.monitor.attribution.bodies import CONTENT_TYPES, predictions_of, request_body
from driftline.monitor.attribution.failure import ModelError
from driftline.monitor.attribution.models import Model
from driftline.monitor.notify.backoff import next_try
from driftline.monitor.notify.error import SendError
from driftline.monitor.notify.guard import PRIVATE_NETWORKS, Guard
from driftline.monitor.notify.secret import origin, read_secret

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from driftline.monitor.attribution.encoding import Encoding
    from driftline.monitor.attribution.model_settings import ModelSettings
    from driftline.monitor.notify.guard import Answer

__all__ = ["EndpointModel"]

BODY_CAP: Final = 64 * 1024 * 1024
FIRST_SECONDS: Final = 2.0
CAP_SECONDS: Final = 60.0
_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class EndpointModel(Model):
    """A model that answers POST requests.

    Notes
    -----
    The address is one that a person wrote into settings, and is treated like any: https unless ``allow_http``, no
    address of a private network unless ``allow_private``, no redirects, no proxies, an end to every wait. A request
    that fails for a reason that may pass (no connection, too late, 408, 425, 429, 5xx) is sent again after a wait
    that doubles, at most ``retries`` times; requests in all are at most ``max_requests``, retries included, and time
    in all at most ``max_seconds``.
    """

    sleep: ClassVar[Callable[[float], None]] = staticmethod(time.sleep)
    """How it waits; tests have another way."""

    def __init__(self, settings: ModelSettings, encoding: Encoding) -> None:
        super().__init__(settings, encoding)
        assert settings.url is not None
        self._url = settings.url
        self._guard = Guard(
            PRIVATE_NETWORKS if settings.allow_private else (),
            settings.allow_http,
            min(10.0, settings.timeout_seconds),
            settings.timeout_seconds,
            BODY_CAP,
            ca_file=settings.ca_file,
        )
        self._guard.check(self._url)
        self._headers = self._all_headers()
        self._n_requests = 0
        self._started = time.monotonic()
        self._rng = random.Random(0)  # noqa: S311 - it spreads waits, nothing more
        self._as_matrix = settings.input == "matrix" or (
            settings.input is None and settings.format == "v2" and not encoding.has_text
        )

    @property
    def name(self) -> str:
        """The host, never the path: it may hold a key."""
        return origin(self._url)

    def _all_headers(self) -> dict[str, str]:
        settings = self.settings
        headers = {"Content-Type": CONTENT_TYPES[settings.format], **dict(settings.headers)}
        if not any(name.lower() == "accept" for name in headers):
            headers["Accept"] = (
                "text/csv, application/json" if settings.format == "csv" else "application/json"
            )
        if settings.token_env is not None or settings.token_file is not None:
            try:
                token = read_secret(settings.token_env, settings.token_file)
            except SendError as error:
                raise ModelError(error.message, code="E-MODEL-SECRET", field="model.token") from None
            if not token.isascii() or not token.isprintable():
                raise ModelError(
                    "the token has characters that no header holds",
                    code="E-MODEL-SECRET",
                    field="model.token",
                )
            bearer = settings.token_header.lower() == "authorization"
            headers[settings.token_header] = f"Bearer {token}" if bearer else token
        return headers

    def planned(self, n_rows: int, fix: str) -> None:
        """Refuse more requests than the budget has, before the first.

        Raises
        ------
        ModelError
            ``E-MODEL-BUDGET``
        """
        needed = -(-n_rows // self.settings.rows_per_call)
        if needed > self.settings.max_requests:
            raise ModelError(
                f"up to {n_rows:,} predictions are needed, {needed:,} requests of {self.settings.rows_per_call:,} rows, "
                f"and max_requests is {self.settings.max_requests:,}: nothing was sent",
                code="E-MODEL-BUDGET",
                field="model.max_requests",
                fix=f"{fix}, send more rows in a request (batch), or raise max_requests",
            )

    def ask(self, matrix: NDArray[np.float64]) -> Any:
        """Send one batch, again where that can help, and return the predictions."""
        settings = self.settings
        n = matrix.shape[0]
        body = request_body(matrix, self.encoding, settings.format, as_matrix=self._as_matrix)
        answer = self._answered(body)
        kind = answer.headers.get("content-type", "")
        return predictions_of(answer.body, n, settings.format, kind, settings.response, settings.output_name)

    def _answered(self, body: bytes) -> Answer:
        settings = self.settings
        first = time.time_ns() // 1000
        for attempt in range(1, settings.retries + 2):
            self._count()
            wanted: float | None = None
            try:
                answer = self._guard.post(self._url, body, self._headers)
            except SendError as error:
                if error.permanent or error.kind in ("refused", "secret", "tls"):
                    raise self._failed(error.message, attempt) from None
                reason, wanted = error.message, error.retry_after
            else:
                if 200 <= answer.status < 300 and answer.is_whole:
                    return answer
                reason = _told(answer)
                if answer.status not in _AGAIN and not 200 <= answer.status < 300:
                    raise self._failed(reason, attempt)
                wanted = _seconds(answer.headers.get("retry-after"))
            if attempt > settings.retries:
                break
            self._wait(attempt, first, wanted, reason)
        raise self._failed(reason, settings.retries + 1)

    def _count(self) -> None:
        settings = self.settings
        if self._n_requests >= settings.max_requests:
            raise ModelError(
                f"{self.name} was asked {self._n_requests:,} times, retries included: max_requests allows no more",
                code="E-MODEL-BUDGET",
                field="model.max_requests",
                fix="raise it, or look why requests had to be sent again",
            )
        self._n_requests += 1

    def _wait(self, attempt: int, first: int, wanted: float | None, reason: str) -> None:
        now = time.time_ns() // 1000
        moment = next_try(
            attempt,
            first,
            now,
            self._rng,
            wanted,
            first_seconds=FIRST_SECONDS,
            cap_seconds=CAP_SECONDS,
            dead_after_seconds=self.settings.max_seconds,
        )
        left = self.settings.max_seconds - (time.monotonic() - self._started)
        if moment is None or (moment - now) / 1e6 > left:
            raise ModelError(
                f"{self.name} failed ({reason}), and max_seconds leaves no time to ask again",
                code="E-MODEL-TIMEOUT",
                field="model.max_seconds",
                fix="look at the server's log, or raise max_seconds",
            )
        type(self).sleep((moment - now) / 1e6)

    def _failed(self, reason: str, attempts: int) -> ModelError:
        times = "once" if attempts == 1 else f"{attempts} times"
        return ModelError(
            f"{self.name} was asked {times} and gave no predictions: {reason}",
            code="E-MODEL-HTTP",
            fix="check the address, the format of the body, and the server's log",
        )


def _told(answer: Answer) -> str:
    if not answer.is_whole:
        return f"status {answer.status}, and an answer that did not end in time, or is longer than {BODY_CAP:,} bytes"
    if 300 <= answer.status < 400:
        return f"status {answer.status}: a redirect, which is not followed"
    text = printable(answer.body[:400].decode("utf-8", "replace").strip(), 200)
    return f"status {answer.status}" + (f", {text!r}" if text else "")


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 8 else None
