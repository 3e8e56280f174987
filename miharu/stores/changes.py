"""What of a call may change once it is stored: the end of a call that was opened before, and its price."""

from miharu.stores.columns import CALLS

__all__ = ("CLOCKS_APART_MS", "COMPLETED", "COSTS")

CLOCKS_APART_MS = 120_000
"""How far the provider's clock may be from ours: a call that was opened is looked for around its beginning,
so that no index by response is needed."""
_OPENED = {
    *("id", "timestamp", "request_model", "sdk", "stream", "attempt", "call_group", "body_hash", "service"),
    *("route", "host_request_id", "user_id", "session_id", "trace_id", "span_id", "parent_id", "tags"),
    *("prompt_name", "prompt_hash"),
    *("request_id", "api", "provider", "host", "ttft_ms", "ttft_bucket", "duplicate_of"),
}
COMPLETED = tuple(name for name in CALLS if name not in _OPENED)
"""What the end of a background call may still change; the rest stays as it was opened."""
COSTS = ("cost_nanousd", "cost_source", "price_version")
