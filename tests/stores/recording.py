"""A program that makes calls until it is killed, and says what it knows; a process of its own.

    python -m tests.stores.recording FILE URL_OF_THE_PROVIDER NAME FIRST NUMBER

Each call asks for a model of its own name: ``NAME-0``, ``NAME-1`` and so on. It prints one line each:
``call N AT`` when the answer is there (AT in monotonic seconds, which all processes share), ``kept N`` when
``flush()`` has said that the calls up to N are stored, ``log TEXT``, and ``done STATS`` at the end.
"""

import json
import logging
import sys
import threading
import time

import httpx

import miharu
from miharu.call import Call, Cost

FLUSH_S = 0.05


class Unknown:
    """Prices that need no loading."""

    def cost(self, call: Call) -> Cost | None:
        return None


_saying = threading.Lock()


def say(word: str, *facts: object) -> None:
    with _saying:
        print(word, *facts, flush=True)


class Said(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say("log", record.getMessage())


class Program:
    def __init__(self, provider: str, name: str, first: int, number: int) -> None:
        self._url, self._name = f"{provider}/chat/completions", name
        self._first, self._number = first, number
        self._answered = first - 1
        self._ended = threading.Event()

    def run(self) -> None:
        keeper = threading.Thread(target=self._keep, daemon=True)
        keeper.start()
        with httpx.Client(trust_env=False) as client:
            for n in range(self._first, self._first + self._number):
                client.post(self._url, json={"model": f"{self._name}-{n}", "messages": []}).raise_for_status()
                say("call", n, time.monotonic())
                self._answered = n
        self._ended.set()
        keeper.join()

    def _keep(self) -> None:
        while not self._ended.wait(FLUSH_S):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        answered = self._answered
        if answered >= self._first and miharu.flush(60):
            say("kept", answered)


def main(file: str, provider: str, name: str, first: str, number: str) -> None:
    logging.getLogger("miharu").addHandler(Said())
    miharu.init(file, prices=Unknown())
    Program(provider, name, int(first), int(number)).run()
    stats = miharu.stats()
    miharu.shutdown(60)
    say("done", json.dumps(stats))


if __name__ == "__main__":
    main(*sys.argv[1:])
