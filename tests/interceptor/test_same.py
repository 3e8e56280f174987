"""Every scenario runs with and without us: the caller sees the same, and we see each exchange once."""

import importlib

import pytest

from . import failing, leaving, reading, sdk, transports
from .server import Server
from .world import SCENARIOS, Colour, observe

WRITTEN_IN = (reading, leaving, failing, transports, sdk)
"""Importing them has registered their scenarios."""

CASES = [
    pytest.param(name, library, colour, id=f"{name}-{library}-{colour}")
    for name, scenario in SCENARIOS.items()
    for library in scenario.libraries
    for colour in scenario.colours
]


@pytest.mark.parametrize(("name", "library", "colour"), CASES)
def test_caller_sees_no_difference(name: str, library: str, colour: Colour, server: Server) -> None:
    scenario, module = SCENARIOS[name], importlib.import_module(library)

    plain = observe(scenario, module, colour, server, watched=False)
    watched = observe(scenario, module, colour, server, watched=True)

    assert watched.facts == plain.facts
    assert watched.forgotten <= plain.forgotten
    assert plain.exchanges == []
    assert len(watched.exchanges) == len(scenario.ends)
    for exchange, end, said in zip(watched.exchanges, scenario.ends, watched.said, strict=True):
        body = b"".join(exchange.chunks)
        assert exchange.end in (("eof", "closed") if end == "whole" else (end,))
        assert body == said if end in ("eof", "whole") else said.startswith(body)
        assert len(exchange.arrivals) == len(exchange.chunks)
        instants = [exchange.started, *exchange.arrivals, exchange.ended]
        assert instants == sorted(instants)
    for exchange, served in zip(watched.exchanges, server.served, strict=False):
        assert exchange.request().body in (None, served.body)
