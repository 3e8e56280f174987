"""How a call ended. The one place that judges success."""

from miharu.call import Outcome, Status
from miharu.exchange import Exchange
from miharu.providers.base import Reading, Wire
from miharu.recorder.reading.headers import retry_after_ms

__all__ = ("CLIENT_GONE", "ended", "outcome_of")

CLIENT_GONE = "client_disconnected"
"""The ``error_type`` of a cancelled call whose visitor had gone; no other cancelled call has one."""
SEEN_MESSAGE = 20_000
"""Characters of a message that the redactor sees; it keeps fewer, and leaves no secret on the edge."""


def outcome_of(exchange: Exchange, wire: Wire, reading: Reading) -> Outcome:
    """How it ended, by the protocol: end of file alone proves nothing, and SDKs close at the end marker."""
    status, kind, message = _ending(exchange, wire, reading)
    return Outcome(
        status=status,
        http_status=wire.status,
        error_type=kind,
        error_message=message,
        retry_after_ms=retry_after_ms(wire.headers),
    )


def _ending(exchange: Exchange, wire: Wire, reading: Reading) -> tuple[Status, str | None, str | None]:
    """Its status, and type and message of an error."""
    if wire.status is not None and (reading.is_error or wire.status >= 400):
        kind = (reading.error_type or str(wire.status))[:200]
        return "error", kind, reading.error_message and reading.error_message[:SEEN_MESSAGE]
    if wire.status is not None and (reading.terminated or (reading.finish_reason and wire.end == "eof")):
        cancelled = reading.is_cancelled or reading.finish_reason == "cancelled"
        status: Status = "cancelled" if cancelled else "success"
        return status, None, wire.unread  # its usage may stand in what was not read
    if wire.end == "error":
        return "error", exchange.error_type, exchange.error_message and exchange.error_message[:SEEN_MESSAGE]
    if wire.end == "eof" and (wire.unread or exchange.shed or exchange.lost):
        return "success", None, wire.unread  # it was whole; what we have of it is not
    if wire.end == "eof":
        what = "stream" if reading.stream else "response"
        return "error", f"incomplete_{what}", f"The {what} ended before it was complete."
    return "cancelled", CLIENT_GONE if _client_left(exchange) else None, None


def _client_left(exchange: Exchange) -> bool:
    """Whether the host's own visitor went away while the call was under way, which is why it ended."""
    origin = exchange.context.origin if exchange.context else None
    return origin is not None and exchange.started <= origin.left <= exchange.ended


def ended(exchange: Exchange, reading: Reading) -> int:
    """When it was over: some read to the end marker, and leave the rest to the garbage collection."""
    if reading.terminated and exchange.end in {"closed", "dropped"} and exchange.arrivals:
        return exchange.arrivals[-1]
    return exchange.ended
