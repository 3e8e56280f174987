"""urllib3's own usage: retries, redirects, proxies, time-outs, and answers that break off."""

import io
from typing import Any

import urllib3

from .pools import Pools, scenario

RETRY: dict[str, Any] = {"status_forcelist": (503,), "allowed_methods": None, "backoff_factor": 0}


@scenario("eof", "eof", "eof")
def retried_by_status(w: Pools) -> None:
    with w.manager() as manager, w.failing():
        manager.request("POST", w.url("busy"), body=b"{}", retries=urllib3.Retry(2, **RETRY))


@scenario("eof", "eof")
def retried_by_status_and_returned(w: Pools) -> None:
    retry = urllib3.Retry(1, raise_on_status=False, **RETRY)
    with w.manager() as manager:
        response = manager.request("POST", w.url("busy"), body=b"{}", retries=retry, preload_content=False)
        w.note(response.read())
        w.note_response(response)


@scenario("eof", "eof")
def retried_with_a_file(w: Pools) -> None:
    file = io.BytesIO(b'xx{"model": "m"}')
    file.seek(2)
    retry = urllib3.Retry(1, raise_on_status=False, **RETRY)
    with w.manager() as manager:
        manager.request("POST", w.url("busy"), body=file, retries=retry)
    w.note([served.body for served in w.server.served])


@scenario("error", "error", "error")
def nobody_there(w: Pools) -> None:
    with w.manager() as manager, w.failing():
        manager.request("POST", "http://127.0.0.1:1/v1/chat/completions", body=b"{}", retries=2)


@scenario("error")
def nobody_there_and_no_retries(w: Pools) -> None:
    with w.manager() as manager, w.failing():
        manager.request("POST", "http://127.0.0.1:1/v1/chat/completions", body=b"{}", retries=False)


@scenario("eof", "eof")
def redirected(w: Pools) -> None:
    with w.manager() as manager:
        response = manager.request("POST", w.url("redirect"), body=b"{}")
        w.note(response.data, w.plain(response.geturl()), [served.body for served in w.server.served])
        w.note_response(response)


@scenario("eof", "eof")
def redirected_by_its_pool(w: Pools) -> None:
    pool = urllib3.connection_from_url(w.server.url)
    response = pool.urlopen("POST", "/redirect/v1/chat/completions", b"{}", preload_content=False)
    w.note(response.read(), w.plain(response.geturl()))
    w.note_response(response)
    pool.close()


@scenario("eof")
def redirection_not_followed(w: Pools) -> None:
    with w.manager() as manager:
        response = manager.request("POST", w.url("redirect"), body=b"{}", redirect=False)
        w.note(response.data, response.status)
        w.note_response(response)


@scenario("eof", "eof")
def too_many_redirections(w: Pools) -> None:
    with w.manager() as manager, w.failing():
        retry = urllib3.Retry(total=0, redirect=0)
        manager.request("POST", w.url("redirect"), body=b"{}", retries=retry)
    with w.manager() as manager:
        manager.request("POST", w.url("json"), body=b"{}")


@scenario("error")
def time_out_before_headers(w: Pools) -> None:
    with w.manager() as manager, w.failing():
        manager.request("POST", w.url("silent"), body=b"{}", timeout=0.03, retries=False)


@scenario("error")
def time_out_between_chunks(w: Pools) -> None:
    with w.manager() as manager:
        response = w.open(manager, "stream", steps=0, timeout=0.1)
        with w.failing():
            for chunk in response.stream():
                w.note(chunk)
        w.note_response(response)


@scenario("error")
def time_out_while_reading(w: Pools) -> None:
    with w.manager() as manager:
        response = w.open(manager, "stream", steps=0, timeout=0.1)
        with w.failing():
            response.read()
        w.note_response(response)


def _broken(w: Pools, script: str, how: str) -> None:
    with w.manager() as manager:
        response = w.open(manager, script, steps=1)
        with w.failing():
            if how == "stream":
                for chunk in response.stream():
                    w.note(chunk)
            elif how == "read":
                w.note(response.read())
            else:
                while chunk := response.read(30):
                    w.note(chunk)
        w.note_response(response)


@scenario("error")
def death_between_chunks(w: Pools) -> None:
    _broken(w, "dying", "stream")


@scenario("error")
def death_while_reading(w: Pools) -> None:
    _broken(w, "dying", "read")


@scenario("error")
def death_while_preloading(w: Pools) -> None:
    w.server.step()
    with w.manager() as manager, w.failing():
        manager.request("POST", w.url("dying"), body=b"{}", retries=False)


@scenario("error")
def garbled_chunks(w: Pools) -> None:
    _broken(w, "garbled", "stream")


@scenario("error")
def garbled_chunks_read(w: Pools) -> None:
    _broken(w, "garbled", "read")


@scenario("error")
def shorter_than_said_streamed(w: Pools) -> None:
    _broken(w, "short", "stream")


@scenario("error")
def shorter_than_said_read(w: Pools) -> None:
    _broken(w, "short", "read")


@scenario("error")
def shorter_than_said_in_pieces(w: Pools) -> None:
    _broken(w, "short", "pieces")


@scenario("error", "closed")
def no_connection_left(w: Pools) -> None:
    """A request that never got a connection is a call that failed; the one that holds it is unharmed."""
    with w.manager(maxsize=1, block=True) as manager:
        response = w.open(manager, "stream", steps=0)
        with w.failing():
            manager.request("POST", w.url("json"), body=b"{}", pool_timeout=0.01)
        w.note(next(response.stream()))
        response.close()


@scenario("eof")
def through_a_proxy(w: Pools) -> None:
    with urllib3.ProxyManager(w.server.url) as manager:
        response = manager.request("POST", "http://model.test/json/v1/chat/completions?a=b", body=b"{}")
        w.note(response.data, w.server.served[0].headers["host"])


@scenario("error", "error")
def through_no_proxy(w: Pools) -> None:
    """The tunnel is not there: what was to be sent through it never was."""
    with urllib3.ProxyManager("http://127.0.0.1:1") as manager, w.failing():
        manager.request("POST", "https://model.test/v1/chat/completions", body=b"{}", retries=1)


@scenario()
def called_wrongly(w: Pools) -> None:
    pool: Any = urllib3.connection_from_url(w.server.url)
    for how in ({}, {"method": "POST"}, {"method": "POST", "url": "/json/v1/x", "what": 1}):
        with w.failing():
            pool.urlopen(**how)
    w.note(pool.urlopen.__name__, pool.urlopen.__qualname__, pool.urlopen.__doc__)
    pool.close()


@scenario()
def no_model_call(w: Pools) -> None:
    with w.manager() as manager:
        url = w.url("json").replace("completions", "other")
        w.note(manager.request("POST", url, body=b"{}").data, manager.request("GET", w.url("json")).data)
        response = manager.request("GET", url, preload_content=False)
        w.note(type(response._original_response), list(response.stream(50)))
