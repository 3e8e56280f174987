import json
import re
from dataclasses import replace

import pytest

from miharu.analysis.rate_limits import limits_of
from miharu.call import Call, Outcome, new_id
from miharu.dashboard.address.view import View
from miharu.dashboard.panels.errors import kinds as module
from miharu.dashboard.panels.errors.kinds import failures
from tests.dashboard.conftest import NOW, get, make_site
from tests.dashboard.memory import MemoryStore

pytestmark = pytest.mark.anyio
MINUTE = 60_000


def failed(
    ago: int, kind: str | None, message: str | None = None, status: int | None = 500, **facts: object
) -> Call:
    made = Call(
        id=new_id(NOW - ago * MINUTE),
        timestamp=NOW - ago * MINUTE,
        api="x",
        model="gpt-6",
        provider="openai",
        route="POST /chat",
        outcome=Outcome(status="error", http_status=status, error_type=kind, error_message=message),
    )
    return replace(made, **facts)  # type: ignore[arg-type]


def refused(ago: int, wait: int | None, **facts: object) -> Call:
    call = failed(ago, "rate_limit", "Limit 7", 429, **facts)
    return replace(call, outcome=replace(call.outcome, retry_after_ms=wait))


async def test_groups_by_kind_and_by_what_is_said() -> None:
    calls = [
        failed(50, "overloaded", "Try request req_01234abcd again"),
        failed(40, "overloaded", "Try request req_98765zyxw again", route="POST /agent"),
        failed(30, "overloaded", "Something else", model="gpt-7"),
        failed(20, "timeout", None, None),
    ]
    found = await failures(View(), make_site(MemoryStore(calls)))
    overloaded, timeout = found["kinds"]
    assert (overloaded.name, overloaded.calls, list(overloaded.statuses)) == ("overloaded", 3, [500])
    assert (overloaded.first, overloaded.last) == (NOW - 50 * MINUTE, NOW - 30 * MINUTE)
    assert [(one.text, one.calls) for one in overloaded.failures] == [
        ("Try request ID again", 2),
        ("Something else", 1),
    ]
    assert {path for _, path in overloaded.failures[0].routes} == {"/chat", "/agent"}
    assert overloaded.failures[0].newest == calls[1].id
    assert timeout.failures[0].text == "It says nothing."
    assert list(timeout.statuses) == []
    assert found["whole"]


async def test_counts_exactly_what_it_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ", 5)
    store = MemoryStore(failed(n, "overloaded", f"No {n}") for n in range(1, 200))
    found = await failures(View(), make_site(store))
    [kind] = found["kinds"]
    assert (kind.calls, sum(one.calls for one in kind.failures)) == (199, 5)
    assert kind.first <= NOW - 199 * MINUTE < kind.first + 30 * MINUTE
    assert not found["whole"]
    body = (await get(make_site(store), "errors")).body.decode()
    assert "read from the newest 5 of 199 errors" in body


async def test_reads_fewer_of_rare_errors_because_more_calls_lie_between_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_READ_AT_LEAST", 2)
    monkeypatch.setattr(module, "_LOOKED_THROUGH", 40)
    fine = Outcome(status="success", http_status=200)
    store = MemoryStore(
        [failed(n, "overloaded") if n % 10 == 0 else failed(n, None, outcome=fine) for n in range(1, 101)]
    )
    found = await failures(View(), make_site(store))
    assert (found["read"], found["failed"], found["whole"]) == (4, 10, False)
    monkeypatch.setattr(module, "_LOOKED_THROUGH", 1000)
    assert (await failures(View(), make_site(store)))["read"] == 10


async def test_sets_rate_limits_apart_with_how_long_to_wait() -> None:
    calls = [
        refused(9, 2000),
        refused(8, 8000),
        refused(7, 600),
        refused(6, None),
        refused(5, None, model="m"),
    ]
    found = await failures(View(), make_site(MemoryStore([*calls, failed(4, "other")])))
    assert [kind.name for kind in found["kinds"]] == ["other"]
    assert [kind.name for kind in found["limited"]] == ["rate_limit"]
    assert found["refused"] == 5
    first, second = found["refusals"]
    assert (first.model, first.calls, first.waits) == ("gpt-6", 4, (2000, 8000))
    assert (second.model, second.waits) == ("m", None)


async def test_says_how_much_headroom_there_was_last() -> None:
    def answered(ago: int, left: int, model: str) -> Call:
        limits = {"x-ratelimit-limit-tokens": "1000", "x-ratelimit-remaining-tokens": str(left)}
        outcome = Outcome(status="success", http_status=200)
        return failed(ago, None, outcome=outcome, rate_limit=json.dumps(limits), model=model)

    store = MemoryStore([answered(9, 900, "a"), answered(3, 700, "a"), answered(5, 100, "b")])
    tight, free = (await failures(View(), make_site(store)))["headroom"]
    assert (tight.name, tight.limits[0].used) == ("b", 90)
    assert (free.name, free.limits[0].remaining, free.at) == ("a", 700, NOW - 3 * MINUTE)
    body = (await get(make_site(store), "errors")).body.decode()
    assert "no call was turned away" in body
    assert "Nothing failed" in body


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (
            {
                "x-ratelimit-limit-requests": "60",
                "x-ratelimit-remaining-requests": "59",
                "x-ratelimit-reset-requests": "1s",
            },
            [("requests", 60, 59, "1s")],
        ),
        (
            {
                "anthropic-ratelimit-input-tokens-limit": "2000",
                "anthropic-ratelimit-input-tokens-remaining": "1500",
                "anthropic-ratelimit-input-tokens-reset": "2026-11-24T14:21:00Z",
            },
            [("input tokens", 2000, 1500, "2026-11-24T14:21:00Z")],
        ),
        (
            {"x-ratelimit-remaining-tokens": "-1", "x-ratelimit-limit-tokens": "lots", "other": "1"},
            [("tokens", None, None, "")],
        ),
    ],
)
def test_reads_the_limits_of_the_providers(
    headers: dict[str, str], expected: list[tuple[object, ...]]
) -> None:
    found = limits_of(json.dumps(headers))
    assert [(one.what, one.limit, one.remaining, one.reset) for one in found] == expected


@pytest.mark.parametrize("odd", [None, "", "[]", "{", "7", '"x"'])
def test_reads_no_limits_out_of_nonsense(odd: str | None) -> None:
    assert limits_of(odd) == []


async def test_leads_to_the_calls_behind() -> None:
    one = failed(5, "overloaded", "x <b>")
    body = (await get(make_site(MemoryStore([one])), "errors")).body.decode()
    assert f'href="calls?error=overloaded&amp;status=error&amp;sel={one.id}">x &lt;b&gt;</a>' in body
    assert 'href="errors?error=overloaded"' in body


async def test_has_nothing_to_show_of_successes() -> None:
    body = (await get(make_site(MemoryStore([failed(5, "x")])), "errors", status="success")).body.decode()
    assert re.search(r"No error matches the filters", body)


DAYS = 24 * 60


async def test_an_old_error_does_not_look_new() -> None:
    old = [failed(400 * DAYS + 7, "boom", "It hurt"), failed(90 * DAYS, "boom", "It hurt")]
    store = MemoryStore([*old, failed(30, "boom", "It hurt"), failed(20, "fresh", "It was new")])
    found = await failures(View(), make_site(store))
    boom, fresh = found["kinds"]
    assert (boom.first, boom.is_first) == (old[0].timestamp, True)
    assert (fresh.first, fresh.is_first) == (NOW - 20 * MINUTE, True)
    assert [one.is_first for one in boom.failures] == [False]
    assert [one.is_first for one in fresh.failures] == [True]
    body = (await get(make_site(store), "errors")).body.decode()
    assert body.count('<span class="dim" title="The first in this range') == 1
    assert "19 Oct" in body


async def test_where_it_is_not_known_it_is_said() -> None:
    """By user no sums of errors are kept, and a message of a kind that is old may be older than its range."""
    store = MemoryStore([failed(400 * DAYS, "boom", user_id="ann"), failed(30, "boom", user_id="ann")])
    (boom,) = (await failures(View.read({"user": "ann"}), make_site(store)))["kinds"]
    assert (boom.first, boom.is_first) == (NOW - 30 * MINUTE, False)
    (boom,) = (await failures(View.read({"model": "gpt-6"}), make_site(store)))["kinds"]
    assert boom.is_first
    other = make_site(MemoryStore([failed(5, None, "no kind")]))
    (nameless,) = (await failures(View(), other))["kinds"]
    assert not nameless.is_first


async def test_the_first_of_each_kind_is_found_whatever_the_filters_leave() -> None:
    calls = [
        failed(60 * DAYS + n * 13 * 60, f"kind{n % 5}", model=f"m{n % 3}", route=f"GET /{n % 2}")
        for n in range(90)
    ]
    recent = [failed(5 + n, f"kind{n % 5}", model=f"m{n % 3}", route=f"GET /{n % 2}") for n in range(30)]
    store = MemoryStore([*calls, *recent])
    for params in (
        {},
        {"model": "m1"},
        {"route": "GET /1"},
        {"model": "m2", "route": "GET /0", "error": "kind1"},
    ):
        view = View.read(params)
        for kind in (await failures(view, make_site(store)))["kinds"]:
            truth = min(
                call.timestamp
                for call in store.kept.values()
                if call.outcome.error_type == kind.key
                and view.model in {None, call.model}
                and view.route in {None, call.route}
            )
            assert (kind.first, kind.is_first) == (truth, True)


async def test_very_many_kinds_make_no_endless_page() -> None:
    store = MemoryStore(failed(n % 600, f"kind-{n}") for n in range(3000))
    body = (await get(make_site(store), "errors")).body
    assert b"2,950 kinds more, which came less often." in body
    assert b"3,000 errors of 3,000 kinds" in body
    assert len(body) < 400_000
