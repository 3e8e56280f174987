"""What the end of an invocation costs where a program is frozen between two of them.

python -m benchmarks.short_lives [--quick] [--invocations 1000]

One process is started as a platform starts an instance, makes one call for each event, flushes, answers and
is stopped (SIGSTOP) until the next. Each invocation has to have its row when it is frozen, or this fails.
"""

import argparse
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

INSTANCE = """
import os, sys, time
import miharu
miharu.init(sys.argv[1])
import httpx2
choice = {"index": 0, "finish_reason": "stop", "message": {"content": "x"}}
answer = {"model": "gpt-4o-mini", "choices": [choice],
          "usage": {"prompt_tokens": 9, "completion_tokens": 3}}
transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=answer))
client = httpx2.Client(transport=transport)
for line in sys.stdin:
    client.post("https://api.openai.com/v1/chat/completions", json={"model": "gpt-4o-mini", "messages": []})
    began, used = time.perf_counter(), time.process_time()
    stored = miharu.flush(60)
    print(stored, time.perf_counter() - began, time.process_time() - used, flush=True)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a hundred invocations")
    parser.add_argument("--invocations", type=int, default=1000)
    arguments = parser.parse_args()
    times = 100 if arguments.quick else arguments.invocations
    took, used = [], []
    with tempfile.TemporaryDirectory(prefix="miharu-benchmark-") as folder:
        file = Path(folder, "calls.db")
        instance = subprocess.Popen(
            [sys.executable, "-c", INSTANCE, str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert instance.stdin is not None
        assert instance.stdout is not None
        for number in range(1, times + 1):
            instance.send_signal(signal.SIGCONT)
            instance.stdin.write("\n")
            instance.stdin.flush()
            stored, wall, processor = instance.stdout.readline().split()
            instance.send_signal(signal.SIGSTOP)
            assert stored == "True", f"invocation {number} was not stored in time"
            took.append(float(wall) * 1e3)
            used.append(float(processor) * 1e3)
            if number % 100 == 0 or number == 1:
                assert rows(file) == number, f"{rows(file)} rows after {number} invocations"
        instance.kill()
        instance.communicate()
        print(f"{times} invocations, frozen in between and killed while frozen: {rows(file)} rows")
    warm = sorted(took[1:])
    print(f"  the first flush, with the start of the recorder  {took[0]:8.1f} ms")
    print(f"                                 processor time    {used[0]:8.1f} ms")
    print(f"  a flush                                   median {statistics.median(warm):8.2f} ms")
    print(f"                                               p99 {warm[int(len(warm) * 0.99)]:8.2f} ms")
    print(f"                         processor time, median    {statistics.median(used[1:]):8.2f} ms")


def rows(file: Path) -> int:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return int(database.execute("SELECT count(*) FROM llm_calls").fetchone()[0])


if __name__ == "__main__":
    main()
