"""Usage and stated cost in the dialects of OpenAI's formats, told apart by their shape, never by host.

The normal form wants every token once: cache, audio and images inside the prompt, reasoning inside the
completion. Where a dialect leaves some outside, its own ``total_tokens`` says so.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from miharu.call import Usage
from miharu.wire.json import ABSURD, count, dumps, mapping

__all__ = ("stated_cost", "usage_of", "usages_beside")

_PROMPT_DETAILS = (
    "prompt_tokens_details",  # Chat Completions
    "input_tokens_details",  # Responses, images
    "input_token_details",  # transcriptions: "token", in the singular
    "prompt_token_details",  # Assistants, Writer, Mistral
)
_COMPLETION_DETAILS = (
    "completion_tokens_details",
    "output_tokens_details",
    "output_token_details",
    "completion_token_details",
)
_CACHED = (
    "cached_tokens",  # OpenAI: in the details; Moonshot and Together: beside the totals
    "num_cached_tokens",  # Mistral (https://docs.mistral.ai/api)
    "prompt_cache_hit_tokens",  # DeepSeek (https://api-docs.deepseek.com/guides/kv_cache)
    "cache_read_input_tokens",  # Databricks, LiteLLM, Perplexity's Agent API
)
_WRITTEN = (
    "cache_write_tokens",  # OpenAI, OpenRouter: in the details
    "cache_creation_tokens",  # LiteLLM
    "cache_creation_input_tokens",  # Databricks, LiteLLM
)
_COSTS = {"cost", "cost_in_usd_ticks", "estimated_cost", "pydantic_ai_gateway"}
"""What stands in a usage object that states a cost."""
_LITELLM = "x-litellm-response-cost"
_USUAL = {
    *("prompt_tokens", "completion_tokens", "total_tokens"),
    *("prompt_tokens_details", "completion_tokens_details"),
}
_USUAL_INS = {"cached_tokens", "audio_tokens"}
_USUAL_OUTS = {
    *("reasoning_tokens", "audio_tokens"),
    *("accepted_prediction_tokens", "rejected_prediction_tokens"),
}
_NONE: dict[str, Any] = {}


def usage_of(raw: Any, beside: Mapping[str, Any] | None = None) -> Usage:
    """The normal form of a usage object in any of the dialects.

    Args:
        raw: The provider's own object, kept as it is.
        beside: What the answer counts elsewhere and prices need; kept with it under its own names.
    """
    if not isinstance(raw, dict) or not raw:
        return Usage()
    if not beside and (usual := _usual(raw)) is not None:
        return usual
    ins, outs = _details(raw, _PROMPT_DETAILS), _details(raw, _COMPLETION_DETAILS)
    prompt = _first(raw, "prompt_tokens", "input_tokens")
    completion = _first(raw, "completion_tokens", "output_tokens")
    if prompt is None and completion is None:
        # embeddings and rerankings of Voyage (https://docs.voyageai.com/reference/embeddings-api)
        prompt = count(raw, "total_tokens")
    cached = _largest(_CACHED, ins, raw)
    written = _largest(_WRITTEN, ins, raw)
    # Perplexity and Databricks have it beside the totals
    reasoning = _largest(("reasoning_tokens",), outs, raw)
    audio = count(ins, "audio_tokens")
    outside = _outside(raw, prompt, completion)
    if outside and prompt is not None and completion is not None:
        if outside != reasoning and (
            outside in {audio, (cached or 0) + (written or 0)} or _number(raw.get("prompt_audio_seconds"))
        ):
            # Mistral counts sound outside of its prompt_tokens (https://docs.mistral.ai/capabilities/audio)
            prompt += outside
        else:
            # xAI: reasoning (https://docs.x.ai/docs/guides/reasoning); Gemini: thinking that is itemised
            # nowhere (https://ai.google.dev/gemini-api/docs/openai)
            completion += outside
    elif completion is not None and "citation_tokens" in raw:
        # Perplexity's research: its total leaves reasoning out (https://docs.perplexity.ai, "usage")
        completion += reasoning or 0
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=reasoning,
        audio_input_tokens=audio,
        audio_output_tokens=count(outs, "audio_tokens"),
        image_input_tokens=count(ins, "image_tokens"),
        image_output_tokens=count(outs, "image_tokens"),
        usage_source="provider",
        usage_raw=dumps({**raw, **(beside or {})}),
    )


def _usual(raw: dict[str, Any]) -> Usage | None:
    """That of an object as OpenAI itself writes it, which most look like; ``None`` of all others."""
    prompt: Any = raw.get("prompt_tokens")
    completion: Any = raw.get("completion_tokens")
    total: Any = raw.get("total_tokens")
    ins, outs = raw.get("prompt_tokens_details", _NONE), raw.get("completion_tokens_details", _NONE)
    if not raw.keys() <= _USUAL or ins.__class__ is not dict or outs.__class__ is not dict:
        return None
    if not ins.keys() <= _USUAL_INS or not outs.keys() <= _USUAL_OUTS:
        return None
    counts = (prompt, completion, total, *ins.values(), *outs.values())
    for each in counts:
        if each.__class__ is not int or not 0 <= each < ABSURD:
            return None
    if prompt + completion != total:
        return None
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=ins.get("cached_tokens"),
        reasoning_tokens=outs.get("reasoning_tokens"),
        audio_input_tokens=ins.get("audio_tokens"),
        audio_output_tokens=outs.get("audio_tokens"),
        usage_source="provider",
        usage_raw=dumps(raw),
    )


def usages_beside(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Other usage than ``usage`` that an answer states at its top: of tools, of several models."""
    return {
        name: value
        for name, value in answer.items()
        if "usage" in name and name != "usage" and isinstance(value, dict | list) and _counts(value)
    }


def _counts(value: Any, depth: int = 0) -> bool:
    """Whether there is a number in it that is not zero."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return depth < 8 and any(_counts(each, depth + 1) for each in value)
    return _number(value)


def stated_cost(raw: Any, headers: Mapping[str, str]) -> Decimal | None:
    """What the provider or a gateway says that the call cost, in US dollars."""
    usage = mapping(raw)
    if _COSTS.isdisjoint(usage):
        return _money(headers.get(_LITELLM)) or None
    cost = usage.get("cost")
    if isinstance(cost, dict):
        return _money(cost.get("total_cost"))  # Perplexity
    if (stated := _money(cost)) is not None:
        # OpenRouter; with a key of one's own it names its fee, and what the provider bills beside it
        # (https://openrouter.ai/docs/use-cases/usage-accounting)
        own_key = usage.get("is_byok") is True
        upstream = _money(mapping(usage.get("cost_details")).get("upstream_inference_cost"))
        return stated + upstream if own_key and upstream is not None else stated
    if (ticks := _money(usage.get("cost_in_usd_ticks"), most=10**16)) is not None:
        return ticks / 10**10  # xAI (https://docs.x.ai/developers/cost-tracking)
    for name in ("estimated_cost", "cost_estimate"):  # DeepInfra; Pydantic AI Gateway
        holder = mapping(usage.get("pydantic_ai_gateway")) if name == "cost_estimate" else usage
        if (stated := _money(holder.get(name))) is not None:
            return stated
    # LiteLLM's proxy; it says 0 for a model that it has no price for
    return _money(headers.get(_LITELLM)) or None


def _details(raw: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    for name in names:
        if isinstance(value := raw.get(name), dict):
            return value
    return {}


def _first(holder: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        if (found := count(holder, name)) is not None:
            return found
    return None


def _largest(names: tuple[str, ...], *holders: Mapping[str, Any]) -> int | None:
    """One of several names for the same count; of two, a zero is the one that was not filled in."""
    largest: int | None = None
    for holder in holders:
        for name in names:
            if name in holder and (found := count(holder, name)) is not None:
                largest = found if largest is None else max(largest, found)
    return largest


def _outside(raw: Mapping[str, Any], prompt: int | None, completion: int | None) -> int:
    """Tokens of the total that neither the prompt nor the completion has."""
    total = count(raw, "total_tokens")
    if total is None or prompt is None or completion is None:
        return 0
    return max(0, total - prompt - completion)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _money(value: Any, most: int = 10**6) -> Decimal | None:
    """The amount as it was written: the shortest text of a float is the token that it was read from."""
    if value is None or isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value))
    except (InvalidOperation, ValueError):  # a whole number of more digits than Python turns into text
        return None
    return amount if amount.is_finite() and 0 <= amount < most else None
