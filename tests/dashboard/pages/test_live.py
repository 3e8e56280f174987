import re
from collections.abc import Sequence

import pytest

from miharu.batch import Batch
from miharu.call import Call, Outcome, new_id
from miharu.dashboard.charts.colors import Palette
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.running import running
from miharu.exchange import Exchange
from tests.dashboard.conftest import NOW, get, make_site
from tests.dashboard.memory import MemoryStore
from tests.world import HandMade, exchange

pytestmark = pytest.mark.anyio
CALL = Call(
    id=new_id(NOW - 5000), timestamp=NOW - 5000, api="x", model="gpt-6", outcome=Outcome(status="success")
)


def going(url: str = "https://api.openai.com/v1/chat/completions", **facts: object) -> HandMade:
    made = exchange(url, **facts)  # type: ignore[arg-type]
    made.end = None
    return made


def site_with(*exchanges: Exchange) -> Site:
    def now() -> Sequence[Exchange]:
        return exchanges

    return make_site(MemoryStore([CALL]), running=now)


def test_tells_what_runs_before_its_end() -> None:
    waiting = going(asked={"model": "gpt-6", "messages": []}, chunks=[])
    answering = going(
        "https://api.anthropic.com/v1/messages", asked={"model": "claude-5"}, chunks=[b"a", b"b"]
    )
    ended = exchange(asked={"model": "over"})
    waiting.started = 0
    answering.started = 3_000_000_000
    long, short = running([answering, ended, waiting], Palette(), lambda: 5_000_000_000)
    assert (long.model, long.ms, long.answering, long.provider) == ("gpt-6", 5000, False, "OpenAI")
    assert (short.model, short.ms, short.answering, short.received) == ("claude-5", 2000, True, 2)


@pytest.mark.parametrize(
    ("url", "asked", "model"),
    [
        ("https://g.example/v1beta/models/gemini-3:generateContent", {"contents": []}, "gemini-3"),
        ("https://x.example/openai/deployments/mine/chat/completions", {}, "mine"),
        (
            "https://x.example/v1/chat/completions",
            b'{"messages": "' + b"x" * 99_999 + b'", "model": "m"}',
            "m",
        ),
        ("https://x.example/v1/chat/completions", b"\xff not json", "unknown model"),
    ],
)
def test_finds_the_model_where_it_stands(url: str, asked: object, model: str) -> None:
    [one] = running([going(url, asked=asked)], Palette())
    assert one.model == model
    assert one.provider


async def test_shows_calls_that_run_first() -> None:
    body = (await get(site_with(going(asked={"model": "claude-<5>"})), "live")).body.decode()
    assert "Running now" in body
    assert "claude-&lt;5&gt;" in body
    assert re.search(r'data-elapsed="\d+"', body)
    assert body.index("Running now") < body.index("Ended")


async def test_says_that_nothing_runs() -> None:
    assert b"No call is running." in (await get(site_with(), "live")).body


async def test_says_where_it_cannot_see_them() -> None:
    body = (await get(make_site(MemoryStore([CALL])), "live")).body
    assert b"Calls that still run cannot be seen from here." in body
    assert b"Running now" not in body


async def test_is_made_again_when_a_call_begins_or_ends() -> None:
    one = going(asked={"model": "m"})
    tag = dict((await get(site_with(), "live-tail")).headers)["HX-PTag"]
    assert (await get(site_with(), "live-tail", ptag=tag)).status == 304
    assert (await get(site_with(one), "live-tail", ptag=tag)).status == 200


async def test_shows_the_last_hour_whatever_the_range_says() -> None:
    old = Call(
        id=new_id(NOW - 4_000_000), timestamp=NOW - 4_000_000, api="x", outcome=Outcome(status="error")
    )
    store = MemoryStore()
    await store.add(Batch(calls=[CALL, old]))
    for params in ({}, {"range": "30d"}, {"start": "2026-01-01", "end": "2026-01-02"}):
        body = (await get(make_site(store), "live", **params)).body.decode()
        assert "Showing 1 of 1" in body
        assert CALL.id in body
        assert old.id not in body
        assert 'hx-get="live-tail' in body


async def test_filters() -> None:
    body = (await get(make_site(MemoryStore([CALL])), "live", model="other")).body.decode()
    assert "No call in the last hour matches the filters." in body
