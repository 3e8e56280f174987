"""One module per SDK: functions that use it as its users do, in a table by scenario."""

from tests.sdks.drivers import (
    agents,
    anthropic,
    bedrock,
    cohere,
    google,
    huggingface,
    langchain,
    litellm,
    mistral,
    ollama,
    openai,
    openai_like,
    pydantic_ai,
    requests,
    strands,
    voyage,
)

__all__ = ("ALL",)

ALL = (
    *openai.SDKS,
    *anthropic.SDKS,
    *google.SDKS,
    *mistral.SDKS,
    *openai_like.SDKS,
    *cohere.SDKS,
    *ollama.SDKS,
    *huggingface.SDKS,
    *langchain.SDKS,
    *pydantic_ai.SDKS,
    *agents.SDKS,
    *litellm.SDKS,
    *bedrock.SDKS,
    *strands.SDKS,
    *requests.SDKS,
    *voyage.SDKS,
)
