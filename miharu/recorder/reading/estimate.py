"""A guess at the tokens of a call whose provider did not say: a stream without usage, or one left early.

It is made in the worker, only where ``init(estimate_usage=True)`` asks for it, and marked as a guess. The
Latin script has about four characters a token, other scripts one to two.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from miharu.call import Call, Usage
from miharu.wire import sse
from miharu.wire.json import loads
from miharu.wire.streams import objects

__all__ = ("estimated", "tokens_of")

_ANSWER_FIELDS = {
    "content",
    "text",
    "delta",
    "arguments",
    "partial_json",
    "thinking",
    "reasoning_content",
    "refusal",
}
_REQUEST_FIELDS = {
    "messages",
    "input",
    "prompt",
    "system",
    "instructions",
    "contents",
    "tools",
    "message",
    "documents",
}
_DEPTH = 12


def estimated(call: Call, asked: bytes | None, answered: bytes) -> Call:
    """The call with a guess in place of usage that was not reported, where there is text to count."""
    if call.usage.usage_source != "none" or call.outcome.http_status != 200 or call.outcome.status == "error":
        return call
    completion = sum(tokens_of(text) for text in _answer_texts(answered))
    if not completion:
        return call
    request = loads(asked) if asked else None
    prompt = 0
    if isinstance(request, dict):
        prompt = sum(tokens_of(t) for name in _REQUEST_FIELDS & request.keys() for t in _texts(request[name]))
    usage = Usage(prompt_tokens=prompt, completion_tokens=completion, usage_source="estimated")
    return replace(call, usage=usage)


def tokens_of(text: str) -> int:
    """About how many tokens a text has."""
    if text.startswith("data:"):  # an inlined file, which is counted in other ways
        return 0
    latin = len(text) if text.isascii() else sum(character < "\u0250" for character in text)
    return -(-latin // 4) + -(-(len(text) - latin) * 2 // 3)


def _answer_texts(answered: bytes) -> Iterator[str]:
    yield "".join(piece for value in _values(answered) for piece in _texts(value, _ANSWER_FIELDS))


def _values(answered: bytes) -> Iterator[Any]:
    is_stream = False
    for event in sse.events(answered) if b"data:" in answered[:200] else ():
        is_stream = True
        yield loads(event.data)
    if not is_stream:
        whole = loads(answered)
        yield from (whole,) if whole is not None else (answer.value for answer in objects(answered))


def _texts(value: Any, names: set[str] | None = None, depth: int = 0) -> Iterator[str]:
    """The strings in a value; with ``names``, those that stand under one of them."""
    if depth > _DEPTH:
        return
    if isinstance(value, str):
        if names is None:
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, names, depth + 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            if names is not None and name in names and isinstance(item, str):
                yield item
            else:
                yield from _texts(item, names, depth + 1)
