"""``miharu cassette``: exchanges with models in a file, and answers from it.

recording.py  ``record``: from a database, or from a program that is run
replaying.py  ``replay``: for any program on a port, or for a program that is run
"""

import argparse
import sys
from pathlib import Path

from miharu.cli._arguments import add_database, add_filters
from miharu.cli._range import range_ms

__all__ = ("DESCRIPTION", "HELP", "add_arguments", "run")

HELP = "record calls in a file, and answer from it"
DESCRIPTION = (
    "Record calls whose content was kept in a file that people can read, and answer the real SDKs from it, "
    "offline. For tests there is the fixture miharu_replay of pytest."
)
_MOST = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two commands and their options."""
    parser.set_defaults(program=(), act=None)
    acts = parser.add_subparsers(title="commands", metavar="{record,replay}")
    record = acts.add_parser(
        "record",
        help="write a cassette",
        description="Write a cassette: of calls of a database, or with `-- command` of those that a program "
        "makes, which is run for it with its content kept.",
        usage="miharu cassette record [options] --out FILE [-- command …]",
    )
    add_database(record)
    record.add_argument(
        "--range",
        type=range_ms,
        metavar="TIME",
        help="how far back: a number and s, m, h, d or w (default: everything)",
    )
    add_filters(record)
    record.add_argument("--session", help="only calls of this session")
    record.add_argument("--trace", help="only calls of this trace")
    record.add_argument(
        "--limit", type=int, default=_MOST, metavar="N", help="the newest so many (default: %(default)s)"
    )
    record.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="a new file, readable by you alone"
    )
    record.set_defaults(act="record")
    replay = acts.add_parser(
        "replay",
        help="answer from a cassette",
        description="Answer from a cassette: on a port of this machine, until Ctrl-C, or with `-- command` "
        "whatever the Pythons of that program ask, of which nothing goes out.",
        usage="miharu cassette replay [options] FILE [-- command …]",
    )
    replay.add_argument("file", type=Path, metavar="FILE")
    replay.add_argument("--port", type=int, default=0, help="the port to serve on (default: any free one)")
    replay.add_argument(
        "--ignore",
        action="append",
        default=[],
        metavar="PLACE",
        help="a place in a request's body that is not compared, such as metadata.id or messages.*.id",
    )
    replay.add_argument("--reuse", action="store_true", help="an exchange may answer more than once")
    replay.add_argument("--paced", action="store_true", help="answer in the time that it took")
    replay.set_defaults(act="replay")


def run(arguments: argparse.Namespace) -> int:
    """Record or replay.

    Raises:
        ConfigError: An option is not valid, or a file cannot be used.
    """
    if arguments.act == "record":
        from miharu.cli.cassette.recording import record

        return record(arguments)
    if arguments.act == "replay":
        from miharu.cli.cassette.replaying import replay

        return replay(arguments)
    print("miharu: say what to do: `miharu cassette record` or `miharu cassette replay`.", file=sys.stderr)
    return 2
