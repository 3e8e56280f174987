"""Who is let in, and each way round it that we know of."""

import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from miharu.config import MEMORY
from miharu.dashboard.access import secret
from miharu.dashboard.access.decide import Access
from miharu.dashboard.access.login import Keys
from miharu.dashboard.access.names import Hosts
from miharu.dashboard.access.proxy import Latch
from miharu.dashboard.access.throttle import Guesses
from miharu.dashboard.access.visit import Decision, Visit
from miharu.errors import ConfigError
from miharu.redaction.logs import watch_log

LOCAL = {"host": "localhost:8000"}
NAVIGATION = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


@dataclass
class House:
    """One process with a dashboard."""

    access: Access
    database: str = MEMORY
    base: str = "/miharu/"
    scope: dict[str, Any] = field(default_factory=dict)

    async def visit(
        self, headers: Mapping[str, str] = LOCAL, params: Mapping[str, str] | None = None, **scope: Any
    ) -> Decision:
        facts = {
            "client": ("127.0.0.1", 5000),
            "http_version": "1.1",
            "scheme": "http",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        visit = Visit(scope=facts | scope, headers=headers, params=params or {}, base=self.base)
        return await self.access.decide(visit, self.database)

    async def status(self, headers: Mapping[str, str] = LOCAL, **scope: Any) -> int:
        decision = await self.visit(headers, **scope)
        return 200 if decision.page is None else decision.page.status


def house(
    auth: Any = "auto",
    *,
    terminal: bool = True,
    environ: Mapping[str, str] | None = None,
    file: Path | None = None,
    **more: Any,
) -> House:
    access = Access(auth, environ=environ or {}, terminal=lambda: terminal, latch=Latch(), **more)
    return House(access, MEMORY if file is None else url_of(file))


def url_of(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def headers_of(decision: Decision) -> dict[str, str]:
    assert decision.page is not None
    return dict(decision.page.headers)


# --- auto: the open door


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8000",
        "LOCALHOST:1",
        "127.0.0.1:8000",
        "[::1]:8000",
        "app.localhost",
    ],
)
@pytest.mark.parametrize("client", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
async def test_a_local_visitor_of_a_terminal_is_welcome(host: str, client: str) -> None:
    decision = await house().visit({"host": host}, client=(client, 1))
    assert decision == Decision(access="local only")


@pytest.mark.parametrize(
    "host",
    [
        "rebound.example",
        "127.0.0.1.example",
        "localhost.example",
        "localhost@evil.example",
        "localhost:80:80",
        "notlocalhost",
        ".localhost",
        "127.0.0.1, localhost",
        "localhost\n",
        "testserver",
        "testserver:80",
        "TESTSERVER",
        "testserver.local",
        "",
    ],
)
async def test_a_rebound_host_name_needs_the_token(host: str) -> None:
    assert await house().status({"host": host}) == 403


@pytest.mark.parametrize(
    "client", [("192.168.1.7", 1), ("172.17.0.1", 1), ("8.8.8.8", 1), ("nonsense", 1), None]
)
async def test_a_visitor_from_elsewhere_or_over_a_unix_socket_needs_the_token(client: Any) -> None:
    assert await house().status(client=client) == 403


async def test_a_service_without_a_terminal_asks_for_the_token() -> None:
    assert await house(terminal=False).status() == 403


@pytest.mark.parametrize(
    "name",
    ["KUBERNETES_SERVICE_HOST", "DYNO", "FLY_APP_NAME", "K_SERVICE", "AWS_EXECUTION_ENV"],
)
async def test_a_server_platform_asks_for_the_token(name: str) -> None:
    assert await house(environ={name: "something"}).status() == 403


@pytest.mark.parametrize(
    ("value", "status"), [("production", 403), ("Production", 403), ("development", 200)]
)
async def test_a_production_environment_asks_for_the_token(value: str, status: int) -> None:
    assert await house(environ={"APP_ENV": value}).status() == status


IN_PROCESS = [
    {
        "client": ("testclient", 50000),
        "server": ["testserver", 80],
        "extensions": {"http.response.debug": {}},
    },
    {"client": ("testclient", 50000), "server": ("testserver.local", 80)},
    {"client": ("127.0.0.1", 123), "server": ("testserver", None)},
]
"""What Starlette's and Litestar's test clients and ``httpx.ASGITransport`` say of themselves."""


@pytest.mark.parametrize("host", ["testserver", "testserver.local", "localhost"])
@pytest.mark.parametrize("scope", IN_PROCESS)
async def test_a_test_client_needs_no_terminal(host: str, scope: dict[str, Any]) -> None:
    assert await house(terminal=False).status({"host": host}, **scope) == 200
    assert await house(terminal=False, allowed_hosts=["llm.example"]).status({"host": host}, **scope) == 200


SOCKETS = [
    ("127.0.0.1", 8000),
    ["127.0.0.1", "8000"],
    ("::1", 8000),
    ("[::1]", 8000),
    ("fe80::1%eth0", 8000),
    ("0.0.0.0", 8000),
    ("/run/app.sock", None),
    ("unix:/run/app.sock", None),
    (),
    None,
]


@pytest.mark.parametrize("client", [("testclient", 50000), ("testclient", 0), ("127.0.0.1", 123)])
@pytest.mark.parametrize("server", SOCKETS)
async def test_a_visitor_over_a_socket_is_no_test_client_whatever_he_is_called(
    client: Any, server: Any
) -> None:
    """A server that believes ``X-Forwarded-For`` lets him choose his name and his port."""
    scope = {"client": client, "server": server, "extensions": {"tls": {}}}
    assert await house(terminal=False).status({"host": "localhost"}, **scope) == 403
    for name in ("testserver", "testserver.local"):
        assert await house(terminal=True).status({"host": name}, **scope) == 403
        assert await house("off", allowed_hosts=["llm.example"]).status({"host": name}, **scope) == 403


async def test_a_proxy_that_passes_on_a_forged_address_makes_no_test_client() -> None:
    for forged, client in (("testclient", ("testclient", 0)), ("testclient:50000", ("testclient", 50000))):
        headers = {"host": "localhost", "x-forwarded-for": forged}
        assert await house().status(headers, client=client, server=("127.0.0.1", 8000)) == 403


# --- the latch


@pytest.mark.parametrize(
    "name", ["forwarded", "via", "x-real-ip", "x-forwarded-for", "x-forwarded-proto", "X-Forwarded-Host"]
)
async def test_one_forwarded_request_closes_the_open_door_for_good(name: str) -> None:
    home = house()
    assert await home.status() == 200
    assert await home.status(LOCAL | {name: "1.2.3.4"}) == 403
    assert await home.status() == 403


async def test_a_bare_proxy_is_known_by_its_old_http() -> None:
    """nginx before 1.29.7 with nothing but proxy_pass: loopback client, local Host, no header; HTTP/1.0."""
    home = house()
    assert await home.status(http_version="1.0") == 403
    assert await home.status() == 403


async def test_the_latch_looks_at_requests_for_the_host_as_well() -> None:
    latch = Latch()
    access = Access(environ={}, terminal=lambda: True, latch=latch)
    latch.look({"http_version": "1.1", "headers": [(b"x-forwarded-for", b"1.2.3.4")]})
    assert await House(access).status() == 403


# --- on behalf of another site, whatever the mode


@pytest.mark.parametrize("auth", ["auto", "off", lambda scope: True])
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(
    "how",
    [
        {"sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
        {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"},
        {"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
        {},
    ],
)
async def test_another_sites_page_gets_nothing(auth: Any, site: str, how: dict[str, str]) -> None:
    assert await house(auth).status(LOCAL | {"sec-fetch-site": site} | how) == 403


async def test_a_link_on_another_site_may_be_followed() -> None:
    assert await house().status(LOCAL | {"sec-fetch-site": "cross-site"} | NAVIGATION) == 200


@pytest.mark.parametrize("site", ["same-origin", "none"])
async def test_its_own_page_and_the_address_bar_may_ask(site: str) -> None:
    assert await house().status(LOCAL | {"sec-fetch-site": site, "sec-fetch-mode": "cors"}) == 200


@pytest.mark.parametrize("auth", ["auto", "off"])
@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "http://localhost:3000", "null", "http://[", "http://localhost:8000.evil"],
)
async def test_a_foreign_origin_is_refused(auth: Any, origin: str) -> None:
    assert await house(auth).status(LOCAL | {"origin": origin}) == 403


async def test_its_own_origin_is_not_foreign() -> None:
    assert await house().status(LOCAL | {"origin": "http://localhost:8000"}) == 200
    rewritten = {"host": "localhost:1", "origin": "https://llm.example", "sec-fetch-site": "same-origin"}
    assert await house("off").status(rewritten) == 200


# --- the token


async def enter(home: House, token: str, **scope: Any) -> Decision:
    return await home.visit(params={"token": token}, **scope)


async def test_the_link_sets_a_cookie_that_opens_the_dashboard() -> None:
    home = house("token", environ={"MIHARU_TOKEN": "s3cret; with=odd \N{SNOWMAN} signs"})
    entered = await enter(home, "s3cret; with=odd \N{SNOWMAN} signs")
    assert entered.page is not None
    assert entered.page.status == 303
    assert headers_of(entered)["Location"] == "./"
    cookie = headers_of(entered)["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "path" not in cookie.lower()
    assert "secure" not in cookie.lower()
    assert "s3cret" not in cookie
    (name, morsel), *rest = SimpleCookie(cookie).items()
    assert not rest
    assert name.startswith("miharu_")
    returning = await home.visit(LOCAL | {"cookie": f"other=1; {name}={morsel.value}"})
    assert returning == Decision(access="token")


async def test_the_cookie_is_for_https_alone_where_that_is_spoken() -> None:
    entered = await enter(house(environ={"MIHARU_TOKEN": "s3cret"}), "s3cret", scheme="https")
    assert "; Secure" in headers_of(entered)["Set-Cookie"]


@pytest.mark.parametrize("said", ["https", "https, http"])
async def test_the_cookie_is_for_https_alone_where_a_proxy_says_so(said: str) -> None:
    home = house(environ={"MIHARU_TOKEN": "s3cret"})
    entered = await home.visit(LOCAL | {"x-forwarded-proto": said}, params={"token": "s3cret"})
    assert "; Secure" in headers_of(entered)["Set-Cookie"]


async def test_a_link_followed_from_another_site_arrives() -> None:
    """A Strict cookie does not survive a redirect that another site began; our page makes the next step."""
    home = house(environ={"MIHARU_TOKEN": "s3cret"})
    entered = await home.visit(
        LOCAL | {"sec-fetch-site": "cross-site"} | NAVIGATION, params={"token": "s3cret"}
    )
    assert entered.page is not None
    assert entered.page.status == 200
    assert b'http-equiv="refresh" content="0; url=./"' in entered.page.body
    assert "Set-Cookie" in headers_of(entered)


@pytest.mark.parametrize("guess", ["", "s3cre", "s3cret ", "S3CRET", "s3crets", "\N{SNOWMAN}", "\ud800"])
async def test_a_guessed_token_opens_nothing(guess: str) -> None:
    refused = await enter(house(environ={"MIHARU_TOKEN": "s3cret"}), guess)
    assert refused.page is not None
    assert refused.page.status == 403
    assert "Set-Cookie" not in headers_of(refused)


@pytest.mark.parametrize("value", ["", "s3cret", "0" * 64])
async def test_a_wrong_cookie_opens_nothing(value: str) -> None:
    home = house(environ={"MIHARU_TOKEN": "s3cret"})
    name = secret.cookie_name(MEMORY)
    assert await home.status(LOCAL | {"cookie": f"{name}={value}"}) == 403
    right = secret.cookie_value("s3cret", secret.token_for(MEMORY))
    assert await home.status(LOCAL | {"cookie": f"x{name}={right}; {name}x={right}"}) == 403
    assert await home.status(LOCAL | {"cookie": f"{secret.cookie_name('other')}={right}"}) == 403


async def test_a_program_sends_the_token_in_a_header() -> None:
    home = house(environ={"MIHARU_TOKEN": "s3cret"})
    assert await home.status(LOCAL | {"authorization": "Bearer s3cret"}) == 200
    assert await home.status(LOCAL | {"authorization": "Bearer wrong"}) == 403
    assert await home.status(LOCAL | {"authorization": "Basic s3cret"}) == 403


async def test_a_chosen_token_asks_local_visitors_too() -> None:
    assert await house(environ={"MIHARU_TOKEN": "s3cret"}).status() == 403


async def test_the_refusal_says_what_to_do_and_shows_nothing_else(tmp_path: Path) -> None:
    home = house("token", file=tmp_path / "calls.db")
    refused = await home.visit()
    assert refused.page is not None
    text = refused.page.body.decode()
    for remedy in ("log", "MIHARU_TOKEN", "?token=", "miharu.asgi(auth="):
        assert remedy in text
    for hidden in (str(tmp_path), "calls.db", secret.token_for(home.database)):
        assert hidden not in text
    assert "Content-Security-Policy" in headers_of(refused)


async def test_the_link_is_logged_once_with_the_path_that_was_asked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = house("token", file=tmp_path / "calls.db")
    home.base = "/a b/miharu\n/"
    for host in (
        "evil.example",
        "evil.example",
        "6.6.6.6",
        "localhost:8000",
        "localhost:8001",
        "evil.example",
    ):
        await home.visit({"host": host})
    token = (tmp_path / "calls.db.token").read_text().strip()
    assert {(record.name, record.levelno) for record in caplog.records} == {("miharu", logging.WARNING)}
    without, with_host = [record.getMessage() for record in caplog.records]
    assert f" /a%20b/miharu%0A/?token={token} " in without
    assert f" http://localhost:8000/a%20b/miharu%0A/?token={token} " in with_host
    assert "evil.example" not in caplog.text
    assert (await enter(home, token)).page is not None


@pytest.mark.parametrize(
    ("headers", "scope", "link"),
    [
        ({"host": "127.0.0.1:8000"}, {}, "http://127.0.0.1:8000/miharu/"),
        ({"host": "[::1]:8000"}, {}, "http://[::1]:8000/miharu/"),
        ({"host": "app.localhost"}, {}, "http://app.localhost/miharu/"),
        ({"host": "localhost:8443"}, {"scheme": "https"}, "https://localhost:8443/miharu/"),
        ({"host": "llm.example"}, {}, "http://llm.example/miharu/"),
        ({"host": "llm.example", "x-forwarded-proto": "https"}, {}, "https://llm.example/miharu/"),
        ({"host": "10.0.0.7:8000"}, {"server": ("10.0.0.7", 8000)}, "http://10.0.0.7:8000/miharu/"),
        ({"host": "10.0.0.8:8000"}, {"server": ("10.0.0.7", 8000)}, "/miharu/"),
        ({"host": "evil.example"}, {"server": None}, "/miharu/"),
        ({}, {"server": None}, "/miharu/"),
    ],
)
async def test_the_link_has_its_host_where_that_is_sure(
    headers: dict[str, str],
    scope: dict[str, Any],
    link: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    keys = Keys({}, lambda _, text: logging.getLogger("miharu").warning(text))
    visit = Visit(scope=scope, headers=headers, params={}, base="/miharu/")
    database = f"sqlite+aiosqlite:///{tmp_path / 'calls.db'}"
    await keys.check(visit, database, known=Hosts(["llm.example"]))
    assert f" Open {link}?token=" in caplog.text


@pytest.mark.parametrize("host", ["evil.example", "localhost:8000"])
async def test_the_token_in_the_link_can_be_read_in_the_log(
    host: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What takes credentials out of the log leaves this one, with its host and without."""
    handler = logging.StreamHandler(sys.stdout)
    logging.getLogger("miharu").addHandler(handler)
    watch_log()
    try:
        await house("token", file=tmp_path / "calls.db").visit({"host": host})
    finally:
        logging.getLogger("miharu").removeHandler(handler)
    token = (tmp_path / "calls.db.token").read_text().strip()
    assert f"/miharu/?token={token} once in each browser." in capsys.readouterr().out


async def test_a_token_that_somebody_chose_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    await house(environ={"MIHARU_TOKEN": "s3cret"}).visit()
    assert "s3cret" not in caplog.text
    assert "?token=<the value of MIHARU_TOKEN>" in caplog.text


# --- the modes


async def test_off_lets_everybody_in() -> None:
    assert await house("off").visit({"host": "llm.example"}, client=None) == Decision(access="open")


async def test_the_hosts_own_function_decides_by_the_hosts_own_scope() -> None:
    async def allow(scope: Mapping[str, Any]) -> bool:
        return bool(scope["user"] == "ann")

    assert await house(allow).visit(user="ann") == Decision(access="custom")
    assert await house(allow).status(user="bob") == 403
    assert await house(lambda scope: scope["user"] == "ann").status(user="ann") == 200
    assert await house(lambda scope: None).status() == 403


@pytest.mark.parametrize("answer", [1, "ann", {"user": "ann"}, object()])
async def test_what_is_only_true_in_a_way_lets_nobody_in_and_is_said_once(
    answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A response that redirects to the login page would be true as well."""
    home = house(lambda scope: answer)
    assert await home.status() == 403
    assert await home.status() == 403
    assert caplog.text.count("only True lets a visitor in") == 1


async def test_the_environment_speaks_where_the_argument_says_auto() -> None:
    assert await house(environ={"MIHARU_AUTH": "token"}).status() == 403
    assert await house(environ={"MIHARU_AUTH": "off"}, terminal=False).status() == 200
    assert await house("token", environ={"MIHARU_AUTH": "off"}).status() == 403


@pytest.mark.parametrize("auth", ["yes", "", None, True, 3, "AUTO"])
def test_a_nonsense_auth_raises_at_once(auth: Any) -> None:
    with pytest.raises(ConfigError, match="auto, token, off"):
        Access(auth)


async def test_a_nonsense_environment_asks_for_the_token_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    home = house(environ={"MIHARU_AUTH": "everyone", "MIHARU_TOKEN": "s3cret"})
    assert await home.status() == 403
    assert await home.status() == 403
    assert caplog.text.count("MIHARU_AUTH='everyone'") == 1


async def test_the_dashboard_on_its_own_needs_no_terminal_but_keeps_the_other_checks() -> None:
    home = house(terminal=False, environ={"APP_ENV": "production"}, fallback="local")
    assert await home.status() == 200
    assert await home.status({"host": "rebound.example"}) == 403
    assert await home.status(LOCAL | {"via": "1.1 proxy"}) == 403
    assert await house(fallback="token").status() == 403


# --- the names by which it may be asked for


REBOUND = [
    ("rebound.example:8000", "127.0.0.1", {}, 403),
    ("rebound.example", "192.168.1.7", {}, 403),
    ("rebound.example.", "172.17.0.1", {}, 403),
    ("REBOUND.EXAMPLE", "::1", {}, 403),
    ("rebound.example", "8.8.8.8", {}, 200),  # who can be reached from there needs no such trick
    ("rebound.example", None, {}, 200),  # a Unix socket, which no browser can reach
    ("llm.example", "127.0.0.1", {"sec-fetch-site": "none"}, 200),  # behind a proxy that speaks TLS
    ("localhost:8000", "127.0.0.1", {}, 200),
    ("192.168.1.7:8000", "192.168.1.8", {}, 200),
    ("[fd00::7]:8000", "192.168.1.8", {}, 200),
    ("devbox:8000", "192.168.1.8", {}, 200),
    ("devbox.local", "192.168.1.8", {}, 200),
]


@pytest.mark.parametrize(("host", "client", "more", "status"), REBOUND)
async def test_an_open_dashboard_is_not_shown_to_a_page_that_was_rebound(
    host: str, client: str | None, more: dict[str, str], status: int
) -> None:
    """Its page can send any header but those that begin with Sec-."""
    forged = {"host": host, "x-forwarded-for": "8.8.8.8"} | more
    assert await house("off").status(forged, client=client and (client, 5000)) == status


@pytest.mark.parametrize("auth", ["auto", "token", "off", lambda scope: True])
async def test_where_names_are_given_no_other_is_answered(auth: Any) -> None:
    home = house(auth, allowed_hosts=["llm.example", ".corp.example"])
    for host in ("evil.example", "xllm.example", "llm.example.evil", "corp.example.evil", "10.0.0.1", ""):
        refused = await home.visit({"host": host})
        assert refused.page is not None
        assert b"allowed_hosts" in refused.page.body


@pytest.mark.parametrize(
    "host", ["llm.example", "LLM.example:8000", "corp.example", "a.b.corp.example:1", "localhost:8000"]
)
async def test_a_given_name_is_as_good_as_localhost(host: str) -> None:
    hosts = ["llm.example", ".corp.example"]
    named = {"host": host}
    assert await house(allowed_hosts=hosts).status(named) == 200
    assert await house(environ={"MIHARU_ALLOWED_HOSTS": "llm.example, .corp.example"}).status(named) == 200
    assert await house(allowed_hosts=hosts).status(named, client=("8.8.8.8", 1)) == 403


@pytest.mark.parametrize("name", ["http://llm.example", "llm.example:80", "llm example", "*", "a/b", "."])
async def test_a_nonsense_name_raises_or_leaves_localhost(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ConfigError, match="allowed_hosts="):
        Access(allowed_hosts=[name])
    home = house("off", environ={"MIHARU_ALLOWED_HOSTS": name})
    assert await home.status() == 200
    assert await home.status({"host": "llm.example"}) == 403
    assert caplog.text.count("MIHARU_ALLOWED_HOSTS") == 1


# --- other users of the machine


async def test_another_user_of_the_machine_needs_the_token() -> None:
    assert await house(strangers=lambda scope: True).status() == 403
    assert await house(fallback="local", strangers=lambda scope: True).status() == 403
    assert await house("off", strangers=lambda scope: True).status() == 200


WHYS: dict[str, tuple[dict[str, Any], dict[str, str], dict[str, Any]]] = {
    "through a proxy": ({}, LOCAL | {"via": "1.1 a"}, {}),
    "another machine": ({}, LOCAL, {"client": ("192.168.1.7", 1)}),
    "another name": ({}, {"host": "devbox:8000"}, {}),
    "runs on a server": ({"environ": {"DYNO": "web.1"}}, LOCAL, {}),
    "no terminal": ({"terminal": False}, LOCAL, {}),
    "another user of this machine": ({"strangers": lambda scope: True}, LOCAL, {}),
}


@pytest.mark.parametrize("why", WHYS)
async def test_the_refusal_says_why_it_is_not_open(why: str) -> None:
    options, headers, scope = WHYS[why]
    refused = await house(**options).visit(headers, **scope)
    assert refused.page is not None
    told = {other for other in WHYS if other in refused.page.body.decode().partition("Why: ")[2]}
    assert told == {why}


async def test_where_a_token_was_asked_for_there_is_no_why() -> None:
    refused = await house("token").visit()
    assert refused.page is not None
    assert b"Why" not in refused.page.body


# --- guessing


async def test_a_chosen_token_cannot_be_found_by_trying(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    home = house(environ={"MIHARU_TOKEN": "0815-0815-0815-0815"}, guesses=Guesses(lambda: now[0]))
    right = {"authorization": "Bearer 0815-0815-0815-0815"}
    for guess in range(10):
        assert (await enter(home, f"{guess:04}")).page is not None
    for _ in range(2):
        for shown in (await home.visit(LOCAL | right), await enter(home, "0815-0815-0815-0815")):
            assert shown.page is not None
            assert shown.page.status == 429
            assert headers_of(shown)["Retry-After"] == "60"
    assert await home.status(LOCAL | right, client=("10.0.0.1", 1)) == 200
    assert await home.status() == 403  # who shows nothing is told how to enter
    now[0] = 61.0
    assert await home.status(LOCAL | right) == 200
    assert caplog.text.count("wrong tokens") == 1


async def test_a_guess_is_one_wherever_it_is_shown() -> None:
    home = house(environ={"MIHARU_TOKEN": "0815-0815-0815-0815"})
    name = secret.cookie_name(MEMORY)
    for guess in range(4):
        await home.visit(LOCAL | {"authorization": f"Bearer {guess}"})
        await home.visit(LOCAL | {"authorization": f"bearer {guess}y", "cookie": f"{name}={guess}z"})
        await enter(home, f"{guess}x")
    assert await home.status(LOCAL | {"authorization": "Bearer 0815-0815-0815-0815"}) == 429


async def test_whoever_has_been_in_stays_in_while_others_guess() -> None:
    """Behind a proxy all visitors may have one address."""
    home = house(environ={"MIHARU_TOKEN": "0815-0815-0815-0815"})
    cookie = headers_of(await enter(home, "0815-0815-0815-0815"))["Set-Cookie"].partition(";")[0]
    for guess in range(20):
        await enter(home, f"{guess}")
    assert await home.status() == 403
    assert await home.status(LOCAL | {"authorization": "Bearer 1"}) == 429
    assert await home.status(LOCAL | {"cookie": cookie}) == 200
    mistyped = await home.visit(LOCAL | {"cookie": cookie}, params={"token": "1"})
    assert mistyped.access == "token"


async def test_a_cookie_cannot_be_worked_out_from_a_guessed_token(tmp_path: Path) -> None:
    """So guessing cookies, which are not counted, leads nowhere either."""
    pages = []
    for name in ("a.db", "b.db"):
        home = house(environ={"MIHARU_TOKEN": "0815"}, file=tmp_path / name)
        pages.append(headers_of(await enter(home, "0815"))["Set-Cookie"].partition("=")[2])
    assert pages[0] != pages[1]


async def test_on_several_machines_the_cookie_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They have the database in common, and its password; no file is made for it."""
    cookies = set()
    for machine in ("a", "b"):
        (tmp_path / machine).mkdir()
        monkeypatch.chdir(tmp_path / machine)
        home = house(environ={"MIHARU_TOKEN": "0815"})
        home.database = "postgresql+asyncpg://ann:s3cret@db/calls"
        cookies.add(headers_of(await enter(home, "0815"))["Set-Cookie"])
    assert len(cookies) == 1
    assert not list(tmp_path.rglob("*.token"))
    assert secret.shared_secret("postgresql+asyncpg://ann@db:5432/calls") is None
    assert secret.shared_secret(url_of(tmp_path)) is None


async def test_a_forgotten_tab_does_not_lock_its_owner_out() -> None:
    """It shows the same old cookie every second."""
    home = house(environ={"MIHARU_TOKEN": "0815-0815-0815-0815"})
    for _ in range(100):
        assert await home.status(LOCAL | {"cookie": f"{secret.cookie_name(MEMORY)}=old"}) == 403
    assert (await enter(home, "0815-0815-0815-0815")).page.status == 303  # type: ignore[union-attr]


async def test_a_token_that_was_made_is_too_long_to_be_guessed_and_locks_nobody_out() -> None:
    home = house("token")
    for guess in range(100):
        await enter(home, f"{guess}")
    assert (await enter(home, secret.token_for(MEMORY))).page.status == 303  # type: ignore[union-attr]


async def test_a_short_token_is_said_to_be_one(caplog: pytest.LogCaptureFixture) -> None:
    await house(environ={"MIHARU_TOKEN": "0815"}).visit()
    await house(environ={"MIHARU_TOKEN": "0815-0815-0815-0815"}).visit()
    assert caplog.text.count("16 characters") == 1
    assert "0815" not in caplog.text


# --- the token's file


def test_the_token_is_kept_privately_beside_the_database(tmp_path: Path) -> None:
    database = tmp_path / "calls.db"
    token = secret.token_for(url_of(database))
    file = tmp_path / "calls.db.token"
    assert file.read_text().strip() == token
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(token) >= 40
    assert [file.name for file in tmp_path.iterdir()] == ["calls.db.token"]


def test_a_token_of_ones_own_in_the_file_is_used_and_made_private(tmp_path: Path) -> None:
    file = tmp_path / "calls.db.token"
    file.write_text("a-token-that-somebody-wrote\n")
    file.chmod(0o644)
    assert secret.token_for(url_of(tmp_path / "calls.db")) == "a-token-that-somebody-wrote"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "calls.db.token"
    file.write_text("\n")
    token = secret.token_for(url_of(tmp_path / "calls.db"))
    assert len(token) >= 40
    assert file.read_text().strip() == token


def test_the_folder_is_made_where_it_is_not_there_yet(tmp_path: Path) -> None:
    database = tmp_path / ".miharu" / "calls.db"
    secret.token_for(url_of(database))
    assert (tmp_path / ".miharu").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / ".miharu" / ".gitignore").read_text() == "*\n"


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="no such flag on this system")
def test_a_link_put_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("a-token-that-an-attacker-knows")
    (tmp_path / "calls.db.token").symlink_to(tmp_path / "theirs")
    assert secret.token_for(url_of(tmp_path / "calls.db")) != "a-token-that-an-attacker-knows"


def test_a_file_of_another_user_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "calls.db.token").write_text("a-token-that-an-attacker-knows")
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert secret.token_for(url_of(tmp_path / "calls.db")) != "a-token-that-an-attacker-knows"


def test_that_of_a_database_server_is_kept_where_calls_would_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that all workers of a program ask for the same."""
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)
    url = f"postgresql+asyncpg://ann:s3cret@db/{tmp_path.name}"
    token = secret.token_for(url)
    (file,) = (tmp_path / ".miharu").glob("*.token")
    assert file.read_text().strip() == token
    assert "s3cret" not in file.name
    assert secret.kept(url) == token


def test_without_a_file_the_token_lives_in_memory() -> None:
    assert secret.token_for(MEMORY) == secret.token_for(MEMORY)


def test_several_workers_agree_on_one_token(tmp_path: Path) -> None:
    code = (
        "import sys; from miharu.dashboard.access.secret import token_for;"
        "sys.stdin.read(1); print(token_for(sys.argv[1]))"
    )
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", code, url_of(tmp_path / "calls.db")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        for _ in range(6)
    ]
    answers = set()
    for worker in workers:  # all are started before any is let go
        assert worker.stdin is not None
        worker.stdin.write("!")
        worker.stdin.flush()
    for worker in workers:
        answers.add(worker.communicate(timeout=30)[0].strip())
        assert worker.returncode == 0
    assert len(answers) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["calls.db.token"]


@pytest.fixture
async def busy() -> AsyncIterator[None]:
    """All of the host's threads are taken."""
    limiter = anyio.to_thread.current_default_thread_limiter()
    borrowers = [object() for _ in range(int(limiter.available_tokens))]
    for borrower in borrowers:
        limiter.acquire_on_behalf_of_nowait(borrower)
    yield
    for borrower in borrowers:
        limiter.release_on_behalf_of(borrower)


@pytest.mark.usefixtures("busy")
async def test_a_local_visitor_is_known_without_any_of_the_hosts_threads() -> None:
    with anyio.fail_after(60):
        assert await house().status() == 200


@pytest.mark.usefixtures("busy")
async def test_a_token_is_made_without_any_of_the_hosts_threads(database: Path) -> None:
    one = house("token")
    one.database = f"sqlite+aiosqlite:///{database}"
    with anyio.fail_after(60):
        assert await one.status() == 403
