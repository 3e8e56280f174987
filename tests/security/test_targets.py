"""What a request can ask for: no trick with its path leads past the lock, out of the folder or to a crash."""

from collections.abc import Iterator

import pytest

from tests.security.conftest import LOCK, OpenDoor
from tests.security.world import Answer, Door, ask, installed, raw

PATHS = [
    *("../", "..", "./", "//", "/calls", "//calls", "/../calls", "../../../../etc/passwd"),
    *(
        "%2e%2e/",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "..%2f..%2f..%2fetc/passwd",
        "%252e%252e%252f",
        "..%5c..%5c",
    ),
    *("static/../../pyproject.toml", "static/%2e%2e/%2e%2e/miharu/server/app.py", "static/..%2fapp.css"),
    *("static//etc/passwd", "static/%2fetc%2fpasswd", "static/", "static", "static/templates/base.html"),
    *(
        "static/base.html",
        "static/LICENSES.txt%00.css",
        "static/app.css/",
        "static/app.css%00",
        "static/.htaccess",
    ),
    *(
        "calls;jsessionid=1",
        "calls;.css",
        "calls.css",
        "calls/x.css",
        "calls%2f.css",
        "calls%3bx",
        "calls/",
        "Calls",
    ),
    *(
        "calls%00",
        "%00",
        "%0a",
        "%0d%0aset-cookie:x=1",
        "calls%0d%0a%0d%0ax",
        "%c0%ae%c0%ae/",
        "%ff%fe",
        "%u002e",
    ),
    *(
        "%EF%BC%8E%EF%BC%8E/",
        "%E2%80%AE",
        "c%61lls%20",
        "calls%23",
        "calls%3f",
        "*",
        "~root",
        "?token=",
        "?token=%00",
    ),
    *(
        "healthz/../calls",
        "healthz%2f..%2fcalls",
        "healthz;/../calls",
        "healthz/",
        "overview-now/../../hello",
    ),
    *(
        "static/app.css/../../calls",
        "api/../calls",
        "api/calls",
        "api//calls",
        "API/calls",
        "api/calls/",
        "api%2fcalls",
    ),
    *("api/openapi.json/../calls", "api/calls?token=", "a" * 3000, "/" * 3000, "../" * 1000, "%2f" * 1000),
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "FOO"]


@pytest.fixture(params=[(name, server) for server in installed() for name in ("mount", "middleware")] + [
    ("standalone", "")
], ids=lambda param: ", ".join(filter(None, param)))  # fmt: skip
def which(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """A door, and the server that it is on."""
    name, server = request.param
    return (name, server) if server else (name,)


def targets(door: Door) -> Iterator[str]:
    """Each trick below the dashboard, and some with the dashboard's own name."""
    for path in PATHS:
        yield door.at + path
    if door.at != "/":
        for path in (
            "//miharu/",
            "/x/../miharu/",
            "/%6diharu/",
            "/miharu;x/",
            "/MIHARU/",
            "/miharu%2f",
            "/miharu\\",
        ):
            yield path
            yield f"{path}calls"


def get(door: Door, target: str, method: str = "GET", more: str = "") -> Answer:
    lines = f"host: localhost:{door.port}\r\n{more}connection: close\r\n\r\n"
    return raw(door, f"{method} {target} HTTP/1.1\r\n{lines}".encode("latin-1"))


def test_no_path_leads_past_the_lock(which: tuple[str, ...], door_of: OpenDoor) -> None:
    door = door_of(*which, MIHARU_TOKEN=LOCK)
    assert ask(door, authorization=f"Bearer {LOCK}").tells
    for target in targets(door):
        for method in ("GET", "POST"):
            answer = get(door, target, method)
            assert not answer.tells, target
            assert answer.status in {303, 307, 308, 400, 401, 403, 404, 405, 414, 431} or (
                b"healthz" in target.encode() and answer.body == b'{"status": "ok"}'
            ), (target, answer)


def test_no_path_leads_anywhere_else(which: tuple[str, ...], door_of: OpenDoor) -> None:
    """Nor is any an error of ours; and what is no page is never kept by a cache as if it were a file."""
    door = door_of(*which, MIHARU_AUTH="off")
    for target in targets(door):
        answer = get(door, target)
        assert b"root:" not in answer.body, target
        assert b"[project]" not in answer.body, target
        assert b"{%" not in answer.body, target
        assert answer.status < 500, (target, answer)
        if answer.tells or answer.status == 200:
            assert answer.all("cache-control") in (["no-store"], ["private, no-cache"]), (target, answer)
            assert answer.all("content-security-policy"), target
        assert not answer.all("x-injected")
        assert not answer.all("set-cookie"), target


def test_redirects_stay_below(which: tuple[str, ...], door_of: OpenDoor) -> None:
    door = door_of(*which, MIHARU_AUTH="off")
    for query in (
        "",
        "?x=%0d%0ax-injected:1",
        "?//evil.example",
        "?\\evil.example",
        "?next=https://evil.example",
    ):
        answer = get(door, f"{door.at.rstrip('/') or '/'}{query}")
        (location,) = answer.all("location") or [""]
        assert not answer.all("x-injected"), query
        assert "evil.example" not in location.partition("?")[0]
        assert location.partition("?")[0] in {"", "miharu/", f"http://localhost:{door.port}/miharu/"}, (
            location
        )


@pytest.mark.parametrize("length", [9_000, 60_000, 1_000_000])
def test_what_is_very_long_is_refused_before_anything_is_made_of_it(
    which: tuple[str, ...], length: int, door_of: OpenDoor
) -> None:
    door = door_of(*which, MIHARU_AUTH="off")
    for long in (
        "?" + "a&" * (length // 2),
        "?a=" + "%41" * (length // 3),
        "a" * length,
        "?" + "model=x&" * (length // 8),
    ):
        answer = get(door, door.at + long)
        # 0: the server itself has closed the connection, or says so in a way of its own
        assert answer.status in {0, 400, 404, 414, 431}, (answer, long[:20])
        assert not answer.tells
    many = "".join(f"x-a: {number}\r\n" for number in range(length // 10))
    assert get(door, door.at, more=many).status in {0, 200, 400, 431}
    assert ask(door).status == 200  # it is still there


@pytest.mark.parametrize("mode", ["off", "token"])
def test_it_is_for_reading(which: tuple[str, ...], mode: str, door_of: OpenDoor) -> None:
    """Whatever the method says, or says to be."""
    door = door_of(*which, MIHARU_AUTH=mode)
    for method in METHODS[2:]:
        for path in ("", "calls", "export.csv", "healthz", "static/app.css"):
            answer = get(door, door.at + path, method, "content-length: 0\r\n")
            if method == "get" and answer.status == 200:
                continue  # hypercorn makes GET of it, and that is for reading
            assert answer.status in {400, 403, 405, 501}, (method, path, answer)
            assert not answer.tells
    if mode == "off":
        plain = get(door, f"{door.at}calls")
        for override in ("x-http-method-override: DELETE", "x-method-override: PUT", "x-http-method: POST"):
            assert get(door, f"{door.at}calls", more=f"{override}\r\n").status == plain.status == 200
        assert get(door, f"{door.at}calls?_method=DELETE&method=POST").status == 200
        assert (
            get(
                door, f"{door.at}calls", "POST", "x-http-method-override: GET\r\ncontent-length: 0\r\n"
            ).status
            == 405
        )


def test_no_header_rewrites_what_is_asked_for(which: tuple[str, ...], door_of: OpenDoor) -> None:
    """As some frameworks let a proxy do; and no page repeats such a header, which a cache would keep."""
    door = door_of(*which, MIHARU_AUTH="off")
    for header in (
        "x-original-url",
        "x-rewrite-url",
        "x-forwarded-prefix",
        "x-forwarded-path",
        "x-script-name",
    ):
        answer = get(door, f"{door.at}nothing", more=f"{header}: {door.at}calls\r\n")
        assert answer.status == 404, header
    poison = "".join(
        f"{name}: https://poison.example/\r\n"
        for name in (
            "x-forwarded-host",
            "x-forwarded-prefix",
            "x-forwarded-proto",
            "forwarded",
            "referer",
            "x-host",
        )
    )
    for path in ("", "calls", "nothing"):
        answer = get(door, door.at + path, more=poison)
        assert b"poison" not in answer.body
        assert not any("poison" in value for _, value in answer.headers)
        assert answer.all("cache-control") == ["no-store"]
