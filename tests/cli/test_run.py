"""``miharu run``: the program is the same as under ``python``, and its calls are recorded."""

import importlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from contextlib import closing
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from miharu._sitehook import FOLDER, sitecustomize
from miharu.cli.run.words import split
from miharu.interceptor import LIBRARIES
from miharu.interceptor.jobs import JOBS
from tests.calls import ANSWER, ASKED, URL
from tests.cli.conftest import environment

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a process there cannot become another")

ASKING = f"""
import httpx2
transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json={ANSWER!r}))
def ask():
    httpx2.Client(transport=transport).post({URL!r}, json={ASKED!r})
"""
"""Has a function that makes a call; nothing of it knows of miharu."""
IN_A_HURRY = r"miharu: the program ends before \S+ has taken all calls; \d+ wait .*, 0 are lost\.\n"
"""What a short program may truly say on a busy machine."""
PYTHON = (sys.executable,)
RUN = (sys.executable, "-m", "miharu", "run")


def started(
    folder: Path, command: tuple[str, ...], *, told: str = "", **environ: str
) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(folder, **environ),
        input=told,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    done.stderr = re.sub(IN_A_HURRY, "", done.stderr)
    return done


def rows(database: Path) -> list[dict[str, Any]]:
    """What is stored, once what a program in a hurry has left beside it is brought in."""
    if [*database.parent.glob(f"{database.name}.spool-*")] or not database.exists():
        started(database.parent, (*PYTHON, "-m", "miharu", "stats", "--database", str(database)))
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM llm_calls ORDER BY id")]


@pytest.fixture
def asking(tmp_path: Path) -> Path:
    """A folder with a module that can ``ask()``, and a script that does so once."""
    (tmp_path / "asking.py").write_text(ASKING)
    (tmp_path / "script.py").write_text("from asking import ask\nask()\n")
    return tmp_path


SAME = {
    "what it prints": """
        import json, sys
        main = sys.modules["__main__"]
        print(json.dumps({
            "argv": sys.argv, "orig_argv": sys.orig_argv, "path": sys.path, "flags": str(sys.flags),
            "main": [str(vars(main).get(name)) for name in ("__file__", "__name__", "__package__")],
            "spec": str(getattr(main.__spec__, "name", None)),
            "modules": sorted(sys.modules), "warnoptions": sys.warnoptions, "xoptions": str(sys._xoptions),
            "caches": sorted(sys.path_importer_cache),
        }))
        import os, pickle, signal
        print(sys.stdin.read().upper())
        class Thing: pass
        print(pickle.dumps(Thing()), pickle.loads(pickle.dumps(Thing())).__class__)
        print([*map(str, map(signal.getsignal, range(1, 16)))])
        try:
            while True: os.wait()
        except ChildProcessError as error: print(error)
        sys.exit(41)
    """,
    "a message": "import sys; sys.exit('that was it')",
    "a traceback": """
        def inner(): return 1 / 0
        inner()
    """,
    "a syntax error": "print(",
    "killed by itself": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "an interrupt": "import os, signal; os.kill(os.getpid(), signal.SIGINT); import time; time.sleep(60)",
}
STARTED = {
    "script": ("script.py", "one", "--database", "two"),
    "module": ("-m", "script", "-x"),
    "options": ("-X", "dev", "-W", "error", "script.py"),
    "folder": ("package",),
}
ENDS = ("a message", "a syntax error", "killed by itself", "an interrupt")
"""The same however it is started: the long run tries each."""


@pytest.mark.parametrize(
    ("how", "what"),
    [
        pytest.param(how, what, marks=pytest.mark.full if what in ENDS and how != "script" else ())
        for how in STARTED
        for what in SAME
    ],
)
def test_it_is_the_program_that_python_runs(how: str, what: str, tmp_path: Path) -> None:
    text = SAME[what]
    (tmp_path / "script.py").write_text(textwrap.dedent(text))
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__main__.py").write_text(textwrap.dedent(text))
    started(tmp_path, (*PYTHON, "-m", "compileall", "-q", "."))
    before = sorted(tmp_path.rglob("*"))
    plain = started(tmp_path, (*PYTHON, *STARTED[how]), told="told")
    ours = started(tmp_path, (*RUN, *STARTED[how]), told="told")
    assert (ours.returncode, ours.stdout, ours.stderr) == (plain.returncode, plain.stdout, plain.stderr)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "how", [("-c", "import sys; print(sys.argv)", "-v"), ("-", "word"), ("-V",), ("-i",)]
)
def test_it_is_the_command_line_of_python(how: tuple[str, ...], tmp_path: Path) -> None:
    told = "import sys\nprint(sys.argv, __name__)\n"
    plain, ours = (started(tmp_path, (*command, *how), told=told) for command in (PYTHON, RUN))
    assert (ours.returncode, ours.stdout, ours.stderr) == (plain.returncode, plain.stdout, plain.stderr)
    assert ours.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_is_the_programs(number: int, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import time; print('up', flush=True); time.sleep(60)")
    with subprocess.Popen(
        (*RUN, "script.py"),
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(number)
        assert process.wait(30) == -number


def test_its_calls_are_recorded(asking: Path) -> None:
    done = started(asking, (*RUN, "script.py"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    [row] = rows(asking / ".miharu" / "calls.db")
    assert row["route"] == "script script.py"
    assert row["cost_nanousd"]


@pytest.mark.parametrize(
    "how", [("-m", "script"), ("-c", "import script"), ("--", "sh", "-c", f"{sys.executable} script.py")]
)
def test_each_form_records(how: tuple[str, ...], asking: Path) -> None:
    assert started(asking, (*RUN, *how)).stderr == ""
    assert len(rows(asking / ".miharu" / "calls.db")) == 1


def test_a_shell_script_may_start_several(asking: Path) -> None:
    script = asking / "start"
    script.write_text(
        f"{sys.executable} script.py\ncd /\n"
        f"PYTHONPATH=$PYTHONPATH:{asking} {sys.executable} -c 'import script'\nexit 9"
    )
    script.chmod(0o755)  # its first line names no interpreter
    done = started(asking, (*RUN, "--", "./start"))
    assert (done.returncode, done.stderr) == (9, "")
    assert len(rows(asking / ".miharu" / "calls.db")) == 2
    assert not Path("/.miharu").exists()


def test_the_options_mean_what_they_mean_for_init(asking: Path) -> None:
    words = ("--database", "own calls.db", "--service=shop", "--capture-content", "script.py")
    assert started(asking, (*RUN, *words), MIHARU_SERVICE="other").returncode == 0
    [row] = rows(asking / "own calls.db")
    assert row["service"] == "shop"
    with closing(sqlite3.connect(asking / "own calls.db")) as database:
        assert database.execute("SELECT count(*) FROM llm_bodies").fetchone() == (1,)
    assert not (asking / ".miharu").exists()


@pytest.mark.parametrize("words", [("--service", " "), ("--database", "nowhere://"), ("--database", ".")])
def test_an_option_that_is_not_valid_starts_nothing(words: tuple[str, ...], tmp_path: Path) -> None:
    done = started(tmp_path, (*RUN, *words, "-c", "print('started')"))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("miharu: ")
    assert "Traceback" not in done.stderr


def test_children_record_where_the_program_does(
    asking: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    command = f"[sys.executable, {str(asking / 'script.py')!r}], cwd={str(elsewhere)!r}"
    program = f"import subprocess, sys; subprocess.run({command})"
    assert started(asking, (*RUN, "-c", program)).stderr == ""
    assert len(rows(asking / ".miharu" / "calls.db")) == 1
    assert not [*elsewhere.iterdir()]


def test_the_programs_own_settings_win_without_a_word(asking: Path) -> None:
    program = "import asking, miharu; miharu.init('own.db', service='own'); asking.ask()"
    done = started(asking, (*RUN, "--service", "given", "-c", program))
    assert (done.returncode, done.stderr) == (0, "")
    assert [row["service"] for row in rows(asking / "own.db")] == ["own"]
    assert not (asking / ".miharu").exists()


def test_a_call_before_the_programs_own_init_is_kept_where_run_says(asking: Path) -> None:
    program = "import asking, miharu; asking.ask(); miharu.init('own.db'); asking.ask()"
    done = started(asking, (*RUN, "-c", program))
    assert (done.returncode, done.stderr) == (0, "")
    assert len(rows(asking / "own.db")) == len(rows(asking / ".miharu" / "calls.db")) == 1


def test_an_init_without_arguments_is_the_one_that_has_begun(asking: Path) -> None:
    program = "import asking, os, miharu; os.chdir('/'); miharu.init(); asking.ask(); miharu.init('other.db')"
    done = started(asking, (*RUN, "-c", program))
    assert done.returncode == 0
    assert "called again with other arguments" in done.stderr
    assert len(rows(asking / ".miharu" / "calls.db")) == 1


def test_spans_and_the_dashboard_need_no_init(asking: Path) -> None:
    program = """
import asyncio, miharu, httpx2
async def look():
    transport = httpx2.ASGITransport(miharu.asgi(auth="off"))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return (await client.get("/")).status_code, (await client.get("/calls")).text
status, _ = asyncio.run(look())
from asking import ask
with miharu.span("outer"):
    ask()
assert miharu.flush()
print(status, miharu.stats()["written"], "gpt-4o" in asyncio.run(look())[1])
"""
    done = started(asking, (*RUN, "-c", program))
    assert (done.stdout, done.stderr) == ("200 1 True\n", "")


def test_it_can_be_switched_off(asking: Path) -> None:
    assert started(asking, (*RUN, "script.py"), MIHARU_DISABLED="1").returncode == 0
    assert not (asking / ".miharu").exists()


def test_a_wrong_variable_is_said_and_the_program_runs(asking: Path) -> None:
    done = started(asking, (*RUN, "-c", "import script; print('done')"), MIHARU_RETENTION="long")
    assert (done.returncode, done.stdout) == (0, "done\n")
    assert "MIHARU_RETENTION" in done.stderr


def test_under_pytest_calls_stay_in_memory(asking: Path) -> None:
    (asking / "test_it.py").write_text("from asking import ask\ndef test_it():\n    ask()\n")
    done = started(asking, (*RUN, "-m", "pytest", "-q", "-p", "no:cacheprovider"))
    assert done.returncode == 0, done.stdout
    assert not (asking / ".miharu").exists()


def test_nothing_is_imported_or_opened_for_a_program_that_makes_no_call(tmp_path: Path) -> None:
    program = "import sys; print([name for name in sys.modules if 'miharu' in name])"
    assert started(tmp_path, (*RUN, "-c", program)).stdout == "[]\n"
    program = "import miharu, httpx2, threading; print(threading.active_count())"
    assert started(tmp_path, (*RUN, "-c", program)).stdout == "1\n"
    assert not (tmp_path / ".miharu").exists()


def test_a_fork_of_a_program_that_makes_no_call_starts_no_thread(asking: Path) -> None:
    program = """
import os, threading, asking
for _ in range(2):
    child = os.fork()
    if not child:
        asking.ask()
        import sys; sys.exit()
    assert os.waitpid(child, 0)[1] == 0
print(threading.active_count())
"""
    done = started(asking, (*RUN, "-c", program))
    assert (done.stdout, done.stderr) == ("1\n", "")
    assert len(rows(asking / ".miharu" / "calls.db")) == 2


OTHERS = {
    "imported": ("print('theirs')", "theirs\n", ""),
    "broken": ("1 / 0", "", "Error in sitecustomize"),
    "one that makes calls": ("from asking import ask; ask()", "", ""),
}


@pytest.mark.parametrize(("text", "said", "complaint"), OTHERS.values(), ids=OTHERS)
def test_another_sitecustomize_still_runs(text: str, said: str, complaint: str, asking: Path) -> None:
    (asking / "theirs").mkdir()
    (asking / "theirs" / "sitecustomize.py").write_text(text)
    environ = {"PYTHONPATH": os.pathsep.join([str(asking / "theirs"), str(asking)])}
    program = "import sys, script; print(getattr(sys.modules.get('sitecustomize'), '__file__', None))"
    plain = started(asking, (*PYTHON, "-c", program), **environ)
    isolated = (sys.executable, "-I", *RUN[1:])  # else it runs in miharu's own Python, too
    ours = started(asking, (*isolated, "-c", program), **environ)
    assert (ours.returncode, ours.stdout, ours.stderr) == (plain.returncode, plain.stdout, plain.stderr)
    assert ours.stdout.startswith(said)
    assert complaint in ours.stderr
    assert len(rows(asking / ".miharu" / "calls.db")) == 1 + ("ask()" in text)


def test_the_path_of_the_program_is_kept(tmp_path: Path) -> None:
    program = "import os; print(os.environ['PYTHONPATH'])"
    for before, after in (
        ("", f"{FOLDER}"),
        ("/one:/two", f"{FOLDER}:/one:/two"),
        (f"/one:{FOLDER}", f"{FOLDER}:/one"),
        (":/two", f"{FOLDER}::/two"),
    ):
        done = started(tmp_path, (*RUN, "-c", program), PYTHONPATH=before)
        assert done.stdout == f"{after}\n", done.stderr


def test_it_starts_in_a_folder_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    command = (
        f"mkdir {gone} && cd {gone} && rmdir {gone} && exec {sys.executable} -I -m miharu run -c 'print(1)'"
    )
    done = started(tmp_path, ("sh", "-c", command))
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


def other_pythons() -> list[str]:
    found = [f"/usr/bin/python{name}" for name in ("2.7", "3", *(f"3.{minor}" for minor in range(7, 16)))]
    return [each for each in found if Path(each).exists() and not Path(each).samefile(sys.executable)]


@pytest.mark.parametrize(
    "other", other_pythons() or [pytest.param("", marks=pytest.mark.skip(reason="there is no other Python"))]
)
def test_a_python_without_miharu_starts_as_ever(other: str, asking: Path) -> None:
    (asking / "httpx.py").write_text("print('a module of that name')")
    command = [other, "-c", "import httpx, sys; print(sys.path)"]
    program = f"import subprocess; subprocess.run({command!r}, check=True)"
    plain, ours = (started(asking, (*command, "-c", program)) for command in (PYTHON, RUN))
    assert (ours.returncode, ours.stdout, ours.stderr) == (plain.returncode, plain.stdout, plain.stderr)
    assert ours.stdout.startswith("a module of that name\n[")


def test_an_environment_without_miharu_starts_as_ever(asking: Path) -> None:
    """Nor one of the same Python, whose miharu knows nothing of this."""
    bare = asking / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True, timeout=60)
    (asking / "httpx.py").write_text("print('a module of that name')")
    for module in (None, "miharu.py"):
        if module:
            (asking / module).write_text("print('another miharu')")
        done = started(
            asking,
            (*RUN, "--", str(bare / "bin" / "python"), "-c", "import httpx, sys; print(sys.meta_path[0])"),
        )
        assert done.stderr == ""
        assert "sitecustomize" not in done.stdout


@pytest.mark.parametrize(("minor", "kept"), [(4, True), (8, True)])
def test_the_hook_is_in_words_of_old_pythons(minor: int, kept: bool) -> None:
    import ast

    text = Path(sitecustomize.__file__).read_text()
    ast.parse(text, feature_version=(3, minor))
    assert not [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.JoinedStr | ast.AnnAssign | ast.Nonlocal)
    ]
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    assert functions
    assert not [
        f for f in functions if f.returns or f.args.kwonlyargs or any(a.annotation for a in f.args.args)
    ]


def test_all_that_is_hooked_begins_the_recording() -> None:
    assert {"miharu", *LIBRARIES, *JOBS} == sitecustomize.FIRST


def test_a_loader_that_cannot_be_told_from_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Sealed:
        __slots__ = ()

        def exec_module(self, module: object) -> None: ...

    class Theirs:
        def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
            return ModuleSpec(name, cast("Any", Sealed())) if name == "httpx" else None

    monkeypatch.setattr(sys, "meta_path", [Theirs()])
    find: Any = sitecustomize.Finder().find_spec
    spec = find("httpx")
    assert isinstance(spec.loader, Sealed)


def test_importing_the_hook_by_its_own_name_does_nothing() -> None:
    path = list(sys.path)
    importlib.reload(sitecustomize)
    assert sys.path == path
    assert not [finder for finder in sys.meta_path if isinstance(finder, sitecustomize.Finder)]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--", "no-such-command"), 127, "miharu: no-such-command: No such file or directory\n"),
        (("--", "./no/such"), 127, "miharu: ./no/such: No such file or directory\n"),
        (("--", "/"), 126, "miharu: /: Permission denied\n"),
        (("--", "./script.py"), 126, "miharu: ./script.py: Permission denied\n"),
        (("sh",), 127, "miharu: there is no script 'sh' here. For the command write: miharu run -- sh …\n"),
        ((), 2, "miharu: name the program: script.py, -m module, or -- command.\n"),
        (("--",), 2, "miharu: name the program: script.py, -m module, or -- command.\n"),
    ],
)
def test_what_cannot_be_run_is_said_as_by_a_shell(
    words: tuple[str, ...], code: int, said: str, asking: Path
) -> None:
    done = started(asking, (*RUN, *words))
    assert (done.returncode, done.stdout, done.stderr) == (code, "", said)


def test_a_script_that_is_not_there_is_pythons_to_name(tmp_path: Path) -> None:
    plain, ours = (started(tmp_path, (*command, "missing.py")) for command in (PYTHON, RUN))
    assert (ours.returncode, ours.stderr) == (plain.returncode, plain.stderr)


@pytest.mark.parametrize(
    ("words", "ours"),
    [
        ("script.py --database x", 0),
        ("--database x script.py", 2),
        ("--database=x -m module --service y", 1),
        ("--capture-content --dashboard -- sh --service", 2),
        ("-X dev script.py", 0),
        ("-c code", 0),
        ("-h", 1),
        ("--help", 1),
        ("--database", 2),
        ("--unknown x", 1),
    ],
)
def test_the_program_begins_with_the_first_word_that_is_not_ours(words: str, ours: int) -> None:
    assert split(words.split()) == (words.split()[:ours], words.split()[ours:])


class TestTheDashboardBeside:
    """A process of its own."""

    def test_it_is_said_once_shows_the_calls_and_ends_with_the_program(self, asking: Path) -> None:
        program = "import asking, sys; asking.ask(); sys.stdin.readline(); print('bye')"
        with subprocess.Popen(
            (*RUN, "--dashboard", "--database", "own.db", "-c", program),
            cwd=asking,
            env=environment(asking, NO_PROXY="*"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            said = process.stderr.readline()
            assert said.startswith("miharu: the dashboard is at http://127.0.0.1:"), said
            address = said.split()[-1]
            assert eventually(lambda: "gpt-4o" in httpx.get(f"{address}calls", trust_env=False).text)
            out, complaints = process.communicate("\n", timeout=30)
        assert (process.returncode, out, complaints) == (0, "bye\n", "")
        assert eventually(lambda: refused(address))

    def test_it_takes_another_port_where_that_is_taken(self, asking: Path) -> None:
        import socket

        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                taken.bind(("127.0.0.1", 3001))
                taken.listen()
            except OSError:  # another program's, which serves as well
                pass
            with subprocess.Popen(
                (*RUN, "--dashboard", "-c", "import sys; sys.stdin.readline()"),
                cwd=asking,
                env=environment(asking),
                stdin=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            ) as process:
                assert process.stderr is not None
                said = process.stderr.readline()
                process.kill()
        assert said.startswith("miharu: the dashboard is at http://127.0.0.1:"), said
        assert ":3001/" not in said
        assert eventually(lambda: refused(said.split()[-1]))

    def test_a_program_may_wait_for_all_its_children(self, tmp_path: Path) -> None:
        waiting = "import os\ntry:\n while True: os.wait()\nexcept ChildProcessError as error: print(error)"
        done = started(tmp_path, (*RUN, "--dashboard", "-c", waiting))
        assert (done.returncode, done.stdout) == (0, "[Errno 10] No child processes\n")

    def test_where_there_is_nothing_to_show_it_says_so(self, tmp_path: Path) -> None:
        words = (
            "--dashboard",
            "--database",
            "https://token@miharu.invalid",
            "-c",
            "import sys; sys.stdin.readline()",
        )
        with subprocess.Popen(
            (*RUN, *words),
            cwd=tmp_path,
            env=environment(tmp_path),
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            said = process.stderr.readline()
            process.communicate("\n", timeout=30)
        assert said.startswith("miharu: there is no dashboard. The miharu at https://miharu.invalid keeps")
        assert process.returncode == 0


def eventually(holds: Callable[[], object], seconds: float = 30.0) -> object:
    until = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < until, "it did not happen"
        threading.Event().wait(0.05)
    return found


def refused(address: str) -> bool:
    try:
        httpx.get(address, trust_env=False)
    except httpx.TransportError:
        return True
    return False
