"""``miharu dashboard``: the page on its own, for calls that other processes make."""

import argparse
import sys

from miharu.cli._arguments import add_database, add_port
from miharu.cli._database.reading import reading
from miharu.cli._database.recording import recording
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
    parser.add_argument(
        "--ingest",
        action="store_true",
        help="also take in the calls that other programs send, with the token",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    opened = recording(arguments.database) if arguments.ingest else reading(arguments.database, _waits)
    with opened as monitor:
        from miharu import server

        server.run(
            monitor,
            arguments.host,
            arguments.port,
            open_browser=arguments.open,
            announce=_announce,
            ingest=_invite if arguments.ingest else None,
        )
    return 0


def _waits(missing: NoDatabase) -> None:
    print(f"miharu: {missing}\nThe dashboard shows them as soon as they come.", file=sys.stderr)


def _invite(url: str) -> None:
    print(f"Other programs send their calls here with MIHARU_DATABASE_URL={url}", flush=True)


def _announce(address: str) -> None:
    print(f"The dashboard is at {address}\nCtrl-C ends it.", flush=True)
