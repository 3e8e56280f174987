"""A value that makes no sense gets a sentence: it names the parameter and the value, and says what to do.

What is called where a program is put together raises it, as a ``ConfigError``. What is called while a program
serves its users logs it once, and does what it can with the rest. ``test_each_parameter_is_tried`` fails
where a public function has a parameter that is not tried here.
"""

import inspect
import logging
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

import miharu
from miharu import _guard
from miharu.attribution.context import now
from miharu.attribution.resolve import Attribution, attribution_of
from miharu.cli.doctor import environment
from miharu.config import Config
from miharu.testing import FakeProvider


def app(*_: object) -> Any:
    """Stands for an ASGI app."""


def init(**arguments: Any) -> object:
    return Config.resolve(**({"database": ":memory:"} | arguments), environ={})


def middleware(**arguments: Any) -> object:
    return miharu.MiharuMiddleware(**({"app": app} | arguments))


def wsgi_middleware(**arguments: Any) -> object:
    return miharu.MiharuWsgiMiddleware(**({"app": app} | arguments))


async def waits_for_a_loop(environ: object) -> bool:
    return bool(environ)


def budget(**arguments: Any) -> object:
    return miharu.Budget(**({"usd": 1} | arguments))


def price(**arguments: Any) -> object:
    return miharu.Price(**arguments)


class Plugin:
    """What is right but for being a class."""

    api, rules = "acme", ()

    def read(self, *_: object) -> None: ...
    def cost(self, *_: object) -> None: ...
    async def export(self, *_: object) -> None: ...


RAISE: Mapping[Callable[..., object], Mapping[str, tuple[object, ...]]] = {
    init: {
        "database": (7, "", b"calls.db", "://", "sqlite://calls.db", "/"),
        "service": ("", "  ", 7, b"shop"),
        "capture_content": ("yes", 1, "1"),
        "estimate_usage": ("yes", 0),
        "retention": ("", "soon", 0, -1, 1.5, True, "90"),
        "tag_sums": ("team", 7, [7], [""], ["x" * 201], [str(n) for n in range(9)]),
        "content_retention": ("", "soon", 0, -1, 1.5, True),
        "budgets": ("10/day", 10, [10], miharu.Budget(1), {"day": 10}),
        "prices": (
            "cheap",
            object(),
            Plugin,
            {"m": 1},
            {"": miharu.Price(input=1)},
            {7: miharu.Price(input=1)},
        ),
        "update_prices": ("yes", 1, 0),
        "providers": ("openai", 7, Plugin, [Plugin], [object()]),
        "exporters": (7, Plugin, [Plugin], [object()]),
        "redact": ("[a-z]", 7, Plugin),
        "alerts": (
            "errors>5%",
            7,
            [7],
            ["errors"],
            ["errors>5" * 9],
            ["p95>8"],
            ["errors>5% over:1"],
            Plugin,
        ),
        "search": ("yes", 1, 0),
        "ignore": ("localhost", 7, [7], [""], ["route:"], ["https://a.example"]),
    },
    miharu.asgi: {
        "auth": (None, True, "", "on", "Token", 7, [], lambda: True, lambda scope, user: True),
        "allowed_hosts": ("a.example", b"a.example", None, 7, [""], [7], ["https://a.example"], ["a b"]),
        "metrics_token": (7, b"token", [], "", " "),
        "ingest": ("yes", 1, None),
    },
    middleware: {
        "app": (None, "app", {}),
        "path": (None, "", "/", "miharu", 7, b"/miharu"),
        "auth": (None, "on", lambda: True),
        "allowed_hosts": ("a.example", ["a.example:80"]),
        "metrics_token": (7, ""),
    },
    wsgi_middleware: {
        "app": (None, "app", {}),
        "path": (None, "", "/", "miharu", 7, b"/miharu"),
        "auth": (None, "on", lambda: True, waits_for_a_loop),
        "allowed_hosts": ("a.example", ["a.example:80"]),
        "metrics_token": (7, ""),
    },
    budget: {
        "usd": ("10", None, 0, -1, True, 1e400, float("nan"), 10**400, Decimal("sNaN"), Decimal(0)),
        "per": ("week", "", None, 7, ["day"]),
        "name": ("", 7),
        "user": ("", 7),
        "route": ("", 7),
        "service": ("", 7),
        "tag": ("team", "ab", ("team",), ("team", 7), ["a", "b", "c"], {"team": "search"}),
        "each": ("team", "", 7),
        "refuse": ("yes", 1, None),
        "on_exceeded": ("print", 7),
        "webhook": ("example.com", "ftp://a", 7, "", "http://"),
    },
    price: dict.fromkeys(
        (
            *("input", "output", "cached_input", "cache_write", "cache_write_1h"),
            *("audio_input", "audio_output", "per_request", "per_search"),
        ),
        (-1, "much", True, float("nan"), [1]),
    ),
    miharu.observe: {"function": ("name", 7, object, []), "name": (7, "", print), "kind": (7, "", print)},
    miharu.span: {"name": (print, Plugin)},
    miharu.check_budget: {"tags": (["team"], "team", 7)},
    miharu.flush: {"timeout": ("5", None, True, float("nan"))},
    miharu.shutdown: {"timeout": ("5", None, True, float("nan"))},
    FakeProvider: {
        "answer": (7, ["hello"]),
        "latency": ("1", -1, None),
        "chunk_latency": ("1", -1, print),
        "retry_after": ("1", -1, None),
        "compress": (),
        "port": ("80", -1, 65536, None),
        "clock": (7, None),
        "ids": ("id", None),
    },
}
REMEDIES = ("give", "choose", "write", "name a", "leave out", "docs/plugins.md")
UNSHOWN = {"database", "webhook", "metrics_token"}
"""A password may be in it."""
ANYTHING: Mapping[Callable[..., object], set[str]] = {
    # What these are given is made text, and what cannot be is named by its kind.
    miharu.context: {"user", "session", "route", "prompt"},
    miharu.check_budget: {"user", "route"},
    miharu.score: {"comment"},
    FakeProvider: {"compress"},
}
LOG: Mapping[Callable[..., object], Mapping[str, tuple[object, ...]]] = {
    miharu.context: {"tags": (["team"], "team", 7, {"team"})},
    miharu.span: {"name": ("", None, 7), "kind": ("", 7, "two words")},
    miharu.score: {
        "target": (None, "", "42", 7),
        "name": ("", None, 7),
        "value": ("much", None, [], 10**400),
    },
    miharu.mark: {
        "name": ("", None, 7),
        "at": ("soon", [], 10**400),
        "service": (7,),
        "tags": (["team"], "team", 7),
    },
}


@pytest.mark.parametrize(
    ("function", "name", "value"),
    [
        pytest.param(function, name, value, id=f"{function.__name__}-{name}-{str(value)[:20]}")
        for function, parameters in RAISE.items()
        for name, values in parameters.items()
        for value in values
    ],
)
def test_a_wrong_value_is_named_with_a_remedy(
    function: Callable[..., object], name: str, value: object
) -> None:
    positional = function is miharu.observe and name == "function"
    with pytest.raises(miharu.ConfigError) as caught:
        function(value) if positional else function(**{name: value})
    said = str(caught.value)
    assert name in said or positional
    one = (
        value[0]
        if isinstance(value, list) and value
        else next(iter(value))
        if isinstance(value, dict) and value
        else value
    )
    assert name in UNSHOWN or repr(value) in said or repr(one) in said or str(value) in said
    assert said.endswith(".")
    assert any(word in said for word in REMEDIES)


def _given(function: Callable[..., object], name: str, value: object) -> None:
    rest: dict[str, object] = {}
    if function is miharu.score:
        rest = {"target": "0" * 31 + "1", "name": "helpful", "value": 1}
    elif function is miharu.mark:
        rest = {"name": "deploy"}
    elif function is miharu.span:
        rest = {"name": "work"}
    result = function(**(rest | {name: value}))
    if result is not None:
        with result:  # type: ignore[attr-defined]
            pass


@pytest.mark.parametrize(
    ("function", "name", "value"),
    [
        pytest.param(function, name, value, id=f"{function.__name__}-{name}-{str(value)[:20]}")
        for function, parameters in LOG.items()
        for name, values in parameters.items()
        for value in values
    ],
)
def test_a_wrong_value_while_serving_is_logged_and_raises_nothing(
    function: Callable[..., object],
    name: str,
    value: object,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_guard, "_said", set())
    failures = _guard.failures()
    with caplog.at_level(logging.WARNING, "miharu"):
        _given(function, name, value)
    [record] = caplog.records
    assert repr(value) in record.getMessage() or str(value) in record.getMessage()
    assert "give" in record.getMessage()
    assert record.exc_info is None
    assert _guard.failures() == failures


def test_a_wrong_value_while_serving_is_said_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_guard, "_said", set())
    for number in range(3):
        with miharu.context(tags=[number]):  # type: ignore[arg-type]
            pass
    assert len(caplog.records) == 1


def test_what_is_right_beside_a_wrong_value_holds() -> None:
    with miharu.context(user="ann", session="s", tags=["team"]):  # type: ignore[arg-type]
        found: Attribution = attribution_of(*now())
    assert (found.user_id, found.session_id, found.tags) == ("ann", "s", None)


def test_an_empty_user_or_session_is_none() -> None:
    with miharu.context(user="", session=""):
        found = attribution_of(*now())
    assert (found.user_id, found.session_id) == (None, None)


@pytest.mark.parametrize(
    "name",
    [
        "init",
        "asgi",
        "MiharuMiddleware",
        "Budget",
        "observe",
        "span",
        "context",
        "check_budget",
        "score",
        "flush",
        "shutdown",
    ],
)
def test_each_parameter_is_tried(name: str) -> None:
    public = getattr(miharu, name)
    stand_ins = {"MiharuMiddleware": middleware, "MiharuWsgiMiddleware": wsgi_middleware, "Budget": budget}
    tried = {"init": init, **stand_ins}.get(name, public)
    parameters = {*RAISE.get(tried, ()), *LOG.get(tried, ()), *ANYTHING.get(tried, ())}
    assert {*inspect.signature(public).parameters} == parameters


def test_each_public_function_is_among_them() -> None:
    without_parameters = {"capture", "stats", "trace_id"}
    twins = {"aflush": miharu.flush, "ashutdown": miharu.shutdown}
    for name in miharu.__all__:
        public = getattr(miharu, name)
        if inspect.isfunction(public) and name not in without_parameters:
            assert name == "init" or twins.get(name, public) in {**RAISE, **LOG}, name


async def test_the_twins_for_coroutines_say_it_too() -> None:
    for function in (miharu.aflush, miharu.ashutdown):
        with pytest.raises(miharu.ConfigError, match=r"timeout\)='5': give seconds as a number"):
            await function("5")  # type: ignore[arg-type]


@pytest.mark.parametrize("timeout", [-1, 0, float("inf"), 10**12])
def test_a_timeout_may_be_over_or_for_ever(timeout: float) -> None:
    miharu.init(":memory:")
    miharu.flush(timeout)
    assert isinstance(miharu.shutdown(min(timeout, 5)), bool)


VARIABLES = {
    "MIHARU_DATABASE_URL": "sqlite://calls.db",
    "MIHARU_CAPTURE_CONTENT": "perhaps",
    "MIHARU_SEARCH": "perhaps",
    "MIHARU_ESTIMATE_USAGE": "2",
    "MIHARU_RETENTION": "90",
    "MIHARU_CONTENT_RETENTION": "soon",
    "MIHARU_BUDGET": "ten",
    "MIHARU_ALERTS": "errors>many",
    "MIHARU_ALERT_WEBHOOK": "example.com",
    "MIHARU_IGNORE": "route:",
    "MIHARU_EXPORTERS": "nowhere",
    "MIHARU_AUTH": "on",
    "MIHARU_ALLOWED_HOSTS": "https://a.example",
    "MIHARU_DISABLED": "perhaps",
}
SECRET = {"MIHARU_ALERT_WEBHOOK"}
"""Whose value is not shown."""
ANY_TEXT = {"MIHARU_SERVICE", "MIHARU_TOKEN", "MIHARU_METRICS_TOKEN"}


def test_each_variable_is_tried() -> None:
    assert {*VARIABLES, *ANY_TEXT} == {*environment.VARIABLES}


@pytest.mark.parametrize(("name", "value"), VARIABLES.items())
def test_a_variable_that_makes_no_sense_is_logged_and_stops_nothing(
    name: str, value: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MIHARU_DATABASE_URL", str(tmp_path / "calls.db"))
    monkeypatch.setenv(name, value)
    miharu.init()
    with TestClient(Starlette(routes=[Mount("/miharu", miharu.asgi())])) as client:
        assert client.get("/miharu/").status_code in {200, 403, 503}
    [said] = [record.getMessage() for record in caplog.records if name in record.getMessage()]
    assert (repr(value) in said) is (name not in SECRET)
    assert "Until then" in said


@pytest.mark.parametrize("name", VARIABLES)
def test_the_doctor_names_each_variable_that_makes_no_sense(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each, value in VARIABLES.items():
        monkeypatch.setenv(each, value)
    said = [finding.text for finding in environment.findings() if finding.mark == "wrong"]
    assert len(said) == len(VARIABLES)
    [found] = [text for text in said if re.match(rf"{name}\b", text)]
    assert (VARIABLES[name] in found) is (name not in SECRET)


def test_variables_that_are_empty_are_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment.VARIABLES:
        monkeypatch.setenv(name, "")
    assert Config.resolve(":memory:") == Config.resolve(":memory:", environ={})
    assert not [finding for finding in environment.findings() if finding.mark == "wrong"]
