"""The app behind the middleware, and the server before it, notice nothing of it."""

import io
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.util import FileWrapper

import pytest

from miharu._wsgi.middleware import MiharuWsgiMiddleware
from miharu.attribution import context

from .driver import ask, environ_of, steps_of


def start(*_: Any) -> Any:
    """A server's ``start_response`` that nobody listens to."""


class Closing:
    """An answer that counts how often it is closed."""

    def __init__(self, *parts: bytes, fails: BaseException | None = None) -> None:
        self.parts, self.fails, self.closed = parts, fails, 0

    def __iter__(self) -> Iterator[bytes]:
        yield from self.parts
        if self.fails:
            raise self.fails

    def close(self) -> None:
        self.closed += 1


def answering(answer: Any) -> Any:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return answer

    return MiharuWsgiMiddleware(app)


def test_environ_and_start_response_are_the_servers_own() -> None:
    seen: list[Any] = []

    def app(*given: Any) -> list[bytes]:
        seen.append(given)
        return []

    environ = environ_of("/x", SCRIPT_NAME="/pre", HTTP_COOKIE="a=b")
    before = dict(environ)
    MiharuWsgiMiddleware(app)(environ, start)
    [(theirs, starts)] = seen
    assert theirs is environ
    assert starts is start
    assert environ == before


def test_what_the_app_puts_into_the_environ_is_left_there() -> None:
    """A server or an outer middleware may look for it."""
    environ = environ_of("/x")

    def app(environ: Any, start_response: Any) -> list[bytes]:
        environ["mine"] = 7
        return []

    MiharuWsgiMiddleware(app)(environ, start)
    assert environ["mine"] == 7


@pytest.mark.parametrize("answer", [[], [b"one"], (b"one", b"two")])
def test_a_list_or_a_tuple_is_handed_on_as_it_is(answer: Any) -> None:
    assert answering(answer)(environ_of(), start) is answer


def test_a_file_is_handed_on_as_the_server_has_wrapped_it() -> None:
    wrapped = FileWrapper(io.BytesIO(b"file"))
    assert answering(wrapped)(environ_of(**{"wsgi.file_wrapper": FileWrapper}), start) is wrapped
    plain = io.BytesIO(b"file")  # uWSGI's wrapper is a function, and gives the file back
    assert answering(plain)(environ_of(**{"wsgi.file_wrapper": lambda file: file}), start) is plain
    stepped = answering(wrapped)(environ_of(), start)
    assert stepped is not wrapped
    assert steps_of(stepped) == b"file"


@pytest.mark.parametrize("answer", [None, 7])
def test_what_is_no_answer_is_the_servers_affair(answer: Any) -> None:
    assert answering(answer)(environ_of(), start) is answer


def test_a_generator_comes_piece_by_piece() -> None:
    made: list[int] = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        for number in range(3):
            made.append(number)
            yield b"%d" % number

    answered = MiharuWsgiMiddleware(app)(environ_of(), start)
    assert made == []
    steps = iter(answered)
    assert next(steps) == b"0"
    assert made == [0]
    assert list(steps) == [b"1", b"2"]


def test_an_answer_is_closed_once() -> None:
    answer = Closing(b"one", b"two")
    answered: Any = answering(answer)(environ_of(), start)
    assert steps_of(answered) == b"onetwo"
    assert answer.closed == 1
    answered.close()
    assert answer.closed == 1


def test_it_is_closed_before_its_end_when_the_server_stops() -> None:
    answer = Closing(b"one", b"two")
    answered: Any = answering(answer)(environ_of(), start)
    assert next(iter(answered)) == b"one"
    answered.close()
    assert answer.closed == 1


def test_it_is_closed_without_a_step() -> None:
    answer = Closing()
    answered: Any = answering(answer)(environ_of(), start)
    answered.close()
    assert answer.closed == 1


def test_a_close_of_none_is_no_matter() -> None:
    answered: Any = answering(iter([b"one"]))(environ_of(), start)
    assert steps_of(answered) == b"one"


def test_what_closing_raises_is_raised() -> None:
    class Failing(Closing):
        def close(self) -> None:
            raise LookupError("the host's own")

    answered: Any = answering(Failing(b"one"))(environ_of(), start)
    with pytest.raises(LookupError, match="the host's own"):
        answered.close()


@pytest.mark.parametrize("error", [LookupError("the host's own"), KeyboardInterrupt(), GeneratorExit()])
def test_the_apps_exception_passes(error: BaseException) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        raise error

    with pytest.raises(type(error)) as caught:
        MiharuWsgiMiddleware(app)(environ_of(), start)
    assert caught.value is error
    answer = Closing(b"one", fails=error)
    with pytest.raises(type(error)) as caught:
        steps_of(answering(answer)(environ_of(), start))
    assert caught.value is error
    assert answer.closed == 1
    assert context.current() is None


def test_its_attributes_are_those_of_the_answer() -> None:
    class Response(Closing):
        status_code = 200

        def __len__(self) -> int:
            return len(self.parts)

    answered: Any = answering(Response(b"one"))(environ_of(), start)
    assert (answered.status_code, len(answered)) == (200, 1)
    unsized: Any = answering(Closing(b"one"))(environ_of(), start)
    assert not hasattr(unsized, "__len__")
    assert not hasattr(unsized, "status_code")


def test_the_old_way_to_write() -> None:
    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        write: Callable[[bytes], object] = start_response("200 OK", [("Content-Type", "text/plain")])
        write(b"written ")
        return [b"and returned"]

    assert ask(MiharuWsgiMiddleware(app), "/x").body == b"written and returned"


def test_an_error_after_the_start() -> None:
    heard: list[Any] = []

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        try:
            raise LookupError("half way")
        except LookupError:
            start_response("500 Oops", [("Content-Type", "text/plain")], sys.exc_info())
        yield b"sorry"

    def starts(status: str, headers: Any, exc_info: Any = None) -> Any:
        heard.append((status, exc_info and exc_info[0]))

    assert steps_of(MiharuWsgiMiddleware(app)(environ_of(), starts)) == b"sorry"
    assert heard == [("200 OK", None), ("500 Oops", LookupError)]
    assert ask(MiharuWsgiMiddleware(app), "/x").status == 500


def test_its_steps_may_be_made_in_other_threads() -> None:
    answered: Any = answering(Closing(b"one", b"two"))(environ_of(), start)
    got: list[bytes] = []
    for _ in range(2):
        thread = threading.Thread(target=lambda: got.append(next(answered)))
        thread.start()
        thread.join()
    assert got == [b"one", b"two"]
    assert context.current() is None


def test_the_body_is_the_apps_to_read() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))]

    more = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "4", "wsgi.input": io.BytesIO(b"body and more")}
    assert ask(MiharuWsgiMiddleware(app), "/x", **more).body == b"body"
