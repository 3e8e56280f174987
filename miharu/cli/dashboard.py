"""``miharu dashboard``: the page on its own, for calls that other processes make."""

import argparse
import sys

from miharu.cli._arguments import add_database, add_port
from miharu.cli._reading import reading
from miharu.errors import NoDatabase

__all__ = ("DESCRIPTION", "HELP", "add_arguments", "run")

HELP = "show the dashboard"
DESCRIPTION = "Show the dashboard."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options for the database and the address."""
    add_database(parser)
    parser.add_argument("--host", default="127.0.0.1", help="the address to serve on (default: %(default)s)")
    add_port(parser)
    parser.add_argument("--open", action="store_true", help="open it in the browser")


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    with reading(arguments.database, _waits) as monitor:
        from miharu import server

        server.run(monitor, arguments.host, arguments.port, open_browser=arguments.open, announce=_announce)
    return 0


def _waits(missing: NoDatabase) -> None:
    print(f"miharu: {missing}\nThe dashboard shows them as soon as they come.", file=sys.stderr)


def _announce(address: str) -> None:
    print(f"The dashboard is at {address}\nCtrl-C ends it.", flush=True)
