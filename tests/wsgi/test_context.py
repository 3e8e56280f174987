"""To whom a call belongs that is made while an app answers by WSGI."""

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

import miharu
from miharu._wsgi.middleware import MiharuWsgiMiddleware
from miharu.attribution import context
from miharu.attribution.resolve import Attribution, attribution_of

from .driver import environ_of, steps_of


def here() -> Attribution:
    return attribution_of(*context.now(), started=1)


def start(*_: Any) -> Any: ...


def served(app: Any, path: str = "/chat/4711", /, **more: Any) -> bytes:
    return steps_of(MiharuWsgiMiddleware(app)(environ_of(path, **more), start))


def test_a_call_has_the_route_the_id_and_the_trace_of_its_request() -> None:
    seen: list[Attribution] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        seen.append(here())
        return [b""]

    trace, span = "1" * 32, "2" * 16
    served(
        app,
        "/chat/4711",
        REQUEST_METHOD="POST",
        HTTP_X_REQUEST_ID="r-1",
        HTTP_TRACEPARENT=f"00-{trace}-{span}-01",
    )
    [one] = seen
    assert (one.route, one.host_request_id) == ("POST /chat/{}", "r-1")
    assert (one.trace_id, one.parent_id) == (trace, span)
    assert context.current() is None


def test_it_holds_in_each_step_of_a_stream_and_in_its_close_and_not_between() -> None:
    seen: list[str | None] = []

    class Answer:
        def __iter__(self) -> Iterator[bytes]:
            seen.append(here().route)
            yield b"one"
            seen.append(here().route)
            yield b"two"

        def close(self) -> None:
            seen.append(here().route)

    def app(environ: Any, start_response: Any) -> Answer:
        return Answer()

    answered: Any = MiharuWsgiMiddleware(app)(environ_of("/x"), start)
    for _ in answered:
        assert context.current() is None
    answered.close()
    assert seen == ["GET /x"] * 3
    assert context.current() is None


def test_what_is_stated_plainly_ends_with_the_request() -> None:
    users: list[str | None] = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        users.append(here().user_id)
        if environ["PATH_INFO"] == "/ann":
            miharu.context(user="ann")
        yield b"one"
        users.append(here().user_id)

    for path in ("/ann", "/bob", "/ann"):
        served(app, path)
        assert here().user_id is None
    assert users == [None, "ann", None, None, None, "ann"]


def test_what_is_stated_plainly_does_not_reach_a_stream_that_is_answered_meanwhile() -> None:
    """A greenlet or a thread may make a step of one, and then a step of another."""
    users: list[tuple[str, str | None]] = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        user = environ["PATH_INFO"][1:]
        miharu.context(user=user)
        for _ in range(3):
            users.append((user, here().user_id))
            yield user.encode()

    middleware = MiharuWsgiMiddleware(app)
    both = [iter(middleware(environ_of(path), start)) for path in ("/ann", "/bob")]
    for _ in range(3):
        for steps in both:
            next(steps)
    assert users == [("ann", "ann"), ("bob", "bob")] * 3
    assert context.current() is None


def test_a_span_around_a_step_holds_in_the_next_and_not_between() -> None:
    parents: list[str | None] = []
    spans: list[str] = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        with miharu.span("answer") as span, miharu.context(session="s"):
            spans.append(span.id)
            yield b"one"
            parents.append(here().parent_id)
            assert here().session_id == "s"
            yield b"two"
        parents.append(here().parent_id)

    answered: Any = MiharuWsgiMiddleware(app)(environ_of("/x"), start)
    for _ in answered:
        assert context.held() is None
        assert here().session_id is None
    answered.close()
    assert parents == [spans[0], None]


def test_a_span_alone_holds_in_the_next_step() -> None:
    parents: list[str | None] = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        with miharu.span("answer") as span:
            yield b"one"
            parents.extend([here().parent_id, span.id])
            yield b"two"

    answered: Any = MiharuWsgiMiddleware(app)(environ_of("/x"), start)
    for _ in answered:
        assert context.held() is None
    assert parents[0] == parents[1]


def test_an_answer_that_is_never_closed_leaves_nothing() -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        miharu.context(user="ann")
        yield b"one"
        yield b"two"

    next(iter(MiharuWsgiMiddleware(app)(environ_of("/x"), start)))
    assert context.current() is None


def test_what_holds_around_the_request_holds_in_it() -> None:
    seen: list[Attribution] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        seen.append(here())
        return []

    with miharu.context(user="ann"):
        served(app)
    assert seen[0].user_id == "ann"


def test_a_request_inside_a_request_gives_back_the_outer_one() -> None:
    seen: list[str | None] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/outer":
            steps_of(middleware(environ_of("/inner"), start))
        seen.append(here().route)
        return []

    middleware = MiharuWsgiMiddleware(app)
    middleware(environ_of("/outer"), start)
    assert seen == ["GET /inner", "GET /outer"]


def origin() -> context.Origin:
    found = context.current()
    assert found is not None
    assert found.origin is not None
    return found.origin


def test_a_visitor_has_gone_when_the_server_closes_before_the_end() -> None:
    left: list[int] = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        one = origin()
        try:
            yield b"one"
            yield b"two"
        finally:
            left.append(one.left)

    answered: Any = MiharuWsgiMiddleware(app)(environ_of("/x"), start)
    next(answered)
    answered.close()
    assert left[0] > 0
    assert served(app) == b"onetwo"
    assert left[1] == 0


def test_a_failing_app_is_no_visitor_that_has_gone() -> None:
    origins: list[context.Origin] = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        origins.append(origin())
        yield b"one"
        raise LookupError

    with pytest.raises(LookupError):
        served(app)
    assert origins[0].left == 0


@pytest.mark.parametrize("kind", ["list", "stream", "error"])
def test_a_call_is_known_after_the_server_has_emptied_the_environ(kind: str) -> None:
    """uWSGI does so; and the prefix that a dispatcher has moved is known then, too."""
    kept: list[Any] = []

    def app(environ: Any, start_response: Any) -> Any:
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = "/pre/in", "/chat/4711"
        kept.append(context.now())
        if kind == "error":
            raise LookupError
        return [b""] if kind == "list" else iter([b""])

    environ = environ_of("/in/chat/4711", SCRIPT_NAME="/pre", **{"bottle.route": Rule("/chat/<key:int>")})
    try:
        steps_of(MiharuWsgiMiddleware(app)(environ, start))
    except LookupError:
        assert kind == "error"
    environ.clear()
    assert attribution_of(*kept[0]).route == "GET /in/chat/{key}"


class Rule:
    def __init__(self, rule: str) -> None:
        self.rule = rule


def test_a_request_that_has_ended_is_let_go_of() -> None:
    class Environ(dict[str, Any]):
        """It can be referred to weakly."""

    kept: list[Any] = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        kept.append(context.now())
        yield b"one"

    environ = Environ(environ_of("/x"))
    seen = weakref.ref(environ)
    gc.collect()
    gc.disable()
    try:
        steps_of(MiharuWsgiMiddleware(app)(environ, start))
        del environ
        assert seen() is None, "the recorder's reference holds the whole request"
    finally:
        gc.enable()
    assert attribution_of(*kept[0]).route == "GET /x"
