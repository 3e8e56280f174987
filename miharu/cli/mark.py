"""``miharu mark``: a marker on the charts, for scripts that deploy."""

import argparse

from miharu.cli._arguments import add_database
from miharu.cli._range import moment_ms, moment_words
from miharu.config import Config, public_url
from miharu.errors import ConfigError

__all__ = ("DESCRIPTION", "HELP", "add_arguments", "run")

HELP = "mark a moment on the charts, such as a deploy"
DESCRIPTION = (
    "Mark a moment on the charts, such as a deploy or a change of a setting. The dashboard compares what "
    "came since with the same length of time before."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the name, and what else there is to say."""
    parser.add_argument("name", help="what happened, such as 'deploy 1.4'")
    add_database(parser)
    parser.add_argument(
        "--at",
        type=moment_ms,
        metavar="MOMENT",
        help="how long ago, such as 10m, or a date such as 2026-11-30T14:05 (UTC); now by default",
    )
    parser.add_argument("--service", help="the program that it is about")
    parser.add_argument(
        "--tag",
        action="append",
        default=[],
        type=_tag,
        metavar="NAME=VALUE",
        help="what else there is to say, such as by=ci; may be given several times",
    )


def run(arguments: argparse.Namespace) -> int:
    """Store the marker, and print what it is."""
    from miharu.attribution.marks import made
    from miharu.batch import Batch
    from miharu.recorder.reading.redactor import Redactor
    from miharu.stores import store_for
    from miharu.stores.blocking import awaitable

    at = None if arguments.at is None else arguments.at / 1000
    try:
        marker = made(arguments.name, at, service=arguments.service, tags=dict(arguments.tag))
    except ValueError as error:
        raise ConfigError(str(error).rstrip(".")) from None
    url = Config.resolve(arguments.database).database
    writer = awaitable(store_for(url).load()(url).writer())

    async def store() -> None:
        try:
            await writer.open()
            await writer.add(Batch(markers=[Redactor().marker(marker)]))
        finally:
            await writer.close()

    import anyio

    anyio.run(store)
    print(f"Marked {marker.name!r} at {moment_words(marker.timestamp)} in {public_url(url)}.")
    return 0


def _tag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not a tag: give a name and a value, such as by=ci")
    return name, value
