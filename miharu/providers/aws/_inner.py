"""The formats inside InvokeModel and SageMaker: each maker of models has its own.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html

    Anthropic            usage.input_tokens; its streams are read by ``providers/anthropic``
    Nova                 usage.inputTokens, in a stream within ``metadata``
    OpenAI, Jamba, …     usage.prompt_tokens; also models that were imported or are from the marketplace
    Titan                inputTextTokenCount, results[].tokenCount; in a stream totalOutputTextTokenCount
    Llama                prompt_token_count, generation_token_count
    Mistral, Cohere, J2  nothing: Bedrock's own counts are all there is
    TGI (SageMaker)      details.generated_tokens
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from miharu.call import Usage
from miharu.providers.anthropic._usage import usage_of as anthropic_usage
from miharu.providers.aws._usage import usage_of as nova_usage
from miharu.providers.openai._usage import usage_of as openai_usage
from miharu.wire.json import count, dumps, later, mapping, text

__all__ = ("finish_of", "fold", "has_content", "usage_of")

_COUNTS = {
    "inputTextTokenCount": "prompt_tokens",
    "prompt_token_count": "prompt_tokens",
    "totalOutputTextTokenCount": "completion_tokens",
    "generation_token_count": "completion_tokens",
}
_CHOICES = ("results", "generations", "outputs", "choices", "completions")
_FINISH = ("stop_reason", "stopReason", "completionReason", "finish_reason", "finishReason")
_CONTENT = ("outputText", "generation", "text", "completion", "contentBlockDelta")
_KEPT = (*_COUNTS, "model", "id", "service_tier", "amazon-bedrock-invocationMetrics")


def usage_of(answer: Mapping[str, Any], metered: Usage) -> Usage:
    """The model's own counts; those that it does not give as Bedrock has metered them."""
    own = _own_usage(answer)
    if own.usage_source == "none":
        return metered
    if own.prompt_tokens is None:
        own = replace(
            own,
            prompt_tokens=metered.prompt_tokens,
            cached_tokens=metered.cached_tokens,
            cache_write_tokens=metered.cache_write_tokens,
        )
    return (
        own
        if own.completion_tokens is not None
        else replace(own, completion_tokens=metered.completion_tokens)
    )


def fold(chunks: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """One answer out of the chunks of a stream. Counts are cumulative, so the last of each holds."""
    answer: dict[str, Any] = {}
    for chunk in chunks:
        answer.update(later(answer, {name: chunk[name] for name in _KEPT if chunk.get(name) is not None}))
        usage = mapping(chunk.get("metadata")).get("usage") or chunk.get("usage")
        if usage:
            answer["usage"] = later(mapping(answer.get("usage")), mapping(usage))
        if finish := finish_of(chunk):
            answer["stop_reason"] = finish
    return answer


def finish_of(answer: Mapping[str, Any]) -> str | None:
    """Why the model stopped."""
    for holder in (answer, mapping(answer.get("messageStop")), *_choices(answer)):
        for name in _FINISH:
            reason = holder.get(name)
            reason = mapping(reason).get("reason") if isinstance(reason, dict) else reason  # AI21's J2
            if found := text(reason):
                return found
    return None


def has_content(chunk: Mapping[str, Any]) -> bool:
    """Whether a chunk of a stream carries something generated."""
    return any(
        holder.get(name)
        for holder in (chunk, *_choices(chunk))
        for name in (*_CONTENT, *(("delta",) if _says_something(holder.get("delta")) else ()))
    )


def _own_usage(answer: Mapping[str, Any]) -> Usage:
    usage = mapping(answer.get("usage"))
    if "input_tokens" in usage or "output_tokens" in usage:
        return anthropic_usage(usage)
    if "inputTokens" in usage or "outputTokens" in usage:
        return nova_usage(usage)
    if usage:
        return openai_usage(usage)
    raw = {name: answer[name] for name in _COUNTS if count(answer, name) is not None}
    found = {_COUNTS[name]: count(answer, name) for name in raw}
    generated = [number for result in _choices(answer) if (number := _generated(result)) is not None]
    if generated and "completion_tokens" not in found:
        found["completion_tokens"] = sum(generated)
        raw["results.tokenCount"] = generated
    return Usage(**found, usage_source="provider", usage_raw=dumps(raw)) if found else Usage()


def _generated(result: Mapping[str, Any]) -> int | None:
    """Tokens of one result: Titan's, or those of Hugging Face's text-generation-inference."""
    own = count(result, "tokenCount")
    return own if own is not None else count(result, "details", "generated_tokens")


def _choices(answer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for name in _CHOICES:
        value = answer.get(name)
        if isinstance(value, list):
            yield from map(mapping, value)


def _says_something(delta: Any) -> bool:
    return any(value for name, value in mapping(delta).items() if name != "role")
