"""Several users of one machine: a process of root's that forks others, each of which becomes one of them.

Everything is imported before: the interpreter may lie where other users cannot read.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.calls import ANSWER, ASKED, URL

__all__ = ("ASK", "ROOT", "STRANGER", "VICTIM", "Out", "Users", "owned", "users", "world")

ROOT, STRANGER, VICTIM = 0, 65534, 54321
"""Root, a user who has a name, and one who has none."""

ASK = f"""
import logging, sys, miharu
logging.basicConfig(level=logging.WARNING, format="%(message)s")
miharu.init(*arguments)
import httpx2
transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json={ANSWER!r}))
httpx2.Client(transport=transport).post({URL!r}, json={ASKED!r})
miharu.flush(20)
print(miharu.stats()["written"], miharu.stats()["database"])
miharu.shutdown(20)
"""
"""Records a call, and says how many were written where."""

_FORKING = r"""
import importlib, json, os, pkgutil, sys, traceback

def load(package):
    for each in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        if not each.name.endswith(("__main__", "._pytest", ".aiohttp", ".postgres.database")):
            try:
                importlib.import_module(each.name)
            except ImportError:
                pass

for name in ("miharu",):
    load(name)
for name in (
    "anyio._backends._asyncio", "aiosqlite", "sqlalchemy.dialects.sqlite.aiosqlite", "genai_prices",
    "genai_prices.data", "httpx", "httpx2", "httpcore2", "msgspec", "jinja2", "uvicorn", "litestar", "pwd",
    "grp", "resource", "sqlite3", "encodings.idna", "logging.config", "csv", "tempfile",
):
    try:
        importlib.import_module(name)
    except ImportError:
        pass

for line in sys.stdin:
    order = json.loads(line)
    out, err = (open(order[name], "w+") for name in ("out", "err"))
    child = os.fork()
    if not child:
        code = 70
        try:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            os.setgroups([])
            os.setgid(order["uid"])
            os.setuid(order["uid"])
            os.umask(0o022)
            for name in [*os.environ]:
                if name.startswith(("MIHARU_", "PYTEST_", "XDG_")):
                    del os.environ[name]
            os.environ.update(order["environ"])
            os.chdir(order["cwd"])
            code = 0
            exec(compile(order["script"], "<script>", "exec"), {"arguments": order["arguments"]})
        except SystemExit as end:
            code = end.code or 0
        except BaseException:
            code = 70
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code if isinstance(code, int) else 1)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


@dataclass(frozen=True)
class Out:
    """What a process has left."""

    code: int
    out: str
    err: str


class Users:
    """Runs what a user runs."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self._process = process
        self._folder = folder

    def run(self, uid: int, script: str, *arguments: str, cwd: Path, home: Path, **environ: str) -> Out:
        """A script, as that user, in that folder."""
        out, err = (self._folder / name for name in ("out", "err"))
        order: dict[str, Any] = {
            "uid": uid,
            "script": script,
            "arguments": arguments,
            "cwd": str(cwd),
            "environ": {"HOME": str(home), **environ},
            "out": str(out),
            "err": str(err),
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(order), file=self._process.stdin, flush=True)
        code = int(self._process.stdout.readline())
        found = Out(code, out.read_text(), err.read_text())
        assert "Traceback" not in found.err, found.err
        return found

    def command(self, uid: int, *arguments: str, cwd: Path, home: Path) -> Out:
        """``miharu`` with these arguments."""
        script = "from miharu.cli import main\nraise SystemExit(main(list(arguments)))"
        return self.run(uid, script, *arguments, cwd=cwd, home=home)


@contextmanager
def users() -> Iterator[Users]:
    folder = Path(tempfile.mkdtemp(prefix="miharu-users-"))
    with subprocess.Popen(
        [sys.executable, "-c", _FORKING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Users(process, folder)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(20)
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def world() -> Iterator[Path]:
    """A folder that all users can look into; that of pytest is closed to them."""
    folder = Path(tempfile.mkdtemp(prefix="miharu-world-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def owned(path: Path, uid: int, mode: int | None = None) -> Path:
    """It belongs to that user from now on."""
    os.chown(path, uid, uid, follow_symlinks=False)
    if mode is not None:
        path.chmod(mode)
    return path
