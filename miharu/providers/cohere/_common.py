"""What the wire formats of Cohere share."""

from collections.abc import Iterable
from typing import Any

from miharu.call import Usage
from miharu.providers.base import Wire
from miharu.wire.json import count, dumps, mapping

__all__ = ("FAILED", "is_meant", "usage_of")

FAILED = {"ERROR", "ERROR_TOXIC", "TIMEOUT"}
"""Finish reasons of an answer that is none (https://docs.cohere.com/reference/chat)."""


def is_meant(wire: Wire, *, asked: str, answered: Iterable[str]) -> bool:
    """Whether this is a call at all. Cohere's own host is believed; elsewhere both shapes have to fit.

    Args:
        wire: The exchange.
        asked: The field of the request without which there is no such call.
        answered: Fields of a response; a success has each of them.
    """
    if wire.provider == "cohere":
        return True
    if asked not in wire.asked or "model" not in wire.asked:
        return False
    if wire.status is None or wire.status >= 400 or not wire.body:
        return wire.provider is not None or "x-fern-sdk-name" in wire.request_headers
    return all(f'"{field}"'.encode() in wire.body for field in answered)


def usage_of(raw: Any) -> Usage:
    """The normal form of a ``usage`` (v2) or a ``meta`` (v1).

    Cohere counts twice: ``tokens`` is all that the model read, its own preamble included, ``billed_units`` is
    what is paid for (https://docs.cohere.com/docs/how-does-cohere-pricing-work). Billed ones are taken, so
    ``cached_tokens`` can be more than the prompt.
    """
    raw = mapping(raw)
    billed, tokens = mapping(raw.get("billed_units")), mapping(raw.get("tokens"))
    if not billed and not tokens:
        return Usage()
    counted = billed if _has_tokens(billed) or not tokens else tokens
    given = [count(counted, "input_tokens"), count(billed, "image_tokens")]
    known = [number for number in given if number is not None]
    return Usage(
        prompt_tokens=sum(known) if known else None,
        completion_tokens=count(counted, "output_tokens"),
        cached_tokens=count(raw, "cached_tokens"),
        reasoning_tokens=count(tokens, "reasoning_tokens"),
        image_input_tokens=count(billed, "image_tokens"),
        usage_source="provider",
        usage_raw=dumps(raw),
    )


def _has_tokens(billed: dict[str, Any]) -> bool:
    return any(count(billed, name) is not None for name in ("input_tokens", "output_tokens"))
