"""The dashboard beside a program, in a process of its own that ends with the program.

It is nobody's child, so a program that waits for all its children does not wait for it. It has a session of
its own, so Ctrl-C in the program's terminal is the program's.

    python -m miharu.cli.run.beside PID
"""

import os
import select
import sys
import threading
import time
from collections.abc import Mapping

from miharu.errors import ConfigError, MiharuError

__all__ = ("main", "open_beside")

PORT = 3001
LOOK_S = 0.5
"""Between two looks whether the program is still there, where the system does not tell."""


def open_beside(environ: Mapping[str, str]) -> None:
    """Start the dashboard for the program that this process is going to be. Returns at once.

    Raises:
        ConfigError: It cannot be done on this system.
    """
    if sys.platform == "win32":
        raise ConfigError(
            "--dashboard is not available on Windows: start `miharu dashboard` in another terminal"
        )
    words = [sys.executable, "-P", "-m", __name__, str(os.getpid())]  # -P: no module of the working directory
    child = os.fork()
    if not child:
        try:
            os.setsid()
            if not os.fork():
                os.execve(sys.executable, words, environ)  # noqa: S606 - this very Python
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def main(words: list[str]) -> int:
    """Serve the dashboard until the program has ended."""
    threading.Thread(target=_end_with, args=(int(words[0]),), daemon=True).start()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):  # they are the program's
        os.dup2(nothing, stream)
    try:
        _serve()
    except MiharuError as error:
        print(f"miharu: there is no dashboard. {error}", file=sys.stderr)
        return 2
    return 0


def _serve() -> None:
    from miharu import server
    from miharu.cli._database.reading import reading

    with reading(None, missing=bool, say=bool) as monitor:
        try:
            server.run(monitor, port=PORT, announce=_announce)
        except server.PortInUse:
            server.run(monitor, port=0, announce=_announce)


def _announce(address: str) -> None:
    print(f"miharu: the dashboard is at {address}", file=sys.stderr, flush=True)
    os.dup2(1, 2)  # who reads to the end of the program's output is not kept waiting


def _end_with(pid: int) -> None:
    """Leave as soon as the program has. This process only reads, so nothing is left to be done."""
    try:
        _wait_for(pid)
    finally:
        os._exit(0)


def _wait_for(pid: int) -> None:
    if hasattr(os, "pidfd_open"):
        try:
            program = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        except OSError:  # this kernel has none
            pass
        else:
            select.select([program], [], [])
            return
    while _is_there(pid):
        time.sleep(LOOK_S)


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it has become another user's
        return True
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
