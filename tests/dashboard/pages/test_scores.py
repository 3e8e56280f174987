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


async def test_two_periods_are_compared_by_each_name_and_each_group() -> None:
    before = [at(30 * HOUR, model="good"), at(31 * HOUR, model="gone")]
    store = MemoryStore([*CALLS, *before])
    earlier = [score(0.5, before[0], ago=29 * HOUR), score(0.1, before[1], ago=29 * HOUR)]
    await store.add(Batch(scores=[*SCORES, *earlier]))
    site = make_site(store)
    html = (await get(site, "compare")).body.decode()
    figures = rows_of(html, "tight figures")
    assert figures["helpful"] == ["helpful", "0.30 2 scored", "0.63 3 scored", "+0.33"]
    assert figures["tone <b>"] == ["tone <b>", "–", rating(-3) + " 1 scored", "–"]  # noqa: RUF001
    assert 'href="compare?score=tone+%3Cb%3E"' in html
    moves = rows_of(html, "moves")
    place = moves["Model"].index("helpful then")
    assert {name: row[place : place + 2] for name, row in moves.items() if name != "Model"} == {
        "good": ["0.50", "0.90"],
        "gone": ["0.10", rating(None)],
        "poor": [rating(None), "0.10"],
        "other": [rating(None), rating(None)],
    }
    by_route = rows_of((await get(site, "compare", by="route")).body.decode(), "moves")
    assert by_route["GET /a"][place : place + 2] == [rating(None), "0.90"]
    other = rows_of((await get(site, "compare", score="tone <b>")).body.decode(), "moves")
    assert other["good"][place : place + 2] == [rating(None), rating(-3)]
    text = (await get(site, "export.csv", of="compare")).body.decode()
    rows = {row["model"]: row for row in csv.DictReader(io.StringIO(text))}
    assert [rows["good"][f"{name}_{side}"] for side in ("before", "now") for name in ("score", "scored")] == [
        "0.5",
        "1",
        "0.9",
        "2",
    ]


async def test_nothing_is_said_of_scores_where_neither_period_has_any() -> None:
    html = (await get(make_site(await scored()), "compare")).body.decode()
    assert "helpful" not in html
    assert "scored" not in html


async def test_of_many_names_those_with_the_most_scores_are_compared() -> None:
    store = await scored(*(score(1, CALLS[0], f"n{i}") for i in range(9) for _ in range(10 - i)))
    html = (await get(make_site(store), "compare", score="n8")).body.decode()
    assert [name for name in rows_of(html, "tight figures") if name[0] == "n"] == [
        *(f"n{i}" for i in range(5)),
        "n8",
    ]
    assert "3 other names of scores" in html
