"""Each client library through which a model is asked: what it gave, as plain values."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import httpx
import httpx2
import requests
import urllib3

__all__ = ("CLIENTS", "Answered", "Ask")

Answered = tuple[int, list[bytes], dict[str, str]]
"""Status, the body piece by piece, and the headers."""
Ask = Callable[[str, Any], Answered]


def _sync(library: Any) -> Ask:
    def ask(url: str, body: Any) -> Answered:
        with (
            library.Client(trust_env=False) as client,
            client.stream("POST", url, json=body, headers={"authorization": "Bearer k"}) as response,
        ):
            pieces = [piece for piece in response.iter_raw() if piece]
            assert response.elapsed.total_seconds() >= 0
            assert str(response.url) == str(response.request.url) == url
            return response.status_code, pieces, dict(response.headers)

    return ask


def _async(library: Any) -> Ask:
    async def ask(url: str, body: Any) -> Answered:
        async with (
            library.AsyncClient(trust_env=False) as client,
            client.stream("POST", url, json=body) as response,
        ):
            pieces = [piece async for piece in response.aiter_raw() if piece]
            assert response.elapsed.total_seconds() >= 0
            return response.status_code, pieces, dict(response.headers)

    return lambda url, body: asyncio.run(ask(url, body))


def _aiohttp(url: str, body: Any) -> Answered:
    async def ask() -> Answered:
        async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
            assert str(response.url) == url
            pieces = [piece async for piece, _ in response.content.iter_chunks() if piece]
            return response.status, pieces, {name.lower(): value for name, value in response.headers.items()}

    return asyncio.run(ask())


def _urllib3(url: str, body: Any) -> Answered:
    with urllib3.PoolManager(retries=False) as pools:
        response = pools.request(
            "POST",
            url,
            body=json.dumps(body),
            headers={"content-type": "application/json"},
            preload_content=False,
        )
        pieces = list(response.stream(2**16))
        response.release_conn()
        return response.status, pieces, {name.lower(): value for name, value in response.headers.items()}


def _requests(url: str, body: Any) -> Answered:
    with requests.Session() as session:
        session.trust_env = False
        response = session.post(url, json=body, stream=True, timeout=10)
        pieces = [piece for piece in response.iter_content(None) if piece]
        return (
            response.status_code,
            pieces,
            {name.lower(): value for name, value in response.headers.items()},
        )


CLIENTS: dict[str, Ask] = {
    "httpx": _sync(httpx),
    "httpx async": _async(httpx),
    "httpx2": _sync(httpx2),
    "httpx2 async": _async(httpx2),
    "aiohttp": _aiohttp,
    "urllib3": _urllib3,
    "requests": _requests,
}
