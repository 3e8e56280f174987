"""What each field of a provider's usage object is to a price: one table for each way to state a usage.

A field is ``COUNTED`` in the normal form of usage, ``PART`` of another field, ``FREE``, or names a quantity
by its unit. Lists are looked through: ``iterations.input_tokens`` is a field of each iteration. A number in a
field that no table has, and whose name speaks of something countable, is an ``unknown`` quantity, which
leaves the call without a cost.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from miharu.measures import KEY

__all__ = ("COUNTED", "FREE", "PART", "fields_of", "numbers", "unknown")

COUNTED = "counted"
"""A field whose tokens the normal form counts."""
PART = "part"
"""A sum of other fields, or a part of one that has no price of its own."""
FREE = "free"

_OPENAI = {
    **dict.fromkeys(("prompt_tokens", "input_tokens", "completion_tokens", "output_tokens"), COUNTED),
    "total_tokens": PART,
    "num_cached_tokens": COUNTED,
    "cached_tokens": COUNTED,
    "cached_prompt_text_tokens": COUNTED,
    "prompt_cache_hit_tokens": COUNTED,
    "prompt_cache_miss_tokens": PART,
    "cache_read_input_tokens": COUNTED,
    "cache_creation_input_tokens": COUNTED,
    "cache_creation_tokens": COUNTED,
    "cache_write_tokens": COUNTED,
    "cache_creation.ephemeral_5m_input_tokens": COUNTED,
    "cache_creation.ephemeral_1h_input_tokens": COUNTED,
    "reasoning_tokens": COUNTED,
    "prompt_text_tokens": PART,
    "prompt_image_tokens": "input_image_tokens",
    "dram_cached_tokens": PART,
    "sram_cached_tokens": PART,
    "citation_tokens": "output_citation_tokens",
    "num_search_queries": "web_searches",
    "num_sources_used": "live_search_sources",
    "num_server_side_tools_used": PART,
    "prompt_audio_seconds": "input_audio_seconds",
    "seconds": "input_audio_seconds",
    "duration": "input_audio_seconds",
    "input_characters": "input_characters",
    "character_count": "input_characters",
    "pages_processed": "input_document_pages",
    "annotated_pages": "input_annotated_document_pages",
    "billable_audio_seconds": PART,  # a running total: what is new of it is named by its reader
    "output_audio_seconds": PART,
    "input_text_messages": "input_text_messages",
    "search_units": "rerank_searches",
    "connector_tokens": COUNTED,
    "tool_usage.web_search.num_requests": "web_searches",
    "tool_usage.image_gen.total_tokens": "image_generations",
    "tool_calls.web_search_call": "web_searches",
    "tool_calls.file_search_call": "storage_searches",
    "tool_calls.code_interpreter_call": "code_executions",
    "tool_calls_details.search_web.invocation": "web_searches",
    "server_tool_use.web_search_requests": "web_searches",
    "server_tool_use.web_fetch_requests": FREE,
    "server_tool_use_details.web_search_requests": "web_searches",
    "server_tool_use_details.tool_calls_executed": PART,
    "server_tool_use_details.tool_calls_requested": PART,
    "web_searches": "web_searches",
    "token_count": PART,
    "billableCharacterCount": PART,
    "prompt_token_count": COUNTED,
    "input_token_count": COUNTED,
    "generated_token_count": COUNTED,
}
_DETAILS = {
    "cached_tokens": COUNTED,
    "cache_read_input_tokens": COUNTED,
    "cache_write_tokens": COUNTED,
    "cache_creation_tokens": COUNTED,
    "cache_creation_input_tokens": COUNTED,
    "cache_creation_token_details.ephemeral_5m_input_tokens": COUNTED,
    "cache_creation_token_details.ephemeral_1h_input_tokens": "cache_write_1h_tokens",
    "cache_write_tokens_details.ttl_30m_tokens": "cache_write_30m_tokens",
    "cache_write_tokens_details.ttl_12h_tokens": "cache_write_12h_tokens",
    "cached_tokens_details.text_tokens": "cache_text_read_tokens",
    "cached_tokens_details.audio_tokens": "cache_audio_read_tokens",
    "cached_tokens_details.image_tokens": "cache_image_read_tokens",
    "text_tokens": PART,
    "audio_tokens": COUNTED,
    "image_tokens": COUNTED,
    "grok_tokens": PART,
    "document_tokens": PART,
    "file_tokens": PART,
    "video_tokens": "input_video_tokens",
    "tool_tokens": PART,
}
_OUTPUT_DETAILS = {
    "reasoning_tokens": COUNTED,
    "thinking_tokens": COUNTED,
    "accepted_prediction_tokens": PART,
    "rejected_prediction_tokens": PART,
    "text_tokens": PART,
    "grok_tokens": PART,
    "audio_tokens": COUNTED,
    "image_tokens": COUNTED,
    "video_tokens": "output_video_tokens",
}
_WRITES_BY_LIFETIME = {
    "cache_write_tokens_details.ttl_30m_tokens": "cache_write_30m_tokens",
    "cache_write_tokens_details.ttl_12h_tokens": "cache_write_12h_tokens",
}
_OPENAI_ALL = {
    **_OPENAI,
    **_WRITES_BY_LIFETIME,
    **{
        f"{holder}.{name}": meaning
        for holder in (
            *("prompt_tokens_details", "input_tokens_details", "input_token_details"),
            "prompt_token_details",
        )
        for name, meaning in _DETAILS.items()
    },
    **{
        f"{holder}.{name}": meaning
        for holder in (
            *("completion_tokens_details", "output_tokens_details", "output_token_details"),
            "completion_token_details",
        )
        for name, meaning in _OUTPUT_DETAILS.items()
    },
}

_CLAUDE = {
    "input_tokens": COUNTED,
    "output_tokens": COUNTED,
    "cache_read_input_tokens": COUNTED,
    "cache_creation_input_tokens": COUNTED,
    "cache_creation.ephemeral_5m_input_tokens": COUNTED,
    "cache_creation.ephemeral_1h_input_tokens": COUNTED,
    "output_tokens_details.thinking_tokens": COUNTED,
}
_ANTHROPIC = {
    **_CLAUDE,
    # each is looked at in _iterations.py
    **{f"iterations.{name}": COUNTED for name in _CLAUDE},
    "server_tool_use.web_search_requests": "web_searches",
    "server_tool_use.web_fetch_requests": FREE,
    "server_tool_use.tool_search_requests": FREE,
    "server_tool_use.code_execution_requests": "code_executions",
    "total_tokens": PART,
}

_AWS = {
    **dict.fromkeys(("inputTokens", "outputTokens"), COUNTED),
    "totalTokens": PART,
    **dict.fromkeys(("cacheReadInputTokens", "cacheReadInputTokenCount"), COUNTED),
    **dict.fromkeys(("cacheWriteInputTokens", "cacheWriteInputTokenCount"), COUNTED),
    "cacheDetails.inputTokens": COUNTED,
    **dict.fromkeys(("inputTokenCount", "outputTokenCount"), COUNTED),
    **dict.fromkeys(("inputTextTokenCount", "totalOutputTextTokenCount", "results.tokenCount"), COUNTED),
    **dict.fromkeys(("prompt_token_count", "generation_token_count"), COUNTED),
    "list.inputTokens": COUNTED,
    "list.outputTokens": COUNTED,
    "list.totalTokens": PART,
}

_GOOGLE = {
    **dict.fromkeys(("promptTokenCount", "toolUsePromptTokenCount", "cachedContentTokenCount"), COUNTED),
    **dict.fromkeys(("candidatesTokenCount", "responseTokenCount", "thoughtsTokenCount"), COUNTED),
    "totalTokenCount": PART,
    **{
        f"{name}.{field}": COUNTED
        for name in (
            *("promptTokensDetails", "promptTokenDetails", "toolUsePromptTokensDetails"),
            *("cacheTokensDetails", "candidatesTokensDetails", "responseTokensDetails"),
        )
        for field in ("tokenCount", "modality")  # which may be a number, too
    },
    **dict.fromkeys(("token_count", "billableCharacterCount"), PART),
    **{  # Interactions
        f"total_{name}_tokens": COUNTED for name in ("input", "output", "thought", "tool_use", "cached")
    },
    "total_tokens": PART,
    "initial_input_tokens": PART,
    **{f"{name}_tokens_by_modality.tokens": COUNTED for name in ("input", "output", "tool_use", "cached")},
    # by kind, each in _grounding.py
    "grounding_tool_count.count": COUNTED,
    "web_searches": "web_searches",
}

_COHERE = {
    "billed_units.input_tokens": COUNTED,
    "billed_units.output_tokens": COUNTED,
    "billed_units.image_tokens": COUNTED,
    "billed_units.search_units": "rerank_searches",
    "billed_units.classifications": "classifications",
    "tokens.input_tokens": PART,
    "tokens.output_tokens": PART,
    "tokens.image_tokens": PART,
    "tokens.reasoning_tokens": PART,
    "cached_tokens": COUNTED,
}

_OTHERS = {
    **dict.fromkeys(("prompt_eval_count", "eval_count", "prompt_eval_cached_count"), COUNTED),  # Ollama
    **dict.fromkeys(("input_length", "generated_tokens"), COUNTED),  # TGI
    **dict.fromkeys(("x-prompt-tokens", "x-generated-tokens"), COUNTED),
    "details.generated_tokens": COUNTED,
    **dict.fromkeys(("input_token_count", "output_token_count", "generated_token_count"), COUNTED),
    **dict.fromkeys(("num_tokens_prompt_total", "num_tokens_generated"), COUNTED),  # Aleph Alpha
}

_FORMATS: tuple[tuple[str, tuple[Mapping[str, str], ...]], ...] = (
    ("openai.", (_OPENAI_ALL,)),
    ("mistral.", (_OPENAI_ALL,)),
    ("writer.", (_OPENAI_ALL,)),
    ("watsonx.", (_OPENAI_ALL, _OTHERS)),
    ("anthropic.", (_ANTHROPIC,)),
    ("bedrock.invoke", (_OPENAI_ALL, _ANTHROPIC, _AWS, _OTHERS)),
    ("sagemaker.", (_OPENAI_ALL, _ANTHROPIC, _AWS, _OTHERS)),
    ("bedrock.", (_AWS,)),
    ("gemini.", (_GOOGLE,)),
    ("vertex.", (_GOOGLE,)),
    ("cohere.", (_COHERE,)),
    ("rerank", (_COHERE, _OPENAI_ALL)),
    ("ollama.", (_OTHERS,)),
    ("huggingface.", (_OTHERS,)),
    ("replicate.", (_OTHERS,)),
    ("aleph_alpha.", (_OTHERS,)),
    ("deepgram.", (_OPENAI_ALL,)),
)
_MERGED = tuple(
    (prefix, {field: meaning for table in reversed(tables) for field, meaning in table.items()})
    for prefix, tables in _FORMATS
)

_COUNTABLE = re.compile(
    r"token|unit|request|search|quer(?:y|ies)|call|count|image|picture|page|seconds|minutes|hours|char(?:acter)?s"
    r"|execution|invocation|session|container|credit|fee|pixel|video|audio|step|source|connector|usage|message",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"(?:\A|_)(?:costs?|prices?|time|duration|latency|per|ratio|percent|limit|remaining|ms|ns|at|id)(?:_|\Z)"
)
"""Names that say something about the countable: how long it took, what it cost."""
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_DEPTH = 12


def fields_of(api: str) -> Mapping[str, str] | None:
    """The table of that wire format; ``None`` for one that is not ours, whose reader says all there is."""
    return next((table for prefix, table in _MERGED if api.startswith(prefix)), None)


def numbers(value: Any, field: str = "", depth: int = 0) -> Iterator[tuple[str, int | float]]:
    """Every number that is not zero, and the field it stands in."""
    if depth > _DEPTH:
        yield f"{field}.units_too_deep", 1
    elif isinstance(value, dict):
        for name, entry in value.items():
            if field or name != KEY:
                yield from numbers(entry, f"{field}.{name}" if field else str(name), depth + 1)
    elif isinstance(value, list):
        for entry in value:
            yield from numbers(entry, field, depth + 1)
    elif isinstance(value, int | float) and not isinstance(value, bool) and value:
        yield field, value


def unknown(field: str) -> bool:
    """Whether a field that no table has speaks of something that may be billed."""
    last = _HUMP.sub("_", field.rpartition(".")[2]).lower()
    return _COUNTABLE.search(field) is not None and _ABOUT.search(last) is None
