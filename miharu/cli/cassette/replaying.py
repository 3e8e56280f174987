"""``miharu cassette replay``: answers from a file, on a port or inside a program."""

import argparse
import os
import signal
import sys
import threading

from miharu.cassettes.file import load
from miharu.cassettes.question import ignored
from miharu.cassettes.replay import Replay
from miharu.errors import ConfigError

__all__ = ("replay",)


def replay(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C, or become the program; the exit code.

    Raises:
        ConfigError: The file cannot be read.
    """
    exchanges = load(arguments.file)
    if arguments.program:
        from miharu.cassettes.implied import VARIABLE, setting
        from miharu.cli.run.program import become, recording

        told = setting(arguments.file, ignore=arguments.ignore, reuse=arguments.reuse, paced=arguments.paced)
        return become(arguments.program, recording({**os.environ, VARIABLE: told}))
    answering = Replay(
        exchanges,
        where=str(arguments.file),
        places=ignored(arguments.ignore),
        reuse=arguments.reuse,
        paced=arguments.paced,
    )
    return _serve(answering, arguments.port)


def _serve(answering: Replay, port: int) -> int:
    from miharu.testing._server import settings_of
    from miharu.testing.cassette import CassetteProvider

    stopped = threading.Event()
    before = {name: signal.signal(name, lambda *_: stopped.set()) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        with CassetteProvider(answering, port=port, missed=_complain) as provider:
            lines = [f"export {name}={value}" for name, value in settings_of(provider.url).items()]
            print("\n".join([*lines, "# Ctrl-C ends it."]), flush=True)
            stopped.wait()
    except OverflowError:
        raise ConfigError(f"--port {port}: give a number from 0 to 65535.") from None
    except OSError as error:
        raise ConfigError(f"port {port}: {error.strerror}.") from error
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
    if answering.unused and not answering.missed:
        numbers = ", ".join(map(str, answering.unused))
        print(f"miharu: nothing was answered with exchange {numbers}.", file=sys.stderr)
    return 1 if answering.missed else 0


def _complain(message: str) -> None:
    print(f"miharu: {message}", file=sys.stderr, flush=True)
