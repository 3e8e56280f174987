"""The address as state: whatever a page can show is in it, and comes back from it."""

from datetime import UTC, datetime
from typing import Any, get_args
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.conditions.language import Condition
from miharu.dashboard.address.ranges import DAY, MINUTE, RANGES, read_instant, write_instant
from miharu.dashboard.address.view import BREAKDOWNS, FILTERS, MEASURES, Against, Tab, Timed, View

NOW = 1_795_443_630_000
words = st.text(min_size=1, max_size=40).map(
    lambda text: text.encode(errors="replace").decode().replace("\0", "0")
)
instants = st.integers(0, 4_000_000_000_000)
periods = st.tuples(instants, st.integers(1, 400 * DAY)).map(lambda pair: (pair[0], pair[0] + pair[1]))
tags = st.tuples(words.filter(lambda word: "=" not in word), words).map("=".join)


some = st.builds(
    Condition,
    field=st.sampled_from(["model", "user_id", "error_type"]),
    operator=st.sampled_from(["in", "not in"]),
    values=st.lists(words, min_size=2, max_size=4, unique=True).map(tuple),
)


@st.composite
def views(draw: st.DrawFn) -> View:
    """Everything that an address can say."""
    facts: dict[str, Any] = {
        name: draw(st.none() | words) for name in FILTERS if name not in {"status", "tag"}
    }
    facts["tag"] = draw(st.none() | tags)
    facts |= {name: draw(st.none() | words) for name in ("sort", "before", "sel")}
    if period := draw(st.none() | periods):
        facts["start"], facts["end"] = period
    if period := draw(st.none() | periods):
        facts["other_start"], facts["other_end"] = period
    if period := draw(st.none() | periods):
        facts["part_start"], facts["part_end"] = period
    return View(
        range=draw(st.sampled_from(list(RANGES.values()))),
        status=draw(st.sampled_from([None, "success", "error", "cancelled"])),
        measure=draw(st.sampled_from(MEASURES)),
        by=draw(st.sampled_from(BREAKDOWNS)),
        timed=draw(st.sampled_from(get_args(Timed))),
        against=draw(st.sampled_from(get_args(Against))),
        tab=draw(st.sampled_from(get_args(Tab))),
        conditions=tuple(draw(st.lists(some, unique=True, max_size=3))),
        **facts,
    )


def read(link: str) -> View:
    return View.read(dict(parse_qsl(link.partition("?")[2], keep_blank_values=True)))


def test_a_part_of_a_run_stays_with_it_and_goes_along_to_no_other_page() -> None:
    view = View(session="s", part_start=5, part_end=1005)
    part = "part_start=1970-01-01T00:00:00.005Z&part_end=1970-01-01T00:00:01.005Z"
    assert view.link("sessions") == f"sessions?session=s&{part}"
    for page in ("", "calls", "sessions"):
        assert "part_" not in view.to(page)
    assert View.read({"part_start": "7", "part_end": "7"}) == View()


@given(views())
def test_reads_back_the_links_it_writes(view: View) -> None:
    assert read(view.link("export.csv")) == view


@given(
    views(),
    st.sampled_from(
        ["", "live", "calls", "routes", "models", "tools", "users", "tags", "sessions", "errors", "compare"]
    ),
)
def test_says_the_same_twice(view: View, page: str) -> None:
    """A page's own state survives a round through its address, and is then written the same."""
    link = view.link(page)
    assert read(link).link(page) == link
    assert read(link).filters == view.filters
    assert read(link).conditions == view.conditions
    assert read(link).window(NOW) == view.window(NOW)
    assert link.startswith(page or "./")


@given(
    st.dictionaries(st.sampled_from(["range", "start", "end", "model", "status", "by", "sort", "x"]), words)
)
def test_takes_any_nonsense(params: dict[str, str]) -> None:
    view = View.read(params)
    assert read(view.link("")) == View.read(dict(parse_qsl(view.link("").partition("?")[2])))
    query = view.query(NOW)
    assert query.start < query.end


def test_leaves_out_what_is_usual_and_what_belongs_to_another_page() -> None:
    view = View.read(
        {"range": "24h", "measure": "tokens", "by": "model", "sel": "a", "before": "b", "route": "GET /"}
    )
    assert view.link("") == "./?route=GET+/&measure=tokens"
    assert view.link("calls") == "calls?route=GET+/&before=b&sel=a"
    assert view.link("calls", before=None, sel=None, route=None) == "calls"
    assert view.to("routes") == "routes?route=GET+/"


def test_gives_a_part_the_state_of_its_page() -> None:
    view = View.read({"by": "route", "measure": "tokens", "range": "7d"})
    assert view.link("overview-charts") == "overview-charts?range=7d&measure=tokens&by=route"
    assert view.link("calls-rows") == "calls-rows?range=7d"


def test_ends_with_the_running_minute() -> None:
    query = View().query(NOW)
    assert query.end - MINUTE <= NOW < query.end
    assert query.start == query.end - DAY
    assert View().previous(NOW).end == query.start


def test_zooms_to_whole_minutes_and_compares_with_the_same_length_before() -> None:
    view = View.read({"range": "7d", "start": "2026-11-23T03:00:20Z", "end": "2026-11-23T04:30:01Z"})
    window = view.window(NOW)
    assert write_instant(window.start) == "2026-11-23T03:00Z"
    assert write_instant(window.end) == "2026-11-23T04:31Z"
    assert view.previous(NOW).start == window.start - window.length
    assert view.link("", start=None, end=None) == "./?range=7d"
    assert not view.is_open_ended(NOW)
    assert View().is_open_ended(NOW)


@pytest.mark.parametrize(
    "params",
    [
        {"start": "2026-11-23T03:00Z"},
        {"end": "2026-11-23T03:00Z"},
        {"start": "2026-11-23T03:00Z", "end": "2026-11-23T03:00Z"},
        {"start": "2026-11-24T03:00Z", "end": "2026-11-23T03:00Z"},
        {"start": "yesterday", "end": "today"},
        {"start": "-5", "end": "9" * 40},
        {"start": "0001-01-01", "end": "0002-01-01"},
    ],
)
def test_zooms_only_by_two_moments_in_order(params: dict[str, str]) -> None:
    assert View.read(params) == View()


@given(instants)
def test_writes_moments_that_it_reads_back(ms: int) -> None:
    assert read_instant(write_instant(ms)) == ms
    assert read_instant(str(ms)) == ms


def test_takes_a_time_without_a_zone_for_utc() -> None:
    at = int(datetime(2026, 11, 23, 3, tzinfo=UTC).timestamp() * 1000)
    assert read_instant("2026-11-23T03:00") == read_instant("2026-11-23T05:00+02:00") == at


def test_links_of_before_are_understood() -> None:
    former = {
        "from": "2026-11-23T03:00Z",
        "to": "2026-11-23T04:00Z",
        "cfrom": "2026-11-22",
        "cto": "2026-11-23",
    }
    view = View.read(former)
    assert view.start is not None
    assert view.other_end is not None
    assert View.read({"start": former["from"], "end": former["to"]}).start == view.start
    assert "start=2026-11-23T03:00Z&end=2026-11-23T04:00Z" in view.link("calls")


def test_as_many_rows_may_be_open_as_an_address_names() -> None:
    ids = ",".join(f"x{number:036}" for number in range(24))
    assert View.read({"unfold": ids}).unfold == ids
    assert View.read({"fold": "a,b\0,c"}).fold is None
    assert View.read({"unfold": "a," * 1500}).unfold is None
