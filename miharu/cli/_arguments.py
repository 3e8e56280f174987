"""Arguments that several commands have, and the query that some of them mean."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from miharu.stores.base import Query

__all__ = ("add_database", "add_filters", "add_port", "query_of")

_FILTERS = {
    "model": "model",
    "route": "route",
    "user": "user_id",
    "status": "status",
    "prompt": "prompt_name",
}


def add_database(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the database."""
    parser.add_argument(
        "--database",
        metavar="URL",
        help="a path or a URL (default: $MIHARU_DATABASE_URL, else .miharu/calls.db of this project)",
    )


def add_port(parser: argparse.ArgumentParser) -> None:
    """Add the option for the port to serve on."""
    parser.add_argument(
        "--port", type=_port, default=3001, help="the port to serve on (default: %(default)s)"
    )


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Add the options that filter calls."""
    parser.add_argument("--model", help="only calls of this model, as it is stored")
    parser.add_argument("--route", help="only calls of this route of your app, such as 'POST /chat'")
    parser.add_argument("--user", help="only calls of this user")
    parser.add_argument("--prompt", help="only calls of this prompt, by its name")
    parser.add_argument(
        "--status", choices=("success", "error", "cancelled"), help="only calls that ended so"
    )


def query_of(arguments: argparse.Namespace, start: int, end: int) -> "Query":
    """The calls of [start, end), Unix milliseconds, that pass the filters."""
    from miharu.stores.base import Query

    filters = {column: getattr(arguments, name) for name, column in _FILTERS.items()}
    return Query(start=start, end=end, **filters)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a valid port: give a number from 0 to 65535, 0 for any free one"
        )
    return int(text)
