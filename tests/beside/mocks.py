"""Mocks, cassettes and caches beside miharu: ``python -m tests.beside.mocks CASE WHEN``.

``WHEN`` says when miharu comes: ``before`` the mock is entered or ``within`` it; it leaves after the mock.
Prints JSON: what miharu has seen within and afterwards, and what really reached the provider.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from miharu.testing import FakeProvider
from tests.beside.world import LIBRARIES, Miharu, asked, both

ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "yes"}}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}


@contextmanager
def respx(provider: FakeProvider, using: str = "httpcore") -> Iterator[Callable[[], None]]:
    """It mocks httpx only."""
    with import_module("respx").mock(using=using) as router:
        route = router.post(f"{provider.base_url}/chat/completions").respond(json=ANSWER)
        httpx = import_module("httpx")

        def ask() -> None:
            before = route.call_count
            for _ in range(4):
                assert httpx.post(f"{provider.base_url}/chat/completions", json=asked()).json() == ANSWER
            assert route.call_count == before + 4

        yield ask


@contextmanager
def respx_httpx(provider: FakeProvider) -> Iterator[Callable[[], None]]:
    with respx(provider, "httpx") as ask:
        yield ask


@contextmanager
def vcr_records(provider: FakeProvider) -> Iterator[Callable[[], None]]:
    with import_module("vcr").use_cassette("tape.yaml", record_mode="all") as tape:
        yield lambda: both(provider)
    assert len(tape) == 4


@contextmanager
def vcr_replays(provider: FakeProvider) -> Iterator[Callable[[], None]]:
    vcr = import_module("vcr")
    with vcr.use_cassette("tape.yaml", record_mode="all"):
        both(provider)
    with vcr.use_cassette("tape.yaml", record_mode="none") as tape:
        yield lambda: both(provider)
    assert tape.play_count == 4


@contextmanager
def hishel(provider: FakeProvider) -> Iterator[Callable[[], None]]:
    """It keeps what was fetched, for both libraries; a call is a POST, and never comes from its cache."""
    clients = [import_module(f"hishel.{name}").CacheClient for name in LIBRARIES]

    def ask() -> None:
        for make in clients:
            with make() as client:
                for _ in range(2):
                    url = f"{provider.base_url}/chat/completions"
                    assert client.post(url, json=asked()).json()["usage"]
                    assert client.get(f"{provider.base_url}/models").json()["data"]

    yield ask


CASES: dict[str, Callable[[FakeProvider], Any]] = {
    "respx": respx,
    "respx-httpx": respx_httpx,
    "vcr-records": vcr_records,
    "vcr-replays": vcr_replays,
    "hishel": hishel,
}


def main(case: str, when: str) -> None:
    ours = Miharu(Path("calls.db"))
    with FakeProvider() as provider:
        if when == "before":
            ours.install()
        with CASES[case](provider) as ask:
            if when == "within":
                ours.install()
            before, reached = ours.seen(), len(provider.requests)
            ask()
            within, real = ours.seen() - before, len(provider.requests) - reached
        before = ours.seen()
        both(provider)
        after = ours.seen() - before
        ours.uninstall()
        before = ours.seen()
        both(provider)
        gone = ours.seen() - before
    print(json.dumps({"within": within, "real": real, "after": after, "gone": gone}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
