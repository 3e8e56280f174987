"""Scores on the pages: the card of the overview, a column beside each row, and the lowest first."""

import csv
import io
import re
from dataclasses import replace
from html import unescape

import pytest

from miharu.batch import Batch, Score
from miharu.call import Call, new_id
from miharu.wording.numbers import rating
from tests.dashboard.conftest import NOW, get, make_site
from tests.dashboard.memory import MemoryStore
from tests.dashboard.pages.test_overview import HOUR, MINUTE, at

pytestmark = pytest.mark.anyio
TRACE = "5" * 32


def score(value: float, call: Call | None = None, name: str = "helpful", ago: int = 0) -> Score:
    return Score(
        id=new_id(NOW - ago),
        timestamp=NOW - ago,
        name=name,
        value=value,
        call_id=call.id if call else None,
        trace_id=None if call else TRACE,
    )


CALLS = [
    at(3 * HOUR, model="good", user_id="u_1", route="GET /a"),
    at(2 * HOUR, model="good", user_id="u_2", route="GET /a", trace_id=TRACE),
    at(HOUR, model="poor", user_id="u_2", route="GET /b", trace_id=TRACE),
    at(MINUTE, model="other"),
]
SCORES = [
    score(1.0, CALLS[0]),
    score(0.8, CALLS[1]),
    score(0.1),  # counts for the last call of the trace
    score(-3, CALLS[1], "tone <b>"),
]


async def scored(*scores: Score) -> MemoryStore:
    store = MemoryStore(CALLS)
    await store.add(Batch(scores=scores))
    return store


def rows_of(html: str, table: str) -> dict[str, list[str]]:
    """The cells of each row, by the first of them."""
    found = re.search(rf'<table class="{table}.*?</table>', html, re.DOTALL)
    assert found is not None
    rows = [
        [
            " ".join(unescape(re.sub("<[^>]+>", " ", cell)).split())
            for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)
        ]
        for row in re.findall(r"<tr.*?</tr>", found[0], re.DOTALL)
    ]
    return {row[0]: row for row in rows}


async def test_there_is_no_card_and_no_column_without_scores() -> None:
    site = make_site(await scored())
    for path in ("", "models", "routes", "users"):
        html = (await get(site, path)).body.decode()
        assert "h-score" not in html
        assert "helpful" not in html


async def test_the_card_says_the_mean_of_how_many_and_leads_to_the_lowest() -> None:
    site = make_site(await scored(*SCORES))
    html = (await get(site)).body.decode()
    card = html[html.index('aria-labelledby="h-score"') :]
    card = card[: card.index("</section>")]
    assert "mean <b>0.63</b>" in card
    assert "3 scores of 4 calls" in card
    assert "calls?sort=score:helpful" in card
    assert '<a href="./?score=tone+%3Cb%3E">tone &lt;b&gt;</a>' in card
    other = (await get(site, score="tone <b>")).body.decode()
    assert f"mean <b>{rating(-3)}</b>" in other
    assert "1 score of 4 calls" in other
    assert "mean <b>0.63</b>" in (await get(site, score="no such")).body.decode()
    assert "mean <b>0.10</b>" in (await get(site, model="poor")).body.decode()
    assert "h-score" not in (await get(site, model="other")).body.decode()


async def test_the_chart_has_a_step_for_each_mean() -> None:
    site = make_site(await scored(*SCORES))
    html = (await get(site)).body.decode()
    (data,) = re.findall(r'"counted": ?"scored".*?</script>', html) or re.findall(
        r"\{[^<]*scored[^<]*\}", html
    )
    assert "0.8" in data
    rows = re.findall(r'<td class="num">(\d+)</td><td class="num">([^<]+)</td>', html)
    assert [row for row in rows if row[0] != "0"][-3:] == [("1", "1.00"), ("1", "0.80"), ("1", "0.10")]


async def test_tables_have_a_column_of_the_name() -> None:
    site = make_site(await scored(*SCORES))
    models = rows_of((await get(site, "models")).body.decode(), "groups")
    place = next(iter(models.values())).index("helpful")
    by_name = {name.split()[0]: row[place] for name, row in models.items()}
    assert by_name == {
        "Model": "helpful",
        "good": "0.90",
        "poor": "0.10",
        "other": rating(None),
        "Total": "0.63",
    }
    routes = rows_of((await get(site, "routes")).body.decode(), "groups")
    place = routes["Route"].index("helpful")
    assert {name: row[place] for name, row in routes.items() if "/" in name} == {
        "GET /a": "0.90",
        "GET /b": "0.10",
    }
    users = rows_of((await get(site, "users")).body.decode(), "who")
    place = users["User"].index("helpful")
    assert (users["u_1"][place], users["u_2"][place]) == ("1.00", "0.45")


async def test_a_table_is_sorted_and_exported_by_its_scores() -> None:
    site = make_site(await scored(*SCORES))
    html = (await get(site, "models", sort="score")).body.decode()
    assert [name.split()[0] for name in rows_of(html, "groups")] == [
        "Model",
        "poor",
        "good",
        "other",
        "Total",
    ]
    assert 'aria-sort="ascending"' in html
    text = (await get(site, "export.csv", of="models", sort="score")).body.decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["model"], row["score"], row["scored"]) for row in rows][:2] == [
        ("poor", "0.1", "1"),
        ("good", "0.9", "2"),
    ]


async def test_calls_come_lowest_first_and_back_with_pages_that_go_on() -> None:
    calls = [at(MINUTE * number) for number in range(1, 121)]
    store = MemoryStore(calls)
    await store.add(Batch(scores=[score(number / 10, call) for number, call in enumerate(calls)]))
    site = make_site(store)
    seen: list[str] = []
    params = {"sort": "score:helpful"}
    while True:
        html = (await get(site, "calls", **params)).body.decode()
        assert "lowest helpful first" in html
        seen += re.findall(r'<td class="num strong">([\d.]+)</td>', html)
        following = re.search(r'before=([^"&]+)[^"]*" rel="next"', html)
        if following is None:
            break
        params["before"] = following[1]
    assert seen == [f"{number / 10:.2f}" for number in range(120)]
    html = (await get(site, "calls", sort="-score:helpful")).body.decode()
    assert "highest helpful first" in html
    assert re.findall(r'<td class="num strong">([\d.]+)</td>', html)[0] == "11.90"
    opened = (await get(site, "calls", sort="score:helpful", sel=calls[49].id)).body.decode()
    assert f"sel={calls[50].id}" in opened  # the next one is on the next page
    text = (await get(site, "export.csv", of="calls", sort="score:helpful")).body.decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["id"] for row in rows] == [call.id for call in calls]
    assert rows[3]["score:helpful"] == "0.3"


async def test_a_call_with_two_scores_is_one_row() -> None:
    store = await scored(*SCORES, score(0.2, CALLS[1]))
    html = (await get(make_site(store), "calls", sort="score:helpful")).body.decode()
    assert re.findall(r'<td class="num strong">([\d.]+)</td>', html) == ["0.10", "0.20", "1.00"]
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))


async def test_an_order_by_no_name_is_the_newest_first() -> None:
    site = make_site(await scored(*SCORES))
    for sort in ("score:", "-score:", "score"):
        assert b"newest first" in (await get(site, "calls", sort=sort)).body


async def test_the_time_before_is_beside_the_mean() -> None:
    before = at(30 * HOUR)
    store = MemoryStore([*CALLS, before])
    await store.add(Batch(scores=[*SCORES, score(0.5, replace(before), ago=29 * HOUR)]))
    assert "0.50 in the 24 hours before" in (await get(make_site(store))).body.decode()
