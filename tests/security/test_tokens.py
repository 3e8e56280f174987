"""The token: what it takes to have it, and where it must not turn up."""

import hmac
from pathlib import Path

import pytest

from miharu.dashboard.access import secret
from tests.security.conftest import LOCK, ONE_DOOR, OpenDoor
from tests.security.world import DOORS, ask, open_door

SCRAPER = "a-token-that-scrapers-alone-have"


@pytest.fixture(params=DOORS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_link_leaves_a_cookie_for_the_dashboard_alone(name: str, door_of: OpenDoor) -> None:
    door = door_of(name, MIHARU_TOKEN=LOCK)
    entered = ask(door, f"?token={LOCK}")
    assert (entered.status, entered.all("location")) == (303, ["./"])
    (cookie,) = entered.all("set-cookie")
    attributes = [part.strip().lower() for part in cookie.split(";")[1:]]
    assert {"httponly", "samesite=strict"} <= set(attributes)
    assert not [one for one in attributes if one.startswith(("domain", "path", "secure"))]
    assert LOCK not in cookie
    assert entered.all("referrer-policy") == ["no-referrer"]
    assert entered.all("cache-control") == ["no-store"]
    assert LOCK.encode() not in entered.body
    pair = cookie.partition(";")[0]
    page = ask(door, "calls", cookie=pair)
    assert page.tells
    assert LOCK.encode() not in page.body
    assert pair.partition("=")[2].encode() not in page.body


def test_the_cookie_is_for_encrypted_connections_alone_where_there_are_any(
    name: str, door_of: OpenDoor
) -> None:
    door = door_of(name, MIHARU_TOKEN=LOCK)
    (cookie,) = ask(door, f"?token={LOCK}", x_forwarded_proto="https").all("set-cookie")
    assert cookie.endswith("; Secure")


def test_a_token_that_is_shown_in_an_address_does_not_stay_there(name: str, door_of: OpenDoor) -> None:
    """Also where it was not needed, or is shown once more."""
    door = door_of(name, MIHARU_TOKEN=LOCK)
    pair = ask(door, f"?token={LOCK}").all("set-cookie")[0].partition(";")[0]
    again = ask(door, f"calls?token={LOCK}", cookie=pair)
    assert (again.status, again.all("location")) == (303, ["./"])


@pytest.mark.parametrize("name", ONE_DOOR, indirect=True)
def test_guessing_is_given_up_on(name: str, filled: Path) -> None:
    with open_door(name, filled, MIHARU_TOKEN=LOCK) as door:
        pair = ask(door, f"?token={LOCK}").all("set-cookie")[0].partition(";")[0]
        seen = {ask(door, f"?token={guess:06}").status for guess in range(12)}
        assert seen == {403, 429}
        for answer in (ask(door, authorization=f"Bearer {LOCK}"), ask(door, f"?token={LOCK}")):
            assert (answer.status, answer.tells) == (429, False)
        assert ask(door, cookie=pair).tells  # whoever has been in stays in
        assert int(ask(door, "?token=x").all("retry-after")[0]) > 0
    ours = [line for line in door.served.log.splitlines() if line.startswith("miharu:")]
    assert sum("wrong tokens" in line for line in ours) == 1
    assert LOCK not in "".join(ours)


@pytest.mark.parametrize(
    "shown",
    [
        {"authorization": LOCK},
        {"authorization": f"Basic {LOCK}"},
        {"authorization": f"Bearer  {LOCK} x"},
        {"cookie": f"token={LOCK}"},
        {"x_token": LOCK},
        {"referer": f"http://localhost/?token={LOCK}"},
    ],
)
def test_it_counts_only_where_it_belongs(shown: dict[str, str], name: str, door_of: OpenDoor) -> None:
    answer = ask(door_of(name, MIHARU_TOKEN=LOCK), **shown)
    assert (answer.status, answer.tells) == (403, False)


def test_a_scrapers_token_opens_the_metrics_and_nothing_else(name: str, door_of: OpenDoor) -> None:
    door = door_of(name, MIHARU_TOKEN=LOCK, MIHARU_METRICS_TOKEN=SCRAPER)
    answer = ask(door, "metrics", authorization=f"Bearer {SCRAPER}")
    assert (answer.status, b"miharu_calls_total{" in answer.body) == (200, True)
    for path in ("", "calls", "export.json", "metrics/", "api/totals"):
        refused = ask(door, path, authorization=f"Bearer {SCRAPER}")
        assert (refused.status, refused.tells) == (403, False), path
    assert ask(door, "metrics").status == 403
    assert ask(door, f"metrics?token={SCRAPER}").status == 403
    assert ask(door, "metrics", cookie=f"token={SCRAPER}").status == 403
    assert ask(door, "metrics", authorization=f"Bearer {LOCK}").status == 200


def test_tokens_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert secret.same("a", "a")
    assert not secret.same("a", "b")
    assert compared == [(b"a", b"a"), (b"a", b"b")]


def test_the_refusal_tells_nothing_of_what_is_behind(name: str, door_of: OpenDoor) -> None:
    door = door_of(name, MIHARU_TOKEN=LOCK)
    for path in ("", "calls", "healthz" if name != "standalone" else "live", "static/app.css", "nothing"):
        answer = ask(door, path)
        assert answer.status == 403
        for hint in (b"calls.db", b"sqlite", b"/tmp", LOCK.encode(), b"Traceback"):
            assert hint not in answer.body


def test_those_of_the_host_decide_where_it_is_asked(door_of: OpenDoor) -> None:
    for name in ("mount_for_users", "middleware_for_users"):
        door = door_of(name)
        assert ask(door, x_user="ann").tells
        for shown in ({}, {"x_user": "bob"}, {"x_user": "ann, ann"}, {"authorization": f"Bearer {LOCK}"}):
            answer = ask(door, **shown)
            assert (answer.status, answer.tells) == (403, False)
