"""What happens to the file of a program that records, and what comes of it: one line per fault.

    python -m benchmarks.faults [--quick] [--only TEXT]

The program is a process of its own that makes calls through httpx and is never told. As root on Linux all
faults can be made; else those that need another user or a disk of their own are left out.
"""

import argparse
import os
import shutil
import tempfile
from pathlib import Path

from miharu.testing import FakeProvider
from tests.stores.faults import FAULTS, App, Fault, Outcome, fill, owned_by_nobody, place, play

HEAD = ("fault", "happens", "what miharu said", "lost", "earlier calls kept", "recording afterwards")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a small file")
    parser.add_argument("--only", default="", help="faults whose name contains this")
    arguments = parser.parse_args()
    earlier = 2_000 if arguments.quick else 50_000
    print(" | ".join(HEAD))
    slowest = 0.0
    with FakeProvider() as provider, tempfile.TemporaryDirectory(prefix="miharu-faults-") as folder:
        base = Path(folder)
        base.chmod(0o755)
        fill(base / "earlier.db", earlier)
        apps = Apps(provider.base_url)
        for number, fault in enumerate(FAULTS):
            if arguments.only not in fault.name:
                continue
            try:
                outcome = one(apps, fault, base, number, earlier)
            except PermissionError as error:
                print(f"{fault.name} | left out: {error}")
                continue
            slowest = max(slowest, outcome.slowest_ms)
            print(" | ".join(told(outcome)), flush=True)
        codes = apps.end()
    print(
        f"\nEvery call of the program was answered, the slowest in {slowest:.0f} ms; it ended with {codes}."
    )


class Apps:
    """One program of this user, and one of nobody's."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._apps: dict[bool, App] = {}

    def __call__(self, fault: Fault) -> App:
        if fault.as_nobody not in self._apps:
            app = self._apps[fault.as_nobody] = App(self._provider)
            if fault.as_nobody:
                app.become_nobody()
        return self._apps[fault.as_nobody]

    def end(self) -> list[int]:
        return [app.end() for app in self._apps.values()]


def one(apps: Apps, fault: Fault, base: Path, number: int, earlier: int) -> Outcome:
    if (fault.as_nobody or fault.mounts) and os.geteuid() != 0:
        raise PermissionError("only root can make it")
    with place(fault, base / str(number)) as there:
        for part in ("", ".layout"):
            shutil.copy(base / f"earlier.db{part}", there / f"calls.db{part}")
        if fault.as_nobody:
            owned_by_nobody(there)
        return play(apps(fault), fault, there / "calls.db", earlier)


def told(outcome: Outcome) -> tuple[str, ...]:
    fault = outcome.fault
    afterwards = "goes on when it is over" if outcome.waited else "goes on"
    if outcome.aside:
        afterwards += f", in a new file; the old one is kept as {', '.join(outcome.aside)}"
    return (
        fault.name,
        "while it runs" if fault.running else "after a kill" if fault.killed else "between two runs",
        " / ".join(dict.fromkeys(outcome.said)) or "nothing",
        f"{outcome.made - outcome.found} of {outcome.made}",
        f"{outcome.kept:,} of {outcome.earlier:,}",
        afterwards + ("" if outcome.sound else "; DAMAGED"),
    )


if __name__ == "__main__":
    main()
