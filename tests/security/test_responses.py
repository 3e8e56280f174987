"""What every response says to browsers and caches, whatever it is; and what the log says of requests."""

from pathlib import Path

import pytest

from miharu.dashboard.routes import PATHS
from tests.security.conftest import LOCK, OpenDoor
from tests.security.world import DOORS, Answer, Door, ask, open_door, raw

MUST = {
    "content-security-policy",
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "cross-origin-resource-policy",
    "cross-origin-opener-policy",
    "cache-control",
}


@pytest.fixture(params=DOORS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_each_has_what_keeps_strangers_out_and_is_kept_by_no_cache(name: str, door_of: OpenDoor) -> None:
    door, locked = door_of(name, MIHARU_AUTH="off"), door_of(name, MIHARU_TOKEN=LOCK)
    answers = [
        *(ask(door, path) for path in (*PATHS, "nothing", "static/nothing.css", "calls?sel=x", "a" * 9000)),
        *(ask(door, path, "POST", content_length="0") for path in ("", "calls")),
        ask(door, "calls", "HEAD"),
        _not_modified(door),
        ask(door, sec_fetch_site="cross-site"),
        ask(door, host="evil.example"),
        *(ask(locked, path) for path in ("", "calls", "?token=x", f"?token={LOCK}", "nothing")),
    ]
    if name == "standalone":
        paths = ("api/calls", "api/nothing", "api/calls/x", "api/calls?limit=x", "api/openapi.json", "api")
        answers += [ask(at, path) for path in paths for at in (door, locked)]
    else:
        answers.append(raw(door, b"GET /miharu?a=1 HTTP/1.1\r\nhost: localhost\r\n\r\n"))
        if name == "mount":  # that one is Starlette's own redirect, and holds nothing
            answers.pop()
    for answer in answers:
        names = {key for key, _ in answer.headers}
        assert not MUST - names, answer
        assert answer.all("cache-control") == ["no-store"], answer
        (policy,) = answer.all("content-security-policy")
        for open_end in ("unsafe", "*", "http:", "https:", "nonce"):
            assert open_end not in policy
        for held in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
            assert held in policy
        assert "server" not in names or answer.all("server") == ["uvicorn"]
    assert {200, 303, 304, 403, 404, 405, 414} <= {answer.status for answer in answers}


def _not_modified(door: Door) -> Answer:
    """Of a page that has a clock in it."""
    for _ in range(10):
        (tag,) = ask(door, "calls-rows", hx_request="true").all("hx-ptag")
        answer = ask(door, "calls-rows", hx_request="true", hx_ptag=tag)
        if answer.status == 304:
            break
    return answer


def test_files_are_kept_by_the_browser_alone(name: str, door_of: OpenDoor) -> None:
    door = door_of(name, MIHARU_AUTH="off")
    for path in ("static/app.css", "static/app.css?v=x", "static/app.css?v=x&v=y"):
        assert ask(door, path).all("cache-control")[0].startswith("private")


def test_nothing_of_a_request_becomes_a_line_of_the_log(name: str, filled: Path) -> None:
    """But the link, once, and only with the path at which the dashboard is."""
    forged = "%0d%0aWARNING:miharu:forged%1b[31m"
    with open_door(name, filled, MIHARU_AUTH="token") as door:
        for path in (forged, f"?token={forged}", f"calls?{forged}", "static/" + forged):
            ask(door, path, user_agent="x\x1b[31mforged", referer="forged")
        ask(door, host="forged.example")
    ours = [line for line in door.served.log.splitlines() if line.startswith("miharu:")]
    assert len(ours) == 1, ours
    assert f"{door.at}?token=" in ours[0]
    assert "forged" not in ours[0]
    assert "\x1b" not in ours[0]


@pytest.mark.parametrize("name", ["mount", "middleware"], indirect=True)
def test_no_failure_shows_its_insides(name: str, tmp_path: Path) -> None:
    """A database that is none; ``miharu dashboard`` does not even start over it."""
    file = tmp_path / "calls.db"
    file.mkdir()
    with open_door(name, file, MIHARU_AUTH="off") as door:
        for path in ("", "calls", "export.json"):
            answer = ask(door, path)
            assert answer.status in {500, 503}
            for inside in (b"Traceback", b"File &#34;", b".py", b"sqlalchemy"):
                assert inside not in answer.body
