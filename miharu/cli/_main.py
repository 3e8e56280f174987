"""The arguments, and what a failure looks like: one paragraph and exit code 2, never a traceback."""

import argparse
import importlib
import os
import sys
import textwrap
from collections.abc import Sequence

from miharu._version import __version__
from miharu.cli._range import range_ms
from miharu.errors import MiharuError

__all__ = ("main",)

_WRONG = 2
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help()
        return 0
    try:
        command = importlib.import_module(f"miharu.cli.{arguments.command}")
        code: int = command.run(arguments)
        sys.stdout.flush()
    except MiharuError as error:
        return _say(str(error))
    except PermissionError as error:
        return _say(f"{error.filename} is not for this user: {error.strerror}.")
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _say(message: str) -> int:
    paragraph = textwrap.fill(f"miharu: {message}", 100, break_long_words=False, break_on_hyphens=False)
    print(paragraph, file=sys.stderr)
    return _WRONG


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="miharu",
        description="See the LLM calls that your Python programs make: tokens, cost, latency, errors.",
    )
    parser.add_argument("--version", action="version", version=f"miharu {__version__}")
    commands = parser.add_subparsers(dest="command", title="commands")

    dashboard = commands.add_parser("dashboard", help="show the dashboard", description="Show the dashboard.")
    _add_database(dashboard)
    dashboard.add_argument(
        "--host", default="127.0.0.1", help="the address to serve on (default: %(default)s)"
    )
    _add_port(dashboard)
    dashboard.add_argument("--open", action="store_true", help="open it in the browser")

    demo = commands.add_parser(
        "demo",
        help="show the dashboard with example calls",
        description="Show the dashboard with example calls, made by the real OpenAI SDK against a provider "
        "of miharu's own. No key is needed, nothing leaves this machine, and nothing is left behind.",
    )
    _add_port(demo)
    demo.add_argument("--no-open", dest="open", action="store_false", help="do not open the browser")

    stats = commands.add_parser(
        "stats", help="print the sums", description="Print the sums of a range of time."
    )
    _add_database(stats)
    stats.add_argument(
        "--range",
        type=range_ms,
        default="24h",
        metavar="TIME",
        help="how far back: a number and s, m, h, d or w (default: %(default)s)",
    )
    stats.add_argument("--json", action="store_true", help="print JSON, for programs")

    doctor = commands.add_parser(
        "doctor",
        help="check what is seen, and the database",
        description="Check which libraries are installed and seen, and the health of the database. "
        "Exit code 1 when something is wrong.",
    )
    _add_database(doctor)
    doctor.add_argument("--deep", action="store_true", help="read the whole database and check its structure")
    return parser


def _add_database(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--database",
        metavar="URL",
        help="a path or a URL (default: $MIHARU_DATABASE_URL, else .miharu/calls.db of this project)",
    )


def _add_port(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=_port, default=3001, help="the port to serve on (default: %(default)s)"
    )


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no port: give a number from 0 to 65535, 0 for any free one"
        )
    return int(text)
