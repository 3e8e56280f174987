"""DNS rebinding: a stranger's name leads a visitor's browser to this machine."""

import pytest

from tests.security.conftest import OpenDoor
from tests.security.world import DOORS, Door, ask, installed, raw

OPEN = ("auto", "off")
STRANGE = [
    "evil.example",
    "evil.example:{port}",
    "evil.example.",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "localhost:{port}.evil.example",
    "evil.example#localhost",
    "user@evil.example",
]
OF_TESTS = ["testserver", "testserver:{port}", "TESTSERVER", "testserver.local"]
"""Names that mean this machine within a test client, and anything over a network."""


def named(door: Door, host: str, target: str = "") -> bytes:
    return f"GET {target or door.at} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode()


@pytest.mark.parametrize("mode", OPEN)
@pytest.mark.parametrize("name", DOORS)
def test_only_known_names_are_answered(name: str, mode: str, door_of: OpenDoor) -> None:
    door = door_of(name, MIHARU_AUTH=mode)
    assert ask(door).tells, door.served.log  # so that the rest means something
    for host in STRANGE:
        answer = raw(door, named(door, host.format(port=door.port)))
        assert answer.status in {400, 403}, host
        assert not answer.tells


@pytest.mark.parametrize("server", installed())
def test_the_names_of_test_clients_mean_nothing_over_a_socket(server: str, door_of: OpenDoor) -> None:
    for name in ("mount", "middleware"):
        door = door_of(name, server, MIHARU_AUTH="auto")
        for host in OF_TESTS:
            answer = raw(door, named(door, host.format(port=door.port)))
            assert (answer.status, answer.tells) == (403, False), host
        assert ask(door).tells


@pytest.mark.full
def test_nor_to_the_dashboard_by_itself(door_of: OpenDoor) -> None:
    door = door_of("standalone", MIHARU_AUTH="auto")
    for host in OF_TESTS:
        for path in ("", "api/calls"):
            answer = ask(door, path, host=host.format(port=door.port))
            assert (answer.status, answer.tells) == (403, False), host


@pytest.mark.parametrize("server", installed())
def test_two_names_at_once_are_none(server: str, door_of: OpenDoor) -> None:
    for name in ("mount", "middleware"):
        door = door_of(name, server, MIHARU_AUTH="auto")
        local = f"localhost:{door.port}"
        assert raw(door, named(door, local)).tells
        for hosts in (["evil.example", local], [local, "evil.example"], [f"{local}, evil.example"], [""]):
            lines = "".join(f"host: {host}\r\n" for host in hosts)
            answer = raw(door, f"GET {door.at} HTTP/1.1\r\n{lines}connection: close\r\n\r\n".encode())
            assert answer.status in {400, 403}, hosts
            assert not answer.tells
        nameless = raw(door, f"GET {door.at} HTTP/1.1\r\nconnection: close\r\n\r\n".encode())
        assert nameless.status in {400, 403}
        for target in ("http://evil.example", f"http://{local}"):
            answer = raw(door, named(door, "evil.example", target + door.at))
            assert not answer.tells, target


@pytest.mark.parametrize("name", DOORS)
def test_no_other_header_names_the_host(name: str, door_of: OpenDoor) -> None:
    door = door_of(name, MIHARU_AUTH="off")
    for header in ("x-forwarded-host", "x-host", "x-forwarded-server", "forwarded"):
        answer = ask(door, host="evil.example", **{header: f"localhost:{door.port}"})
        assert (answer.status, answer.tells) == (403, False), header


def test_the_api_of_the_server_is_as_careful(door_of: OpenDoor) -> None:
    for mode in OPEN:
        door = door_of("standalone", MIHARU_AUTH=mode)
        for path in ("api/calls", "api/totals", "api/groups", "api/openapi.json"):
            assert ask(door, path).status == 200
            answer = ask(door, path, host="evil.example")
            assert (answer.status, answer.tells) == (403, False)


@pytest.mark.parametrize("name", DOORS)
def test_where_names_are_given_they_hold_for_those_with_the_token_too(name: str, door_of: OpenDoor) -> None:
    door = door_of(name, MIHARU_TOKEN="t" * 24, MIHARU_ALLOWED_HOSTS="llm.example")
    bearer = f"Bearer {'t' * 24}"
    assert ask(door, host="llm.example", authorization=bearer).tells
    assert ask(door, host="evil.example", authorization=bearer).status == 403
