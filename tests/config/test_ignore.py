from typing import Any

import pytest

from miharu.call import Call, Outcome
from miharu.config import Config
from miharu.errors import ConfigError


def resolved(*rules: Any, **environ: str) -> Any:
    return Config.resolve(":memory:", ignore=rules or None, environ=environ).ignore


@pytest.mark.parametrize(
    ("rule", "host", "port", "path", "left_out"),
    [
        ("api.example.com", "api.example.com", None, "/v1/chat/completions", True),
        ("API.Example.com", "api.example.com", None, "/v1/chat/completions", True),
        ("api.example.com", "other.example.com", None, "/v1", False),
        ("api.example.com", "api.example.com.evil.example", None, "/v1", False),
        ("*.example.com", "api.example.com", 8080, "/v1", True),
        ("*.example.com", "example.com", None, "/v1", False),
        ("api.example.com/v1/chat/*", "api.example.com", None, "/v1/chat/completions", True),
        ("api.example.com/v1/chat/*", "api.example.com", None, "/v1/embeddings", False),
        ("/v1/embeddings", "api.example.com", None, "/v1/embeddings", True),
        ("/v1/embeddings", "api.example.com", 9, "/v1/embeddings", True),
        ("/v1/embeddings", "api.example.com", None, "/x/v1/embeddings", False),
        ("*/embeddings", "api.example.com", None, "/x/v1/embeddings", False),
        ("/*/embeddings", "api.example.com", None, "/x/v1/embeddings", True),
        ("localhost:8000", "localhost", 8000, "/v1", True),
        ("localhost:8000", "localhost", 8001, "/v1", False),
        ("localhost:8000", "localhost", None, "/v1", False),
        ("localhost:443", "localhost", None, "/v1", True),
        ("[::1]:8000/v1/*", "::1", 8000, "/v1/x", True),
        ("api.ex.mple", "apiXex.mple", None, "/v1", False),
    ],
)
def test_an_address_is_left_out(rule: str, host: str, port: int | None, path: str, left_out: bool) -> None:
    for ignore in (resolved(rule), resolved(MIHARU_IGNORE=f"other.example, {rule}")):
        assert ignore.addresses()(host, port, path) is left_out


def call(route: str | None = None, **facts: Any) -> Call:
    return Call(id="x", timestamp=1, api="a", outcome=Outcome(status="success"), route=route, **facts)


@pytest.mark.parametrize(
    ("rule", "route", "left_out"),
    [
        ("route:/admin/*", "POST /admin/users", True),
        ("route:/admin/*", "POST /chat", False),
        ("route:/admin/*", "/admin/x", True),
        ("route:POST /chat", "POST /chat", True),
        ("route:POST /chat", "GET /chat", False),
        ("route:celery *", "celery send_mail", True),
        ("route:/chat", None, False),
    ],
)
def test_a_route_is_left_out(rule: str, route: str | None, left_out: bool) -> None:
    ignore = resolved(rule)
    assert ignore.call(call(route)) is left_out
    assert ignore.addresses() is None


def test_a_function_is_asked() -> None:
    ignore = resolved(lambda call: call.model == "m", "route:/x")
    assert ignore.call(call(model="m"))
    assert not ignore.call(call(model="n"))


def test_nothing_is_left_out_where_nothing_is_said() -> None:
    ignore = resolved()
    assert ignore.addresses() is None
    assert not ignore.call(call("POST /chat"))


async def _coroutine(call: Call) -> bool:
    return True


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("api.example.com", "ignore='api.example.com': give a list of them"),
        (5, "ignore=5: give a list"),
        ([5], "ignore=5: give hosts such as"),
        ([""], "ignore='': give hosts such as"),
        (["https://api.example.com"], "leave out the scheme"),
        (["api.example.com/v1?x=1"], "give hosts such as"),
        (["two words"], "give hosts such as"),
        (["route:"], "name a route, such as"),
        ([Call], "give hosts such as"),
        ([_coroutine], "give a plain function"),
    ],
)
def test_a_rule_that_makes_no_sense_is_named(rules: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Config.resolve(":memory:", ignore=rules, environ={})
    assert message in str(caught.value)
    assert caught.value.setting == "ignore"


def test_a_variable_that_makes_no_sense_is_named() -> None:
    with pytest.raises(ConfigError, match="MIHARU_IGNORE") as caught:
        resolved(MIHARU_IGNORE="https://x")
    assert caught.value.setting == "MIHARU_IGNORE"


@pytest.mark.parametrize("given", [5, "text", Call, _coroutine])
def test_a_redact_that_is_no_function_is_named(given: Any) -> None:
    with pytest.raises(ConfigError, match="redact="):
        Config.resolve(":memory:", redact=given, environ={})
