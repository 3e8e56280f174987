import re
from urllib.parse import parse_qsl

import pytest

from miharu.conditions.language import MOST_VALUES, Condition
from miharu.dashboard.address.view import View
from miharu.dashboard.http.menu import MENU
from miharu.dashboard.http.page import PageRequest, Site
from miharu.dashboard.routes import PATHS, respond
from tests.dashboard.conftest import Ask
from tests.dashboard.memory import MemoryStore

pytestmark = pytest.mark.anyio
BAD = 'model:gpt-6.1-sol costs>0.01 duration>10m30 "refund'
UNASKED = {"find", "healthz", "metrics"}


def links(body: str) -> list[tuple[str, str]]:
    return re.findall(r'<a class="btn[^"]*" href="([^"]*)"[^>]*>([^<]*)</a>', body)


def read(link: str) -> dict[str, str]:
    return dict(parse_qsl(link.replace("&amp;", "&").partition("?")[2]))


async def test_a_bad_filter_is_said_with_every_place_and_what_mends_it(ask: Ask) -> None:
    page = await ask("calls", q=BAD, range="7d", user="u<1>")
    assert page.status == 400
    body = page.body.decode()
    marked = re.findall(r'<mark class="at">([^<]*)</mark>', body)
    assert marked == ["costs", "10m30", "&#34;refund"]
    assert re.findall(r'class="q-at">at (\d+)', body) == ["19", "39", "45"]
    assert 'aria-invalid="true"' in body
    assert "u<1>" not in body
    offered = {words: read(link) for link, words in links(body)}
    common = {"range": "7d", "user": "u<1>"}
    assert offered["cost"] == {**common, "q": 'model:gpt-6.1-sol cost>0.01 duration>10m30 "refund'}
    assert offered["Correct all 3"]["q"] == 'model:gpt-6.1-sol cost>0.01 duration>10m30s "refund"'
    assert offered["Leave the filter out"] == common


async def test_what_mends_it_leads_back_to_the_same_page(ask: Ask) -> None:
    for path in (path for group in MENU for path, *_ in group):
        found = links((await ask(path, q="costs>1", range="7d")).body.decode())
        assert {link.partition("?")[0] for link, _ in found} == {path or "./"}, path


async def test_a_filter_that_cannot_be_mended_is_not_guessed(ask: Ask) -> None:
    page = await ask("", q="weather:rain<b>")
    assert page.status == 400
    assert "weather is not a field. Possible are model, " in page.body.decode()
    assert "<b>" not in page.body.decode()
    assert [words for _, words in links(page.body.decode())] == ["Leave the filter out"]


async def test_every_page_part_and_file_refuses_what_it_does_not_understand(site: Site) -> None:
    for path in PATHS:
        page = await respond(PageRequest(path=path, params={"q": BAD}), site)
        assert (page.status == 400) is (path not in UNASKED), path


async def test_more_values_than_possible_are_refused(site: Site) -> None:
    many = {"model": [f"m{n}" for n in range(MOST_VALUES + 1)]}
    page = await respond(PageRequest(path="calls", params={"model": "m0"}, repeated=many), site)
    assert page.status == 400
    assert "51 values: at most 50 are possible" in page.body.decode()
    odd = {"status": ["success", "fine"]}
    page = await respond(PageRequest(path="calls", params={"status": "fine"}, repeated=odd), site)
    assert page.status == 400
    assert "fine is not a status" in page.body.decode()


async def test_a_page_shows_the_calls_that_meet_all_conditions(ask: Ask, store: MemoryStore) -> None:
    text = "model:gpt-6.1-sol,claude-haiku-5-5 cost>0.001 -status:error"
    body = (await ask("calls", q=text, range="7d")).body.decode()
    meant = [
        call
        for call in store.kept.values()
        if call.model in {"gpt-6.1-sol", "claude-haiku-5-5"}
        and call.cost
        and call.cost.cost_nanousd > 1_000_000
        and call.outcome.status != "error"
    ]
    assert 0 < len(meant) < len(store.kept)
    assert f'<h2 id="h-calls">{len(meant):,} calls</h2>' in body
    assert 'value="model:gpt-6.1-sol,claude-haiku-5-5 cost&gt;0.001 -status:error"' in body
    chips = re.findall(r'<span class="chip( not)?"><span class="k">([^<]*)</span>', body)
    assert chips == [("", "model"), ("", "cost"), (" not", "not status")]
    without = re.findall(r'class="x" href="([^"]*)" aria-label="Remove the filter ([^"]*)"', body)
    assert [(words, read(link)["q"]) for link, words in without] == [
        ("model gpt-6.1-sol or claude-haiku-5-5", "cost>0.001 -status:error"),
        ("cost &gt; $0.001", "model:gpt-6.1-sol,claude-haiku-5-5 -status:error"),
        ("not status error", "model:gpt-6.1-sol,claude-haiku-5-5 cost>0.001"),
    ]
    [clear] = re.findall(r'class="dim clear" href="([^"]*)"', body)
    assert read(clear) == {"range": "7d"}
    assert '<input type="hidden" name="q" value="model:gpt-6.1-sol,claude-haiku-5-5' in body


async def test_the_same_parameter_twice_is_either_of_its_values(site: Site, store: MemoryStore) -> None:
    asked = PageRequest(path="calls", params={"model": "b"}, repeated={"model": ["gpt-6.1-sol", "b"]})
    assert asked.view.conditions == (Condition(field="model", operator="in", values=("gpt-6.1-sol", "b")),)
    assert asked.view.model is None
    assert asked.view.link("calls") == "calls?q=model:gpt-6.1-sol%2Cb"
    page = await respond(asked, site)
    assert page.status == 200
    tags = PageRequest(path="", params={"tag": "x"}, repeated={"tag": ["team=a", "team=b", "env=c"]}).view
    assert (tags.tag, tags.q) == ("env=c", "tag:team=a,b")


def test_a_condition_of_one_value_is_a_filter_as_ever() -> None:
    view = View.read({"q": "user:ann cost>1 tag:team=a -model:x", "model": "m"})
    assert view.filters == {"model": "m", "user": "ann", "tag": "team=a"}
    assert view.q == "cost>1 -model:x"
    assert view.fields_asked == {"model", "user", "tag", "cost"}
    assert view.asked == "model:m user:ann tag:team=a cost>1 -model:x"
    twice = View.read({"q": "user:ann", "user": "bob"})
    assert (twice.user, twice.q) == ("bob", "user:ann")
    assert View.read({"q": 'tag:"a=b"=c'}).q == 'tag:"a=b"=c'
