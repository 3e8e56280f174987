"""A program's whole life with a secret in each place where programs have one. Run as a program of its own.

It prints what it was given back, so that what ``miharu.capture`` holds is searched as well.
"""

import asyncio
import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import httpx
import httpx2

import miharu

server, folder, where = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
secret: Callable[[str], str] = where.__getitem__
CHAT, MESSAGES = f"{server}/v1/chat/completions", f"{server}/v1/messages"
MESSAGE = {"role": "user", "content": "hi"}
ASKED: dict[str, Any] = {"model": "gpt-4o", "messages": [MESSAGE]}


class Broken:
    """An exporter that fails, and says with what."""

    async def export(self, batch: Any) -> None:
        raise RuntimeError(f"cannot send to https://exporter.example/?token={secret('an exporter')}")

    async def close(self) -> None: ...


@contextmanager
def failing() -> Iterator[None]:
    with suppress(Exception):
        yield


def httpx_like(library: Any, header: dict[str, str], **more: Any) -> None:
    """The same secret in an answer, in an error that quotes it, and in one that the client makes."""
    with library.Client(headers=header, **more) as client:
        client.post(CHAT, json=ASKED)
        client.post(CHAT, json=ASKED, headers={"x-do": "quote"})
        with failing(), miharu.span("in a span"):
            client.post(CHAT, json=ASKED, headers={"x-do": "quote"}).raise_for_status()


def contents() -> None:
    pem = f"-----BEGIN PRIVATE KEY-----\n{secret('a private key')}\n-----END PRIVATE KEY-----\n"
    mcp = {
        "type": "mcp",
        "server_url": f"https://mcp.example/sse?token={secret('the address of an MCP server')}",
        "authorization": secret("the authorization of an MCP server"),
        "headers": {"X-Tenant": secret("a header of an MCP server")},
    }
    key = {"type": "api_key", "key": secret("a data source")}
    function = {"name": "f", "api_key": secret("the definition of a tool")}
    called = {"name": "f", "arguments": json.dumps({"password": secret("the arguments of a tool")})}
    result = secret("the result of a tool")
    asked = ASKED | {
        "tools": [mcp, {"type": "function", "function": function}],
        "data_sources": [{"parameters": {"authentication": key}}],
        "messages": [
            MESSAGE,
            {"role": "user", "content": f"curl -H 'Authorization: Bearer {secret('a prompt')}' https://h"},
            {"role": "user", "content": f"my key is {secret('a prompt, by its shape')} and\n{pem}"},
            {"role": "assistant", "tool_calls": [{"function": called}]},
            {
                "role": "tool",
                "content": json.dumps({"env": {"DB_PASSWORD": result}}, indent=1),
            },
        ],
    }
    httpx.post(CHAT, json=asked, headers={"x-do": "echo"})
    httpx2.post(CHAT, json=asked, headers={"x-do": "stream"})
    mcp_servers = [
        {"type": "url", "url": "https://m", "authorization_token": secret("an MCP server of Anthropic")}
    ]
    httpx2.post(MESSAGES, json={**ASKED, "mcp_servers": mcp_servers}, headers={"x-do": "quote"})
    form = {"client_secret": secret("a form"), "model": "gpt-4o"}
    httpx.post(CHAT, data=form, headers={"x-do": "quote"})


async def asynchronously() -> None:
    for library, name in ((httpx, "x-goog-api-key"), (httpx2, "api-key")):
        async with library.AsyncClient(headers={name: secret(f"{name}, async")}) as client:
            await client.post(CHAT, json=ASKED, headers={"x-do": "quote"})
            with failing():
                await client.post(
                    CHAT, params={"key": secret("a query, async")}, json=ASKED, headers={"x-do": "bad"}
                )
    bearer = {"authorization": f"Bearer {secret('a session of aiohttp')}"}
    async with aiohttp.ClientSession(headers=bearer, raise_for_status=True) as session:
        for do in ("ok", "quote", "loop", "bad", "drop"):
            with failing():
                await session.post(
                    CHAT, params={"key": secret("a query of aiohttp")}, json=ASKED, headers={"x-do": do}
                )
    login = aiohttp.BasicAuth("someone", secret("a login of aiohttp"))
    async with aiohttp.ClientSession(auth=login, cookies={"sid": secret("a cookie of aiohttp")}) as session:
        for do in ("quote", "bad"):
            with failing():
                await (await session.post(CHAT, json=ASKED, headers={"x-do": do})).read()

    @miharu.observe
    async def observed() -> None:
        raise ValueError(f"https://h.example/v1?api_key={secret('an observed function')}")

    with failing():
        await observed()


def addresses() -> None:
    host, login = server.partition("://")[2], quote(secret("the address, as a login"), safe="")
    for library in (httpx, httpx2):
        with library.Client() as client:
            for do in ("quote", "bad", "loop"):
                with failing(), miharu.span("s"):
                    client.post(
                        f"http://someone:{login}@{host}/v1/chat/completions",
                        params={"key": secret("a query")},
                        json=ASKED,
                        headers={"x-do": do},
                        follow_redirects=True,
                    ).raise_for_status()


def main() -> None:
    httpx_log = logging.FileHandler(folder / "httpx.log")
    logging.getLogger("httpx").addHandler(httpx_log)
    logging.getLogger("httpx").setLevel(logging.DEBUG)
    logging.getLogger("httpx").propagate = False
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("miharu").setLevel(logging.DEBUG)
    budget = miharu.Budget(1e-9, "day", webhook=f"{server}/hooks/{secret('a webhook')}")
    miharu.init(
        where.get("database") or folder / "calls.db",
        capture_content=True,
        exporters=[Broken()],
        budgets=[budget],
        redact=lambda value: value,
    )
    with miharu.capture() as calls, miharu.span("all") as everything:
        httpx_like(httpx, {"authorization": f"Bearer {secret('authorization')}"})
        httpx_like(httpx2, {"x-api-key": secret("x-api-key")})
        httpx_like(httpx, {}, auth=("someone", secret("a login")))
        httpx_like(httpx2, {"cookie": f"sid={secret('a cookie')}"})
        httpx_like(httpx, {"user-agent": secret("a user agent"), "authorization": secret("a user agent")})
        httpx_like(httpx2, {"user-agent": secret("a user agent, by its shape")})
        contents()
        addresses()
        asyncio.run(asynchronously())
        tags = {"api_key": secret("a tag"), "note": f"Bearer {secret('a note')}"}
        with miharu.context(session=secret("a session"), tags=tags):
            httpx.post(CHAT, json=ASKED)
        miharu.score(everything, "ok", 1, f"password={secret('a comment')}")
    print(len(calls), list(calls))
    print(miharu.flush(5 if where.get("database") else 60), miharu.stats())


main()
