"""What a call used, in the units of genai-prices: tokens, and what is paid by another measure.

Tokens come in miharu's normal form; the rest is read from the provider's own usage object.
"""

import json
from typing import Any

from miharu.call import Usage

__all__ = ("is_regional", "measures_of", "raw_of", "tokens_of")

_TOKENS = {
    "prompt_tokens": "input_tokens",
    "completion_tokens": "output_tokens",
    "cached_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "cache_write_5m_tokens": "cache_write_5m_tokens",
    "cache_write_1h_tokens": "cache_write_1h_tokens",
    "reasoning_tokens": "output_reasoning_tokens",
    "audio_input_tokens": "input_audio_tokens",
    "audio_output_tokens": "output_audio_tokens",
    "image_input_tokens": "input_image_tokens",
    "image_output_tokens": "output_image_tokens",
}

_MEASURES = (
    # Where it stands, what it is. Of several places for one measure the first that counts something holds.
    ("web_searches", "server_tool_use", "web_search_requests"),  # Anthropic
    ("web_searches", "server_tool_use_details", "web_search_requests"),  # OpenRouter
    ("web_searches", "tool_usage", "web_search", "num_requests"),  # OpenAI Responses, since 2026
    ("web_searches", "tool_calls", "web_search_call"),  # OpenAI Responses before: items of the output
    ("web_searches", "tool_calls_details", "search_web", "invocation"),  # Perplexity's Agent API
    ("web_searches", "num_search_queries"),  # Perplexity's research
    ("web_searches", "web_searches"),  # counted by one of our readers
    ("storage_searches", "tool_calls", "file_search_call"),
    ("code_executions", "tool_calls", "code_interpreter_call"),
    ("code_executions", "server_tool_use", "code_execution_requests"),
    ("input_audio_seconds", "seconds"),  # OpenAI transcriptions, type "duration"
    ("input_audio_seconds", "prompt_audio_seconds"),  # Mistral
    ("input_audio_seconds", "duration"),  # Groq
    ("input_characters", "input_characters"),  # speech: counted by our reader
    ("input_document_pages", "pages_processed"),  # Mistral OCR
    ("input_annotated_document_pages", "annotated_pages"),
    ("rerank_searches", "billed_units", "search_units"),  # Cohere
    ("rerank_searches", "search_units"),
    # Paid for by a price list that is not the model's, or by none: they make the whole cost unknown.
    ("images", "tool_usage", "image_gen", "total_tokens"),
    ("images", "tool_calls", "image_generation_call"),
    ("containers", "tool_calls", "shell_call"),
    ("classifications", "billed_units", "classifications"),
    ("svg", "svg_usage", "total_tokens"),
)

_MODALITIES = {"TEXT": "text", "AUDIO": "audio", "IMAGE": "image", "DOCUMENT": "image", "VIDEO": "video"}


def raw_of(usage: Usage) -> dict[str, Any]:
    """The provider's own usage object; empty where there is none to read."""
    try:
        raw = json.loads(usage.usage_raw) if usage.usage_raw else None
    except (ValueError, RecursionError):
        return {}
    return raw if isinstance(raw, dict) else {}


def measures_of(raw: dict[str, Any]) -> dict[str, int | float]:
    """What is paid beyond tokens; each of them needs a price of its own."""
    found: dict[str, int | float] = {}
    for unit, *path in _MEASURES:
        value: Any = raw
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 2**53:
            found.setdefault(unit, value)
    if "input_audio_seconds" in found:
        found["audio_seconds"] = found["input_audio_seconds"]
    return found


def tokens_of(usage: Usage, raw: dict[str, Any], *, sound_by_time: bool) -> dict[str, int]:
    """Tokens by kind.

    Args:
        usage: In the normal form.
        raw: The provider's own object.
        sound_by_time: Whether sound is paid by the second, so that its tokens are not paid again.
    """
    counts = {unit: getattr(usage, name) for name, unit in _TOKENS.items()}
    counts["input_tokens"] = counts["input_tokens"] or 0
    counts["output_tokens"] = counts["output_tokens"] or 0
    if sound_by_time and isinstance(stated := raw.get("prompt_tokens"), int):
        counts["input_tokens"] = min(counts["input_tokens"], stated)
        counts["input_audio_tokens"] = None
        counts["cache_read_tokens"] = min(counts["cache_read_tokens"] or 0, counts["input_tokens"])
    # Gemini says of which kind the cached tokens are, and counts video, for which there is no column
    for name, pattern in (
        ("cacheTokensDetails", "cache_{}_read_tokens"),
        ("promptTokensDetails", "input_{}_tokens"),
    ):
        details = raw.get(name)
        for detail in details if isinstance(details, list) else []:
            kind = _MODALITIES.get(str(detail.get("modality"))) if isinstance(detail, dict) else None
            if kind and isinstance(count := detail.get("tokenCount"), int) and count >= 0:
                unit = pattern.format(kind)
                if name == "cacheTokensDetails" or kind == "video":
                    counts[unit] = (counts.get(unit) or 0) + count
    return {unit: value for unit, value in counts.items() if value is not None}


def is_regional(raw: dict[str, Any]) -> bool:
    """Whether Anthropic ran it in one region, at a surcharge that no price list has.

    https://docs.claude.com/en/docs/build-with-claude/data-residency
    """
    return str(raw.get("inference_geo") or "global") not in {"global", "not_available"}
