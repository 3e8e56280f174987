"""How long a page's time is, and how it is cut: into the viewer's own days, whatever their clocks do."""

from datetime import UTC as PLAIN
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.dashboard.address.ranges import DAY, HOUR, MINUTE, RANGES
from miharu.dashboard.address.windows import Window
from miharu.dashboard.address.zones import UTC, Zone, zone_named, zone_of

ZONES = (
    *("Europe/Vienna", "America/Los_Angeles", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"),
    *("America/Sao_Paulo", "Pacific/Apia", "Pacific/Kiritimati", "Africa/Casablanca", "UTC"),
)
instants = st.integers(0, 4_000_000_000_000)
periods = st.tuples(instants, st.integers(1, 400 * DAY)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def zone(name: str) -> Zone:
    found = zone_named(name)
    assert found is not None
    return found


zones = st.sampled_from(ZONES).map(zone)


def ms(text: str, name: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(name)).timestamp() * 1000)


def local(at: int, name: str) -> str:
    return f"{datetime.fromtimestamp(at / 1000, ZoneInfo(name)):%m-%d %H:%M}"


@pytest.mark.parametrize(("name", "hours"), [("1h", 1), ("24h", 24), ("7d", 168), ("30d", 720)])
@given(now=instants, viewer=zones)
def test_a_range_is_as_long_as_it_says_at_every_minute(name: str, hours: int, now: int, viewer: Zone) -> None:
    window = Window.of_range(RANGES[name], now, viewer)
    assert window.length == hours * HOUR
    assert window.start <= now < window.end <= now + HOUR
    assert window.earlier == (window.start - window.length, window.start)
    if window.length > DAY:  # where sums are kept by the hour, no calls have to be read
        assert window.start % HOUR == window.end % HOUR == 0


@given(periods, zones)
def test_any_period_is_cut_into_steps_that_fit_a_chart(period: tuple[int, int], viewer: Zone) -> None:
    window = Window.between(*period, viewer)
    assert window.start <= period[0] < period[1] <= window.end
    assert window.start % MINUTE == window.end % MINUTE == 0
    assert window.edges[0] <= window.start < window.edges[1]
    assert window.edges[-2] < window.end <= window.edges[-1]
    assert 1 <= len(window.times) <= 98
    assert window.label
    assert set(window.ticks) <= set(window.times)
    assert len(window.ticks) <= 11
    for start, end in pairwise(window.edges):
        assert start < end
        if window.step >= DAY:
            at = datetime.fromtimestamp(start / 1000, viewer.rules)
            before = datetime.fromtimestamp(start / 1000 - 1, viewer.rules)
            assert at.date() > before.date()
    together = [(stretch.start, stretch.end) for stretch in window.stretches]
    assert together[0][0] == window.edges[0]
    assert together[-1][1] == window.edges[-1]
    assert all(end == start for (_, end), (start, _) in pairwise(together))
    assert len(together) <= 9


def test_thirty_days_are_the_days_of_the_viewer() -> None:
    window = Window.of_range(RANGES["30d"], ms("2026-11-23T14:20"), zone("America/Los_Angeles"))
    assert {local(t, "America/Los_Angeles")[6:] for t in window.times} == {"00:00"}
    assert len(window.times) == 31
    lengths = {local(start, "America/Los_Angeles")[:5]: end - start for start, end in pairwise(window.edges)}
    assert lengths["11-01"] == 25 * HOUR
    assert {length for day, length in lengths.items() if day != "11-01"} == {DAY}
    assert [
        (stretch.step, len(range(stretch.start, stretch.end, stretch.step))) for stretch in window.stretches
    ] == [
        (DAY, 8),
        (25 * HOUR, 1),
        (DAY, 22),
    ]


def test_a_day_may_have_twenty_three_hours() -> None:
    window = Window.between(ms("2026-03-01T00:00"), ms("2026-06-01T00:00"), zone("Europe/Vienna"))
    lengths = {local(start, "Europe/Vienna")[:5]: end - start for start, end in pairwise(window.edges)}
    assert lengths["03-29"] == 23 * HOUR


@pytest.mark.parametrize(
    ("now", "name", "start", "earlier"),
    [
        ("2026-11-23T14:20", "UTC", "2026-11-23T00:00", ("2026-11-22T00:00", "2026-11-22T14:21")),
        (
            "2026-11-23T04:20",
            "America/Los_Angeles",
            "2026-11-22T08:00",
            ("2026-11-21T08:00", "2026-11-22T04:21"),
        ),
        # Clocks went back at nine o'clock UTC: the day is an hour longer than the one before.
        (
            "2026-11-02T07:30",
            "America/Los_Angeles",
            "2026-11-01T07:00",
            ("2026-10-31T07:00", "2026-11-01T07:00"),
        ),
        ("2026-11-23T19:00", "Asia/Kolkata", "2026-11-23T18:30", ("2026-11-22T18:30", "2026-11-22T19:01")),
    ],
)
def test_today_begins_at_the_viewers_midnight(
    now: str, name: str, start: str, earlier: tuple[str, str]
) -> None:
    window = Window.of_range(RANGES["today"], ms(now), zone(name))
    assert (window.start, window.end) == (ms(start), ms(now) + MINUTE)
    assert window.earlier == (ms(earlier[0]), ms(earlier[1]))
    assert window.before == "yesterday until this time"


def test_a_month_begins_on_its_first_day_and_is_compared_with_as_much_of_the_last() -> None:
    vienna = zone("Europe/Vienna")
    window = Window.of_range(RANGES["month"], ms("2026-11-23T14:20"), vienna)
    assert window.start == ms("2026-11-01T00:00", "Europe/Vienna")
    assert window.earlier[0] == ms("2026-10-01T00:00", "Europe/Vienna")
    assert window.earlier[1] - window.earlier[0] == window.length
    late = Window.of_range(RANGES["month"], ms("2026-03-31T14:20"), vienna)
    assert late.earlier == (ms("2026-02-01T00:00", "Europe/Vienna"), late.start)
    january = Window.of_range(RANGES["month"], ms("2026-01-05T00:00"), vienna)
    assert january.earlier[0] == ms("2025-12-01T00:00", "Europe/Vienna")


def test_labels_of_days_stand_at_midnight_or_at_the_first_step_after_it() -> None:
    name = "Europe/Vienna"
    window = Window.of_range(RANGES["7d"], ms("2026-10-27T12:00"), zone(name))
    assert [local(t, name) for t in window.ticks] == [
        *("10-21 01:00", "10-22 01:00", "10-23 01:00", "10-24 01:00", "10-25 01:00", "10-26 00:00"),
        "10-27 00:00",
    ]


@pytest.mark.parametrize(
    ("cookie", "name", "hours"),
    [
        ("miharu-zone=Europe%2FVienna%2C60", "Europe/Vienna", 1),
        ("a=b; miharu-zone=America/Los_Angeles", "America/Los_Angeles", -8),
        ("miharu-zone=No%2FWhere%2C-90", "No/Where", -1.5),
        ("miharu-zone=No%2FWhere%2C-9999", "No/Where", -18),
        ("miharu-zone=No%2FWhere", "No/Where", 0),
    ],
)
def test_a_browser_tells_its_zone(cookie: str, name: str, hours: float) -> None:
    found = zone_of({"cookie": cookie})
    assert (found.name, found.offset(ms("2026-12-01T00:00"))) == (name, hours * HOUR)
    assert found.known


@given(
    st.text(max_size=60)
    | st.sampled_from(["../../etc/passwd", "/etc/localtime", "..", "a//b", "Europe", "\0"])
)
def test_any_cookie_will_do(text: str) -> None:
    for value in (text, f"miharu-zone={text}", f'miharu-zone="{text}'):
        found = zone_of({"cookie": value})
        assert isinstance(found.offset(0), int)
        assert Window.of_range(RANGES["month"], ms("2026-12-01T00:00"), found).length > 0


def test_without_a_word_it_is_utc() -> None:
    assert zone_of({}) is UTC
    assert not UTC.known
    assert UTC.midnight(0) == 0
    assert (
        UTC.month(int(datetime(2026, 3, 9, tzinfo=PLAIN).timestamp() * 1000), 14)
        == (datetime(2025, 1, 1, tzinfo=PLAIN) - datetime(1970, 1, 1, tzinfo=PLAIN)).days
    )
