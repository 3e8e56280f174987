"""Everything that is not a conversation: a text in, and out come a text, vectors, pictures, a ranking."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from miharu.providers.messages import (
    Message,
    Part,
    Said,
    data_part,
    dicts,
    media,
    message,
    said,
    text_part,
    tools,
)

__all__ = ("answered", "asked", "messages")

_ASKED = (
    *("prompt", "inputs", "input", "query", "text", "texts", "message", "content", "instances"),
    *("inputText", "inputTexts", "requests"),
)
_SAID = (
    *("text", "generated_text", "completion", "generation", "response", "output_text", "outputText"),
    "value",  # Writer, streamed
)
_MOST_OBJECTS = 3
"""Of an answer in which nothing is known to be said."""
_LISTS = ("choices", "results", "completions", "generations", "outputs")


def asked(request: Mapping[str, Any]) -> Iterator[Message]:
    for name in ("system", "preamble"):
        if request.get(name):
            yield message("system", said(request[name]))
    for one in dicts(request.get("chat_history") or []):
        yield message(str(one.get("role") or "user").lower(), said(one.get("message")))
    for name in _ASKED:
        value = request.get(name)
        if isinstance(value, dict):  # Replicate, Gemini
            value = value.get("prompt") or value.get("parts") or value
        if name == "requests":
            held = (one.get("content") for one in dicts(value))
            value = [part for one in held if isinstance(one, dict) for part in dicts(one.get("parts"))]
        if value:
            yield message("user", said(value))
            break
    documents = request.get("documents")
    if isinstance(documents, list) and documents:
        yield message("user", [data_part(f"{len(documents)} documents", documents)])


def answered(objects: Sequence[Mapping[str, Any]]) -> Iterator[Message]:
    thoughts = "".join(thought for one in objects for thought in _field(one, ("thinking",)))
    texts = "".join(text for one in objects for text in (*_field(one, _SAID), *_output(one)))
    parts: list[Part | None] = [Part(kind="thinking", text=thoughts)] if thoughts else []
    parts.append(text_part(texts))
    for one in objects:
        parts.extend(_vectors(one))
        parts.extend(_pictures(one))
    if not any(parts):
        told = [one for one in objects if not one.get("error")]
        parts = [data_part("answer", one) for one in told[:_MOST_OBJECTS]]
        parts += [Part(kind="rest")] * (len(told) > _MOST_OBJECTS)
    if parts:
        yield message("assistant", parts)


def _field(one: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    """The text under the first of the names that has one, in the object and in each of its choices."""
    for held in (one, *(inner for name in _LISTS for inner in dicts(one.get(name) or []))):
        text = next((held[name] for name in names if isinstance(held.get(name), str)), None)
        token = held.get("token")
        if text is None and names is _SAID and isinstance(token, dict) and not token.get("special"):
            text = token.get("text")  # Text Generation Inference, streamed
        if isinstance(text, str):
            yield text


def _output(one: Mapping[str, Any]) -> Iterator[str]:
    """Replicate's: a text, or its pieces."""
    output = one.get("output")
    for piece in output if isinstance(output, list) else [output]:
        if isinstance(piece, str):
            yield piece


def _vectors(one: Mapping[str, Any]) -> Iterator[Part]:
    """How many, and of how many dimensions; the numbers themselves are left out."""
    held = one.get("data") or one.get("embeddings") or one.get("embedding")
    if isinstance(held, dict):
        held = next((value for value in held.values() if value), held)
    vectors = held if isinstance(held, list) else []
    if vectors and isinstance(vectors[0], float | int):
        vectors = [vectors]
    first = vectors[0] if vectors else None
    if isinstance(first, dict):
        first = first.get("embedding") or first.get("values")
    if isinstance(first, list) and first and isinstance(first[0], float | int):
        yield Part(kind="data", name="vectors", text=f"{len(vectors)} of {len(first)} dimensions")
    elif isinstance(first, str) and isinstance(vectors[0], dict):
        yield Part(kind="data", name="vectors", text=f"{len(vectors)}, in base64")


def _pictures(one: Mapping[str, Any]) -> Iterator[Part | None]:
    for image in dicts(one.get("data") or []):
        if image.get("url") or image.get("b64_json"):
            yield media("image", image.get("url") or image.get("b64_json"))
            yield text_part(image.get("revised_prompt"))


def messages(request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> Said:
    """The request and its answers, as messages."""
    return Said(asked=asked(request), answered=answered(answers), tools=tools(request))
