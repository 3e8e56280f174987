import re

import pytest

from miharu.call import Call, Outcome, new_id
from miharu.dashboard.http.page import PageRequest, Site
from miharu.dashboard.routes import respond
from tests.dashboard.conftest import NOW, get, make_site
from tests.dashboard.memory import MemoryStore

pytestmark = pytest.mark.anyio
CALL = Call(
    id=new_id(NOW - 5000),
    timestamp=NOW - 5000,
    api="x",
    model="gpt-6.1-sol",
    provider="aws.bedrock",
    route="POST /chat/{id}",
    user_id="u_1042",
    session_id="s_77",
    trace_id="f" * 32,
    service="shop",
    outcome=Outcome(status="error", error_type="overloaded_error"),
)


@pytest.fixture
def site() -> Site:
    return make_site(MemoryStore([CALL]))


async def test_conditions_lead_to_the_calls_that_meet_them(site: Site) -> None:
    page = await get(site, "find", q="cost>0.01 -user:u_1", range="7d")
    assert page.status == 303
    assert ("Location", "calls?range=7d&q=cost%3E0.01+-user%3Au_1") in page.headers
    typed = {"q": "cost>0.01 -user:u_1"}
    page = await respond(PageRequest(path="find", params=typed, headers={"hx-request": "true"}), site)
    assert 'href="calls?q=cost%3E0.01+-user%3Au_1"' in page.body.decode()
    typed = {"q": "costs>0.01"}
    page = await respond(PageRequest(path="find", params=typed, headers={"hx-request": "true"}), site)
    assert page.status == 200
    assert "costs is not a field." in page.body.decode()


async def hits(site: Site, text: str) -> list[tuple[str, str, str]]:
    body = (await get(site, "find", q=text)).body.decode()
    return re.findall(r'<li><a href="([^"]*)"><span class="k">(\w+)</span><span class="val">([^<]*)<', body)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(CALL.id, (f"calls?sel={CALL.id}", "call", CALL.id), id="the id of a call"),
        ("SOL", ("calls?model=gpt-6.1-sol", "model", "gpt-6.1-sol")),
        ("bedrock aws", ("calls?provider=aws.bedrock", "provider", "aws.bedrock")),
        ("chat", ("calls?route=POST+/chat/%7Bid%7D", "route", "POST /chat/{id}")),
        ("1042", ("calls?user=u_1042", "user", "u_1042")),
        ("s_77", ("sessions?session=s_77", "session", "s_77")),
        ("f" * 32, (f"sessions?trace={'f' * 32}", "trace", "f" * 32)),
        ("overloaded", ("errors?error=overloaded_error", "error", "overloaded_error")),
        ("shop", ("calls?service=shop", "service", "shop")),
    ],
)
async def test_finds(site: Site, text: str, expected: tuple[str, str, str]) -> None:
    assert expected in await hits(site, text)


async def test_finds_a_user_once() -> None:
    found = await hits(make_site(MemoryStore([CALL])), "u_1042")
    assert len(found) == 1


@pytest.mark.parametrize("text", ["nothing like it", "s_7", "\0", "' OR 1=1 --", "<script>"])
async def test_says_when_there_is_nothing(site: Site, text: str) -> None:
    page = await get(site, "find", q=text)
    assert page.status == 200
    assert b"<script>" not in page.body
    assert await hits(site, text) == []


async def test_asks_what_to_look_for(site: Site) -> None:
    assert b"Type a part of a model" in (await get(site, "find")).body


async def test_answers_the_field_with_a_part_of_the_page(site: Site) -> None:
    request = PageRequest(path="find", params={"q": "sol"}, headers={"hx-request": "true"})
    page = await respond(request, site)
    assert page.body.startswith(b'<ul class="hits">')
