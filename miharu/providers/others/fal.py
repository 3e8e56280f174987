"""fal (https://fal.ai/docs/model-endpoints): models behind ``fal.run``, and behind a queue.

The queue's answer names the request; a later ``GET`` of its result completes the call. How many units are
billed stands in the header ``x-fal-billable-units``; what a unit costs is each model's own affair.
"""

import re

from miharu.providers._jobs import stated
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.openai._errors import error_of
from miharu.wire.json import text

__all__ = ("Fal",)

_QUEUE = ("queue.fal.run", "queue.falrun.com")
_MODEL = re.compile(r"/(.+?)(?:/requests/[^/]+)?/?\Z")
_RESULT = re.compile(r"/[^/]+/[^/]+(?:/[^/]+)*/requests/([^/]+)/?\Z")
_ASIDE = re.compile(r"/requests/[^/]+/(?:status|cancel|stream)(?:/|\Z)|/workflows/|\A/(?:storage|tokens)/")


class Fal:
    """Reads ``POST https://fal.run/{model}``, the same at ``queue.fal.run``, and the ``GET`` of a result."""

    api = "fal"
    rules = (
        *(Rule(host=host) for host in ("fal.run", "falrun.com")),
        *(Rule("/requests", host=host, method="GET") for host in _QUEUE),
    )

    def read(self, wire: Wire) -> Reading | None:
        if _ASIDE.search(wire.path) or wire.path.count("/") < 2:
            return None
        ends = wire.method == "GET"
        result = _RESULT.fullmatch(wire.path)
        if ends and (result is None or wire.status in {None, 202, 400, 404} or not wire.answered):
            return None
        queued = wire.host.partition(":")[0] in _QUEUE and not ends
        kind, message = error_of(wire.answered, wire.status)
        units = _units(wire.headers.get("x-fal-billable-units"))
        model = _MODEL.fullmatch(wire.path)
        named = result.group(1) if result else text(wire.answered.get("request_id"))
        return Reading(
            terminated=bool(wire.answered),
            usage=stated(billable_units=units),
            quantities={"fal_units": units} if units else {},
            request_model=model.group(1) if model else None,
            error_type=wire.headers.get("x-fal-error-type") or kind,
            error_message=message,
            finish_reason=text(wire.answered.get("status")) if queued else None,
            response_id=named or wire.headers.get("x-fal-request-id"),
            opens=queued,
            completes=ends,
        )


def _units(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if 0 <= number < 2**53 else None
