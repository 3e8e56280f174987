import re
from dataclasses import replace
from html import unescape
from urllib.parse import parse_qsl

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


OFFER = re.compile(r'class="note offer"><span>(.*?) <a class="ul mono" href="(.*?)">(.*?)</a>', re.DOTALL)


@pytest.mark.parametrize(
    ("params", "text", "link"),
    [
        ({"model": "gpt-6"}, "model:gpt-6*", "calls?q=model:gpt-6*"),
        ({"q": "model:gpt-6,gpt-7 -user:u_1"}, "model:gpt-6*", "calls?q=-user:u_1+model:gpt-6*"),
        ({"user": "U_1042", "range": "7d"}, "user:u_1042", "calls?range=7d&q=user:u_1042"),
        ({"route": "POST /chat"}, 'route:"POST /chat"*', "calls?q=route:%22POST+/chat%22*"),
    ],
)
async def test_where_nothing_is_found_it_is_said_what_would_have_been(
    site: Site, params: dict[str, str], text: str, link: str
) -> None:
    body = (await get(site, "calls", **params)).body.decode()
    ((sentence, href, shown),) = OFFER.findall(body)
    assert sentence.startswith("No call here has the ")
    assert unescape(shown) == text
    path, _, query = unescape(href).partition("?")
    assert dict(parse_qsl(query)) == dict(parse_qsl(link.partition("?")[2]))
    assert f'id="c-{CALL.id}"' in (await get(site, path, **dict(parse_qsl(query)))).body.decode()


async def test_nothing_is_offered_or_asked_where_something_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore([CALL])

    async def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(store, "ranks", refuse)
    body = (await get(make_site(store), "calls-rows", model="gpt-6.1-sol")).body.decode()
    assert OFFER.findall(body) == []


async def test_what_is_offered_is_no_html() -> None:
    site = make_site(MemoryStore([replace(CALL, model="<b>x</b>")]))
    body = (await get(site, "calls", model="<B>")).body.decode()
    assert "&lt;b&gt;" in OFFER.findall(body)[0][2]
    assert "<b>x" not in body


async def test_the_find_box_offers_it_as_well(site: Site) -> None:
    async def typed(text: str) -> list[tuple[str, str]]:
        request = PageRequest(path="find", params={"q": text}, headers={"hx-request": "true"})
        body = (await respond(request, site)).body.decode()
        return re.findall(r'<span class="k">(.*?)</span><span class="val">(.*?)</span>', body)

    assert await typed("model:gpt-6") == [
        ("calls with", "model:gpt-6"),
        ("none; perhaps", "model:gpt-6*"),
    ]
    assert await typed("model:gpt-6*") == [("calls with", "model:gpt-6*")]
    assert len(await typed("model:gpt-6 costs>1")) == 1
