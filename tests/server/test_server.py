"""The application of ``miharu dashboard``: its JSON API, who may use it, and how it starts and stops."""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
import webbrowser
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from miharu import server
from miharu.batch import Score, Span
from miharu.call import Body, Call, Outcome
from miharu.conditions.language import Condition
from miharu.config import Config
from miharu.dashboard.access import decide
from miharu.errors import MiharuError, StoreError
from miharu.server import serving
from miharu.stores.base import (
    NEWEST,
    By,
    ByTag,
    Group,
    Latency,
    Order,
    Point,
    Query,
    RankOrder,
    Ranks,
    ScoredCall,
    ScoreSum,
    Session,
    Totals,
)

NOW = 1_800_000_000_000
PATHS = (
    *("totals", "latency", "series", "durations", "groups", "keys", "ranks", "sessions"),
    *("calls", "calls/{id}", "spans/{trace_id}", "scores", "moves"),
    *("score-names", "score-sums", "scored"),
)
ONE = Call(
    id="one",
    timestamp=NOW - 5000,
    api="openai.chat",
    outcome=Outcome(status="success"),
    model="gpt-6",
    body=Body(request='{"q":"ö"}'.encode(), response=None),
)


class OneCall:
    """A store that holds one call and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def revision(self) -> int:
        return 7

    async def totals(self, query: Query) -> Totals:
        self.asked.append(query)
        return Totals(calls=1, cost_nanousd=5)

    async def latency(self, query: Query) -> Latency:
        return Latency(p50_ms=7)

    async def series(self, query: Query, step_ms: int, by: str | None = None) -> Sequence[Point]:
        self.asked.append((step_ms, by))
        return [Point(t=0, key="gpt-6", totals=Totals(calls=1))]

    async def durations(self, query: Query, step_ms: int, of: str) -> Sequence[tuple[int, int, int]]:
        self.asked.append((step_ms, of))
        return [(0, 120, 3)]

    async def groups(self, query: Query, by: str, limit: int | None = None) -> Sequence[Group]:
        self.asked.append((query, by, limit))
        dear = Totals(calls=2, cost_nanousd=query.start, prompt_tokens=10)
        return [Group(key="gpt-6", totals=dear, latency=Latency())]

    async def ranks(self, query: Query, by: By, limit: int, offset: int, *, order: RankOrder) -> Ranks:
        self.asked.append((query, by, limit, offset, order))
        return Ranks(keys=["one", None], whole=9)

    async def keys(self, query: Query, by: str, limit: int) -> Sequence[str]:
        return [by]

    async def sessions(self, query: Query, limit: int, before: int | None) -> Sequence[Session]:
        return [Session(id="s", user_id=None, first=1, last=2, totals=Totals(calls=1))]

    async def spans(self, trace_id: str, limit: int = 0) -> Sequence[Span]:
        return [Span(id="a", trace_id=trace_id, name="run", timestamp=1, duration_ms=2, status="success")]

    async def scores(self, *, call_id: str | None, trace_id: str | None) -> Sequence[Score]:
        return [Score(id="x", timestamp=1, name="helpful", value=1.0, call_id=call_id, trace_id=trace_id)]

    async def score_names(self, query: Query) -> Mapping[str, int]:
        self.asked.append(query)
        return {"helpful": 3}

    async def score_sums(
        self, query: Query, name: str, by: By | None = None, *, step_ms: int | None = None
    ) -> Sequence[ScoreSum]:
        self.asked.append((name, by, step_ms))
        return [ScoreSum(t=5, key="gpt-6", number=3, total=1.5)]

    async def scored(
        self, query: Query, name: str, limit: int, after: str | None, *, descending: bool
    ) -> Sequence[ScoredCall]:
        self.asked.append((name, limit, after, descending))
        return [ScoredCall("s1", 0.25, ONE)]

    async def calls(
        self, query: Query, limit: int = 50, before: str | None = None, order: Order = NEWEST
    ) -> Sequence[Call]:
        self.asked.append((query, limit, before, order))
        return [ONE]

    async def call(self, id: str) -> Call | None:
        return ONE if id == "one" else None


class StandIn:
    config = Config(database="sqlite+aiosqlite:////srv/calls.db")
    read_only = True

    def __init__(self) -> None:
        self.questions = OneCall()
        self.broken: Exception | None = None

    async def read(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        if self.broken:
            raise self.broken
        return await ask()

    def stats(self) -> dict[str, int]:
        return {"dropped": 0}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def calm(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("MIHARU_AUTH", "MIHARU_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    closed, decide.PROCESS.closed = decide.PROCESS.closed, False
    yield
    decide.PROCESS.closed = closed


@pytest.fixture
def monitor() -> Any:
    return StandIn()


def client_of(monitor: Any, host: str = "127.0.0.1", address: str = "127.0.0.1") -> httpx.AsyncClient:
    app: Any = server.create_app(monitor, host=host, clock=lambda: NOW)
    transport = httpx.ASGITransport(app=app, client=(address, 5000), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://localhost:3001")


@pytest.fixture
async def client(monitor: Any) -> Any:
    async with client_of(monitor) as client:
        yield client


# --- the JSON API


async def test_totals_of_a_day_by_default(client: httpx.AsyncClient, monitor: Any) -> None:
    response = await client.get("/api/totals")
    assert response.status_code == 200
    assert response.json()["calls"] == 1
    assert response.json()["cost_nanousd"] == 5
    assert monitor.questions.asked == [Query(start=NOW + 1 - 86_400_000, end=NOW + 1)]


async def test_totals_of_what_was_asked(client: httpx.AsyncClient, monitor: Any) -> None:
    asked: dict[str, Any] = {
        "start": 1,
        "end": 9,
        "model": "m",
        "provider": "p",
        "route": "r",
        "user_id": "u",
        "status": "error",
    }
    assert (await client.get("/api/totals", params=asked)).status_code == 200
    assert monitor.questions.asked == [Query(**asked)]


async def test_the_newest_calls(client: httpx.AsyncClient, monitor: Any) -> None:
    response = await client.get("/api/calls", params={"limit": 3, "before": "x", "start": 1, "end": 2})
    assert [call["id"] for call in response.json()] == ["one"]
    assert monitor.questions.asked == [(Query(start=1, end=2), 3, "x", NEWEST)]


async def test_the_dearest_calls_with_a_tag(client: httpx.AsyncClient, monitor: Any) -> None:
    asked: dict[str, str | int] = {
        "start": 1,
        "end": 2,
        "sort": "-cost_nanousd",
        "tag": "team=a=b",
        "call_group": "g",
    }
    assert (await client.get("/api/calls", params=asked)).status_code == 200
    query = Query(start=1, end=2, tag=("team", "a=b"), call_group="g")
    assert monitor.questions.asked == [(query, 50, None, Order("cost_nanousd"))]
    assert (await client.get("/api/calls", params={"sort": "-id"})).status_code == 400
    assert (await client.get("/api/calls", params={"tag": "team"})).status_code == 400


async def test_one_call_with_its_body_as_text(client: httpx.AsyncClient) -> None:
    found = (await client.get("/api/calls/one")).json()
    assert found["call"]["outcome"]["status"] == "success"
    assert found["call"]["cost"] is None
    assert found["request"] == '{"q":"ö"}'
    assert found["response"] is None


async def test_the_other_questions_to_the_store(client: httpx.AsyncClient, monitor: Any) -> None:
    async def get(path: str) -> Any:
        response = await client.get(f"/api/{path}")
        assert response.status_code == 200, response.text
        return response.json()

    assert (await get("latency"))["p50_ms"] == 7
    assert (await get("series?step=60000&by=model"))[0]["key"] == "gpt-6"
    assert await get("durations?of=ttft_ms") == [{"t": 0, "ms": 120, "calls": 3}]
    assert (await get("groups?by=user_id&limit=3&session_id=s"))[0]["totals"]["calls"] == 2
    assert await get("keys?by=route") == ["route"]
    assert (await get("sessions?before=9"))[0]["id"] == "s"
    assert (await get("spans/t1"))[0]["trace_id"] == "t1"
    assert (await get("scores?call_id=one"))[0]["value"] == 1.0
    asked = monitor.questions.asked
    assert asked[:2] == [(60_000, "model"), (1_800_000, "ttft_ms")]
    assert (asked[2][0].session_id, *asked[2][1:]) == ("s", "user_id", 3)


async def test_why_costs_moved(client: httpx.AsyncClient, monitor: Any) -> None:
    [moved] = (await client.get("/api/moves", params={"start": 2000, "end": 3000})).json()
    assert [asked[0].start for asked in monitor.questions.asked] == [1000, 2000]
    assert moved["change_nanousd"] == sum(moved["effects_nanousd"].values()) == 1000


async def test_the_names_of_the_pages_are_understood(client: httpx.AsyncClient, monitor: Any) -> None:
    asked = {"user": "u", "session": "s", "trace": "t", "error": "e", "attempts": "g", "range": "1h"}
    assert (await client.get("/api/totals", params=asked)).status_code == 200
    end = (NOW // 60_000 + 1) * 60_000
    query = Query(start=end - 3_600_000, end=end, user_id="u", session_id="s", trace_id="t", call_group="g")
    assert monitor.questions.asked == [replace(query, error_type="e")]
    today = {"range": "today", "tz": "Asia/Kolkata"}
    assert (await client.get("/api/totals", params=today)).status_code == 200
    assert (monitor.questions.asked[-1].start + 19_800_000) % 86_400_000 == 0
    moments = {"start": "2026-11-23T00:00Z", "end": "2026-11-23T01:00:00.500+00:00"}
    assert (await client.get("/api/totals", params=moments)).status_code == 200
    assert monitor.questions.asked[-1].end - monitor.questions.asked[-1].start == 3_600_500


async def test_filters_take_several_values_and_conditions(client: httpx.AsyncClient, monitor: Any) -> None:
    asked: dict[str, Any] = {
        "model": ["a", "b", "a"],
        "user_id": ["u"],
        "tag": ["team=x", "team=y", "env=z"],
        "status": ["error", "cancelled"],
        "q": "cost>0.01 -route:/a,/b provider:openai",
        "start": 1,
        "end": 9,
    }
    for path in ("totals", "calls"):
        assert (await client.get(f"/api/{path}", params=asked)).status_code == 200
        question = monitor.questions.asked.pop()
        assert (question if path == "totals" else question[0]) == Query(
            start=1,
            end=9,
            user_id="u",
            provider="openai",
            tag=("env", "z"),
            conditions=(
                Condition(field="model", operator="in", values=("a", "b")),
                Condition(field="status", operator="in", values=("error", "cancelled")),
                Condition(field="tag", operator="in", values=("x", "y"), name="team"),
                Condition(field="cost_nanousd", operator=">", values=(10_000_000,)),
                Condition(field="route", operator="not in", values=("/a", "/b")),
            ),
        )


async def test_words_are_asked_for_in_what_was_said(client: httpx.AsyncClient, monitor: Any) -> None:
    answer = await client.get("/api/totals", params={"q": 'refund model:a "in full"'})
    assert answer.status_code == 200
    (query,) = monitor.questions.asked
    assert (query.words, query.model) == (("refund", "in full"), "a")


async def test_a_filter_that_is_not_understood_says_where(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/totals", params={"q": "model:a costs>1 duration>10"})
    assert answer.status_code == 400
    assert answer.json()["extra"] == {
        "text": "model:a costs>1 duration>10",
        "faults": [
            {"start": 8, "end": 13, "reason": "costs is not a field.", "remedy": "cost"},
            {
                "start": 25,
                "end": 27,
                "reason": "10 is not a duration. Write 500ms, 10s, 1.5m or 1m30s.",
                "remedy": "10s",
            },
        ],
        "mended": "model:a cost>1 duration>10s",
    }
    for path in ("scores?call_id=a&call_id=b", "scores?trace_id=a&trace_id=b"):
        assert (await client.get(f"/api/{path}")).status_code == 400


@pytest.mark.parametrize("path", [path.replace("{id}", "one").replace("{trace_id}", "t1") for path in PATHS])
@pytest.mark.parametrize("odd", ["usr", "Model", "user-id", "x", "from"])
async def test_a_parameter_that_does_not_exist_is_refused_with_those_that_do(
    client: httpx.AsyncClient, monitor: Any, path: str, odd: str
) -> None:
    response = await client.get(f"/api/{path}?{odd}=1")
    assert response.status_code == 400
    assert response.json()["detail"].startswith(f"There is no parameter {odd!r} here. There are: ")
    assert ("user_id" in response.json()["detail"]) == (path not in {"calls/one", "spans/t1", "scores"})
    assert not monitor.questions.asked


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("range=1h&range=7d", "range is given two values"),
        ("q=cost%3E1&q=cost%3E2", "q is given two values"),
        ("q=costs%3E1", "q is not understood, at 1: costs is not a field. Perhaps cost"),
        ("&".join(f"model={n}" for n in range(51)), "between 1 and 50 values are possible"),
        ("status=success&status=odd", ""),
        ("tag=odd", ""),
        ("user=a&user_id=b", "user and user_id are the same"),
        ("range=1h&start=5", "range stands in place of start and end"),
        ("start=yesterday", "is not a moment"),
        ("range=2h", ""),
        ("range=today&tz=Mars", "is not a time zone"),
        ("model=%00", "holds what is not text"),
    ],
)
async def test_what_contradicts_itself_is_refused(
    client: httpx.AsyncClient, monitor: Any, query: str, words: str
) -> None:
    for path in ("totals", "series", "groups", "calls", "sessions", "moves"):
        response = await client.get(f"/api/{path}?{query}")
        assert response.status_code == 400
        assert words in response.json()["detail"]
    assert not monitor.questions.asked


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/calls/two", 404),
        ("/api/series?step=10", 400),
        ("/api/series?step=1000&start=0", 400),
        ("/api/groups?by=odd", 400),
        ("/api/groups?by=tag:", 400),
        ("/api/ranks?sort=1;--", 400),
        ("/api/ranks?offset=-1", 400),
        ("/api/calls?limit=0", 400),
        ("/api/calls?limit=501", 400),
        ("/api/totals?status=odd", 400),
        ("/api/totals?start=soon", 400),
    ],
)
async def test_what_it_cannot_answer(client: httpx.AsyncClient, path: str, status: int) -> None:
    response = await client.get(path)
    assert response.status_code == response.json()["status_code"] == status


async def test_values_are_ranked_and_told_apart_by_a_tag(client: httpx.AsyncClient, monitor: Any) -> None:
    async def get(path: str) -> Any:
        response = await client.get(f"/api/{path}")
        assert response.status_code == 200, response.text
        return response.json()

    await get("groups?by=tag:team")
    assert monitor.questions.asked[-1][1] == ByTag("team")
    found = await get("ranks?by=tag:team&sort=calls&match=a&start=1000&end=3000&offset=2&limit=7")
    assert found == {"keys": ["one", None], "whole": 9}
    assert monitor.questions.asked[-1][1:] == (
        ByTag("team"),
        7,
        2,
        RankOrder(by="calls", descending=False, matching="a"),
    )
    await get("ranks?sort=-moved&start=1000&end=3000&user=u")
    query, by, *_, order = monitor.questions.asked[-1]
    assert (query.user_id, by, order) == ("u", "user_id", RankOrder(by="moved", against=(-1000, 1000)))
    await get("ranks?new=true&other_start=5&other_end=9")
    assert monitor.questions.asked[-1][-1] == RankOrder(only_new=True, against=(5, 9))


async def test_scores_are_asked_for_by_name(client: httpx.AsyncClient, monitor: Any) -> None:
    async def found(path: str) -> Any:
        return (await client.get(f"/api/{path}")).json()

    assert await found("score-names?model=gpt-6") == {"helpful": 3}
    assert await found("score-sums?name=helpful&by=tag:team") == [
        {"t": 5, "key": "gpt-6", "number": 3, "total": 1.5, "squares": None}
    ]
    assert await found("score-sums?name=helpful&step_ms=3600000")
    (one,) = await found("scored?name=helpful&limit=7&after=s0&order=highest")
    assert (one["score_id"], one["value"], one["call"]["id"]) == ("s1", 0.25, "one")
    assert await found("scored?name=helpful")
    assert monitor.questions.asked[0].model == "gpt-6"
    assert monitor.questions.asked[1:] == [
        ("helpful", ByTag("team"), None),
        ("helpful", None, 3_600_000),
        ("helpful", 7, "s0", True),
        ("helpful", 50, None, False),
    ]
    for path in (
        "score-sums",
        "score-sums?name=",
        "scored",
        "scored?name=a&order=up",
        "score-sums?name=a&by=x",
    ):
        assert (await client.get(f"/api/{path}")).status_code == 400, path
    too_fine = "score-sums?name=a&step_ms=1000&range=30d"
    assert (await client.get(f"/api/{too_fine}")).status_code == 400


async def test_the_api_describes_itself(client: httpx.AsyncClient) -> None:
    document = (await client.get("/api/openapi.json")).json()
    assert set(document["paths"]) == {f"/api/{path}" for path in PATHS}
    for path, asked in document["paths"].items():
        assert asked["get"]["description"].endswith("."), path
    filters = {parameter["name"] for parameter in document["paths"]["/api/groups"]["get"]["parameters"]}
    assert {"start", "end", "model", "user_id", "session_id", "service", "error_type", "by"} <= filters
    assert document["paths"]["/api/calls"]["get"]["description"].startswith("The first calls")


async def test_a_store_that_cannot_be_read_is_said(client: httpx.AsyncClient, monitor: Any) -> None:
    monitor.broken = StoreError("calls.db is no database")
    response = await client.get("/api/totals")
    assert response.status_code == 503
    assert response.json()["detail"] == "calls.db is no database"
    health = await client.get("/healthz")
    assert (health.status_code, health.json()) == (503, {"status": "the database cannot be read"})


async def test_it_is_healthy(client: httpx.AsyncClient) -> None:
    response = await client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize("path", ["/", "/nope", "/api/totals", "/api/nope", "/api/openapi.json", "/healthz"])
async def test_every_answer_carries_the_security_headers(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    headers = (await client.request(method, path)).headers
    for name in ("content-security-policy", "x-content-type-options", "referrer-policy", "cache-control"):
        assert len(headers.get_list(name)) == 1, name


# --- who may


@pytest.mark.parametrize("path", ["/", "/api/totals", "/api/calls/one", "/api/openapi.json"])
@pytest.mark.parametrize(
    "headers",
    [
        {"host": "rebound.example"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"},
        {"origin": "http://evil.example"},
        {"x-forwarded-for": "1.2.3.4"},
    ],
)
async def test_on_loopback_strangers_get_nothing(
    client: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    assert (await client.get(path, headers=headers)).status_code == 403


@pytest.mark.parametrize("host", ["0.0.0.0", "", "192.168.1.5", "::", "example.org"])
async def test_bound_elsewhere_it_asks_for_the_token(
    host: str, monitor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIHARU_TOKEN", "s3cret")
    monkeypatch.setenv("MIHARU_AUTH", "auto")
    async with client_of(monitor, host) as client:
        assert (await client.get("/")).status_code == 403
        for path in ("/api/totals", "/api/openapi.json"):
            assert (await client.get(path)).status_code == 403
            bearer = {"authorization": "Bearer s3cret"}
            assert (await client.get(path, headers=bearer)).status_code == 200
        assert (await client.get("/healthz")).status_code == 200
        entered = await client.get("/?token=s3cret")
        assert (entered.status_code, entered.headers["location"]) == (303, "./")
        assert (await client.get("/api/totals")).status_code == 200  # the client keeps the cookie


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.7"])
async def test_bound_to_loopback_it_is_open_without_a_terminal(host: str, monitor: Any) -> None:
    async with client_of(monitor, host) as client:
        assert (await client.get("/api/totals")).status_code == 200


# --- the process it runs in


def test_it_leaves_the_logging_of_its_process_alone(monitor: Any) -> None:
    root = logging.getLogger()
    before = root.level, list(root.handlers)
    server.create_app(monitor)
    assert (root.level, list(root.handlers)) == before


def test_litestars_debug_variable_shows_nobody_a_traceback(
    monitor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LITESTAR_DEBUG", "1")
    assert server.create_app(monitor).debug is False


# --- running


def test_a_port_in_use_is_named_with_the_remedy(monitor: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(MiharuError, match=rf"Port {port} on 127\.0\.0\.1 is in use.*--port"):
            server.run(monitor, "127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "port"), [("no-such-host.invalid", 0), ("127.0.0.1", 99999), ("203.0.113.1", 0)]
)
def test_an_address_that_cannot_be_is_said(monitor: Any, host: str, port: int) -> None:
    with pytest.raises(MiharuError, match="--port"):
        server.run(monitor, host, port)


@pytest.mark.parametrize(
    ("host", "environ", "said", "opened"),
    [
        ("127.0.0.1", {}, "http://127.0.0.1:1/", "http://127.0.0.1:1/"),
        ("::1", {}, "http://[::1]:1/", "http://[::1]:1/"),
        (
            "0.0.0.0",
            {"MIHARU_TOKEN": "a b"},
            "http://localhost:1/?token=<the value of MIHARU_TOKEN>",
            "http://localhost:1/?token=a+b",
        ),
    ],
)
def test_the_address_that_is_said_and_the_one_that_is_opened(
    monitor: Any, host: str, environ: dict[str, str], said: str, opened: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert serving._address(monitor, host, 1) == (said, opened)


def test_a_token_of_its_own_is_part_of_the_address(monitor: Any) -> None:
    said, opened = serving._address(monitor, "0.0.0.0", 1)
    assert said == opened
    assert len(said.partition("?token=")[2]) > 30


def test_the_browser_is_opened_without_waiting_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    opened, done = [], threading.Event()

    def open_it(url: str) -> None:
        opened.append(url)
        done.set()

    monkeypatch.setattr(webbrowser, "open", open_it)
    serving._open("http://127.0.0.1:1/")
    assert done.wait(10)
    assert opened == ["http://127.0.0.1:1/"]


PROGRAM = """
import sys
sys.path[:0] = [sys.argv[1], sys.argv[2]]
from test_server import StandIn
from miharu.server import run
run(StandIn(), "127.0.0.1", 0, announce=lambda address: print(address, flush=True))
print("done", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to another process there")
def test_it_serves_until_ctrl_c_and_ends_quietly() -> None:
    here = Path(__file__)
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(here.parent), str(here.parents[2])],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "MIHARU_AUTH": ""},
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            address = process.stdout.readline().strip()
            with urllib.request.urlopen(address + "api/totals", timeout=20) as response:
                assert response.status == 200
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline() == "done\n"
            assert process.stderr.read() == ""
            assert process.wait(20) == 0
        finally:
            process.kill()
