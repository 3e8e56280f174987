"""Every scenario of urllib3 and requests runs with and without us: the caller sees the same."""

import gzip
from importlib.util import find_spec

import pytest

from . import pool_failing, pool_reading
from .pools import SCENARIOS, observe
from .server import Server

WRITTEN_IN = [pool_reading, pool_failing]
if find_spec("requests") is not None:
    from . import pool_requests

    WRITTEN_IN.append(pool_requests)


@pytest.mark.parametrize("name", SCENARIOS)
def test_caller_sees_no_difference(name: str, server: Server) -> None:
    scenario = SCENARIOS[name]

    plain = observe(scenario, server, watched=False)
    watched = observe(scenario, server, watched=True)

    assert watched.facts == plain.facts
    assert plain.exchanges == []
    assert tuple(exchange.end for exchange in watched.exchanges) == scenario.ends
    for exchange in watched.exchanges:
        instants = [exchange.started, *exchange.arrivals, exchange.ended]
        assert instants == sorted(instants)
        assert len(exchange.arrivals) == len(exchange.chunks)
        assert (exchange.error_type is not None) == (exchange.end == "error")
    asked = [exchange for exchange in watched.exchanges if exchange.status is not None]
    for exchange, served in zip(asked, server.served, strict=False):
        body, said = b"".join(exchange.chunks), b"".join(served.said)
        if exchange.decoded:
            said = gzip.decompress(said)
        assert body == said if exchange.end == "eof" else said.startswith(body)
        assert exchange.request().body in (None, served.body)
