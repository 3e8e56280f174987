"""Errors on demand: for a model of one of these names, or a request with the header ``x-fake-fault``.

error-429            that HTTP status, any from 400 to 599, as the maker of the API words it
error-quota          no money is left, which OpenAI tells its SDK not to retry
error-then-ok        500 for the first attempt, an answer for the next
error-503-then-ok    the same with another status
error-mid-stream     a stream that tells of an error half way; 500 where no stream was asked for
cut-mid-stream       a connection that breaks in the middle of the answer
malformed            an answer that ends well, and is not valid
slow-2.5             so many seconds before the answer begins
hang                 no answer, until the caller gives up
"""

import re
from collections.abc import Mapping
from typing import Any

HEADER = "x-fake-fault"

_KINDS = {
    400: ("invalid_request_error", None, "This request is not valid."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    403: ("invalid_request_error", "permission_denied", "You may not use this model."),
    404: ("invalid_request_error", "model_not_found", "The model does not exist."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached for requests."),
}
_SLOW = re.compile(r"slow-(\d{1,4}(?:\.\d{1,3})?)")
_NAME = re.compile(
    rf"error-(then-ok|quota|mid-stream|[45]\d\d(-then-ok)?)|cut-mid-stream|malformed|hang|{_SLOW.pattern}"
)


def fault_of(headers: Mapping[str, str], model: object) -> str | None:
    for name in (headers.get(HEADER), model):
        if isinstance(name, str) and _NAME.fullmatch(name):
            return name
    return None


def status_of(fault: str) -> int | None:
    """The HTTP status that it answers with, where it is an error from the start."""
    if fault == "error-quota":
        return 429
    digits = re.match(r"error-(\d{3})", fault)
    if digits:
        return int(digits[1])
    return 500 if fault == "error-then-ok" else None


def delay_of(fault: str | None) -> float:
    """Seconds that it adds before the answer."""
    slow = _SLOW.fullmatch(fault or "")
    return float(slow[1]) if slow else 0.0


def error_json(status: int, message: str | None = None, *, quota: bool = False) -> dict[str, Any]:
    """OpenAI's error object."""
    kind, code, text = _KINDS.get(
        status, ("server_error", None, "The server had an error. Sorry about that!")
    )
    if quota:
        kind = code = "insufficient_quota"
        text = "You exceeded your current quota, please check your plan and billing details."
    return {"error": {"message": message or text, "type": kind, "param": None, "code": code}}
