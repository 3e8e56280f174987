"""Two calls side by side, by every way that leads there."""

import json
import re
import time
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from miharu.batch import Score
from miharu.call import Body, Call, Cost, Outcome, Usage, new_id
from miharu.dashboard.http.page import PageRequest
from miharu.dashboard.pair.messages import LINES
from miharu.dashboard.routes import respond
from tests.dashboard.call.test_media import picture, png, url
from tests.dashboard.conftest import NOW, get, make_site
from tests.dashboard.memory import MemoryStore

pytestmark = pytest.mark.anyio

USER = {"role": "user", "content": "Where is my **order**?"}
TOOL = {
    "role": "assistant",
    "content": [{"type": "tool_use", "id": "t1", "name": "find", "input": {"id": 1}}],
}
RESULT = {
    "role": "user",
    "content": [{"type": "tool_result", "tool_use_id": "t1", "content": '{"at": "sea"}'}],
}


def claude(at: int, messages: list[Any], answer: str, **facts: Any) -> Call:
    request = {"model": "claude-x", "messages": messages, **facts.pop("settings", {})}
    said = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": answer}]}
    return Call(
        **{
            "id": new_id(NOW - at),
            "timestamp": NOW - at,
            "api": "anthropic.messages",
            "provider": "anthropic",
            "model": "claude-x",
            "outcome": Outcome(status="success", http_status=200),
            "usage": Usage(prompt_tokens=100, completion_tokens=20, usage_source="provider"),
            "cost": Cost(cost_nanousd=10_000_000, cost_source="genai-prices", price_version="1"),
            "duration_ms": 4000,
            "body": Body(request=json.dumps(request).encode(), response=json.dumps(said).encode()),
            **facts,
        }
    )


def gpt(at: int, messages: list[Any], answer: str, **facts: Any) -> Call:
    said = {"choices": [{"message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}]}
    body = Body(
        request=json.dumps({"model": "gpt-x", "messages": messages}).encode(),
        response=json.dumps(said).encode(),
    )
    return replace(
        claude(at, [], ""),
        id=new_id(NOW - at),
        api="openai.chat",
        provider="openai",
        model="gpt-x",
        body=body,
        **facts,
    )


async def laid(first: Call, second: Call, **params: str) -> str:
    store = MemoryStore([first, second])
    page = await get(make_site(store), "pair", a=first.id, b=second.id, **params)
    assert page.status == 200
    return page.body.decode()


def rows(body: str) -> list[tuple[str, str]]:
    """(what it is of, its text with marks) of each difference."""
    found = re.findall(r"data-difference><h3>(.*?)</h3>(.*?)</div>\n</div>", body, re.DOTALL)
    return [
        (_bare(head), _bare(re.sub(r"<(del|ins)>(.*?)</\1>", r"[\2]", text, flags=re.DOTALL)))
        for head, text in found
    ]


def _bare(html: str) -> str:
    return " ".join(unescape(re.sub(r"<svg.*?</svg>|<[^>]+>", " ", html, flags=re.DOTALL)).split())


async def test_marks_what_differs_and_folds_what_is_the_same() -> None:
    body = await laid(
        claude(
            2000, [USER, TOOL, RESULT], "It is at sea.", settings={"system": "Be brief.", "temperature": 1}
        ),
        claude(
            1000, [USER, TOOL, RESULT], "It is on land.", settings={"system": "Be kind.", "temperature": 1}
        ),
    )
    assert rows(body) == [
        ("System 1 line changed", "A: Be [brief]. B: Be [kind]."),
        ("Assistant 1 line changed", "A: It is [at sea]. B: It is [on land]."),
    ]
    assert "3 messages the same" in body
    assert "Where is my <strong>order</strong>?" in body
    assert "1 message changed, 3 the same" in body
    assert '<details class="rw-same">' in body
    assert "none differs, " in body


async def test_json_is_compared_by_its_lines_and_a_tree_where_it_is_the_same() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": '{"n": 12345678901234567890123}'}
    asked = [{"role": "user", "content": [result]}]
    body = await laid(
        claude(9, asked, '{"eta": "Monday", "price": 1.10}'),
        claude(5, asked, '{"eta": "Tuesday", "price": 1.10}'),
    )
    assert '<div class="jt">' in body
    assert '<span class="nn">12345678901234567890123</span>' in body
    [(head, text)] = rows(body)
    assert head == "Assistant 1 line changed"
    assert text.count('"price": 1.10 }') == 2
    assert body.count('class="a mono"') == 1


async def test_a_message_of_one_alone_is_named_and_its_tool_too() -> None:
    body = await laid(claude(2000, [USER], "Gone."), claude(1000, [USER, TOOL, RESULT], "Gone."))
    assert [head for head, _ in rows(body)] == ["Assistant only in B", "find only in B"]
    assert "not in A" in rows(body)[1][1]
    assert '[{ "at": "sea" }]' in rows(body)[1][1]
    assert "0 messages changed, 2 added, 1 the same" in body
    assert '<h2 id="h-answer">Answer</h2><span class="sub">the same</span>' in body


async def test_calls_of_two_providers_are_compared_by_what_was_said() -> None:
    asked = {"role": "system", "content": "Be brief."}
    body = await laid(
        claude(2000, [USER], "It is at sea.", settings={"system": "Be brief."}),
        gpt(1000, [asked, USER], "It is at sea."),
    )
    assert rows(body) == []
    assert "2 messages the same" in body
    assert "The same prompt, asked of another model" in body
    assert re.search(r"<dt>provider</dt><dd>.*Anthropic.*OpenAI", body)


async def test_an_answer_that_is_another_is_to_be_read_whole() -> None:
    body = await laid(
        claude(2000, [USER], "I am sorry. Please write to the shop with a photograph of it."),
        claude(1000, [USER], "I am sorry. Your refund is on its way and you may keep the book."),
    )
    assert "% of the words changed: read it whole" in body
    little = await laid(
        claude(2000, [USER], "One two three four five six."),
        claude(1000, [USER], "One two three four five ten."),
    )
    assert "read it whole" not in little
    assert "17% of the words changed" in little or "14% of the words changed" in little


async def test_settings_and_tools_that_differ() -> None:
    def tool(name: str) -> Any:
        return {"name": name, "input_schema": {}}

    body = await laid(
        claude(2000, [USER], "Hi.", settings={"temperature": 1, "max_tokens": 10, "tools": [tool("find")]}),
        claude(
            1000,
            [USER],
            "Hi.",
            settings={"temperature": 0.3, "max_tokens": 10, "tools": [tool("find"), tool("<refund>")]},
        ),
    )
    settings = _bare(body[body.index("Settings") : body.index("What was said")])
    assert "2 differ" in settings
    assert "temperature A 1 B 0.3" in settings
    assert "tools find B <refund>" in settings
    assert "max_tokens 10" in settings


async def test_figures_with_what_changed() -> None:
    first = claude(2000, [USER], "Hi.", ttft_ms=1000, stream=True)
    second = claude(
        1000,
        [USER],
        "Hi.",
        ttft_ms=500,
        stream=True,
        duration_ms=2000,
        cost=Cost(cost_nanousd=15_000_000, cost_source="genai-prices", price_version="1"),
        usage=Usage(prompt_tokens=130, completion_tokens=20, cached_tokens=64, usage_source="provider"),
    )
    store = MemoryStore([first, second])
    store.kept_scores += [
        Score(id=f"s{i}", timestamp=NOW, name="helpful", value=value, call_id=call.id)
        for i, (call, value) in enumerate([(first, 0.5), (second, 0.25)])
    ]
    body = (await get(make_site(store), "pair", a=first.id, b=second.id)).body.decode()
    found = dict(re.findall(r'<tr><th scope="row">(.*?)</th>.*?<td class="(num \w+)">[^<]*</td></tr>', body))
    lines = [_bare(one) for one in re.findall(r'<tr><th scope="row">.*?</tr>', body)]
    assert lines == [
        "Cost $0.0100 $0.0150 +$0.0050, 50%",
        "Total 4.00 s 2.00 s \N{MINUS SIGN}2.00 s, 50%",
        "First token 1.00 s 500 ms \N{MINUS SIGN}500 ms, 50%",
        "Input 100 130 +30",
        "From cache \N{EN DASH} 64 \N{EN DASH}",
        "Output 20 20 the same",
        "helpful 0.5 0.25 \N{MINUS SIGN}0.25",
    ]
    assert [found[name] for name in ("Cost", "Total", "Input", "helpful")] == [
        "num bad",
        "num ok",
        "num dim",
        "num dim",
    ]


async def test_without_content_only_figures_and_settings_are_compared() -> None:
    first, second = claude(2000, [USER], "Hi."), claude(1000, [USER], "Hi.")
    body = await laid(replace(first, body=None), second)
    assert "A has no messages to compare: only figures and settings are compared." in body
    assert "What was said was not kept." in body
    assert "data-difference" not in body
    assert "Figures" in body
    assert "Neither call has messages" in await laid(replace(first, body=None), replace(second, body=None))


async def test_an_error_stands_where_the_answer_would() -> None:
    failed = claude(
        1000,
        [USER],
        "",
        outcome=Outcome(status="error", error_type="overloaded", error_message="Try <later>."),
    )
    body = await laid(claude(2000, [USER], "Hi."), failed)
    assert ("Error only in B", "A: not in A B: [overloaded Try <later>.]") in rows(body)


async def test_of_a_long_message_the_first_lines_are_shown_and_the_rest_is_folded() -> None:
    long = "".join(f"line {i}\n" for i in range(LINES + 50))
    body = await laid(claude(2000, [USER], long), claude(1000, [USER], long.replace("line 0", "line zero")))
    assert f"The rest: {50} lines" in body
    before, _, rest = body[body.index("h-answer") :].partition('<details class="rest">')
    assert f"line {LINES - 1}\n" in before
    assert f"line {LINES}\n" not in before
    assert f"line {LINES + 49}" in rest


async def test_pictures_are_compared_by_what_they_are() -> None:
    def asked(color: int, at: int) -> Call:
        return gpt(at, [{"role": "user", "content": [picture(url("image/png", png(color=color)))]}], "Nice.")

    assert rows(await laid(asked(7, 2000), asked(7, 1000))) == []
    ((head, text),) = rows(await laid(asked(7, 2000), asked(8, 1000)))
    assert head == "User 1 line changed"
    assert re.search(r"image/png, 7\.\d kB, SHA-256 \[?\w{12}", text)


async def test_what_is_too_long_to_be_compared_whole_is_said() -> None:
    long = "word " * 6000
    body = await laid(claude(2000, [USER], long + "a"), claude(1000, [USER], long + "b"))
    assert "What is called the same is the same so far." in body
    assert "so far" not in await laid(claude(2000, [USER], "a"), claude(1000, [USER], "b"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a b " * 500_000, "b a " * 500_000),
        ("a\nb\n" * 500_000, "b\na\n" * 500_000),
        ("*[" * 1_000_000, "[*" * 1_000_000),
        ("<b>\u202e" * 400_000, "\u202e<b>" * 400_000),
    ],
)
async def test_two_answers_of_four_megabytes_do_not_hold_the_interpreter(one: str, other: str) -> None:
    messages = [{"role": "user", "content": text} for text in (one[:60_000], other[:60_000])] * 40
    first, second = claude(2000, messages, one), claude(1000, messages[1:], other)
    start = time.process_time()
    body = await laid(first, second)
    assert time.process_time() - start < 4  # reading both bodies is most of it
    assert len(body) < 4_000_000


async def test_nothing_that_was_said_becomes_markup() -> None:
    evil = "<script>alert(1)</script>\u202e<img src=x onerror=alert(1)>"
    first = claude(
        2000, [{"role": f"{evil}", "content": evil}], evil, settings={"system": evil, "temperature": evil}
    )
    second = claude(1000, [USER], evil[::-1], settings={"tools": [{"name": evil}]}, model=evil, service=evil)
    for show in ("differences", "all"):
        body = await laid(first, second, show=show)
        assert "<script>alert" not in body
        assert "<img src=x" not in body
        assert "\u202e" not in body


async def test_two_ticked_boxes_lead_to_the_pair_the_older_call_first() -> None:
    first, second = claude(2000, [USER], "a"), claude(1000, [USER], "b")
    site = make_site(MemoryStore([first, second]))
    ticked = {f"c.{second.id}": "1", f"c.{first.id}": "1"}
    page = await respond(PageRequest(path="pair", params=ticked | {"range": "7d"}), site)
    assert (page.status, dict(page.headers)["Location"]) == (303, f"pair?range=7d&a={first.id}&b={second.id}")
    one = await respond(PageRequest(path="pair", params={f"c.{first.id}": "1"}), site)
    assert "1 call is ticked: tick two." in one.body.decode()


@pytest.mark.parametrize("path", ["calls", "live", ""])
async def test_each_list_of_calls_has_boxes_in_a_form(path: str) -> None:
    call = claude(2000, [USER], "a")
    body = (await get(make_site(MemoryStore([call])), path)).body.decode()
    assert '<form action="pair" method="get"' in body
    assert f'name="c.{call.id}"' in body
    assert "<noscript>" in body


async def test_one_call_offers_what_is_near_it() -> None:
    group = {"call_group": "g", "route": "POST /chat"}
    failed = claude(5000, [USER], "", attempt=1, outcome=Outcome(status="error", error_type="x"), **group)
    call = claude(3000, [USER], "a", attempt=2, **group)
    again = claude(2000, [USER], "a", route="POST /chat", duplicate_of=call.id)
    site = make_site(MemoryStore([failed, call, again]))
    body = (await get(site, "pair", a=call.id)).body.decode()
    assert [_bare(one) for one in re.findall(r'<h2 id="h-near.*?</h2>', body)] == [
        "Other attempts of it",
        "Others like it, within a day",
    ]
    assert f"pair?a={call.id}&amp;b={failed.id}" in body
    other = (await get(site, "pair", b=again.id)).body.decode()
    assert "The call that it repeats" in other
    assert f"pair?a={call.id}&amp;b={again.id}" in other
    assert "No two calls are chosen." in (await get(site, "pair")).body.decode()
    assert "There is no call nobody here." in (await get(site, "pair", a="nobody", b=call.id)).body.decode()


async def test_a_call_leads_to_its_attempts_and_to_what_it_repeats() -> None:
    group = {"call_group": "g", "route": "POST /chat"}
    failed = claude(5000, [USER], "", attempt=1, outcome=Outcome(status="error", error_type="x"), **group)
    call = claude(3000, [USER], "a", attempt=2, duplicate_of="before", **group)
    body = (await get(make_site(MemoryStore([failed, call])), "calls", sel=call.id)).body.decode()
    assert f'href="pair?a={failed.id}&amp;b={call.id}">beside try 1</a>' in body
    assert f'href="pair?a=before&amp;b={call.id}">Lay both side by side</a>' in body
    assert f'href="pair?a={call.id}" data-beside="{call.id}"' in body


async def test_attempts_and_repeats_are_named() -> None:
    first = claude(2000, [USER], "a", call_group="g", attempt=1)
    body = await laid(first, claude(1000, [USER], "b", call_group="g", attempt=3))
    assert "Attempts 1 and 3 of one logical call" in body
    body = await laid(first, claude(1000, [USER], "b", duplicate_of=first.id))
    assert "The same request, byte for byte" in body
