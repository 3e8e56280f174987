"""The commands by name, and what a failure looks like: one paragraph and exit code 2, never a traceback."""

import argparse
import os
import sys
import textwrap
from collections.abc import Sequence
from importlib import import_module

from miharu._version import __version__
from miharu.cli._arguments import joined
from miharu.cli.run.words import split
from miharu.errors import MiharuError

__all__ = ("COMMANDS", "main")

COMMANDS = (
    *("run", "dashboard", "demo", "tail", "stats", "export", "cassette"),
    *("mark", "copy", "prune", "reprice", "doctor"),
)
"""Each is a module or a folder here, with ``HELP``, ``DESCRIPTION``, ``add_arguments`` and ``run``."""
_WRONG = 2
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser, words = _parser(), list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["run"]:  # most of it is the program's, and may look like options of ours
        ours, program = split(words[1:])
        arguments = parser.parse_args(["run", *ours])
        arguments.program = program
    elif words[:1] == ["cassette"] and "--" in words:
        at = words.index("--")
        arguments = parser.parse_args(words[:at])
        arguments.program = words[at + 1 :]
    else:
        arguments = parser.parse_args(joined(words))
    if arguments.command is None:
        parser.print_help()
        return 0
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (MiharuError, OSError) as error:
        return _say(_reason(error))
    return code


def _reason(error: MiharuError | OSError) -> str:
    if isinstance(error, MiharuError):
        return str(error)
    what = error.filename or "the output"
    if isinstance(error, PermissionError):
        return f"{what} is not for this user: {error.strerror}."
    return f"{what} cannot be written or read: {error.strerror}."  # such as a disk that is full


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
    for name in COMMANDS:
        command = import_module(f"miharu.cli.{name}")
        its_own = commands.add_parser(name, help=command.HELP, description=command.DESCRIPTION)
        command.add_arguments(its_own)
        its_own.set_defaults(run=command.run)
    return parser
