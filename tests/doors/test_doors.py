"""The mounted dashboard, the server's and that of WSGI are one: same store, same clock, same bytes."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from miharu import monitor as monitor_module
from miharu._asgi import MiharuMiddleware, asgi
from miharu._wsgi.middleware import MiharuWsgiMiddleware
from miharu.batch import Batch
from miharu.config import Config
from miharu.dashboard import door
from miharu.dashboard.access import decide
from miharu.dashboard.http.assets import asset_url
from miharu.dashboard.routes import PATHS
from miharu.monitor import Monitor
from miharu.server import create_app
from miharu.stores.sqlite import SQLiteStore
from tests.dashboard.conftest import NOW
from tests.dashboard.memory import MemoryStore
from tests.dashboard.traffic import traffic

Answers = tuple[httpx.Response, httpx.Response, httpx.Response]
Ask = Callable[..., Awaitable[Answers]]
STORE = MemoryStore(traffic(NOW, calls=300, days=1))


class StandIn:
    """A monitor without a worker."""

    config = Config(database="sqlite+aiosqlite:////srv/calls.db")
    read_only = True
    questions = STORE
    alerts = ()

    async def read(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        return await ask()

    def read_sync(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        return anyio.run(ask)

    def stats(self) -> dict[str, Any]:
        return {"dropped": 2, "budgets": ()}


@pytest.fixture(autouse=True)
def calm(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A developer's terminal, of which no proxy is known; the clock stands still."""
    for name in ("MIHARU_AUTH", "MIHARU_TOKEN", *decide._PLATFORMS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(decide, "_has_terminal", lambda: True)
    monkeypatch.setattr(door, "unix_ms", lambda: NOW)
    closed, decide.PROCESS.closed = decide.PROCESS.closed, False
    yield
    decide.PROCESS.closed = closed


def client_of(app: Any, base_url: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 5000))
    return httpx.AsyncClient(transport=transport, base_url=base_url)


def nobody(*_: Any) -> list[bytes]:
    raise AssertionError("it was not for the dashboard")


class InThreads(httpx.AsyncBaseTransport):
    """WSGI as servers call it: in a thread without a loop; strictly, and without unpacking what comes."""

    def __init__(self, app: Any) -> None:
        strict = validator(app)

        def served(environ: Any, start_response: Any) -> Any:
            environ["PATH_INFO"] = environ["PATH_INFO"].encode().decode("latin-1")
            return strict(environ | {"REMOTE_PORT": "5000", "SERVER_SOFTWARE": "any"}, start_response)

        self._transport = httpx.WSGITransport(served)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        return await anyio.to_thread.run_sync(self._answer, request)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = self._transport.handle_request(request)
        headers = [(name.lower(), value) for name, value in answer.headers.raw]
        assert isinstance(answer.stream, httpx.SyncByteStream)
        body = b"".join(answer.stream)
        answer.close()
        return httpx.Response(answer.status_code, headers=headers, stream=httpx.ByteStream(body))


@pytest.fixture
async def ask(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ask]:
    """Ask all doors the same."""
    monitor: Any = StandIn()
    monkeypatch.setattr(monitor_module, "current", lambda: monitor)
    mounted = Starlette(routes=[Mount("/miharu", asgi())])
    async with (
        client_of(mounted, "http://localhost/miharu/") as inside,
        client_of(create_app(monitor, clock=lambda: NOW), "http://localhost/") as alone,
        httpx.AsyncClient(
            transport=InThreads(MiharuWsgiMiddleware(nobody)), base_url="http://localhost/miharu/"
        ) as by_wsgi,
    ):

        async def all_doors(path: str, method: str = "GET", **headers: str) -> Answers:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return (
                await inside.request(method, path, headers=named),
                await alone.request(method, path, headers=named),
                await by_wsgi.request(method, path, headers=named),
            )

        yield all_doors


def same(answers: Answers) -> httpx.Response:
    inside, *others = answers
    for other in others:
        assert inside.status_code == other.status_code
        assert inside.headers.raw == other.headers.raw
        assert inside.content == other.content
    return inside


class TestAllDoors:
    """Litestar serves one of them, and Litestar needs asyncio."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.mark.parametrize("query", ["?range=7d&model=gpt-6.1-sol", "?range=odd&x=%C3%A9&x=2&empty="])
    @pytest.mark.parametrize("path", PATHS)
    async def test_every_page(self, ask: Ask, path: str, query: str) -> None:
        assert same(await ask(path + query)).status_code == 200

    @pytest.mark.parametrize(
        ("address", "status"),
        [
            ("calls?q=costs%3E1", 400),
            ("tools?q=-model:a&q=b", 400),
            ("users?user=%0D%0AX-Y:1&sort=moved&page=999999", 200),
            ("tags?name=%3Dcmd&show=months&match=%ED%A0%80", 200),
            ("prompts?sel=%00&page=2", 200),
            ("sessions?trace=a&unfold=a,b&fold=all&focus=%ED%A0%80", 200),
            ("pair?a=%00&b=%ED%A0%80", 200),
            ("export.csv?of=tags&name=%3Dcmd%22%0D%0AX-Y:1", 200),
            ("media?of=request&at=99999999999&id=%ED%A0%80", 404),
            ("body?of=request&id=..%2F..%2Fx", 404),
        ],
    )
    async def test_an_odd_address(self, ask: Ask, address: str, status: int) -> None:
        for method in ("GET", "HEAD"):
            page = same(await ask(address, method))
            assert page.status_code == status
            assert "x-y" not in page.headers
            assert page.headers["content-security-policy"].startswith("default-src 'none'; ")
            assert bool(page.content) is (method == "GET")

    @pytest.mark.parametrize("path", PATHS)
    async def test_its_head(self, ask: Ask, path: str) -> None:
        got, head = same(await ask(path)), same(await ask(path, "HEAD"))
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers.raw == got.headers.raw

    @pytest.mark.parametrize("path", PATHS)
    async def test_a_fragment_that_htmx_asks_for_and_has_already(self, ask: Ask, path: str) -> None:
        first = same(await ask(path, hx_request="true"))
        if tag := first.headers.get("hx-ptag"):
            again = same(await ask(path, hx_request="true", hx_ptag=tag))
            assert (again.status_code, again.content) == (304, b"")

    @pytest.mark.parametrize("name", ["app.css", "nothing.css"])
    async def test_a_file(self, ask: Ask, name: str) -> None:
        same(await ask(f"static/{name}"))
        same(await ask(f"static/{name}", "HEAD"))

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    async def test_a_method_that_changes_things(self, ask: Ask, method: str) -> None:
        answer = same(await ask("calls", method))
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET, HEAD"

    @pytest.mark.parametrize(
        "path",
        [
            "nope",
            "nope/nope",
            "calls/",
            "static/",
            "a%2Fb",
            "%2e%2e/x",
            "static/%2e%2e/%2e%2e/x",
            "a//b",
            "%00",
            "%C3%A9",
        ],
    )
    async def test_a_page_that_is_not_there(self, ask: Ask, path: str) -> None:
        assert same(await ask(path)).status_code == 404
        assert same(await ask(path, "HEAD")).status_code == 404

    async def test_a_refusal(self, ask: Ask) -> None:
        foreign = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "cors"}
        assert same(await ask("calls", **foreign)).status_code == 403
        assert same(await ask("calls", host="rebound.example")).status_code == 403
        assert same(await ask("calls", x_forwarded_for="1.2.3.4")).status_code == 403

    async def test_the_way_in(self, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MIHARU_TOKEN", "s3cret")
        entered = same(await ask("?token=s3cret"))
        assert (entered.status_code, entered.headers["location"]) == (303, "./")
        answers = await ask("calls")  # each says who may see it, and that is the token now
        assert same(answers).status_code == 200

    async def test_a_page_in_gzip(self, ask: Ask) -> None:
        for name in ("", "static/app.css"):
            packed = same(await ask(name, accept_encoding="gzip"))
            assert packed.headers["content-encoding"] == "gzip"
            assert "content-encoding" not in same(await ask(name, accept_encoding="identity")).headers

    async def test_an_asset_by_the_link_that_pages_use(self, ask: Ask) -> None:
        pages = same(await ask(""))
        links = [part.partition('"')[0] for part in pages.text.split('"static/')[1:]]
        assert links
        for link in links:
            assert same(await ask("static/" + link)).status_code == 200
            assert asset_url(link.partition("?")[0]).startswith("static/")


# --- over the real worker and store, on both kinds of loop


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[Monitor]:
    config = Config(database=f"sqlite+aiosqlite:///{tmp_path / 'calls.db'}")
    writer = Monitor(config)
    writer.start()

    store = SQLiteStore(config.database).writer()
    store.open()
    store.add(Batch(calls=list(STORE.kept.values())[-20:]))
    store.close()
    assert writer.stop()
    reader = Monitor(config, read_only=True)
    reader.start()
    yield reader
    assert reader.stop()


async def test_pages_of_a_real_database(recorded: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor_module, "current", lambda: recorded)

    async def host(scope: Any, receive: Any, send: Any) -> None: ...

    for app in (Starlette(routes=[Mount("/miharu", asgi())]), MiharuMiddleware(host)):
        async with client_of(app, "http://localhost/miharu/") as client:
            for path in PATHS:
                response = await client.get(path)
                assert response.status_code == 200, path
            assert "POST /" in (await client.get("choices?range=30d")).text


def test_pages_of_a_real_database_by_wsgi(recorded: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor_module, "current", lambda: recorded)
    served = httpx.WSGITransport(MiharuWsgiMiddleware(nobody, auth="off"))
    with httpx.Client(transport=served, base_url="http://localhost/miharu/") as client:
        for path in PATHS:
            assert client.get(path).status_code == 200, path
        assert "POST /" in client.get("choices?range=30d").text
