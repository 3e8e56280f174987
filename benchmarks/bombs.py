"""What answers that are made to hurt cost the program that gets them: peak of memory, and the longest stall.

    python -m benchmarks.bombs [--quick] [--only TEXT]

Each answer is sent over loopback to a program of its own, which reads it as it comes off the wire, without
decoding it; on its event loop a task wakes every millisecond. It is done with nobody watching and with
miharu, which has to have stored the call before the clock is stopped.
"""

import argparse
import asyncio
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from miharu.testing._server import ServerThread
from tests.hostile import ANSWERS, Hostile

TICK_S = 0.001
QUICK = ("strings, br", "objects, zstd", "objects, gzip", "one endless event", "valid objects, 4 MB")


@dataclass(frozen=True)
class Measured:
    """What one answer did to one program."""

    peak: int
    """Bytes of memory above what the program had before."""
    stall: float
    """Seconds that its event loop was late, at worst."""
    took: float
    """Seconds until the call was stored."""
    row: Mapping[str, Any]
    """What was stored of it; empty where nobody watched."""


def app_of(answers: Iterable[Hostile]) -> Any:
    """Serves the answer whose number the request names."""
    served = list(answers)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            more = (await receive()).get("more_body", False)
        number = dict(scope["headers"]).get(b"x-answer", b"")
        headers, body = (
            {"content-type": "application/json"},
            b'{"choices": [], "usage": {"prompt_tokens": 1}}',
        )
        if number:
            headers, body = dict(served[int(number)].headers), served[int(number)].body()
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        raw.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        for at in range(0, len(body), 65536):
            await send({"type": "http.response.body", "body": body[at : at + 65536], "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return app


def measured(answer: Hostile, number: int, port: int, *, watched: bool, capture: bool = False) -> Measured:
    """Send it to a program of its own."""
    with tempfile.TemporaryDirectory(prefix="miharu-benchmark-") as folder:
        database = str(Path(folder, "calls.db")) if watched else ""
        url = f"http://127.0.0.1:{port}{answer.path}"
        command = [sys.executable, "-m", "benchmarks.bombs", "--work", url, str(number), database]
        command += ["--capture"] if capture else []
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=300)
        told = json.loads(done.stdout.splitlines()[-1])
        row: Mapping[str, Any] = {}
        if watched:
            with closing(sqlite3.connect(database)) as opened:
                opened.row_factory = sqlite3.Row
                rows = opened.execute("SELECT * FROM llm_calls ORDER BY id").fetchall()
                row = dict(rows[-1]) if len(rows) == 2 else {}
        return Measured(told["peak"], told["stall"], told["took"], row)


async def _work(url: str, number: str, database: str, *, capture: bool) -> None:
    """The child: one harmless call, so that all is loaded, and then the one that counts."""
    import httpx2

    import miharu

    if database:
        miharu.init(database, capture_content=capture, estimate_usage=True)
    said = [{"role": "user", "content": "Hi."}]
    asked = {"model": "gpt-4o-mini", "messages": said, "input": "Hi.", "stream": True}  # chat or embeddings
    async with httpx2.AsyncClient(timeout=60) as client:
        await _ask(client, urljoin(url, "/v1/chat/completions"), asked, {})
        if database:
            assert await miharu.aflush(60)
        before = _memory("VmRSS")
        _forget_peak()
        late: list[float] = []
        ticking = asyncio.create_task(_tick(late))
        began = time.perf_counter()
        await _ask(client, url, asked, {"x-answer": number})
        stored = await (miharu.aflush(240) if database else asyncio.sleep(0.1, True))
        took = time.perf_counter() - began
        ticking.cancel()
        assert stored
        peak = _memory("VmHWM") - before
    print(json.dumps({"peak": peak, "stall": max(late, default=0), "took": took}))


async def _ask(client: Any, url: str, asked: Mapping[str, Any], headers: Mapping[str, str]) -> None:
    async with client.stream("POST", url, json=asked, headers=headers) as response:
        async for _ in response.aiter_raw():
            pass


async def _tick(late: list[float]) -> None:
    while True:
        due = time.perf_counter() + TICK_S
        await asyncio.sleep(TICK_S)
        late.append(time.perf_counter() - due)


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _memory(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("this benchmark reads /proc/self/status, which this system has not")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few of them only")
    parser.add_argument("--only", default="", help="those whose name contains it")
    parser.add_argument("--capture", action="store_true", help="with the contents kept")
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        asyncio.run(_work(*options.work, capture=options.capture))
        return
    server = ServerThread(app_of(ANSWERS))
    server.start()
    print(f"{'':43} {'nobody':>16} {'miharu.init()':>16}")
    columns = f"{'MB':>7} {'ms late':>8} " * 2
    print(f"{'answer':33} {'sent':>9} {columns} {'took s':>7}  stored as")
    for number, answer in enumerate(ANSWERS):
        if options.only not in answer.name or (options.quick and answer.name not in QUICK):
            continue
        alone = measured(answer, number, server.port, watched=False)
        seen = measured(answer, number, server.port, watched=True, capture=options.capture)
        figures = " ".join(f"{one.peak / 1e6:7.1f} {one.stall * 1e3:8.0f}" for one in (alone, seen))
        row = seen.row
        told = f"{row.get('status', 'NO ROW')}, {row.get('usage_source')}, {row.get('error_message') or ''}"
        print(f"{answer.name:33} {len(answer.body()):9,} {figures} {seen.took:7.2f}  {told[:70]}", flush=True)
    server.stop()


if __name__ == "__main__":
    main()
