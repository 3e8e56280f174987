"""Each framework, each place: the call has its route, or none where Python loses the context."""

import asyncio
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import httpx2
import pytest

pytest.importorskip(
    "quart", reason="the frameworks have an environment of their own: requirements/frameworks.txt"
)

from tests.calls import rows
from tests.frameworks.places import LOST, PLACES, path_of, slug, template_of
from tests.frameworks.serving import environment, provider, serving
from tests.frameworks.table import FRAMEWORKS, Table

CASES = [
    (framework, place) for framework, (_, places) in FRAMEWORKS.items() for place in PLACES if place in places
]


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    noted = Table()
    yield noted
    noted.save(whole=set(CASES))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """What was stored of each place of a framework, by the model's name; each framework is served once."""
    done: dict[str, dict[str, Any] | Exception] = {}

    def play(framework: str) -> dict[str, Any]:
        if framework not in done:
            database = tmp_path_factory.mktemp(framework) / "calls.db"
            app = f"tests.frameworks.apps.{framework}:app"
            try:
                with provider() as url, serving(app, environment(database, url)) as address:
                    _visit(framework, address)
                done[framework] = {row["model"]: dict(row) for row in rows(database)}
            except Exception as error:  # each test of it fails, and none tries again
                done[framework] = error
        found = done[framework]
        if isinstance(found, Exception):
            raise found
        return found

    return play


def _visit(framework: str, address: str) -> None:
    with httpx2.Client(base_url=address, trust_env=False, timeout=30) as client:
        for place in PLACES:
            if place in FRAMEWORKS[framework][1] and place != "websocket":
                headers = {"x-request-id": f"request-{slug(place)}"}
                client.get(path_of(place), headers=headers).raise_for_status()
        assert "miharu" in client.get("/miharu/").raise_for_status().text
    if "websocket" in FRAMEWORKS[framework][1]:
        asyncio.run(_open_socket(address.replace("http", "ws") + path_of("websocket")))


async def _open_socket(url: str) -> None:
    from websockets.asyncio.client import connect

    async with connect(url, additional_headers={"x-request-id": "request-websocket"}) as socket:
        await socket.wait_closed()


@pytest.mark.full
@pytest.mark.parametrize(("framework", "place"), CASES)
def test_its_route_is_known(
    framework: str, place: str, played: Callable[[str], dict[str, Any]], table: Table
) -> None:
    row = played(framework)[slug(place)]
    method = "" if place == "websocket" else "GET "
    route = f"{method}{template_of(place)}"
    if framework == "unknown":
        route = f"{method}{path_of(place)}".replace("4711", "{}")
    table.note(framework, version(FRAMEWORKS[framework][0]), place, known=row["route"] == route)
    if place in LOST:
        assert (row["route"], row["host_request_id"]) == (None, None)
    else:
        assert (row["route"], row["host_request_id"]) == (route, f"request-{slug(place)}")
