"""Which modules open, make, change or remove files on their own: those that are named here, with reasons.

All others go through ``files.private``, which no link, pipe or file of another user leads elsewhere.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "miharu"

ALLOWED = {
    "files/private.py": "it is the one that others go through",
    "files/trust.py": "it reads the system's tables of users and groups",
    "cassettes/file.py": "a file of a test, which lies in its repository; written through files.private",
    "cassettes/recording.py": "the folder of such a file, which it makes and locks",
    "cli/_main.py": "the null device, in the place of a pipe that was closed",
    "cli/run/beside.py": "the null device, in the place of the program's own streams",
    "cli/cassette/recording.py": "a folder of its own, made by tempfile",
    "cli/demo/__init__.py": "a folder of its own, made by tempfile",
    "cli/export.py": "a file that the user has named, made by tempfile and renamed",
    "dashboard/http/assets.py": "files that come with the package",
    "dashboard/access/socket_owners.py": "the kernel's tables of connections",
    "dashboard/access/secret.py": "the mode of a token that it has opened through files.private",
    "plugins.py": "what installed packages say of themselves, as importlib.metadata reads it",
    "recorder/spool/file.py": "it renames, cuts and removes a file that it has opened through files.private",
    "stores/postgres/database.py": "a server",
    "stores/sqlite/locks/handles.py": "a file that it has opened through files.private",
    "stores/sqlite/file.py": "the file itself, where check_place() has looked",
    "stores/sqlite/memory.py": "a database in memory",
    "stores/sqlite/readers.py": "the file itself, where check_place() has looked",
    "stores/sqlite/repair/damage.py": "the same, through sqlite3",
    "stores/sqlite/repair/layout.py": "a database in memory",
    "stores/sqlite/repair/quarantine.py": "it renames, and changes the mode where others cannot write",
}
OF_A_MODULE = {
    "os": {
        *("open", "mkdir", "makedirs", "rename", "renames", "replace", "link", "symlink", "unlink", "remove"),
        *("rmdir", "removedirs", "chmod", "fchmod", "lchmod", "chown", "fchown", "lchown", "truncate"),
        *("ftruncate", "mkfifo", "mknod", "utime"),
    },
    "io": {"open", "FileIO"},
    "sqlite3": {"connect"},
    "tempfile": {"mkstemp", "mkdtemp", "TemporaryDirectory", "NamedTemporaryFile", "TemporaryFile"},
}
OF_A_PATH = {
    *("open", "read_bytes", "read_text", "write_bytes", "write_text", "touch", "mkdir", "rename", "unlink"),
    *("rmdir", "chmod", "lchmod", "symlink_to", "hardlink_to"),
}
BY_NAME = {"open", "FileIO", "create_engine", "create_async_engine"}
NOT_OF_FILES = {
    *("store", "database", "_database", "writer", "_writer", "pipeline", "self", "questions", "queries"),
    *("lock", "_lock", "making", "_readers", "ours", "theirs"),
}
"""What else has a method ``open``."""


def uses(source: str) -> Iterator[str]:
    """The calls in it that may touch files."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Name(id=name) if name in BY_NAME:
                yield name
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in OF_A_MODULE:
                if name in OF_A_MODULE[module]:
                    yield f"{module}.{name}"
            case ast.Attribute(value=ast.Name(id="shutil"), attr=name) if name not in {"disk_usage", "which"}:
                yield f"shutil.{name}"
            case ast.Attribute(value=of, attr="replace") if len(node.args) == 1 and not node.keywords:
                yield f"{ast.unparse(of)}.replace"
            case ast.Attribute(value=of, attr=name) if name in OF_A_PATH:
                if name != "open" or ast.unparse(of).rpartition(".")[2] not in NOT_OF_FILES:
                    yield f"{ast.unparse(of)}.{name}"


def modules() -> list[str]:
    return sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("module", sorted({*modules()} - {*ALLOWED}))
def test_it_touches_files_only_through_the_one_module(module: str) -> None:
    assert not list(uses((PACKAGE / module).read_text()))


@pytest.mark.parametrize("module", ALLOWED)
def test_what_is_allowed_is_needed(module: str) -> None:
    found = list(uses((PACKAGE / module).read_text()))
    assert found


@pytest.mark.parametrize(
    "line",
    [
        "open('x', 'w')",
        "os.open('x', 1)",
        "Path('x').write_text('y')",
        "path.open('rb')",
        "draft.replace(path)",
        "os.replace(a, b)",
        "sqlite3.connect('x')",
        "path.chmod(0o600)",
        "shutil.move(a, b)",
        "tempfile.mkstemp()",
        "self.path.unlink()",
    ],
)
def test_it_finds_what_touches_files(line: str) -> None:
    assert list(uses(line))


@pytest.mark.parametrize("line", ["'a'.replace('b', 'c')", "replace(call, id=1)", "await store.open()"])
def test_it_leaves_the_rest_alone(line: str) -> None:
    assert not list(uses(line))
