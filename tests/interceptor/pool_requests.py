"""requests, as scripts use it."""

import gc
import io
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from .pool_failing import RETRY
from .pools import Pools, scenario
from .server import EVENTS


@contextmanager
def _session(w: Pools, **adapter: Any) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", HTTPAdapter(**adapter))
        yield session
        w.note_pools(session.get_adapter("http://").poolmanager)  # type: ignore[attr-defined]


def _note(w: Pools, response: requests.Response) -> None:
    w.note(
        type(response),
        sorted(vars(response)),
        response.status_code,
        response.reason,
        response.encoding,
        isinstance(response.elapsed, timedelta),
        sorted(response.headers.items()),
        [one.status_code for one in response.history],
        dict(response.cookies),
    )
    w.note_response(response.raw)


def _streamed(w: Pools, how: str, *args: Any, script: str = "stream", **options: Any) -> None:
    w.server.step(50)
    with _session(w) as session, session.post(w.url(script), json={}, stream=True) as response:
        w.note(list(getattr(response, how)(*args, **options)))
        _note(w, response)


@scenario("eof")
def requests_plain(w: Pools) -> None:
    with _session(w) as session:
        response = session.post(w.url("json"), json={"model": "gpt-x"}, headers={"authorization": "Bearer x"})
        w.note(response.json(), response.text, response.content)
        _note(w, response)
        copy = pickle.loads(pickle.dumps(response))
        w.note(sorted(vars(copy)), copy.content, copy.request.url.rpartition("/")[2])


@scenario("eof")
def requests_iter_content(w: Pools) -> None:
    _streamed(w, "iter_content", None)


@scenario("eof")
def requests_iter_content_by_one(w: Pools) -> None:
    _streamed(w, "iter_content", 1)


@scenario("eof")
def requests_iter_content_gzip(w: Pools) -> None:
    _streamed(w, "iter_content", 20, script="gzip")


@scenario("eof")
def requests_iter_lines(w: Pools) -> None:
    _streamed(w, "iter_lines", decode_unicode=True)


@scenario("eof")
def requests_iter_a_measured_body(w: Pools) -> None:
    _streamed(w, "iter_content", 30, script="json")


@scenario("eof")
def requests_raw(w: Pools) -> None:
    w.server.step(50)
    with _session(w) as session, session.post(w.url("gzip"), json={}, stream=True) as response:
        w.note(response.raw.read(10), response.raw.read(decode_content=False))
        _note(w, response)


@scenario("closed")
def requests_left_early(w: Pools) -> None:
    with _session(w) as session, session.post(w.url("stream"), json={}, stream=True) as response:
        for line in response.iter_lines():
            w.note(line)
            break


@scenario("closed")
def requests_closed_unread(w: Pools) -> None:
    with _session(w) as session:
        response = session.post(w.url("stream"), json={}, stream=True)
        response.close()
        _note(w, response)


@scenario("dropped")
def requests_never_read(w: Pools) -> None:
    with _session(w) as session:
        session.post(w.url("stream"), json={}, stream=True)
        gc.collect()


@scenario("error")
def requests_death_between_chunks(w: Pools) -> None:
    w.server.step()
    with _session(w) as session:
        response = session.post(w.url("dying"), json={}, stream=True)
        with w.failing():
            for chunk in response.iter_content(None):
                w.note(chunk)
        _note(w, response)


@scenario("error")
def requests_time_out(w: Pools) -> None:
    with _session(w) as session, w.failing():
        session.post(w.url("silent"), json={}, timeout=0.03)


@scenario("error")
def requests_nobody_there(w: Pools) -> None:
    with _session(w) as session, w.failing():
        session.post("http://127.0.0.1:1/v1/chat/completions", json={})


@scenario("eof", "eof", "eof")
def requests_retried(w: Pools) -> None:
    with _session(w, max_retries=urllib3.Retry(2, raise_on_status=False, **RETRY)) as session:
        response = session.post(w.url("busy"), json={})
        w.note(response.text)
        _note(w, response)


@scenario("eof", "eof")
def requests_redirected(w: Pools) -> None:
    with _session(w) as session:
        response = session.post(w.url("redirect"), json={})
        w.note(response.content, [served.body for served in w.server.served])
        _note(w, response)


@scenario("eof")
def requests_through_a_proxy(w: Pools) -> None:
    with _session(w) as session:
        proxies = {"http": w.server.url}
        response = session.post("http://model.test/json/v1/chat/completions", json={}, proxies=proxies)
        w.note(response.content, w.server.served[0].headers["host"])


@scenario("eof")
def requests_files(w: Pools) -> None:
    with _session(w) as session:
        file = io.BytesIO(b"RIFF" * 100)
        response = session.post(w.url("json"), data={"model": "whisper"}, files={"file": ("a.wav", file)})
        w.note(response.content, b"RIFFRIFF" in w.server.served[0].body, file.tell())


@scenario("eof")
def requests_generator(w: Pools) -> None:
    parts = iter([b'{"model":', b'"gpt-x"}'])
    with _session(w) as session:
        w.note(session.post(w.url("json"), data=parts).content, list(parts), w.server.served[0].body)


@scenario("eof")
def requests_hook_that_reads(w: Pools) -> None:
    w.server.step(len(EVENTS))
    with _session(w) as session:
        session.hooks["response"].append(lambda response, **_: w.note(response.content))
        w.note(list(session.post(w.url("stream"), json={}, stream=True).iter_content(20)))
