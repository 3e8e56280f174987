"""``miharu demo``: the dashboard with example calls, made by the real OpenAI SDK against our own provider.

app.py      the app whose routes make the calls
agent.py    the route that is an agent with tools, which fail now and then
traffic.py  its visitors, and visit.py what one asks for
"""

import argparse
import importlib.util
import os
import signal
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from miharu.cli._arguments import add_port
from miharu.errors import ConfigError

__all__ = ("DESCRIPTION", "HELP", "add_arguments", "run")

HELP = "show the dashboard with example calls"
DESCRIPTION = (
    "Show the dashboard with example calls, made by the real OpenAI SDK against a provider of miharu's own. "
    "No key is needed, nothing leaves this machine, and nothing is left behind."
)
_HOST = "127.0.0.1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options for the address and the browser."""
    add_port(parser)
    parser.add_argument("--no-open", dest="open", action="store_false", help="do not open the browser")


def run(arguments: argparse.Namespace) -> int:
    """Make calls and show them until Ctrl-C."""
    if importlib.util.find_spec("openai") is None:
        raise ConfigError(
            'the demo makes its calls with the OpenAI SDK, which is missing: pip install "miharu[demo]"'
        )
    # The demo records even where the environment switches miharu off.
    os.environ.pop("MIHARU_DISABLED", None)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="miharu-demo-", ignore_cleanup_errors=True) as folder:
            _serve(Path(folder) / "calls.db", arguments.port, open_browser=arguments.open)
    except KeyboardInterrupt:
        pass
    print("The demo has ended; nothing of it is left.")
    return 0


def _serve(database: Path, port: int, *, open_browser: bool) -> None:
    from miharu import monitor, server
    from miharu.cli.demo.traffic import Traffic, latency
    from miharu.testing import FakeProvider

    provider = FakeProvider(latency=latency, chunk_latency=0.02)
    monitor.init(database, service="demo", capture_content=True, tag_sums=("team", "release"))
    running = monitor.current()
    assert running is not None
    with ExitStack() as visitors:

        def announce(address: str) -> None:
            print("Example calls through the OpenAI SDK, to a provider of miharu's own: no key, no cost.")
            print(f"They are kept in {database} until the demo ends.")
            print(f"The dashboard is at {address}\nCtrl-C ends it.", flush=True)
            visitors.enter_context(provider)
            visitors.enter_context(_going_on(Traffic(provider.base_url).run))

        try:
            server.run(running, _HOST, port, open_browser=open_browser, announce=announce)
        finally:
            visitors.close()
            monitor.shutdown(5.0)


@contextmanager
def _going_on(task: Callable[[], Awaitable[None]]) -> Iterator[None]:
    from anyio.from_thread import start_blocking_portal

    with start_blocking_portal() as portal:
        going = portal.start_task_soon(task)
        try:
            yield
        finally:
            going.cancel()
