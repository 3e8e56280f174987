"""The program takes the place of this process."""

import argparse
import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NoReturn

from miharu._sitehook import FOLDER
from miharu.config import MEMORY, Config, database_file
from miharu.config.location import RUN_FOLDER

__all__ = ("become", "recording", "settings")

_NOT_EXECUTABLE = 126
_NOT_FOUND = 127


def settings(arguments: argparse.Namespace) -> dict[str, str]:
    """The options as environment variables, for the program and all that it starts.

    Raises:
        ConfigError: An option is not valid.
    """
    given: dict[str, str] = {}
    with suppress(OSError):  # it has been deleted
        given[RUN_FOLDER] = os.getcwd()  # noqa: PTH109 - as text
    if arguments.database is not None:
        given["MIHARU_DATABASE_URL"] = _absolute(arguments.database)
    if arguments.service is not None:
        Config.resolve(MEMORY, service=arguments.service, environ={})
        given["MIHARU_SERVICE"] = arguments.service
    if arguments.capture_content:
        given["MIHARU_CAPTURE_CONTENT"] = "1"
    return given


def recording(environ: Mapping[str, str]) -> dict[str, str]:
    """That environment, and Pythons record in it."""
    return {**environ, "PYTHONPATH": _path(environ.get("PYTHONPATH", ""))}


def _absolute(database: str) -> str:
    """The database for processes that work in other folders."""
    file = database_file(Config.resolve(database, environ={}).database)
    return database if file is None else str(file)


def _path(entries: str) -> str:
    """The path of the program, with our folder before what else there is."""
    ours = str(FOLDER)
    others = [entry for entry in entries.split(os.pathsep) if entry != ours] if entries else []
    return os.pathsep.join([ours, *others])


def become(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the command in the place of this process; return only if it cannot be run, as a shell does."""
    sys.stdout.flush()
    try:
        if sys.platform == "win32":  # there a process cannot take the place of another
            return subprocess.call(list(command), env=environ)  # noqa: S603 - that is what was asked for
        # Python ignores these two, and a program would inherit that
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        _execute(command, environ)
    except FileNotFoundError as error:
        return _refuse(command[0], error, _NOT_FOUND)
    except OSError as error:
        return _refuse(command[0], error, _NOT_EXECUTABLE)


def _execute(command: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    try:
        os.execvpe(command[0], [*command], environ)  # noqa: S606 - that is what was asked for
    except OSError as error:
        script = shutil.which(command[0], path=environ.get("PATH"))
        if error.errno != errno.ENOEXEC or script is None:
            raise
        os.execve("/bin/sh", ["sh", script, *command[1:]], environ)  # noqa: S606 - a script without a first line


def _refuse(word: str, error: OSError, code: int) -> int:
    print(f"miharu: {word}: {error.strerror}", file=sys.stderr)
    return code
