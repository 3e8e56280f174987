"""``miharu prune``: delete old calls, or those of a user or a session."""

import argparse
import sys
from typing import TYPE_CHECKING

from miharu.cli._arguments import add_database
from miharu.cli._database.writing import writing
from miharu.cli._output import bytes_words
from miharu.cli._range import moment_ms, moment_words
from miharu.cli.prune.forgetting import forget
from miharu.config import Config, public_url
from miharu.errors import ConfigError

if TYPE_CHECKING:
    from miharu.stores.base import AsyncWriter, Questions

__all__ = ("DESCRIPTION", "HELP", "add_arguments", "run")

HELP = "forget old calls or their content, or all of a user"
DESCRIPTION = (
    "Forget the calls, or only the content of the calls, that started before a moment; or all of some users "
    "and sessions. It is done in small steps, beside the programs that record. What is forgotten cannot be "
    "brought back."
)
_AT_ONCE = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options for what is deleted, and whether to ask first."""
    add_database(parser)
    parser.add_argument(
        "--before",
        type=moment_ms,
        metavar="MOMENT",
        help="how long ago, such as 90d, or a date such as 2026-11-30 (UTC)",
    )
    parser.add_argument(
        "--content-only", action="store_true", help="keep the calls and forget prompts and answers"
    )
    parser.add_argument(
        "--user",
        action="append",
        default=[],
        metavar="ID",
        help="all of this user; may be given several times",
    )
    parser.add_argument(
        "--session", action="append", default=[], metavar="ID", help="all of this session; likewise"
    )
    parser.add_argument(
        "--vacuum",
        action="store_true",
        help="write the SQLite file anew afterwards, so that nothing of them stands in its free space",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(arguments: argparse.Namespace) -> int:
    """Ask, delete, and print how many calls that were."""
    if arguments.user or arguments.session:
        return _forget(arguments)
    if arguments.before is None:
        raise ConfigError("what is to be forgotten? Give --before a moment, or --user or --session an id.")
    if arguments.vacuum:
        raise ConfigError("--vacuum goes with --user and --session.")
    where = public_url(Config.resolve(arguments.database).database)
    what = "the content of calls" if arguments.content_only else "calls"

    async def pruned(questions: "Questions", writer: "AsyncWriter") -> tuple[int, int | None]:
        gone = 0
        while some := await writer.prune(
            arguments.before, content_only=arguments.content_only, limit=_AT_ONCE
        ):
            gone += some
        await writer.prune(arguments.before, content_only=arguments.content_only)  # the rest of it, if any
        return gone, await questions.size()

    if not arguments.yes:
        found = writing(arguments.database, lambda questions, _: _calls_before(questions, arguments.before))
        if not found:
            print(f"There are no calls from before {moment_words(arguments.before)} in {where}.")
            return 0
        if not _agreed(
            f"Forget {what} from before {moment_words(arguments.before)} in {where}: "
            f"{found:,} of them. Go on? [y/N] "
        ):
            print("Nothing was forgotten.")
            return 1
    gone, size = writing(arguments.database, pruned)
    print(f"{gone:,} forgotten.", end="")
    if size is not None:
        print(f" The database takes {bytes_words(size)} on disk; freed space is used for new calls.", end="")
    print()
    return 0


def _forget(arguments: argparse.Namespace) -> int:
    if arguments.before is not None or arguments.content_only:
        raise ConfigError(
            "--user and --session forget everything of theirs: leave out --before and --content-only."
        )
    if not all((*arguments.user, *arguments.session)):
        raise ConfigError("an empty id names no user and no session.")
    agreed = None if arguments.yes else _agreed
    return forget(arguments.database, arguments.user, arguments.session, agreed, vacuum=arguments.vacuum)


async def _calls_before(questions: "Questions", before: int) -> int:
    from miharu.stores.base import Query

    return (await questions.totals(Query(start=0, end=before))).calls


def _agreed(question: str) -> bool:
    """Whether the user at the terminal answers yes.

    Raises:
        ConfigError: There is no terminal to ask on.
    """
    if not sys.stdin.isatty():
        raise ConfigError("there is no terminal to ask on whether calls may be forgotten: pass --yes.")
    try:
        return input(question).strip().lower() in {"y", "yes"}
    except EOFError:
        print()
        return False
