"""One request of a sender: its token, its bounds, its answer. The host's loop waits for nothing of ours."""

import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from miharu._guard import swallowed
from miharu.dashboard.access.secret import same, token_for, token_from
from miharu.dashboard.access.throttle import Guesses
from miharu.dashboard.door import Receive, Scope, Send
from miharu.errors import StoreError
from miharu.ingest.answer import Answer, Endpoint, Refusal, Sent
from miharu.ingest.rate import Rate
from miharu.wire.batches import VERSION

if TYPE_CHECKING:
    from anyio import CapacityLimiter

    from miharu.monitor import Monitor

__all__ = ("PATHS", "Ingest")

PATHS = ("/v1/miharu", "/v1/miharu/sums", "/v1/traces", "/v1/logs")
AT_ONCE = 4
"""Requests that are read and stored at the same time: what they hold in memory is bounded by it."""
WAITING = 64
"""Those that may wait for their turn."""
BODY_WITHIN_S = 30.0
IGNORED = 64 << 20
"""Bytes of a body that are let pass by after a refusal, so that the sender comes to read the answer."""


class Ingest:
    """Answers what is sent to ``PATHS``; never raises an exception of ours."""

    def __init__(
        self,
        monitor: "Callable[[], Monitor | None]",
        *,
        environ: Mapping[str, str] = os.environ,
        rate: Rate | None = None,
        guesses: Guesses | None = None,
        body_within_s: float = BODY_WITHIN_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare.

        Args:
            monitor: What stores; ``None`` from it means that the program has not called ``init()``.
            environ: Where a chosen token may be.
            rate: How often one address may send.
            guesses: The wrong tokens that were seen.
            body_within_s: Seconds that a body may take to arrive.
            clock: Unix seconds, by which calls of the future are told.
        """
        self._monitor = monitor
        self._environ = environ
        self._rate = rate or Rate()
        self._guesses = guesses or Guesses()
        self._body_within_s = body_within_s
        self._endpoints = _endpoints(clock)
        self.paths = tuple(self._endpoints)
        """What it answers."""
        self._waiting = 0
        self._limiter: CapacityLimiter | None = None

    async def answer(self, scope: Scope, receive: Receive, send: Send, path: str) -> None:
        """Take in what is sent to one of the ``PATHS``, and answer it."""
        endpoint, headers, reading = self._endpoints[path], _headers(scope), _Reading(receive)
        try:
            answer = await self._answered(endpoint, scope, headers, reading, path)
        except Refusal as refusal:
            answer = endpoint.refused(refusal, headers)
        except StoreError as error:
            answer = endpoint.refused(Refusal(503, str(error), again_s=1), headers)
        except Exception:  # noqa: BLE001 - the guard
            swallowed("taking in calls")
            words = "This could not be taken in; the log of this miharu says why."
            answer = endpoint.refused(Refusal(500, words), headers)
        await reading.pass_by(self._body_within_s)
        await _send(answer, send)

    async def _answered(
        self, endpoint: Endpoint, scope: Scope, headers: Mapping[str, str], reading: "_Reading", path: str
    ) -> Answer:
        import anyio

        if scope["method"] != "POST":
            raise Refusal(405, "Calls are sent here with POST.")
        monitor = self._monitor()
        if monitor is None or monitor.config.disabled:
            raise Refusal(503, "miharu has not been started in this program.", again_s=5)
        await self._check(scope, headers, monitor.config.database)
        if (again := self._rate.wait(_address(scope))) is not None:
            raise Refusal(429, "That is more often than one address may send.", again_s=again)
        if self._waiting >= WAITING:
            raise Refusal(503, "Too much is sent at once.", again_s=1)
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(AT_ONCE)
        self._waiting += 1
        try:
            async with self._limiter:
                body = await reading.body(endpoint.largest, headers, self._body_within_s)
                take = partial(endpoint.take, Sent(path, headers, body), monitor)
                # a limiter of its own: the host's threads may all be busy
                return await anyio.to_thread.run_sync(take, limiter=anyio.CapacityLimiter(1))
        finally:
            self._waiting -= 1

    async def _check(self, scope: Scope, headers: Mapping[str, str], database: str) -> None:
        import anyio

        scheme, _, shown = headers.get("authorization", "").partition(" ")
        shown = shown.strip() if scheme.lower() == "bearer" else ""
        chosen = token_from(self._environ)
        address = _address(scope)
        if chosen and shown and self._guesses.too_many(address):
            raise Refusal(429, "Too many wrong tokens came from this address.", again_s=60)
        token = chosen
        if token is None:
            token = await anyio.to_thread.run_sync(token_for, database, limiter=anyio.CapacityLimiter(1))
        if not shown or not same(shown, token):
            if chosen and shown:
                self._guesses.note(address, shown)
            raise Refusal(401, "Send the token of this miharu: 'Authorization: Bearer <token>'.")


class _Reading:
    """The body of one request, as far as it is wanted."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._left = True
        """Whether there is more of it."""

    async def body(self, most: int, headers: Mapping[str, str], within_s: float) -> bytes:
        """All of it.

        Raises:
            Refusal: It is too large, comes too slowly, or breaks off.
        """
        import anyio

        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:20]) > most:
            raise Refusal(413, f"It is larger than {most:,} bytes: send less at once.")
        pieces, left = list[bytes](), most
        with anyio.move_on_after(within_s):
            while self._left:
                pieces.append(await self._piece())
                left -= len(pieces[-1])
                if left < 0:
                    raise Refusal(413, f"It is larger than {most:,} bytes: send less at once.")
            return b"".join(pieces)
        raise Refusal(408, f"It has not arrived within {within_s:g} s.", again_s=1)

    async def pass_by(self, within_s: float) -> None:
        """Let the rest of it pass by: a sender reads its answer once it has sent everything."""
        import anyio

        passed = 0
        try:
            with anyio.move_on_after(within_s):
                while self._left and passed < IGNORED:
                    passed += len(await self._piece())
        except Refusal:
            return

    async def _piece(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._left = False
            raise Refusal(400, "The connection was closed before all of it was sent.")
        self._left = bool(message.get("more_body", False))
        return bytes(message.get("body", b""))


def _endpoints(clock: Callable[[], float]) -> Mapping[str, Endpoint]:
    from miharu.ingest.batches import Batches
    from miharu.ingest.otlp.endpoint import Logs, Traces
    from miharu.ingest.otlp.memory import Memory
    from miharu.ingest.sums import Sums

    memory = Memory()
    return dict(zip(PATHS, (Batches(clock), Sums(), Traces(memory, clock), Logs(memory, clock)), strict=True))


async def _send(answer: Answer, send: Send) -> None:
    headers = [
        ("Content-Type", answer.kind),
        ("Content-Length", str(len(answer.body))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("Miharu-Form", str(VERSION)),
        *((("WWW-Authenticate", "Bearer"),) if answer.status == 401 else ()),
        *((("Allow", "POST"),) if answer.status == 405 else ()),
        *answer.headers,
    ]
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": answer.body})


def _headers(scope: Scope) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope.get("headers", ())
    }


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""
