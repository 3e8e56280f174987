"""``miharu dashboard``: the page on its own, for calls that other processes make."""

import argparse

from miharu.cli._reading import reading

__all__ = ("run",)


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    with reading(arguments.database) as monitor:
        from miharu import server

        server.run(monitor, arguments.host, arguments.port, open_browser=arguments.open, announce=_announce)
    return 0


def _announce(address: str) -> None:
    print(f"The dashboard is at {address}\nCtrl-C ends it.", flush=True)
