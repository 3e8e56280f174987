"""Which wire format knows how a call reads: one of the program, of miharu, or of another package."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from miharu.plugins import installed, load
from miharu.providers import BUILT_IN
from miharu.providers.base import Provider
from miharu.providers.messages import Tells

__all__ = ("format_of", "shape_of")

_BUILT_IN = {point.name: point for point in BUILT_IN}


def format_of(api: str, own: Sequence[Provider] = ()) -> Tells | None:
    """The format of that name that has ``messages``, in the order in which calls are read."""
    return _telling(api, own) or _telling(api, _ours(api) if api in _BUILT_IN else _installed())


def shape_of(request: Mapping[str, Any]) -> Tells | None:
    """The format that a request looks like: of a model of Bedrock's, or a gateway's own."""
    if not isinstance(request.get("messages"), list):
        return None
    if "schemaVersion" in request or "inferenceConfig" in request:  # Amazon's Nova
        return format_of("bedrock.converse")
    return format_of("anthropic.messages" if "anthropic_version" in request else "openai.chat")


def _telling(api: str, formats: Iterable[Provider]) -> Tells | None:
    return next((one for one in formats if one.api == api and isinstance(one, Tells)), None)


def _ours(api: str) -> Iterable[Provider]:
    return (provider() for _, provider in load([_BUILT_IN[api]]))


@cache
def _installed() -> Sequence[Provider]:
    return [provider() for _, provider in load(installed("miharu.providers"))]
