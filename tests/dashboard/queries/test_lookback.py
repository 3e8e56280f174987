import re
from dataclasses import replace
from typing import Any

import pytest

from miharu.call import Outcome, new_id
from miharu.dashboard.address.ranges import HOUR, RANGES
from miharu.dashboard.address.view import View
from miharu.dashboard.http.page import PageRequest
from miharu.dashboard.queries import lookback
from miharu.dashboard.queries.lookback import within_reach
from miharu.dashboard.routes import respond
from miharu.stores.base import By, ByTag, Query, Ranks
from tests.dashboard.conftest import NOW, get, make_site
from tests.dashboard.memory import MemoryStore
from tests.dashboard.pages.test_calls import SPARSE

pytestmark = pytest.mark.anyio
TAGGED = replace(SPARSE, tags={"team": "search"})
CALLS = [
    replace(TAGGED, id=new_id(at), timestamp=at)
    for at in (NOW // HOUR * HOUR - hours * HOUR for hours in range(10))
    for _ in range(3)
]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookback, "LOOKED_THROUGH", 7)


async def test_a_tag_is_sought_in_whole_hours_of_the_newest_calls() -> None:
    site = make_site(MemoryStore(CALLS))
    view = await within_reach(View(tag="team=search"), site)
    assert view.since == NOW // HOUR * HOUR - HOUR
    body = (await get(site, "calls", tag="team=search")).body.decode()
    assert '<h2 id="h-calls">6 calls</h2>' in body
    assert "No sums are kept by this tag" in body


async def test_what_a_threshold_leaves_is_sought_among_them_too() -> None:
    site = make_site(MemoryStore(CALLS))
    view = await within_reach(View.read({"q": "attempt<9 tag:team"}), site)
    assert view.since == NOW // HOUR * HOUR - HOUR
    body = (await get(site, "calls", q="tag:team")).body.decode()
    assert '<h2 id="h-calls">6 calls</h2>' in body
    assert "No sums are kept by these filters together" in body


async def test_conditions_are_sought_among_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookback, "LOOKED_THROUGH_FOR_CONDITIONS", 4)
    site = make_site(MemoryStore(CALLS))
    assert (await within_reach(View.read({"q": "cost:*"}), site)).since == NOW // HOUR * HOUR
    assert (await within_reach(View(tag="team=search"), site)).since == NOW // HOUR * HOUR - HOUR


async def test_values_of_a_tag_without_sums_are_sought_among_the_newest_calls_though_nothing_is_filtered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class WithoutSums(MemoryStore):
        async def has_sums(self, query: Query, by: By | None = None) -> bool:
            return not isinstance(by, ByTag)

    monkeypatch.setattr(lookback, "LOOKED_THROUGH_BY", 7)
    site = make_site(WithoutSums(CALLS))
    assert (await within_reach(View(), site, ByTag("team"))).since == NOW // HOUR * HOUR - HOUR
    assert await within_reach(View(), site) == View()
    assert await within_reach(View(), site, "model") == View()


@pytest.mark.parametrize("path", ["calls", "find"])
async def test_what_there_is_instead_of_a_value_is_sought_among_the_newest_calls(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing has a value it takes no time to find nothing, but what else there is may take long."""
    monkeypatch.setattr(lookback, "LOOKED_THROUGH_BY", 7)
    starts = []

    class Few(MemoryStore):
        async def has_sums(self, query: Query, by: By | None = None) -> bool:
            return query.user_id is not None or any(one.field == "user_id" for one in query.conditions)

        async def ranks(self, query: Query, by: By, *args: Any, **kwargs: Any) -> Ranks:
            starts.append(query.start)
            return await super().ranks(query, by, *args, **kwargs)

    calls = [replace(call, user_id="Ann") for call in CALLS]
    typed = PageRequest(path=path, params={"q": "user:ann status:cancelled"}, headers={"hx-request": "true"})
    assert "Ann" in (await respond(typed, make_site(Few(calls)))).body.decode()
    assert starts == [NOW // HOUR * HOUR - HOUR]


async def test_an_hour_that_is_too_much_is_looked_through_all_the_same() -> None:
    crowd = [replace(TAGGED, id=new_id(NOW - n), timestamp=NOW - n) for n in range(20)]
    view = await within_reach(View(tag="team=search"), make_site(MemoryStore([*CALLS, *crowd])))
    assert view.since == (NOW - 19) // HOUR * HOUR


async def test_nothing_is_left_out_of_what_is_small_or_has_sums() -> None:
    site = make_site(MemoryStore(CALLS))
    for view in (View(model="m"), View(tag="team=search", range=RANGES["1h"])):
        assert await within_reach(view, site) == view


async def test_no_time_before_is_asked_where_it_would_be_cut_off() -> None:
    view = await within_reach(View(tag="team=search"), make_site(MemoryStore(CALLS)))
    before = view.previous(NOW)
    assert before.start == before.end
    told = "none of the other period"
    site = make_site(MemoryStore(CALLS))
    assert told in (await get(site, "compare", tag="team=search")).body.decode()
    assert told not in (await get(site, "compare", tag="team=search", range="1h")).body.decode()


async def test_the_attempts_of_a_call_are_found_in_their_own_minutes() -> None:
    failed = Outcome(status="error", http_status=500)
    tries = [
        replace(
            SPARSE,
            id=new_id(NOW - HOUR + n),
            timestamp=NOW - HOUR + n,
            attempt=n + 1,
            call_group="g",
            outcome=failed,
        )
        for n in range(3)
    ]
    site = make_site(MemoryStore([*CALLS, *tries]))
    opened = (await get(site, "calls", sel=tries[1].id)).body.decode()
    assert "The 3 attempts as a list" in opened
    found = re.search(r'<p class="src">\s*<a class="ul" href="([^"]+)"', opened)
    assert found
    link = found[1].replace("&amp;", "&")
    params = dict(part.split("=", 1) for part in link.partition("?")[2].split("&"))
    assert params["attempts"] == "g"
    listed = (await get(site, "calls", **params)).body.decode()
    assert '<h2 id="h-calls">3 calls</h2>' in listed
    assert "No sums are kept" not in listed
