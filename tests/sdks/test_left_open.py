"""A stream that an SDK reads as far as it needs, and then neither ends nor closes."""

import gc
import sqlite3
from contextlib import closing
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import miharu
from tests.sdks.provider import Provider

if find_spec("litellm") is None:
    pytest.skip("litellm is in requirements/sdks-httpx.txt", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore")


def test_an_answer_that_said_why_it_ended_is_whole(provider: Provider, database: Path) -> None:
    litellm = import_module("litellm")
    provider.begin()
    provider.may_end.clear()
    miharu.init(database)
    try:
        answer = litellm.completion(
            model="anthropic/claude-sonnet-4-5",
            messages=[{"role": "user", "content": "Does it rain in Hue?"}],
            api_base=f"http://api.anthropic.com:{provider.port}",
            api_key="any",
            stream=True,
        )
        assert list(answer)
        del answer
        gc.collect()
    finally:
        provider.may_end.set()
    assert miharu.shutdown()
    with closing(sqlite3.connect(database)) as rows:
        row = rows.execute("SELECT status, finish_reason, completion_tokens FROM llm_calls").fetchone()
    assert row == ("success", "end_turn", 7)
