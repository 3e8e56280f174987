"""What ``miharu dashboard --ingest`` takes in: spans a second, processor for a span, and what overload does.

    python -m benchmarks.ingest [--quick]

The server is a process of its own with a SQLite file; senders are processes of their own, too, which have
their requests ready and keep a connection open, as exporters do. All requests are compressed with gzip and
are of the size that OpenTelemetry's batch processor sends. The server's processor time is read from /proc, so
this runs on Linux. Each span is a call; every one that was accepted has to be in the file, or it fails.
Under overload single spans are sent without a pause, to a server that takes only so many; whatever it refuses
has to be refused so that senders come again.
"""

import argparse
import gzip
import json
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

TOKEN = "a-token-of-the-benchmark"
SPANS = 512
"""Of a request, as OpenTelemetry's batch processor sends them."""
AGAIN = (429, 502, 503, 504)
"""The answers after which OTLP lets a sender send the same again."""
KINDS = {"protobuf": "application/x-protobuf", "JSON": "application/json"}


@dataclass(frozen=True)
class Sent:
    """What one sender was answered."""

    accepted: int
    """Spans."""
    answers: dict[str, int]
    """Requests by status; ``lost`` for a refusal after which nothing may be sent again."""


def spans(first: int, count: int) -> list[dict[str, Any]]:
    """Calls as an instrumentor describes them, each in a trace of its own."""
    begun = time.time_ns() - 10**10
    facts: dict[str, Any] = {
        "gen_ai.operation.name": {"stringValue": "chat"},
        "gen_ai.provider.name": {"stringValue": "openai"},
        "gen_ai.request.model": {"stringValue": "gpt-4o"},
        "gen_ai.response.model": {"stringValue": "gpt-4o-2024-08-06"},
        "gen_ai.response.finish_reasons": {"arrayValue": {"values": [{"stringValue": "stop"}]}},
        "gen_ai.usage.input_tokens": {"intValue": "1200"},
        "gen_ai.usage.output_tokens": {"intValue": "80"},
        "server.address": {"stringValue": "api.openai.com"},
        "user.id": {"stringValue": "ada"},
        "session.id": {"stringValue": "s-1"},
    }
    return [
        {
            "traceId": f"{number + 1:032x}",
            "spanId": f"{number + 1:016x}",
            "name": "chat gpt-4o",
            "kind": 3,
            "startTimeUnixNano": str(begun + number),
            "endTimeUnixNano": str(begun + number + 9 * 10**8),
            "attributes": [
                *({"key": name, "value": value} for name, value in facts.items()),
                {"key": "gen_ai.response.id", "value": {"stringValue": f"chatcmpl-{number:012x}"}},
            ],
        }
        for number in range(first, first + count)
    ]


def body(form: str, first: int, count: int) -> bytes:
    """A request with so many spans."""
    scope = {"name": "opentelemetry.instrumentation.openai_v2"}
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    made = spans(first, count)
    message = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": made}]}]}
    if form == "JSON":
        return gzip.compress(json.dumps(message).encode(), 6)
    from base64 import b64encode

    from google.protobuf import json_format
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    for span in made:  # protobuf's own JSON has bytes in base64
        for name in ("traceId", "spanId"):
            span[name] = b64encode(bytes.fromhex(span[name])).decode()
    whole: bytes = json_format.ParseDict(message, ExportTraceServiceRequest()).SerializeToString()
    return gzip.compress(whole, 6)


def sender(
    port: int, form: str, *, firsts: Sequence[int], count: int, gate: Any, answers: Any, stubborn: bool
) -> None:
    """Send requests one after the other; a stubborn one sends each until it is accepted."""
    ready = [body(form, first, count) for first in firsts]
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Content-Type": KINDS[form],
        "Content-Encoding": "gzip",
    }
    seen, accepted = Counter[str](), 0
    gate.wait()
    with closing(HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        for one in ready:
            while True:
                connection.request("POST", "/v1/traces", one, headers)
                response = connection.getresponse()
                response.read()
                again = response.status in AGAIN and response.getheader("Retry-After") is not None
                seen[str(response.status) if again or response.status == 200 else "lost"] += 1
                if response.status == 200:
                    accepted += count
                if not again or not stubborn:
                    break
                time.sleep(float(response.getheader("Retry-After") or 1))
    answers.put(Sent(accepted, dict(seen)))


class Server:
    """``miharu dashboard --ingest`` with a file of its own."""

    def __init__(self, folder: str) -> None:
        self.database = Path(folder, "taken.db")
        command = [sys.executable, "-m", "miharu", "dashboard", "--ingest", "--port", "0"]
        environ = {**os.environ, "MIHARU_TOKEN": TOKEN, "MIHARU_DATABASE_URL": str(self.database)}
        self._process = subprocess.Popen(
            command, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert self._process.stdout is not None
        line = ""
        while "127.0.0.1:" not in line and "localhost:" not in line:
            line = self._process.stdout.readline()
            if not line:
                raise SystemExit("the server has not started")
        digits = line.partition("//")[2].partition(":")[2]
        self.port = int("".join(filter(str.isdigit, digits.partition("/")[0].split()[0])))

    def processor(self) -> float:
        """Seconds that the process has taken so far, all threads."""
        found = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(found[11]) + int(found[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """The most that it had, in MB."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        return 0.0

    def calls(self) -> int:
        """Those that are stored."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            found: int = connection.execute("SELECT count(*) FROM llm_calls").fetchone()[0]
            return found

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)


def run(
    server: Server, form: str, senders: int, requests: int, *, count: int, stubborn: bool, first: int
) -> tuple[float, list[Sent]]:
    """Let all of them send; how long it took, and what each was answered."""
    context = multiprocessing.get_context("spawn")
    gate, answers = context.Barrier(senders + 1), context.Queue()
    each = requests // senders
    processes = [
        context.Process(
            target=sender,
            args=(server.port, form),
            kwargs={
                "firsts": [first + (number * each + one) * count for one in range(each)],
                "count": count,
                "gate": gate,
                "answers": answers,
                "stubborn": stubborn,
            },
        )
        for number in range(senders)
    ]
    for process in processes:
        process.start()
    gate.wait()
    began = time.perf_counter()
    found = [answers.get(timeout=600) for _ in processes]
    took = time.perf_counter() - began
    for process in processes:
        process.join()
    return took, found


def in_new_server(work: Callable[[Server], None]) -> None:
    with tempfile.TemporaryDirectory(prefix="miharu-benchmark-") as folder:
        server = Server(folder)
        try:
            run(server, "protobuf", 1, 1, count=1, stubborn=True, first=0)  # so that all is loaded
            work(server)
        finally:
            server.stop()


def throughput(form: str, senders: int, requests: int) -> None:
    def work(server: Server) -> None:
        before, calls = server.processor(), server.calls()
        took, found = run(server, form, senders, requests, count=SPANS, stubborn=True, first=1000)
        accepted = sum(one.accepted for one in found)
        processor, stored = server.processor() - before, server.calls() - calls
        if stored != accepted:
            raise SystemExit(f"{accepted:,} spans were accepted, and {stored:,} stored")
        size = len(body(form, 1000, SPANS)) / SPANS
        print(
            f"{form:9} {senders:7} {accepted:9,} {accepted / took:12,.0f} {processor / accepted * 1e6:13.0f} "
            f"{size:12.0f} {server.memory():7.0f} {accepted - stored:5}",
            flush=True,
        )

    in_new_server(work)


def overload(senders: int, requests: int) -> None:
    def work(server: Server) -> None:
        calls = server.calls()
        took, found = run(server, "protobuf", senders, requests, count=1, stubborn=False, first=10**6)
        answers = sum((Counter(one.answers) for one in found), Counter[str]())
        accepted, stored = sum(one.accepted for one in found), server.calls() - calls
        told = ", ".join(f"{number:,} of {status}" for status, number in sorted(answers.items()))
        print(f"overload, {senders} senders without a pause, {sum(answers.values()) / took:,.0f} requests a")
        print(f"second: {told}; accepted {accepted:,}, stored {stored:,}")
        if stored != accepted or answers["lost"]:
            raise SystemExit("spans were lost")

    in_new_server(work)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few requests only")
    requests = 20 if parser.parse_args().quick else 160
    print(
        f"{'encoding':9} {'senders':>7} {'spans':>9} {'a second':>12} {'µs processor':>13} "
        f"{'bytes a span':>12} {'MB':>7} {'lost':>5}"
    )
    for form in KINDS:
        for senders in (1, 4, 10):
            throughput(form, senders, requests)
    overload(16, 16 * (40 if requests == 20 else 200))


if __name__ == "__main__":
    main()
