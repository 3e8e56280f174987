"""A library that is imported later is patched then, and the import is the one it would have been.

Each test is a program of its own, since a library is imported once in a process.
"""

import subprocess
import sys
from textwrap import dedent

import pytest

PRELUDE = """
import sys
from miharu.interceptor import Interceptor, imports
from miharu.providers.base import Rule
seen = []
interceptor = Interceptor(seen.append, [Rule('/completions')])

def call(library):
    transport = library.MockTransport(lambda request: library.Response(200, content=b"{}"))
    with library.Client(transport=transport) as client:
        client.post("http://model.test/v1/chat/completions")
"""


def run(program: str) -> None:
    """Run it with warnings as errors; it must say nothing."""
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", PRELUDE + dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_nothing_is_imported_for_us() -> None:
    run("""
        interceptor.install()
        assert not {"httpx", "httpx2", "httpcore", "anyio", "aiohttp", "urllib3"} & set(sys.modules)
        assert "http.client" not in sys.modules
        assert interceptor.seen == {}
    """)


@pytest.mark.parametrize("name", ["httpx", "httpx2"])
def test_later_import_is_seen_and_stays_the_original(name: str) -> None:
    run(f"""
        import importlib, importlib.machinery, importlib.util, inspect
        interceptor.install()
        assert importlib.util.find_spec("{name}").name == "{name}"  # a look is no import
        import {name} as library
        assert type(library.__spec__.loader) is importlib.machinery.SourceFileLoader
        assert library.__loader__ is library.__spec__.loader
        assert "exec_module" not in vars(library.__spec__.loader)
        assert inspect.getsource(library).startswith(("from", "import"))
        assert interceptor.seen == {{"{name}": "client"}}
        call(library)
        assert [exchange.end for exchange in seen] == ["eof"]
    """)


def test_finder_leaves_when_nothing_is_pending() -> None:
    run("""
        from miharu.interceptor.jobs import JOBS
        JOBS.clear()  # their libraries are not installed here
        before = list(sys.meta_path)
        interceptor.install()
        assert sys.meta_path[1:] == before
        import httpx
        assert sys.meta_path[1:] == before
        import httpx2
        import aiohttp
        import urllib3
        import websockets.asyncio.client, websockets.sync.client, websockets.trio.client
        assert sys.meta_path == before
        interceptor.uninstall()
        interceptor.install()
        assert sys.meta_path == before
        call(httpx)
        call(httpx2)
        assert len(seen) == 2
    """)


def test_finder_leaves_with_us() -> None:
    run("""
        before = list(sys.meta_path)
        interceptor.install()
        interceptor.uninstall()
        assert sys.meta_path == before
        import httpx
        call(httpx)
        assert seen == []
    """)


def test_import_half_way_skips_no_finder_when_ours_leaves() -> None:
    """Some finder imports a library while it looks for another; those after it must still be asked."""
    run("""
        class Curious:
            def find_spec(self, name, path=None, target=None):
                if name == "colorsys":
                    import aiohttp, httpx, httpx2, urllib3
                return None

        *others, last = sys.meta_path
        sys.meta_path[:] = [*others, Curious(), last]
        interceptor.install()
        import colorsys
        assert len(interceptor.seen) == 4
    """)


def test_one_loader_for_two_announcements() -> None:
    """A zip importer is one object for all modules of its archive."""
    run("""
        import importlib.util
        interceptor.install()
        spec = importlib.util.find_spec("httpx")
        interceptor_finder = sys.meta_path[0]
        interceptor_finder._announce(spec)
        interceptor_finder._announce(spec)
        module = importlib.util.module_from_spec(spec)
        sys.modules["httpx"] = module
        spec.loader.exec_module(module)
        call(module)
        assert len(seen) == 1
        assert "exec_module" not in vars(spec.loader)
    """)


def test_absent_library_fails_as_ever() -> None:
    run("""
        def attempt():
            try:
                import httpx2
            except ImportError as error:
                return type(error), str(error), error.name, error.path

        sys.path[:] = [entry for entry in sys.path if "site-packages" not in entry]
        plain = attempt()
        interceptor.install()
        assert attempt() == plain != None
        assert interceptor.seen == {}
    """)


def test_library_that_fails_to_load_fails_as_ever() -> None:
    run(
        """
        import pathlib, tempfile
        folder = tempfile.mkdtemp()
        sys.path.insert(0, folder)
        module = pathlib.Path(folder, "httpx2.py")
        module.write_text("raise LookupError('half')")
        interceptor.install()
        try:
            import httpx2
        except LookupError as error:
            assert str(error) == "half"
        assert "httpx2" not in sys.modules and interceptor.seen == {}

        module.write_text("x = 1 + 1  # of another size than the half")
        import httpx2
        assert interceptor.seen == {"httpx2": "none"}
    """.replace("interceptor.install()", "import logging; logging.disable(); interceptor.install()")
    )


def test_threads_import_together() -> None:
    run("""
        import threading
        interceptor.install()
        start, failed = threading.Barrier(20), []

        def work(number):
            start.wait()
            try:
                if number % 2:
                    import httpx as library
                else:
                    import httpx2 as library
                call(library)
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert failed == []
        assert len(seen) == 20
    """)


def test_install_while_another_thread_imports() -> None:
    run("""
        import threading
        entered, go_on = threading.Event(), threading.Event()

        class Slow:
            def find_spec(self, name, path=None, target=None):
                if name == "httpx2._client":  # httpx2 is half-way through
                    entered.set()
                    go_on.wait(20)
                return None

        sys.meta_path.insert(0, Slow())
        importing = threading.Thread(target=__import__, args=("httpx2",))
        importing.start()
        entered.wait(20)
        assert not hasattr(sys.modules["httpx2"], "Client")
        installing = threading.Thread(target=interceptor.install)
        installing.start()
        go_on.set()
        importing.join()
        installing.join()
        import httpx2
        call(httpx2)
        assert len(seen) == 1
    """)


@pytest.mark.parametrize("first", ["alias", "install"])
def test_aliased_library_is_seen_once(first: str) -> None:
    alias = "import httpx2; httpx2.alias_httpx()\n"
    install = "interceptor.install()\n"
    run(
        (alias + install if first == "alias" else install + alias)
        + dedent("""
            import httpx, httpx2
            assert httpx is httpx2
            call(httpx)
            call(httpx2)
            assert len(seen) == 2
            interceptor.uninstall()
            call(httpx)
            assert len(seen) == 2
        """)
    )


def test_program_ends_quietly_with_an_answer_unread() -> None:
    run("""
        interceptor.install()
        import httpx

        class Stream(httpx.SyncByteStream):
            def __iter__(self):
                yield b"one"
                yield b"two"

        answer = lambda request: httpx.Response(200, stream=Stream())
        client = httpx.Client(transport=httpx.MockTransport(answer))
        requests = [client.build_request("POST", "http://model.test/completions") for _ in range(2)]
        answers = [client.send(request, stream=True) for request in requests]
        rest = answers[1].iter_raw()
        next(rest)
    """)
