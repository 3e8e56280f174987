"""``miharu run``: a program that records, with no change of its code.

words.py    which words are miharu's, and which are the program's
program.py  the program takes the place of this process, in an environment that makes it record
beside.py   ``--dashboard``: the dashboard in a process of its own, which ends with the program

The program is not run in here: it takes this process over, so its exit code, its signals, its arguments and
its streams are its own.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from miharu.cli._arguments import add_database

__all__ = ("DESCRIPTION", "HELP", "add_arguments", "run")

HELP = "run a program, and record its calls"
DESCRIPTION = (
    "Run a Python program and record its calls, and those of the Pythons that it starts, with no change of "
    "its code: `miharu run script.py`, `miharu run -m module`, or a command: `miharu run -- gunicorn "
    "app:app`. What comes after the options is what would come after `python`."
)
_NO_PROGRAM = 2
_NOT_FOUND = 127


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options, which mean what they mean for ``miharu.init()``."""
    parser.usage = "miharu run [options] script.py … | -m module … | -- command …"
    add_database(parser)
    parser.add_argument(
        "--service", metavar="NAME", help="the name of the program (default: $MIHARU_SERVICE)"
    )
    parser.add_argument("--capture-content", action="store_true", help="keep prompts and answers as well")
    parser.add_argument(
        "--dashboard", action="store_true", help="show the dashboard meanwhile, on port 3001 or any free one"
    )
    parser.set_defaults(program=())


def run(arguments: argparse.Namespace) -> int:
    """Become the program; return only if there is none.

    Raises:
        ConfigError: An option is not valid.
    """
    program: Sequence[str] = arguments.program
    if program in ([], ["--"]):
        return _complain("name the program: script.py, -m module, or -- command.", _NO_PROGRAM)
    if remedy := _meant_as_command(program[0]):
        return _complain(remedy, _NOT_FOUND)
    from miharu.cli.run.program import become, recording, settings

    environ = {**os.environ, **settings(arguments)}
    if arguments.dashboard:
        from miharu.cli.run.beside import open_beside

        open_beside(environ)
    command = program[1:] if program[0] == "--" else [sys.executable, *program]
    return become(command, recording(environ))


def _meant_as_command(word: str) -> str:
    """What to write instead of ``miharu run gunicorn``, which names a script that is not there."""
    if word.startswith("-") or Path(word).exists() or not shutil.which(word):
        return ""
    return f"there is no script {word!r} here. For the command write: miharu run -- {word} …"


def _complain(message: str, code: int) -> int:
    print(f"miharu: {message}", file=sys.stderr)
    return code
