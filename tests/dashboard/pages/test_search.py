"""The page of calls, where words are searched for."""

import html
import json
import re
from dataclasses import replace

import pytest

from miharu.call import Body, Call, Outcome, new_id
from miharu.dashboard.call import hits as hits_of
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels import said as panel
from miharu.dashboard.queries import lookback
from miharu.stores.base import Query, Searched, Totals
from miharu.stores.words import ROLES
from tests.dashboard.conftest import NOW, get, make_site
from tests.dashboard.memory import MemoryStore
from tests.dashboard.traffic import HOSTILE

pytestmark = pytest.mark.anyio


def made(number: int, *messages: tuple[str, str], answer: str = "") -> Call:
    request = {"model": "m", "messages": [{"role": role, "content": text} for role, text in messages]}
    answered = {"choices": [{"message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}]}
    return Call(
        id=new_id(NOW - 60_000 + number),
        timestamp=NOW - 60_000 + number,
        api="openai.chat",
        model=f"m{number}",
        outcome=Outcome(status="success", http_status=200),
        body=Body(
            request=json.dumps(request).encode(),
            response=json.dumps(answered).encode() if answer else None,
        ),
    )


CALLS = [
    made(
        0, ("system", "Never promise a refund."), ("user", f"refund? {HOSTILE}"), answer="A REFUND, a refund."
    ),
    made(1, ("user", "Where is my parcel? " + "word " * 100 + "refund " + "word " * 200)),
    made(2, ("user", "אפשר לקבל החזר? crème brûlée")),
    replace(made(3, ("user", "refund")), body=None),
]


@pytest.fixture
def site() -> Site:
    return make_site(MemoryStore(CALLS))


def hits(body: str) -> list[list[tuple[str, str]]]:
    """Of each call the passages: who said it, and the words with their marks."""
    return [
        re.findall(
            r'class="who-said[^"]*">.*?<span class="cut">([^<]*)</span></span>'
            r'<span class="said-in" dir="auto">(.*?)</span></p>',
            call,
        )
        for call in re.split(r'<li class="hit', body)[1:]
    ]


async def test_calls_are_shown_with_the_passages_of_what_was_said(site: Site) -> None:
    body = (await get(site, "calls", q="refund")).body.decode()
    one, other = hits(body)
    [(speaker, passage)] = one
    assert (speaker, passage[:6], passage[-1]) == ("User", "…word ", "…")
    assert "word <mark>refund</mark> word" in passage
    assert len(re.sub("<[^>]*>", "", passage)) == 242
    assert other[0] == ("Assistant", "A <mark>REFUND</mark>, a <mark>refund</mark>.")
    assert other[1] == ("User", f"<mark>refund</mark>? {html.escape(HOSTILE).replace('&#x27;', '&#39;')}")
    assert "1 more place in this call" in body
    assert "2 calls" in body
    assert "3 of 4 calls kept their content; the other 1 cannot be searched for words." in body
    assert f'href="calls?sel={CALLS[1].id}&amp;q=refund"' in body


async def test_words_of_one_speaker(site: Site) -> None:
    body = (await get(site, "calls", q="refund", said="assistant")).body.decode()
    assert hits(body) == [[("Assistant", "A <mark>REFUND</mark>, a <mark>refund</mark>.")]]
    assert (
        '<a href="calls?said=assistant&amp;q=refund" class="on" aria-current="true">assistant <b>1</b></a>'
        in body
    )
    assert 'href="calls?said=tool&amp;q=refund">tools <b>0</b></a>' in body
    body = (await get(site, "calls", q="refund", said="} OR 1")).body.decode()
    assert len(hits(body)) == 2


def said_by(body: str) -> dict[str, str]:
    """In how many calls each speaker said the words."""
    return dict(re.findall(r'<a href="calls\?[^"]*"[^>]*>(\w+) <b>([^<]*)</b></a>', body))


def over_time(body: str) -> list[int]:
    """The steps of the chart in which there are calls with the words."""
    [data] = re.findall(r'<script type="application/json">(.*?)</script>', body)
    return [calls for one in json.loads(data)["series"] for calls in one["v"] if calls]


async def test_it_says_in_how_many_calls_each_speaker_said_the_words(site: Site) -> None:
    body = (await get(site, "calls", q="refund")).body.decode()
    assert said_by(body) == {"anyone": "2", "user": "2", "assistant": "1", "tools": "0", "system": "1"}
    assert "were looked through" not in body
    body = (await get(site, "calls", q="refund model:m1", said="user")).body.decode()
    assert said_by(body) == {"anyone": "1", "user": "1", "assistant": "0", "tools": "0", "system": "0"}
    assert 'href="calls?model=m1&amp;said=system&amp;q=refund">system <b>0</b></a>' in body


async def test_each_of_these_numbers_is_asked_for_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Query] = []
    totals = site.store.totals

    async def counted(query: Query) -> Totals:
        asked.append(query)
        return await totals(query)

    monkeypatch.setattr(site.store, "totals", counted)
    await get(site, "calls", q="refund")
    assert len([query for query in asked if query.words]) == len(ROLES) + 1


@pytest.mark.parametrize(
    ("q", "said", "found"),
    [
        ("refund", None, ["2+", "2+", "1", "0", "1"]),
        # of the newest calls in which the words are, wherever, those that match
        ("refund model:m1", None, ["1+", "1+", "0", "0", "0"]),
        ("refund", "system", ["2+", "2+", "1", "0", "1"]),
    ],
)
async def test_it_says_where_not_all_calls_with_the_words_were_looked_through(
    site: Site, monkeypatch: pytest.MonkeyPatch, q: str, said: str | None, found: list[str]
) -> None:
    for module in (panel, hits_of):
        monkeypatch.setattr(module, "FOUND", 2)
    body = (await get(site, "calls", q=q, **({"said": said} if said else {}))).body.decode()
    assert list(said_by(body).values()) == found
    assert ("The newest 2 calls with these words were looked through." in body) is (said is None)
    assert (">2+ calls<" in body) is (q == "refund" and said is None)


async def test_a_chart_shows_when_the_words_were_said(site: Site) -> None:
    old = replace(CALLS[0], id=new_id(NOW - 20 * 3_600_000), timestamp=NOW - 20 * 3_600_000)
    site = make_site(MemoryStore([*CALLS, old]))
    assert over_time((await get(site, "calls", q="refund")).body.decode()) == [1, 2]
    assert over_time((await get(site, "calls", q="refund", said="system")).body.decode()) == [1, 1]
    body = (await get(site, "calls", q="refund", said="tool")).body.decode()
    assert over_time(body) == []
    assert "These words were said in no call that matches." in body
    assert 'data-chart="stack"' not in (await get(site, "calls", q="zebra")).body.decode()
    assert 'id="calls-said"' not in (await get(site, "calls")).body.decode()


async def test_words_without_accents_are_marked_as_they_were_written() -> None:
    store = MemoryStore([CALLS[2]])
    body = (await get(make_site(store), "calls", q='"crème brûlée" החזר')).body.decode()
    assert hits(body) == [[("User", "אפשר לקבל <mark>החזר</mark>? <mark>crème brûlée</mark>")]]


async def test_each_word_is_a_filter_that_can_be_taken_away(site: Site) -> None:
    body = (await get(site, "calls", q='refund "a refund" model:m0')).body.decode()
    removed = re.findall(r'class="x" href="([^"]*)" aria-label="Remove the word ([^"]*)"', body)
    assert removed == [
        ("calls?model=m0&amp;q=%22a+refund%22", "refund"),
        ("calls?model=m0&amp;q=refund", "a refund"),
    ]


@pytest.mark.parametrize(
    ("q", "said"),
    [
        ("zebra", "These words were said in no call that matches."),
        ('"***"', "Words have letters or digits"),
    ],
)
async def test_it_says_why_nothing_is_found(site: Site, q: str, said: str) -> None:
    body = (await get(site, "calls", q=q)).body.decode()
    assert hits(body) == []
    assert said in body


async def test_without_content_it_says_how_to_keep_it() -> None:
    body = (await get(make_site(MemoryStore([CALLS[3]])), "calls", q="refund")).body.decode()
    assert "capture_content=True" in body
    assert "0 of 1 calls kept their content" in body


@pytest.mark.parametrize(
    ("indexed", "said"),
    [
        (0, "No call in this range is searchable yet."),
        (2, "These words were said in no call that matches and is searchable so far."),
    ],
)
async def test_words_that_are_not_in_the_index_yet_are_not_said_to_be_nowhere(
    monkeypatch: pytest.MonkeyPatch, indexed: int, said: str
) -> None:
    async def searched(*_: object) -> Searched:
        return Searched(kept=3, indexed=indexed)

    store = MemoryStore(CALLS)
    monkeypatch.setattr(store, "searched", searched)
    body = (await get(make_site(store), "calls", q="zebra")).body.decode()
    assert said in body
    assert f"{3 - indexed} of them are not searchable yet: they are made so while a program records" in body
    assert "said in no call that matches." not in body


async def test_a_page_of_hits_leads_to_the_next() -> None:
    many = [made(number, ("user", "refund")) for number in range(25)]
    site = make_site(MemoryStore(many))
    body = (await get(site, "calls", q="refund")).body.decode()
    assert len(hits(body)) == 20
    [older] = re.findall(r'href="([^"]*)" rel="next"', body)
    assert f"before={many[5].id}" in older
    body = (await get(site, "calls", q="refund", before=many[5].id)).body.decode()
    assert len(hits(body)) == 5


async def test_the_search_offers_to_look_into_what_was_said(site: Site) -> None:
    body = (await get(site, "find", q="refund")).body.decode()
    assert '<a href="calls?q=refund"><span class="k">said in a call</span>' in body
    body = (await get(make_site(MemoryStore([CALLS[3]])), "find", q="refund")).body.decode()
    assert "said in a call" not in body


async def test_words_are_searched_for_in_the_whole_range(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookback, "LOOKED_THROUGH", 0)
    monkeypatch.setattr(lookback, "LOOKED_THROUGH_FOR_CONDITIONS", 0)
    old = replace(CALLS[0], id=new_id(NOW - 20 * 3_600_000), timestamp=NOW - 20 * 3_600_000)
    site = make_site(MemoryStore([*CALLS, old]))
    body = (await get(site, "calls", q="promise")).body.decode()
    assert len(hits(body)) == 2
