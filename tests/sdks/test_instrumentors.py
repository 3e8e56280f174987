"""OpenTelemetry's instrumentors of urllib3, requests and botocore beside us, in either order.

Each call is one exchange of ours and the span of theirs that it would have been, and both come off again.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from importlib.util import find_spec
from itertools import permutations
from typing import Any

import pytest

from miharu.exchange import Exchange
from miharu.interceptor import Interceptor
from miharu.providers.known_rules import KNOWN_RULES
from tests.sdks.drivers import bedrock, requests
from tests.sdks.provider import Provider
from tests.sdks.scene import Play, Scene

if find_spec("opentelemetry.instrumentation") is None or find_spec("opentelemetry.sdk") is None:
    pytest.skip("they are in requirements/sdks.txt", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore")  # theirs
_THEIRS = {
    "urllib3": "opentelemetry.instrumentation.urllib3:URLLib3Instrumentor",
    "requests": "opentelemetry.instrumentation.requests:RequestsInstrumentor",
    "botocore": "opentelemetry.instrumentation.botocore:BotocoreInstrumentor",
}
_CALLS: dict[str, Play] = {
    "requests": requests.SDKS[0].plays["plain"],
    "requests, streamed": requests.SDKS[0].plays["streamed"],
    "boto3": bedrock.SDKS[0].plays["plain"],
    "boto3, streamed": bedrock.SDKS[0].plays["streamed"],
}


@contextmanager
def ours(exchanges: list[Exchange]) -> Iterator[None]:
    interceptor = Interceptor(exchanges.append, [rule for rules in KNOWN_RULES.values() for rule in rules])
    interceptor.install()
    try:
        yield
    finally:
        interceptor.uninstall()


@contextmanager
def theirs(name: str, spans: Any) -> Iterator[None]:
    module, _, kind = _THEIRS[name].partition(":")
    trace = import_module("opentelemetry.sdk.trace")
    exporting = import_module("opentelemetry.sdk.trace.export")
    provider = trace.TracerProvider()
    provider.add_span_processor(exporting.SimpleSpanProcessor(spans))
    instrumentor = getattr(import_module(module), kind)()
    instrumentor.instrument(tracer_provider=provider)
    try:
        yield
    finally:
        instrumentor.uninstrument()


def played(call: str, provider: Provider) -> None:
    provider.begin()
    Scene(provider.port, asynchronous=False, retries=0).run(_CALLS[call], lambda _: None)
    assert len(provider.told) == 1


def spans_of(call: str, name: str, provider: Provider, around: Callable[[Any], Any]) -> int:
    memory = import_module("opentelemetry.sdk.trace.export.in_memory_span_exporter").InMemorySpanExporter()
    with around(memory):
        played(call, provider)
    return len(memory.get_finished_spans())


@pytest.mark.parametrize("name", _THEIRS)
@pytest.mark.parametrize("call", _CALLS)
def test_each_call_is_one_of_both(name: str, call: str, provider: Provider) -> None:
    pool = import_module("urllib3").HTTPConnectionPool
    original = vars(pool)["urlopen"], vars(pool)["_make_request"]
    alone = spans_of(call, name, provider, lambda memory: theirs(name, memory))
    for order in permutations(("ours", "theirs")):
        exchanges: list[Exchange] = []

        @contextmanager
        def both(memory: Any, order: Any = order, exchanges: Any = exchanges) -> Iterator[None]:
            with ExitStack() as stack:
                for side in order:
                    stack.enter_context(ours(exchanges) if side == "ours" else theirs(name, memory))
                yield

        assert spans_of(call, name, provider, both) == alone, order
        assert [exchange.end in {"eof", "closed"} for exchange in exchanges] == [True], order
        assert exchanges[0].chunks
        assert (vars(pool)["urlopen"], vars(pool)["_make_request"]) == original, order


@pytest.mark.parametrize("first_off", ["ours", "theirs"])
def test_the_one_below_may_leave_first(first_off: str, provider: Provider) -> None:
    """Whichever stays goes on, and nobody's request fails."""
    memory = import_module("opentelemetry.sdk.trace.export.in_memory_span_exporter").InMemorySpanExporter()
    exchanges: list[Exchange] = []
    sides = {"ours": ours(exchanges), "theirs": theirs("urllib3", memory)}
    last_off = next(side for side in sides if side != first_off)
    sides[first_off].__enter__()
    sides[last_off].__enter__()
    sides[first_off].__exit__(None, None, None)
    played("requests", provider)
    assert len(exchanges) == (last_off == "ours")
    sides[last_off].__exit__(None, None, None)
    played("requests", provider)
    assert len(exchanges) == (last_off == "ours")
