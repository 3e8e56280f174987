"""urllib3's own usage: bodies read in every way that it has, and left in every way."""

import gc
import io
from importlib.metadata import version
from itertools import count
from typing import Any

import urllib3

from .pools import Pools, scenario

CLOSED_FIFTY: Any = ("closed",) * 50


def _streamed(w: Pools, script: str, amount: int | None, **options: Any) -> None:
    with w.manager() as manager:
        response = w.open(manager, script)
        w.note_response(response)
        w.note(list(response.stream(amount, **options)))
        w.note_response(response)
        w.note(response.read(), response.data)


@scenario("eof")
def preloaded(w: Pools) -> None:
    with w.manager() as manager:
        response = manager.request("POST", w.url("json"), body=b"{}")
        w.note(response.data, response.read(), response.data)
        w.note_response(response)


@scenario("eof")
def preloaded_stream(w: Pools) -> None:
    with w.manager() as manager:
        response = w.open(manager, "stream", preload_content=True)
        w.note(response.data)
        w.note_response(response)


@scenario("eof")
def preloaded_gzip(w: Pools) -> None:
    with w.manager() as manager:
        response = w.open(manager, "gzip", steps=50, preload_content=True)
        w.note(response.data)
        w.note_response(response)


@scenario("eof")
def preloaded_gzip_not_decoded(w: Pools) -> None:
    with w.manager() as manager:
        response = w.open(manager, "gzip", steps=50, preload_content=True, decode_content=False)
        w.note(response.data)
        w.note_response(response)


@scenario("eof")
def preloaded_empty(w: Pools) -> None:
    with w.manager() as manager:
        response = manager.request("POST", w.url("empty"), body=b"{}")
        w.note(response.data)
        w.note_response(response)


@scenario("eof")
def empty_unread_and_closed(w: Pools) -> None:
    with w.manager() as manager:
        w.open(manager, "empty").close()


@scenario("eof")
def chunks_whole(w: Pools) -> None:
    _streamed(w, "stream", None)


@scenario("eof")
def chunks_of_two_bytes(w: Pools) -> None:
    _streamed(w, "stream", 2)


@scenario("eof")
def chunks_of_64_bytes(w: Pools) -> None:
    _streamed(w, "stream", 64)


@scenario("eof")
def chunks_by_default(w: Pools) -> None:
    _streamed(w, "stream", 65536)


@scenario("eof")
def chunks_that_look_like_their_own_ends(w: Pools) -> None:
    _streamed(w, "lines", 65536)


@scenario("eof")
def chunks_that_look_like_their_own_ends_in_twos(w: Pools) -> None:
    _streamed(w, "lines", 2)


@scenario("eof")
def chunks_that_look_like_their_own_ends_read(w: Pools) -> None:
    with w.manager() as manager:
        response = w.open(manager, "lines")
        w.note(list(iter(lambda: response.read(3), b"")))
        w.note_response(response)


@scenario("eof")
def chunks_compressed(w: Pools) -> None:
    with w.manager() as manager:
        response = w.open(manager, "gzip", steps=50)
        w.note(b"".join(response.stream(16)))
        w.note_response(response)


@scenario("eof")
def chunks_compressed_and_kept_so(w: Pools) -> None:
    with w.manager() as manager:
        response = w.open(manager, "gzip", steps=50)
        w.note(list(response.stream(16, decode_content=False)))
        w.note_response(response)


@scenario("eof")
def read_whole(w: Pools) -> None:
    with w.manager() as manager:
        response = w.open(manager, "stream")
        w.note(response.read(cache_content=True), response.data, response.read())
        w.note_response(response)


@scenario("eof")
def read_by_seven_bytes(w: Pools) -> None:
    with w.manager() as manager:
        response = w.open(manager, "json")
        while piece := response.read(7):
            w.note(piece)
            w.note(response.tell(), response.length_remaining)
        w.note_response(response)


@scenario("eof")
def read_nothing_first(w: Pools) -> None:
    with w.manager() as manager:
        response = w.open(manager, "json")
        w.note(response.read(0), response.read(5), response.read())
        w.note_response(response)


@scenario("eof")
def read_of_an_unmeasured_body(w: Pools) -> None:
    with w.manager() as manager:
        response = w.open(manager, "unmeasured")
        w.note(list(response.stream(50)))
        w.note_response(response)


@scenario("eof")
def read_as_it_comes(w: Pools) -> None:
    with w.manager() as manager:
        response = w.open(manager, "json")
        if hasattr(response, "read1") and version("urllib3") >= "2":
            while piece := response.read1():
                w.note(len(piece) > 0)
        else:
            response.read()
        w.note_response(response)


@scenario("eof")
def read_as_the_chunks_come(w: Pools) -> None:
    with w.manager() as manager:
        response = w.open(manager, "stream")
        if hasattr(response, "read1") and version("urllib3") >= "2":
            while response.read1():
                pass
        else:
            response.read()
        w.note_response(response)


@scenario("eof")
def read_through_a_buffer(w: Pools) -> None:
    with w.manager() as manager:
        response = w.open(manager, "stream")
        response.auto_close = False
        w.note(list(io.TextIOWrapper(io.BufferedReader(response, 16))))


@scenario("eof")
def lines(w: Pools) -> None:
    with w.manager() as manager:
        response = w.open(manager, "stream")
        w.note(list(response))
        w.note_response(response)


@scenario("eof")
def drained(w: Pools) -> None:
    with w.manager(maxsize=1, block=True) as manager:
        response = w.open(manager, "stream")
        response.drain_conn()
        response.release_conn()
        w.note_response(response)


@scenario("closed")
def released_unread(w: Pools) -> None:
    with w.manager() as manager:
        response = w.open(manager, "json")
        response.release_conn()
        w.note(response.connection)
        response.close()
        w.note_response(response)


@scenario("error", "closed")
def released_unread_and_asked_again(w: Pools) -> None:
    """The connection still owes the first answer, so urllib3 cannot ask a second time."""
    with w.manager(retries=1) as manager:
        response = w.open(manager, "stream", steps=0)
        response.release_conn()
        with w.failing():
            w.note(manager.request("POST", w.url("json"), body=b"{}", retries=False).data)
        response.close()


@scenario("closed")
def left_early(w: Pools) -> None:
    with w.manager() as manager:
        response = w.open(manager, "stream", steps=0)
        for chunk in response.stream():
            w.note(chunk)
            break
        w.note(response.closed)
        gc.collect()
        response.close()
        w.note_response(response)


@scenario("closed")
def left_by_an_exception(w: Pools) -> None:
    with w.manager() as manager, w.failing(), w.open(manager, "stream", steps=0) as response:
        for chunk in response.stream():
            raise ValueError(len(chunk))


@scenario("error", "closed")
def left_early_while_another_error_is_handled(w: Pools) -> None:
    """A second provider is asked where the first is not there; its answer has no part in that error."""
    with w.manager() as manager:
        try:
            manager.request("POST", "http://127.0.0.1:1/v1/chat/completions", body=b"{}", retries=False)
        except urllib3.exceptions.HTTPError:
            response = w.open(manager, "stream", steps=0)
            chunks = response.stream()
            w.note(next(chunks))
            chunks.close()
            response.close()


@scenario("error", "closed")
def closed_unread_while_another_error_is_handled(w: Pools) -> None:
    with w.manager() as manager:
        try:
            manager.request("POST", "http://127.0.0.1:1/v1/chat/completions", body=b"{}", retries=False)
        except urllib3.exceptions.HTTPError:
            w.open(manager, "stream", steps=0).close()


@scenario("closed")
def closed_unread(w: Pools) -> None:
    with w.manager() as manager:
        response = w.open(manager, "stream", steps=0)
        response.close()
        response.close()
        w.note_response(response)
        with w.failing():
            w.note(response.read())


@scenario("dropped")
def never_read(w: Pools) -> None:
    with w.manager() as manager:
        response = w.open(manager, "stream", steps=0)
        del response
        gc.collect()


@scenario("closed")
def partly_read_then_dropped(w: Pools) -> None:
    with w.manager() as manager:
        response = w.open(manager, "stream", steps=0)
        chunks = response.stream()
        w.note(next(chunks))
        del response, chunks
        gc.collect()


@scenario(*CLOSED_FIFTY)
def fifty_early_breaks_on_a_small_pool(w: Pools) -> None:
    """A connection that leaked would leave the next request without one."""
    with w.manager(maxsize=1, block=True) as manager:
        for _ in range(50):
            response = w.open(manager, "stream", steps=0, pool_timeout=5)
            for chunk in response.stream():
                w.note(chunk)
                break
            response.close()


@scenario("eof")
def with_a_generator_for_a_body(w: Pools) -> None:
    def parts() -> Any:
        for number in count():
            w.note("asked for", number)
            if number == 2:
                return
            yield b"{}"

    with w.manager() as manager:
        response = manager.request("POST", w.url("json"), body=parts(), headers={"x-a": "1"})
        w.note(response.data, w.server.served[0].body, w.server.served[0].headers.get("transfer-encoding"))


@scenario("eof")
def with_a_file_for_a_body(w: Pools) -> None:
    file = io.BytesIO(b'xx{"model": "m"}')
    file.seek(2)
    with w.manager() as manager:
        response = manager.request("POST", w.url("json"), body=file)
        w.note(response.data, w.server.served[0].body, file.tell(), file.closed)


@scenario("eof")
def with_a_text_for_a_body(w: Pools) -> None:
    with w.manager() as manager:
        w.note(manager.request("POST", w.url("json"), body='{"model": "m"}').data)
        w.note(w.server.served[0].body)


@scenario("eof")
def with_a_form(w: Pools) -> None:
    fields = {"model": "whisper", "file": ("a.wav", b"RIFF" * 100, "audio/wav")}
    with w.manager() as manager:
        w.note(manager.request("POST", w.url("json"), fields=fields, multipart_boundary="b").data)
        w.note(w.server.served[0].body)


@scenario("eof", "eof")
def with_a_pool_and_its_headers(w: Pools) -> None:
    pool = urllib3.connection_from_url(w.server.url, headers={"x-a": "1"})
    for options in ({}, {"headers": {"x-b": "2"}}):
        asked: Any = options
        w.note(pool.urlopen("POST", "/json/v1/chat/completions?a=b", b"{}", **asked).data)
        w.note(w.server.served[-1].headers)
    pool.close()
