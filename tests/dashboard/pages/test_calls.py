import html
import json
import re
from dataclasses import replace

import pytest

from miharu.call import Body, Call, Cost, Outcome, Usage, new_id
from miharu.dashboard.call.bodies import as_text
from miharu.dashboard.pages import calls as calls_page
from miharu.stores.base import Order, Query
from tests.dashboard.conftest import NOW, Ask, get, make_site
from tests.dashboard.memory import MemoryStore
from tests.dashboard.traffic import HOSTILE

pytestmark = pytest.mark.anyio
SPARSE = Call(
    id=new_id(NOW - 5000), timestamp=NOW - 5000, api="openai.chat", outcome=Outcome(status="cancelled")
)
FULL = replace(
    SPARSE,
    id=new_id(NOW - 4000),
    model=HOSTILE,
    request_model="gpt-latest",
    provider="openai",
    stream=True,
    duration_ms=3000,
    ttft_ms=1000,
    route="POST /chat/{id}",
    attempt=2,
    request_id="req_1",
    rate_limit=json.dumps({"x-ratelimit-remaining": "7"}),
    tags={"team": HOSTILE},
    outcome=Outcome(status="error", http_status=429, error_type="rate_limit", error_message=HOSTILE),
    usage=Usage(
        prompt_tokens=1000,
        completion_tokens=500,
        cached_tokens=600,
        reasoning_tokens=200,
        usage_source="provider",
        usage_raw='{"raw":1}',
    ),
    cost=Cost(cost_nanousd=10_000, cost_source="genai-prices:model", price_version="genai-prices 0.2.3"),
    body=Body(request=json.dumps({"say": HOSTILE}).encode(), response=b"data: x\n\n\xff"),
)


def ids(body: bytes) -> list[str]:
    return re.findall(r'<tr id="c-([^"]+)"', body.decode())


async def drawer(call: Call, **params: str) -> str:
    page = await get(make_site(MemoryStore([call])), "calls", sel=call.id, **params)
    return page.body.decode().partition('<div id="drawer">')[2]


def facts(body: str) -> dict[str, str]:
    found = re.findall(r"<dt>([^<]*)</dt><dd[^>]*>(.*?)</dd>", body)
    return {name: re.sub(r"<[^>]*>", "", value) for name, value in found}


async def test_lists_the_newest_first_and_pages_through_all(ask: Ask, store: MemoryStore) -> None:
    seen: list[str] = []
    params = {"range": "7d"}
    while True:
        body = (await ask("calls", **params)).body
        seen += ids(body)
        older = re.search(r'href="calls\?range=7d&amp;before=([^"]+)" rel="next"', body.decode())
        if older is None:
            break
        params["before"] = older[1]
    assert seen == sorted(store.kept, reverse=True)


async def test_polls_the_newest_page_only(ask: Ask) -> None:
    first = (await ask("calls")).body
    assert b'hx-get="calls-rows"' in first
    assert b'hx-get="calls-rows' not in (await ask("calls", before=ids(first)[-1])).body


async def test_filters_by_status(ask: Ask, store: MemoryStore) -> None:
    body = (await ask("calls", status="error", range="7d")).body
    failed = [call.id for call in store.kept.values() if call.outcome.status == "error"]
    assert ids(body) == sorted(failed, reverse=True)[:50]
    assert f'<h2 id="h-calls">{len(failed)} calls</h2>' in body.decode()


async def test_leaves_a_dash_with_its_reason_where_nothing_is_known() -> None:
    body = (await get(make_site(MemoryStore([SPARSE])), "calls")).body.decode()
    row = body.partition("<tr id=")[2].partition("</tr>")[0]
    assert row.count('title="The provider did not say.">\N{EN DASH}') == 2
    assert "unknown model" in row
    assert 'title="Not a stream: the answer came whole.">\N{EN DASH}' in row
    assert 'title="It is not known for which request or job it was made.">\N{EN DASH}' in row
    assert 'title="No usage was reported, so there is nothing to put a price on.">\N{EN DASH}' in row


async def test_opens_one_call_beside_the_list() -> None:
    body = await drawer(FULL)
    found = facts(body)
    assert found["Cost"] == "$0.00001"
    assert found["Total"] == "3.00 s"
    assert found["First token"] == "1.00 s"
    assert found["Tokens"] == "1,000 in 500 out"
    assert found["Speed"] == "250 tok/s"
    assert found["Requested model"] == "gpt-latest"
    assert found["Attempt"] == "2"
    assert found["HTTP status"] == "429"
    assert found["Route"] == "POST /chat/{id}"
    assert found["x-ratelimit-remaining"] == "7"
    assert "Price from genai-prices 0.2.3, found by the model&#39;s name alone." in body
    assert "429 rate_limit" in body
    assert body.count("&lt;script&gt;alert") >= 3
    assert '&#34;raw&#34;</span>: <span class="nn">1' in body


async def test_says_in_words_that_no_price_is_known() -> None:
    body = await drawer(replace(FULL, model="mystery-1", cost=None))
    assert '<p class="src">No known price for mystery-1.</p>' in body


async def test_says_how_to_keep_what_was_said() -> None:
    assert "miharu.init(capture_content=True)" in await drawer(SPARSE)
    assert "miharu.init(capture_content=True)" not in await drawer(FULL)


async def test_speaks_of_a_call_that_is_gone(ask: Ask) -> None:
    page = await ask("calls", sel="01")
    assert page.status == 200
    assert b"There is no call of this id here." in page.body


async def test_leads_to_the_neighbours_and_turns_the_page(ask: Ask) -> None:
    listed = ids((await ask("calls")).body)
    body = (await ask("calls", sel=listed[1])).body.decode()
    steps = dict(re.findall(r'href="([^"]*)"[^>]*data-step="chevron-(up|down)"', body))
    assert steps == {f"calls?sel={listed[0]}": "up", f"calls?sel={listed[2]}": "down"}
    assert 'href="calls" hx-get="calls" data-close' in body
    last = (await ask("calls", sel=listed[-1])).body.decode()
    assert re.search(rf'href="calls\?before={listed[-1]}&amp;sel=[^"]*"[^>]*data-step="chevron-down"', last)


def test_shows_json_indented_and_the_rest_as_it_is() -> None:
    shown = as_text(b'{"a":[1]}')
    assert shown is not None
    assert shown.text == '{\n  "a": [\n    1\n  ]\n}'
    for odd in (b"data: {}", b"\xff\xfe", b"[" * 100_000):
        shown = as_text(odd)
        assert shown is not None
        assert shown.text == odd.decode(errors="replace")
    assert as_text(None) is None


def test_shows_the_first_256_kilobytes_only() -> None:
    shown = as_text(b"[" + b"1," * 200_000 + b"1]")
    assert shown is not None
    assert shown.cut
    assert len(shown.text) == 256 * 1024


ARGUMENTS = '{"n": 12345678901234567890123, "n": 1.10, "to": {"name": "\\u6771"}}'
TALK = {
    "messages": [
        {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": ARGUMENTS}}]},
        {"role": "tool", "tool_call_id": "a", "content": "[" + "{}," * 9_000 + "1.10]"},
        {"role": "tool", "tool_call_id": "a", "content": "plain text"},
    ]
}


async def test_json_that_was_said_is_a_tree_with_a_copy_of_what_was_sent() -> None:
    answer = b'{"choices": [{"message": {"content": "{\\"eta\\": 1e400}"}}]}'
    call = replace(FULL, api="openai.chat", body=Body(request=json.dumps(TALK).encode(), response=answer))
    body = await drawer(call)
    said = body.partition('id="said"')[2]
    assert said.count('<div class="jt">') == 3
    assert html.unescape(said).count(f"hidden>{ARGUMENTS}</div>") == 1
    assert '<span class="nn">1.10</span>' in said
    assert '<span class="nn">1e400</span>' in said
    assert '<span class="s">"東"</span>' in said
    assert re.search(r'<button[^>]* data-copy="json-1"[^>]* hidden>', said)
    assert '<pre tabindex="0">plain text</pre>' in said
    assert re.search(r">6,\d{3} more:<", said)  # behind 200 in the tree
    assert said.count("Its end is missing here") == 1
    assert said.count('<div id="json-') == 2  # the result is too long for a page


async def test_arguments_that_are_an_object_keep_their_numbers_and_names() -> None:
    answer = b'{"type": "message", "content": [{"type": "tool_use", "name": "f", "input": %s}]}'
    body = Body(request=b'{"messages": []}', response=answer % ARGUMENTS.encode())
    streamed = (
        b'data: {"candidates": [{"content": {"parts": [{"functionCall": {"name": "f", "args": %s}}]}}]}\n\n'
    )
    for call in (
        replace(FULL, api="anthropic.messages", body=body),
        replace(FULL, api="gemini.generate", body=replace(body, response=streamed % ARGUMENTS.encode())),
    ):
        said = (await drawer(call)).partition('id="said"')[2]
        assert said.count('<span class="k">"n"</span>') == 2
        assert "12345678901234567890123" in said
        assert '<span class="nn">1.10</span>' in said


async def test_a_raw_body_is_a_tree_where_it_is_json() -> None:
    text = b'{"a": [1.10, {"b": null, "b": 2}],\r\n "c": "x"}'
    call = replace(FULL, body=Body(request=text, response=b"data: {}"))
    said = (await drawer(call, tab="request")).partition('id="said"')[2]
    assert html.unescape(said).count(f"hidden>{text.decode()}</div>") == 1
    assert said.count('<span class="k">"b"</span>') == 2
    assert '<pre class="raw"' in (await drawer(call, tab="response")).partition('id="said"')[2]
    long = Body(request=b'[{"a": 1},' + b'"' + b"x" * 300_000 + b'"]', response=None)
    said = (await drawer(replace(FULL, body=long), tab="request")).partition('id="said"')[2]
    assert '<div class="jt"><details open>' in said  # its end is missing: there is no copy
    assert "this is only the beginning" in said


async def test_an_answer_in_which_nothing_is_known_to_be_said_is_open_and_says_what_is_left_out() -> None:
    event = b'data: {"object": "thread.run", "instructions": "%s"}\n\n' % (b"x" * 300)
    for number, is_open, rest in ((1, 1, 0), (3, 0, 0), (4, 0, 1)):
        body = Body(request=b"{}", response=event * number)
        said = (await drawer(replace(FULL, api="openai.assistants", body=body))).partition('id="said"')[2]
        assert said.count('<details class="bd thought" open><summary>answer') == is_open
        assert said.count('<details class="bd thought"><summary>answer') == min(number, 3) * (not is_open)
        assert said.count("more parts than are shown here") == rest


async def test_survives_text_that_cannot_be_encoded() -> None:
    body = await drawer(replace(FULL, body=Body(request=b'{"a": "\\ud800"}', response=None)))
    assert '"a"' in body.replace("&#34;", '"')


async def test_says_why_there_is_no_speed() -> None:
    assert "Not known how many tokens came in which time." in await drawer(replace(FULL, ttft_ms=None))
    assert "Not a stream: there is no time in which the tokens came." in await drawer(SPARSE)


async def test_shows_rate_limits_that_are_no_object_as_they_are() -> None:
    for odd in ("[1]", "{", "7"):
        assert facts(await drawer(replace(FULL, rate_limit=odd)))["rate limit"] == odd


async def test_marks_an_estimate_as_one() -> None:
    usage = Usage(prompt_tokens=1200, completion_tokens=5, usage_source="estimated")
    body = await drawer(replace(FULL, usage=usage))
    assert facts(body)["Tokens"] == "~1,200 in ~5 out"
    assert facts(body)["Cost"] == "~$0.00001"
    assert ">tokens estimated</span>" in body


async def test_asks_for_no_price_where_nothing_was_used() -> None:
    failed = replace(SPARSE, outcome=Outcome(status="error", error_type="httpx.ConnectError"))
    body = await drawer(failed)
    assert "It failed, and no usage was reported that could be priced." in body
    assert facts(body)["HTTP status"] == "no response"
    assert "httpx.ConnectError" in body


@pytest.mark.parametrize("sort", ["-cost", "cost", "-total", "first", "-input", "output", "timestamp"])
async def test_pages_through_all_in_the_order_that_was_asked_for(
    sort: str, ask: Ask, store: MemoryStore
) -> None:
    fields = {"cost": "cost_nanousd", "total": "duration_ms", "first": "ttft_ms", "timestamp": "timestamp"}
    fields |= {"input": "prompt_tokens", "output": "completion_tokens"}
    name = sort.removeprefix("-")
    order = Order(fields[name], descending=sort != name)  # type: ignore[arg-type]
    wanted = [call.id for call in await store.calls(Query(start=0, end=NOW), 10**6, order=order)]
    seen: list[str] = []
    params = {"range": "7d", "sort": sort}
    while True:
        body = (await ask("calls", **params)).body
        assert f'aria-sort="{"descending" if sort != name else "ascending"}"' in body.decode()
        seen += ids(body)
        more = re.search(
            rf'href="calls\?range=7d&amp;sort={sort}&amp;before=([^"]+)" rel="next"', body.decode()
        )
        if more is None:
            break
        params["before"] = more[1]
    assert len(seen) > 60
    assert seen == [id_ for id_ in wanted if store.kept[id_].timestamp >= min_of(seen, store)]


def min_of(seen: list[str], store: MemoryStore) -> int:
    return min(store.kept[id_].timestamp for id_ in seen)


async def test_a_heading_is_a_link_that_turns_the_order_round(ask: Ask) -> None:
    body = (await ask("calls", status="error", before="x", sel="y")).body.decode()
    assert '<a href="calls?status=error&amp;sort=-cost">Cost</a>' in body
    assert "newest first" in body
    turned = (await ask("calls", sort="-cost")).body.decode()
    assert '<a href="calls?sort=cost">Cost<svg' in turned
    assert "most expensive first" in turned
    assert "newest first" in (await ask("calls", sort="-nonsense")).body.decode()


async def test_says_among_how_many_the_largest_were_sought(monkeypatch: pytest.MonkeyPatch, ask: Ask) -> None:
    monkeypatch.setattr(calls_page, "RANKED", 20)
    among = "among the newest 20<"
    assert among in (await ask("calls", sort="-cost")).body.decode()
    others: list[dict[str, str]] = [{}, {"sort": "timestamp"}, {"sort": "-cost", "user": "u"}]
    for params in others:
        assert among not in (await ask("calls", **params)).body.decode()


async def test_steps_through_the_order_with_the_drawer_open() -> None:
    calls = [
        replace(FULL, id=new_id(NOW - n), timestamp=NOW - n, duration_ms=n % 7, call_group=None)
        for n in range(120)
    ]
    site = make_site(MemoryStore(calls))
    listed = ids((await get(site, "calls", sort="-total")).body)
    last = (await get(site, "calls", sort="-total", sel=listed[-1])).body.decode()
    (below,) = re.findall(r'href="(calls[^"]+)"[^>]*aria-label="Call below"', last)
    following = ids((await get(site, "calls", sort="-total", before=listed[-1])).body)
    assert f"sel={following[0]}" in below
    assert f"before={listed[-1]}" in below
    assert 'aria-label="Call above"' in last


async def test_a_tag_of_a_call_leads_to_all_that_have_it() -> None:
    tags = {"team": "search & find", "a=b": "c", "": "nobody"}
    site = make_site(MemoryStore([replace(FULL, tags=tags), SPARSE]))
    body = (await get(site, "calls", sel=FULL.id)).body.decode()
    assert 'href="calls?tag=team=search+%26+find"' in body
    assert "a=b=c" in body
    assert "tag=a=b" not in body
    found = (await get(site, "calls", tag="team=search & find")).body.decode()
    assert ids(found.encode()) == [FULL.id]
    assert '<span class="k">tag</span><span class="val">team=search &amp; find</span>' in found
    assert ids((await get(site, "calls", tag="nonsense")).body) == [FULL.id, SPARSE.id]
    page = (await get(site, "", tag="team=search & find")).body.decode()
    assert 'href="calls?tag=team=search+%26+find"' in page
