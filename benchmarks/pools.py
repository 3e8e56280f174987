"""What one call through urllib3 costs the program that makes it: nobody watching, miharu, and others.

    python -m benchmarks.pools [--quick]

Needs boto3 and OpenTelemetry's instrumentors of urllib3 and botocore (`requirements/sdks.txt`). The answer
comes from memory, in place of the socket. Two figures: processor time of the caller's own thread, by variants
in shuffled turns; and the bytecode instructions of a call, which no other load on the machine changes.
"""

import argparse
import io
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection

from benchmarks import model
from benchmarks.variants import Variant, interceptor_only, whole

ASK = json.dumps(
    {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say many words. " * 40}]}
).encode()
_CONVERSED = json.dumps(
    {
        "output": {"message": {"role": "assistant", "content": [{"text": "word " * 60}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 12, "outputTokens": 200, "totalTokens": 212},
        "metrics": {"latencyMs": 5},
    }
).encode()


def _measured(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


def _chunked() -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in model.CHUNKS) + b"0\r\n\r\n"


class _Socket:
    """Answers the same to everything."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(io.BytesIO(self._answer))

    def sendall(self, data: bytes) -> None: ...
    def settimeout(self, timeout: float | None) -> None: ...
    def setsockopt(self, *_: Any) -> None: ...
    def shutdown(self, how: int) -> None: ...
    def close(self) -> None: ...


def _answering(connection: Any, answer: bytes) -> Any:
    class Connection(connection):  # type: ignore[misc]
        is_connected = True

        def connect(self) -> None:
            self.sock = _Socket(answer)

    return Connection


def _pool(answer: bytes, *, stream: bool) -> Callable[[], None]:
    class Pool(urllib3.HTTPConnectionPool):
        ConnectionCls = _answering(HTTPConnection, answer)

    pool = Pool("model.test")

    def call() -> None:
        response = pool.urlopen("POST", "/v1/chat/completions", ASK, preload_content=False)
        if stream:
            for _ in response.stream():
                pass
        else:
            response.read()
        response.release_conn()

    return call


def _boto3() -> Callable[[], None]:
    requests = import_module("botocore.awsrequest")
    requests.AWSHTTPConnectionPool.ConnectionCls = _answering(
        requests.AWSHTTPConnection, _measured(_CONVERSED)
    )
    session = import_module("boto3").Session(
        aws_access_key_id="any", aws_secret_access_key="any", region_name="us-east-1"
    )
    url = "http://bedrock-runtime.us-east-1.amazonaws.com"
    made: list[Any] = []

    def call() -> None:
        # Instrumentors see the clients that are made while they are on; so each turn makes one.
        client = made[0] if made else session.client("bedrock-runtime", endpoint_url=url)
        said = [{"role": "user", "content": [{"text": "Say many words. " * 40}]}]
        client.converse(modelId="us.meta.llama3-3-70b-instruct-v1:0", messages=said)

    call.turn = lambda: made.__setitem__(  # type: ignore[attr-defined]
        slice(None), [session.client("bedrock-runtime", endpoint_url=url)]
    )
    return call


def _opentelemetry(library: str, kind: str) -> Variant:
    name = f"OpenTelemetry, {library} instrumentor"
    try:
        instrumentor = getattr(import_module(f"opentelemetry.instrumentation.{library}"), kind)()
        trace: Any = import_module("opentelemetry.sdk.trace")
        export: Any = import_module("opentelemetry.sdk.trace.export")
        memory: Any = import_module("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    except ImportError:
        return Variant(name, note="not installed")
    exporter, provider = memory.InMemorySpanExporter(), trace.TracerProvider()
    provider.add_span_processor(export.BatchSpanProcessor(exporter))

    def rest() -> None:
        provider.force_flush()
        exporter.clear()

    return Variant(
        name, lambda: instrumentor.instrument(tracer_provider=provider), instrumentor.uninstrument, rest
    )


def _counted(call: Callable[[], None]) -> int:
    """Bytecode instructions of one call, on this thread."""
    count = 0

    def trace(frame: Any, event: str, _: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(None)
    return count


def measure(call: Callable[[], None], watchers: list[Variant], block: int, turns: int) -> dict[str, int]:
    """Take turns, and tell how many instructions a call has with each."""
    order, instructions = list(watchers), dict[str, int]()
    for _ in range(turns):
        random.shuffle(order)
        for variant in order:
            variant.on()
            try:
                getattr(call, "turn", bool)()
                for _ in range(3):
                    call()  # connections, caches
                instructions[variant.name] = _counted(call)
                for _ in range(block):
                    start = time.thread_time_ns()
                    call()
                    variant.added["call"].append((time.thread_time_ns() - start) / 1000)
            finally:
                variant.off()
                variant.rest()
    return instructions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the calls")
    turns = 4 if parser.parse_args().quick else 40
    everyone = [
        Variant("nobody"),
        Variant("nobody, again (noise)"),
        interceptor_only(),
        whole(),
        _opentelemetry("urllib3", "URLLib3Instrumentor"),
        _opentelemetry("botocore", "BotocoreInstrumentor"),
    ]
    watchers = [variant for variant in everyone if not variant.note]
    scenes = {
        "urllib3, a call": (_pool(_measured(model.ANSWER), stream=False), 20),
        "urllib3, a stream of 200 chunks": (_pool(_chunked(), stream=True), 5),
        "boto3 converse, a call": (_boto3(), 10),
    }
    print("Processor time of the caller's thread (median), and bytecode instructions; both of one call.")
    for title, (call, block) in scenes.items():
        instructions = measure(call, watchers, block, turns)
        medians = {one.name: statistics.median(one.added.pop("call")) for one in watchers}
        nobody, fewest = medians["nobody"], instructions["nobody"]
        print(f"\n{title}  ({turns * block} each)")
        for name, median in medians.items():
            print(
                f"  {name:42}{median:9.1f} us {median - nobody:+9.1f} us"
                f"{instructions[name]:10} {instructions[name] - fewest:+8} instructions"
            )


if __name__ == "__main__":
    main()
