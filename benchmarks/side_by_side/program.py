"""The program that is watched. It reads commands, one JSON object a line, and answers in the same way.

    python program.py TOOL MODEL_URL SINK_URL FOLDER

It imports the SDK first, as any program that calls models does, then starts the tool. This runs in the tool's
own environment, by its path.
"""

import asyncio
import contextlib
import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
from watchers import WATCHERS, Watcher

ASK: dict[str, Any] = {
    "model": "gpt-4o-mini",
    "messages": [{"role": "user", "content": "Say many words. " * 40}],
}
AT_ONCE = 50
LAG_STEP_S = 0.005


def resident() -> int:
    """Bytes of memory that this process holds now."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


class Program:
    def __init__(self, tool: str, model: str, sink: str, folder: str) -> None:
        self._runner = asyncio.Runner()
        self._loop = self._runner.get_loop()
        process, thread, wall = time.process_time(), time.thread_time(), time.perf_counter()
        self._watcher: Watcher = WATCHERS[tool](sink, folder)
        self.start = {
            "thread": time.thread_time() - thread,
            "wall": time.perf_counter() - wall,
            "process_began": process,
        }
        self._sync = openai.OpenAI(api_key="sk-x", base_url=model, max_retries=0)
        self._async = openai.AsyncOpenAI(api_key="sk-x", base_url=model, max_retries=0)

    def started(self, rest: float) -> dict[str, float]:
        """What import and start took; of the process with what it does within that many seconds more."""
        time.sleep(rest)
        process = time.process_time() - self.start.pop("process_began")
        return {**self.start, "process": process, "rss": resident()}

    def block(self, scene: str, calls: int, rate: float | None) -> dict[str, Any]:
        """So many calls, and then all that the tool sends of them: seconds of processor and of latency."""
        make = getattr(self, f"_{scene}")
        process, thread, wall = time.process_time(), time.thread_time(), time.perf_counter()
        took, lags = make(calls, rate)
        own, passed = time.thread_time() - thread, time.perf_counter() - wall
        self._watcher.flush()
        return {
            "process": time.process_time() - process,
            "thread": own,
            "wall": passed,
            "latencies": took,
            "lags": lags,
        }

    def idle(self, seconds: float) -> dict[str, float]:
        process = time.process_time()
        time.sleep(seconds)
        return {"process": time.process_time() - process, "rss": resident()}

    def finish(self) -> dict[str, float]:
        process = time.process_time()
        self._watcher.shutdown()
        return {"process": time.process_time() - process}

    def _sync_calls(self, calls: int, rate: float | None, call: Callable[[], object]) -> Any:
        took, begun = list[float](), time.perf_counter()
        for number in range(calls):
            if rate is not None:
                time.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            start = time.perf_counter()
            with self._watcher.around() if self._watcher.around else contextlib.nullcontext():
                call()
            took.append(time.perf_counter() - start)
        return took, []

    def _sync_chat(self, calls: int, rate: float | None) -> Any:
        return self._sync_calls(calls, rate, lambda: self._sync.chat.completions.create(**ASK))

    def _embeddings(self, calls: int, rate: float | None) -> Any:
        ask: dict[str, Any] = {"model": "text-embedding-3-small", "input": "a text of a few words"}
        return self._sync_calls(calls, rate, lambda: self._sync.embeddings.create(**ask))

    def _stream(self, calls: int, rate: float | None) -> Any:
        options: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
        return self._sync_calls(
            calls, rate, lambda: [None for _ in self._sync.chat.completions.create(**ASK, **options)]
        )

    def _async_chat(self, calls: int, rate: float | None) -> Any:
        return self._runner.run(self._async_calls(calls, rate, at_once=1))

    def _async_50(self, calls: int, rate: float | None) -> Any:
        return self._runner.run(self._async_calls(calls, rate, at_once=AT_ONCE))

    async def _async_calls(self, calls: int, rate: float | None, *, at_once: int) -> Any:
        took, lags = list[float](), list[float]()
        left = iter(range(calls))

        async def one() -> None:
            start = time.perf_counter()
            with self._watcher.around() if self._watcher.around else contextlib.nullcontext():
                await self._async.chat.completions.create(**ASK)
            took.append(time.perf_counter() - start)

        async def caller() -> None:
            for _ in left:
                await one()

        if rate is None:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(at_once):
                    tasks.create_task(caller())
            return took, lags

        async def watch() -> None:
            while True:
                due = time.perf_counter() + LAG_STEP_S
                await asyncio.sleep(LAG_STEP_S)
                lags.append(time.perf_counter() - due)

        begun, watching = time.perf_counter(), asyncio.create_task(watch())
        async with asyncio.TaskGroup() as tasks:
            for number in left:
                await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
                tasks.create_task(one())
        watching.cancel()
        return took, lags


def main() -> None:
    program = Program(*sys.argv[1:5])
    answers = sys.stdout
    sys.stdout = sys.stderr  # a tool that prints must not break the answers
    for line in sys.stdin:
        command = json.loads(line)
        answer = getattr(program, command.pop("do"))(**command)
        print(json.dumps({**answer, "threads": threading.active_count()}), file=answers, flush=True)


if __name__ == "__main__":
    main()
