"""The prompts: a row each, their versions, and what followed a change."""

import json
import random
import re
from typing import Any

import pytest

from miharu.batch import Score
from miharu.call import Body, Call, Cost, Outcome, Usage, new_id
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.prompts.table import MOST
from miharu.recorder.reading.prompts import VARIES
from miharu.stores.base import MOST_VERSIONS
from tests.dashboard.conftest import NOW, get, make_site
from tests.dashboard.memory import MemoryStore

HOUR = 3_600_000


def made(
    at: int, prompt: str | None = "support.answer", version: str | None = "aaaaaaaaaaaa", **facts: Any
) -> Call:
    system, failed = facts.pop("system", None), facts.pop("failed", False)
    asked = {"messages": [{"role": "system", "content": system}, {"role": "user", "content": "Hi"}]}
    return Call(
        id=new_id(at),
        timestamp=at,
        api="openai.chat",
        model="m",
        outcome=Outcome(status="error", error_type="E") if failed else Outcome(status="success"),
        usage=Usage(prompt_tokens=100, completion_tokens=10, usage_source="provider"),
        cost=Cost(cost_nanousd=facts.pop("nano", 10_000_000), cost_source="test"),
        duration_ms=facts.pop("ms", 500),
        prompt_name=prompt,
        prompt_hash=version,
        body=None if system is None else Body(request=json.dumps(asked).encode(), response=None),
        **facts,
    )


def site_of(*calls: Call) -> Site:
    return make_site(MemoryStore(calls))


def changed(calls: int = 60, *, told: bool = True, after: int = 60) -> list[Call]:
    """A version that costs half, and another that took its place and fails more often."""
    rng = random.Random(1)
    texts = ("Be terse.\nNever promise.", "Be kind.\nNever promise.") if told else (None, None)
    old = [
        made(NOW - 20 * HOUR + i * 60_000, nano=5_000_000 + rng.randrange(1_000_000), system=texts[0])
        for i in range(calls)
    ]
    new = [
        made(
            NOW - 4 * HOUR + i * 60_000,
            version="bbbbbbbbbbbb",
            nano=10_000_000 + rng.randrange(1_000_000),
            failed=i % 4 == 0,
            system=texts[1],
        )
        for i in range(after)
    ]
    return [*old, *new]


async def page(site: Site, path: str = "prompts", **params: str) -> str:
    found = await get(site, path, **params)
    assert found.status == 200
    return found.body.decode()


def plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


async def test_each_prompt_is_a_row_the_dearest_first() -> None:
    calls = [made(NOW - i * HOUR, f"p{i % 3}", nano=10 ** (6 + i % 3)) for i in range(12)]
    html = await page(site_of(*calls, made(NOW - HOUR, None, None)))
    assert re.findall(r'title="(p\d)"', html) == ["p2", "p1", "p0"]
    assert "3 prompts" in plain(html)
    assert "1 call has no fixed part" in plain(html)


async def test_a_row_leads_to_its_versions_and_back() -> None:
    site = site_of(*changed())
    assert 'href="prompts?sel=support.answer"' in await page(site)
    html = await page(site, sel="support.answer")
    assert re.search(r'<a class="p-link" href="prompts" data-row aria-expanded="true"', html)
    assert re.findall(r"<b>v(\d)</b>", html) == ["2", "1"]
    assert 'href="calls?version=bbbbbbbbbbbb"' not in html  # of this prompt only
    assert "calls?prompt=support.answer&amp;version=bbbbbbbbbbbb" in html
    assert re.findall(r"<b>v(\d)</b>", await page(site, prompt="support.answer")) == ["2", "1"]


async def test_the_calls_of_a_version_are_listed() -> None:
    html = await page(site_of(*changed(calls=3, after=2)), "calls", prompt="support.answer", version="b" * 12)
    assert html.count('<tr id="c-') == 2


async def test_what_changed_is_shown_where_it_was_captured() -> None:
    html = await page(site_of(*changed()), sel="support.answer")
    assert "<del>Be terse.</del>" in html
    assert "<ins>Be kind.</ins>" in html
    assert "system 1 line" in plain(html)
    html = await page(site_of(*changed(told=False)), sel="support.answer")
    assert "<del>" not in html
    assert "miharu.init(capture_content=True)" in html


async def test_what_a_prompt_says_is_no_html() -> None:
    calls = [
        made(NOW - 9 * HOUR, "<i>", "1", system="<script>a</script>"),
        made(NOW - HOUR, "<i>", "2", system="<script>b</script>"),
    ]
    html = await page(site_of(*calls), sel="<i>")
    assert "<script>a" not in html
    assert "&lt;script&gt;b" in html
    assert "<i>" not in html


async def test_since_then_says_whether_chance_explains_it() -> None:
    text = plain(await page(site_of(*changed()), sel="support.answer"))
    assert re.search(r"Since then cost a call \+\$0\.00\d\d, \d+% errors \+25\.0 points", text)
    assert "surely more than chance, 60 calls against 60" in text
    assert "because" not in text.replace("is not “because”", "")


async def test_a_few_calls_tell_nothing() -> None:
    text = plain(await page(site_of(*changed(after=29)), sel="support.answer"))
    assert "too few to tell: 29 calls against 60" in text
    html = await page(site_of(*changed(after=29)), sel="support.answer")
    assert 'class="bad">cost' not in html


async def test_what_may_be_chance_is_grey() -> None:
    calls = [
        made(
            NOW - hours * HOUR + i * 60_000,
            version=f"{hours}",
            nano=10**6 + i * 7919 % 10**6 + 20_000 * (hours == 4),
        )
        for hours in (20, 4)
        for i in range(40)
    ]
    html = await page(site_of(*calls), sel="support.answer")
    assert "may all be chance" in html
    assert 'class="bad">' not in html


@pytest.mark.parametrize(("versions", "each", "varies"), [(14, 10, True), (14, 20, False), (3, 1, False)])
async def test_what_varies_is_named_with_its_remedy(versions: int, each: int, varies: bool) -> None:
    calls = [made(NOW - (1 + v) * HOUR + i, version=f"{v}") for v in range(versions) for i in range(each)]
    text = plain(await page(site_of(*calls)))
    assert (f"{versions} versions of {versions * each} calls: something that varies" in text) is varies
    assert ("Put it into a message" in text) is varies


async def test_more_versions_than_are_told_apart_are_said() -> None:
    calls = [made(NOW - HOUR - i, version=f"{i:012}") for i in range(MOST_VERSIONS + 5)]
    text = plain(await page(site_of(*calls), sel="support.answer"))
    assert f"{MOST_VERSIONS + 5} versions are too many to be compared" in text
    text = plain(await page(site_of(*(made(NOW - HOUR - i, VARIES, VARIES) for i in range(5)))))
    assert "Too many versions to tell apart: something that varies, such as a date" in text
    assert 'miharu.context(prompt="support.answer")' in text


async def test_many_prompts_of_one_call_are_named_too() -> None:
    text = plain(await page(site_of(*(made(NOW - i, f"{i:08x}", f"{i:012x}") for i in range(30)))))
    assert "30 prompts were called about once each" in text


async def test_without_a_prompt_it_says_how_to_have_one() -> None:
    html = await page(site_of(made(NOW - HOUR, None, None)))
    assert "None of these calls has a system prompt or tools" in html
    assert "miharu.context(prompt=" in plain(html)
    nothing = await page(site_of(made(NOW - 90 * 24 * HOUR)))
    assert "No calls in this range" in nothing


async def test_there_are_pages_of_rows() -> None:
    site = site_of(*(made(NOW - i, f"p{i:03}", nano=1000 - i) for i in range(MOST + 3)))
    first, second = await page(site), await page(site, page="2")
    assert (first.count('class="p-link"'), second.count('class="p-link"')) == (MOST, 3)
    assert 'href="prompts?page=2"' in first


async def test_a_file_has_the_rows() -> None:
    site = site_of(*changed(), made(NOW - HOUR, None, None))
    document = json.loads((await get(site, "export.json", of="prompts")).body)
    first, rest = document["rows"]
    assert (first["prompt"], first["versions"], first["newest"]) == ("support.answer", 2, "b" * 12)
    assert (rest["prompt"], rest["versions"], rest["calls"]) == ("no fixed part", None, 1)


async def test_a_store_without_the_question_still_has_its_rows() -> None:
    class Older(MemoryStore):
        versions = property()  # as if it had none

    html = await page(make_site(Older(changed())), sel="support.answer")
    assert 'title="support.answer"' in html


def rated(calls: list[Call], name: str = "helpful", every: int = 1) -> list[Score]:
    """Of the second version a mean that is higher by a half."""
    return [
        Score(
            id=new_id(call.timestamp),
            timestamp=call.timestamp + 1,
            name=name,
            value=number % 2 / 2 + (call.prompt_hash == "b" * 12) / 2,
            call_id=call.id,
        )
        for number, call in enumerate(calls)
        if number % every == 0
    ]


async def test_scores_stand_beside_a_prompt_and_each_version_with_how_many_there_are() -> None:
    calls = [*changed(), made(NOW - HOUR, "other", "c" * 12)]
    site = site_of(*calls)
    assert "helpful" not in await page(site, sel="support.answer")
    store = MemoryStore(calls)
    store.kept_scores += [*rated(calls[:120]), *rated(calls[:10], "tone <b>")]
    html = await page(make_site(store), sel="support.answer")
    assert "tone" not in html
    text = plain(html)
    assert "0.50 120 scored" in text
    assert re.findall(r"helpful (\d\.\d\d) 60 scored", text) == ["0.75", "0.25"]
    assert "helpful +0.50" in text
    assert '<span class="mid">helpful' in html  # a low one may be the better
    assert "surely more than chance, 60 calls against 60" in text  # the scores as well
    other = plain(await page(make_site(store), sel="support.answer", score="tone <b>"))
    assert "tone <b>" not in other
    assert "10 scored" in other
    assert "tone &lt;b&gt; +" not in other  # one version alone has such scores


async def test_of_a_few_scores_it_is_not_told_whether_chance_made_them() -> None:
    calls = changed()
    store = MemoryStore(calls)
    store.kept_scores += rated(calls, every=3)
    text = plain(await page(make_site(store), sel="support.answer"))
    assert "20 scored" in text
    assert "helpful +0.50" in text
    assert "cost and errors surely more than chance; the rest may be chance" in text


async def test_prompts_are_sorted_and_exported_by_their_scores() -> None:
    calls = [made(NOW - HOUR - i, f"p{i}", f"{i:012}") for i in range(3)]
    store = MemoryStore(calls)
    store.kept_scores += [
        Score(id=new_id(NOW), timestamp=NOW, name="helpful", value=value, call_id=call.id)
        for value, call in zip((0.5, 0.1), calls, strict=False)
    ]
    site = make_site(store)
    assert re.findall(r'title="(p\d)"', await page(site, sort="score")) == ["p1", "p0", "p2"]
    document = json.loads((await get(site, "export.json", of="prompts", sort="score")).body)
    assert [(row["prompt"], row["score"], row["scored"]) for row in document["rows"]] == [
        ("p1", 0.1, 1),
        ("p0", 0.5, 1),
        ("p2", None, None),
    ]
