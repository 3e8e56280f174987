"""What sending OpenTelemetry data costs: processor time for a call, on the exporters' loop and on its thread.

python -m benchmarks.otlp [--quick]

The receiver is a process of its own that reads and forgets, so that its time is not counted. Beside it, what
importing the messages takes, alone and with OpenTelemetry's own exporter where that is installed.
"""

import asyncio
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from statistics import median

from miharu.batch import Batch
from miharu.call import Body, Call
from miharu.exporters.otlp.environment import environment
from miharu.exporters.otlp.exporter import OTLPExporter
from miharu.exporters.otlp.payloads import Payloads
from miharu.providers.bodies.said import said_in
from miharu.testing.store_contract import make_call

RECEIVER = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200); self.send_header("content-length", "0"); self.end_headers()
    def log_message(self, *_): pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""
IMPORTS = {  # memory is read as Linux tells it
    "the messages alone": "opentelemetry.proto.trace.v1.trace_pb2",
    "OpenTelemetry's exporter": "opentelemetry.exporter.otlp.proto.http.trace_exporter",
}
MEASURED = (
    "import os, sys, time;"
    "resident = lambda: int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 2**20;"
    "before, began = resident(), time.process_time(); __import__(sys.argv[1]);"
    "print((time.process_time() - began) * 1e3, resident() - before)"
)


def calls(count: int, *, content: bool) -> list[Call]:
    asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": "What is it? " * 40}]}
    answered = {"choices": [{"message": {"role": "assistant", "content": "It is this. " * 40}}]}
    body = Body(request=json.dumps(asked).encode(), response=json.dumps(answered).encode())
    return [make_call(body=body if content else None) for _ in range(count)]


def per_call(work: Callable[[], object], count: int, rounds: int) -> float:
    """Microseconds of processor time for a call, of this thread; the median."""
    found = []
    for _ in range(rounds):
        began = time.thread_time()
        work()
        found.append((time.thread_time() - began) / count * 1e6)
    return median(found)


async def _sent(batches: Sequence[Batch]) -> tuple[float, float]:
    """Microseconds of the loop, and of all threads, for all batches, until everything is delivered."""
    exporter = OTLPExporter()
    exporter.use_messages(said_in)
    all_began, loop_began = time.process_time(), time.thread_time()
    for batch in batches:
        await exporter.export(batch)
    loop = time.thread_time() - loop_began
    await exporter.flush()
    whole = time.process_time() - all_began
    assert exporter.lost == 0
    await exporter.close()
    return loop * 1e6, whole * 1e6


def main() -> None:
    quick = "--quick" in sys.argv
    count, rounds = (512, 3) if quick else (512, 15)
    server = subprocess.Popen([sys.executable, "-c", RECEIVER], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{server.stdout.readline().strip()}"
    os.environ["OTEL_BSP_MAX_QUEUE_SIZE"] = "100000"
    try:
        for content in (False, True):
            batch = calls(count, content=content)
            payloads = Payloads(environment(), said_in)
            made = per_call(lambda: payloads.traces(batch), count, rounds)  # noqa: B023 - called at once
            message = payloads.traces(batch)
            packed = per_call(lambda: gzip.compress(message, 6), count, rounds)  # noqa: B023 - as above
            batches = [Batch(calls=batch[at : at + 30]) for at in range(0, count, 30)]
            found = [asyncio.run(_sent(batches)) for _ in range(rounds)]
            loop = median(one[0] for one in found) / count
            whole = median(one[1] for one in found) / count
            print(f"{'with' if content else 'without'} content: {len(message) / count:,.0f} bytes a call")
            print(f"  the exporters' loop   {loop:7.1f} µs a call (metrics, queue)")
            print(f"  the message           {made:7.1f} µs a call")
            print(f"  gzip                  {packed:7.1f} µs a call, where it is asked for")
            print(f"  all of it             {whole:7.1f} µs a call, sent to loopback")
    finally:
        server.kill()
        server.wait()
    for name, module in IMPORTS.items():
        if not _is_there(module):
            print(f"importing {name}: left out, not installed")
            continue
        took = [_import(module) for _ in range(3 if quick else 7)]
        ms, mb = median(one[0] for one in took), median(one[1] for one in took)
        print(f"importing {name}: {ms:.0f} ms of processor time, {mb:.0f} MB")


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:
        return False


def _import(module: str) -> tuple[float, float]:
    out = subprocess.run(
        [sys.executable, "-c", MEASURED, module], capture_output=True, text=True, check=True
    ).stdout.split()
    return float(out[0]), float(out[1])


if __name__ == "__main__":
    main()
