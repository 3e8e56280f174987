"""What all these programs do: record, and ask the model that the test has started."""

import os

import httpx2

import miharu

miharu.init()


def ask(text: str = "hello", **more: object) -> int:
    """One call; the process that made it."""
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}], **more}
    httpx2.post(f"{os.environ['MODEL_URL']}/chat/completions", json=body, timeout=60).raise_for_status()
    return os.getpid()
