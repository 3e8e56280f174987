"""What happens to the server while batches are written: no call is lost, and none is there twice."""

import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import miharu
from tests.calls import ANSWER, ask
from tests.stores.postgres.server import Server
from tests.stores.postgres.wire import Wire

pytestmark = pytest.mark.parametrize("anyio_backend", ["asyncio"])

LASTS_S = 3.0
"""How long a fault lasts, while the program goes on."""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where calls are spooled."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def wire(own_server: Server) -> Iterator[Wire]:
    wire = Wire(own_server.port)
    yield wire
    wire.close()


def killed(server: Server, _: Wire) -> None:
    server.stop(signal.SIGQUIT)
    time.sleep(LASTS_S)
    server.start()


def frozen(_: Server, wire: Wire) -> None:
    wire.goes.clear()
    time.sleep(LASTS_S)
    wire.goes.set()


def frozen_and_cut(_: Server, wire: Wire) -> None:
    """Whether the last transaction was committed is not known on our side."""
    wire.goes.clear()
    time.sleep(LASTS_S)
    wire.cut()
    wire.goes.set()


def cut_again_and_again(_: Server, wire: Wire) -> None:
    for _number in range(30):
        wire.cut()
        time.sleep(LASTS_S / 30)


def failed_over(server: Server, wire: Wire) -> None:
    """The same data is served elsewhere, and the load balancer learns it."""
    server.stop(signal.SIGQUIT)
    wire.cut()
    time.sleep(LASTS_S / 2)
    server.port += 1
    server.start()
    time.sleep(LASTS_S / 2)
    wire.target = server.port


@pytest.mark.parametrize(
    "fault",
    [
        killed,
        frozen_and_cut,
        *(pytest.param(each, marks=pytest.mark.full) for each in (frozen, cut_again_and_again, failed_over)),
    ],
)
async def test_every_call_is_kept_once(
    fault: Callable[[Server, Wire], None], own_server: Server, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    database = await own_server.new_database()
    url = own_server.url(database).replace(f":{own_server.port}/", f":{wire.port}/")
    miharu.init(url)
    answered: queue.Queue[str] = queue.Queue()
    over, asked = threading.Event(), list[str]()

    def go_on() -> None:
        number = 0
        while not over.wait(0.003):  # some hundred calls a second
            ask(answer={**ANSWER, "id": f"chatcmpl-{number}"})
            answered.put(f"chatcmpl-{number}")
            number += 1

    def some_more() -> None:
        asked.extend(answered.get(timeout=30) for _ in range(100))

    program = threading.Thread(target=go_on)
    program.start()
    try:
        some_more()
        assert miharu.flush(120)
        asked.extend(answered.get() for _ in range(answered.qsize()))
        fault(own_server, wire)
        meanwhile = answered.qsize()
        assert meanwhile > 50  # the program went on while the server was away
        asked.extend(answered.get() for _ in range(meanwhile))
        some_more()
    finally:
        over.set()
        program.join()
    asked.extend(answered.get() for _ in range(answered.qsize()))
    assert miharu.flush(120), caplog.text
    found = await own_server.query(database, "SELECT response_id FROM llm_calls")
    assert sorted(row["response_id"] for row in found) == sorted(asked)
    assert miharu.stats()["dropped"] == 0
    assert miharu.shutdown(30)
