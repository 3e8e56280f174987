"""One signal on its way: what waits, the request that is tried, and when it may be tried again.

https://opentelemetry.io/docs/specs/otlp/#otlphttp-response.
"""

import gzip
import http.client
import logging
import random
import ssl
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from miharu._guard import say_once
from miharu.exporters.otlp.connection import Answer, Connection
from miharu.exporters.otlp.environment import Endpoint
from miharu.exporters.otlp.partial import message_of, rejected_of

__all__ = ("Lane", "Request")

logger = logging.getLogger("miharu")

RETRYABLE = frozenset({429, 502, 503, 504})
NOT_TAKEN = frozenset({404, 405, 501})
"""A receiver of traces alone answers so for metrics and logs."""
BACK_OFF_S = (1.0, 60.0)
"""The first and the longest wait after a failure; each is twice the one before, give or take a quarter."""
ENDURED_S = 300.0
"""How long a receiver that answers may put one request off; then it is lost."""
MOST_BYTES = 16 << 20
"""What waits, roughly; beyond, calls are kept without their content."""
REQUEST_BYTES = 4 << 20
"""The content in one request, roughly; receivers refuse larger ones."""
RECORD_BYTES = 1_000


@dataclass(slots=True)
class Request:
    """A message that is ready, and what it holds."""

    body: bytes
    records: int
    put_off_since: float | None = None


class Lane:
    """One signal's; all but ``put`` and ``give_up`` is for the thread that sends."""

    def __init__(
        self,
        endpoint: Endpoint,
        make: Callable[[Sequence[Any]], bytes],
        *,
        most_waiting: int,
        most_at_once: int,
        counts: bool = True,
        connect: Callable[[Endpoint], Connection] = Connection,
    ) -> None:
        """Prepare.

        Args:
            endpoint: Where it goes.
            make: The message of so many records.
            most_waiting: Records that wait at most.
            most_at_once: Records in one request at most.
            counts: Whether what cannot be sent is lost; metrics come again.
            connect: Makes the connection.

        Raises:
            OSError: A certificate cannot be read.
        """
        self.endpoint = endpoint
        self.lost = 0
        """Records that could not be delivered, for any reason."""
        self.is_off = False
        """The receiver does not take this signal at all."""
        self.retry_at = 0.0
        self.throttled = False
        """Whether the receiver has said how long to wait."""
        self._make = make
        self._most_waiting = most_waiting
        self._most_at_once = most_at_once
        self._counts = counts
        self._connection = connect(endpoint)
        self._waiting: deque[tuple[Any, int]] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        """Around what waits and its size."""
        self._request: Request | None = None
        self._delay = BACK_OFF_S[0]
        self._away = False
        self._full = False

    @property
    def waiting(self) -> int:
        """Records that are neither delivered nor lost."""
        return len(self._waiting) + (self._request.records if self._request else 0)

    @property
    def is_empty(self) -> bool:
        """Whether no record waits for a request to be made of it."""
        return not self._waiting

    @property
    def is_due(self) -> bool:
        """Whether there is enough for a request, or one to be tried again."""
        return self._request is not None or len(self._waiting) >= self._most_at_once

    def has_room(self, size: int) -> bool:
        """Whether content of so many bytes may wait as well."""
        return self._bytes + size <= MOST_BYTES

    def put(self, record: object, size: int) -> None:
        """Keep a record until it is sent, as far as there is room."""
        if self.is_off:
            self._lose(1)
            return
        if len(self._waiting) >= self._most_waiting:
            self._lose(1)
            if not self._full:
                self._full = True
                logger.warning(
                    "miharu: %d %s wait for %s, and further ones are lost until it takes some; "
                    "miharu.stats() counts them. Your program is not affected.",
                    self._most_waiting,
                    self.endpoint.signal,
                    self.endpoint.public,
                )
            return
        with self._lock:
            self._waiting.append((record, size))
            self._bytes += size

    def send(self, now: float) -> bool:
        """Send what waits, until nothing does or it fails; whether all is delivered.

        Args:
            now: Monotonic seconds.
        """
        while self._request is not None or self._waiting:
            if self._request is None:
                self._request = self._next()
            if not self._try(self._request, now):
                return False
            self._request = None
        self._full = False
        return True

    def give_up(self) -> int:
        """Count what waits as lost, at the end of the program; how many that are."""
        left = self.waiting if self._counts else 0
        self._lose(left)
        self._forget()
        self._request = None
        return left

    def hurry(self, timeout: float) -> None:
        """Wait no longer than that for an answer (seconds)."""
        self._connection.hurry(timeout)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _forget(self) -> None:
        with self._lock:
            self._waiting.clear()
            self._bytes = 0

    def _next(self) -> Request:
        records: list[Any] = []
        size = 0
        with self._lock:
            while self._waiting and len(records) < self._most_at_once and size < REQUEST_BYTES:
                record, its = self._waiting.popleft()
                size += its
                records.append(record)
            self._bytes -= size
        body = self._make(records)
        return Request(gzip.compress(body, 6) if self.endpoint.gzip else body, len(records))

    def _try(self, request: Request, now: float) -> bool:
        """Whether the request is settled, delivered or lost."""
        try:
            answer = self._connection.post(request.body)
        except (OSError, http.client.HTTPException) as error:
            self._wait(now, None)
            self._say_away(_reason(error))
            return False
        if answer.status in RETRYABLE:
            request.put_off_since = request.put_off_since or now
            self._wait(now, answer.retry_after)
            self._say_away(f"HTTP status {answer.status}")
            if now - request.put_off_since > ENDURED_S:
                self._lose(request.records)
                return True
            return False
        self._settle(request, answer)
        return True

    def _settle(self, request: Request, answer: Answer) -> None:
        self._delay, self.retry_at, self.throttled = BACK_OFF_S[0], 0.0, False
        if self._away:
            self._away = False
            logger.warning("miharu: sending %s to %s again.", self.endpoint.signal, self.endpoint.public)
        if 200 <= answer.status < 300:
            self._count_rejected(answer)
            return
        if answer.status in NOT_TAKEN and self.endpoint.signal != "traces":
            self.is_off = True
            self._lose(request.records + len(self._waiting))
            self._forget()
            say_once(
                "%s takes no %s (HTTP status %d), so none are sent any more; OTEL_%s_EXPORTER=none says so "
                "from the start.",
                *(self.endpoint.public, self.endpoint.signal, answer.status, self.endpoint.signal.upper()),
            )
            return
        self._lose(request.records)
        say_once(
            "%s refused %s (HTTP status %d%s); they are lost, and counted in miharu.stats(). %s Your program "
            "is not affected.",
            *(self.endpoint.public, self.endpoint.signal, answer.status, _said(answer.body)),
            _REMEDIES.get(answer.status, "Look at the receiver's log."),
        )

    def _count_rejected(self, answer: Answer) -> None:
        rejected, message = rejected_of(self.endpoint.signal, answer.body)
        if rejected:
            self._lose(rejected)
            say_once(
                "%s took only a part of the %s: %s. What it refused is lost, and counted in miharu.stats().",
                *(self.endpoint.public, self.endpoint.signal, message or "it does not say why"),
            )
        elif message:
            say_once("%s warns about the %s: %s.", self.endpoint.public, self.endpoint.signal, message)

    def _wait(self, now: float, asked: float | None) -> None:
        self.throttled = asked is not None
        pause = self._delay * random.uniform(0.75, 1.25) if asked is None else asked  # noqa: S311 - no secret
        self.retry_at = now + pause
        self._delay = min(self._delay * 2, BACK_OFF_S[1])

    def _say_away(self, reason: str) -> None:
        if not self._away:
            self._away = True
            logger.warning(
                "miharu: %s cannot be sent to %s at the moment (%s). They wait%s; your program is not "
                "affected.",
                *(self.endpoint.signal, self.endpoint.public, reason),
                f", at most {self._most_waiting} of them" if self._counts else "",
            )

    def _lose(self, records: int) -> None:
        if self._counts:
            self.lost += records


_REMEDIES = {
    401: "Check OTEL_EXPORTER_OTLP_HEADERS.",
    403: "Check OTEL_EXPORTER_OTLP_HEADERS.",
    404: "Check OTEL_EXPORTER_OTLP_ENDPOINT: it is the address without /v1/traces.",
    413: "A smaller OTEL_BSP_MAX_EXPORT_BATCH_SIZE may help.",
}


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        remedy = "OTEL_EXPORTER_OTLP_CERTIFICATE may name a file with the one to trust"
        return f"its certificate is not trusted: {error.verify_message}; {remedy}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, http.client.HTTPException):
        return "what answers there does not speak HTTP; gRPC's port is 4317, HTTP's is 4318"
    return (getattr(error, "strerror", None) or type(error).__name__).lower()


def _said(body: bytes) -> str:
    """The receiver's own message, as far as there is one."""
    text = message_of(body)
    return f": {text}" if text else ""
