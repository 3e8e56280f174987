"""What runs for miharu may call a model itself: an exporter that judges answers, say. It is not recorded."""

import contextvars
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import httpx
import pytest

import miharu
from miharu.batch import Batch
from miharu.call import Call, Cost
from miharu.testing import FakeProvider
from tests.calls import ask, rows

ASKED = {"model": "judge", "messages": [{"role": "user", "content": "Is this a good answer?"}]}


@pytest.fixture
def judge() -> Any:
    """Calls a model in each way that there is for plain code; how many times it was called is kept."""
    with FakeProvider() as provider:
        yield Judge(f"{provider.base_url}/chat/completions")


class Judge:
    def __init__(self, url: str) -> None:
        self.url = url
        self.asked = 0

    def ask(self, *_: object) -> None:
        with httpx.Client(trust_env=False) as http:
            http.post(self.url, json=ASKED).raise_for_status()
        self.asked += 1

    async def aask(self) -> None:
        async with httpx.AsyncClient(trust_env=False) as http:
            (await http.post(self.url, json=ASKED)).raise_for_status()
        async with aiohttp.ClientSession() as session, session.post(self.url, json=ASKED) as answer:
            answer.raise_for_status()
            await answer.read()
        await anyio.to_thread.run_sync(self.ask)
        self.asked += 1


class Exporter:
    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    async def export(self, batch: Batch) -> None:
        await self._judge.aask()

    async def close(self) -> None:
        await self._judge.aask()


def models(database: Path) -> list[str]:
    return [row["request_model"] for row in rows(database)]


def test_an_exporter_does_not_feed_itself(database: Path, judge: Judge) -> None:
    """Nor when it is closed, which another thread of the program waits for."""
    miharu.init(database, exporters=[Exporter(judge)])
    ask()
    assert miharu.flush(30)
    ask()
    assert miharu.shutdown(30)
    assert judge.asked >= 4  # two for each time: by the loop, and in a thread
    assert len(models(database)) == 2
    assert "judge" not in models(database)


@pytest.mark.parametrize("role", ["prices", "redact", "ignore", "budget"])
def test_no_function_of_the_program_is_recorded(database: Path, judge: Judge, role: str) -> None:
    class Prices:
        def cost(self, call: Call) -> Cost | None:
            judge.ask()
            return None

    def on_each(value: Any) -> Any:
        judge.ask()
        return value

    def never(_: Call) -> bool:
        judge.ask()
        return False

    roles: dict[str, dict[str, Any]] = {
        "prices": {"prices": Prices()},
        "redact": {"redact": on_each, "capture_content": True},
        "ignore": {"ignore": [never]},
        "budget": {"budgets": [miharu.Budget(0.000001, on_exceeded=judge.ask)]},
    }
    miharu.init(database, **roles[role])
    ask()
    assert miharu.flush(30)
    assert miharu.shutdown(30)
    assert judge.asked
    assert len(models(database)) == 1


def test_what_the_program_asks_beside_is_recorded(database: Path, judge: Judge) -> None:
    """Else nothing above could fail."""
    miharu.init(database)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(contextvars.copy_context().run, judge.ask).result()
    anyio.run(judge.aask)
    assert miharu.shutdown(30)
    assert models(database) == ["judge"] * 4
