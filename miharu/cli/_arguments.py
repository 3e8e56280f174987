"""Arguments that several commands have, and the query that some of them mean."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from miharu.conditions.language import Conditions
    from miharu.stores.base import Query

__all__ = ("add_conditions", "add_database", "add_filters", "add_port", "joined", "query_of")

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
    add_conditions(parser)


def add_conditions(parser: argparse.ArgumentParser) -> None:
    """Add the option for conditions, in the grammar of the dashboard."""
    parser.add_argument(
        "--where",
        type=_conditions,
        default=(),
        metavar="CONDITIONS",
        help="only calls that meet all of these, such as 'cost>0.01 model:gpt-* -user:u_1'",
    )


def joined(words: Sequence[str]) -> list[str]:
    """The words, with conditions in one piece with their option: they may begin with a minus, too."""
    found: list[str] = []
    for word in words:
        if found and found[-1] == "--where" and word.startswith("-"):
            found[-1] = f"--where={word}"
        else:
            found.append(word)
    return found


def query_of(arguments: argparse.Namespace, start: int, end: int) -> "Query":
    """The calls of [start, end), Unix milliseconds, that pass the filters."""
    from miharu.conditions.language import Conditions
    from miharu.stores.base import Query
    from miharu.stores.narrowing import narrowed

    filters: dict[str, Any] = {column: getattr(arguments, name, None) for name, column in _FILTERS.items()}
    return narrowed(Query(start=start, end=end, **filters), arguments.where or Conditions())


def _conditions(text: str) -> "Conditions":
    from miharu.conditions.faults import underlined
    from miharu.conditions.parsing import parse
    from miharu.errors import ConditionError

    try:
        return parse(text)
    except ConditionError as error:
        better = f"\nPerhaps: {error.mended}" if error.mended else ""
        raise argparse.ArgumentTypeError(
            f"not understood, {error}\n{underlined(error.text, error.faults)}{better}"
        ) from error


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a valid port: give a number from 0 to 65535, 0 for any free one"
        )
    return int(text)
