"""Calls of a model with the real OpenAI SDK. The model's name says which call it is."""

import os
from functools import cache

from openai import AsyncOpenAI, OpenAI

__all__ = ("aask", "ask")


@cache
def _client() -> OpenAI:
    return OpenAI(base_url=os.environ["MODEL_URL"], api_key="any", max_retries=0)


@cache
def _aclient() -> AsyncOpenAI:
    return AsyncOpenAI(base_url=os.environ["MODEL_URL"], api_key="any", max_retries=0)


def ask(name: str) -> None:
    _client().chat.completions.create(model=name, messages=[{"role": "user", "content": "hi"}])


async def aask(name: str) -> None:
    await _aclient().chat.completions.create(model=name, messages=[{"role": "user", "content": "hi"}])
