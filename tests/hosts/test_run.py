"""``miharu run`` with programs that know nothing of miharu, and start others that ask."""

import multiprocessing
import signal
import sys
from pathlib import Path

import httpx
import pytest

from tests.hosts.conftest import Host, Program, eventually, need

need()

ASKING = """
import os
import httpx2

def ask(text="hello"):
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]}
    httpx2.post(f"{os.environ['MODEL_URL']}/chat/completions", json=body, timeout=60).raise_for_status()
    return os.getpid()
"""
WSGI = """
from asking import ask

def app(environ, start_response):
    start_response("200 OK", [])
    return [str(ask(environ["PATH_INFO"])).encode()]
"""
ASGI = """
import anyio
from asking import ask

async def app(scope, receive, send):
    if scope["type"] == "http":
        pid = await anyio.to_thread.run_sync(ask, scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(pid).encode()})
"""
CHILDREN = """
import multiprocessing, subprocess, sys
from concurrent.futures import ProcessPoolExecutor
from asking import ask

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    child = context.Process(target=ask)
    child.start()
    child.join()
    with context.Pool(2) as pool:
        pool.map(ask, ["a", "b"], chunksize=1)
        pool.close()
        pool.join()
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        list(pool.map(ask, ["a", "b"]))
    subprocess.run([sys.executable, "-c", "import asking; asking.ask()"], check=True)
"""
RUN = ("miharu", "run")
BIN = Path(sys.executable).parent


@pytest.fixture
def bare(host: Host) -> Host:
    """A host whose programs never call ``init()``."""
    for name, text in {"asking": ASKING, "wsgi": WSGI, "asgi": ASGI, "children": CHILDREN}.items():
        (host.folder / f"{name}.py").write_text(text)
    return host


def get(port: str, times: int) -> set[str]:
    """Ask that often; the processes that have answered."""
    return {
        httpx.get(f"http://127.0.0.1:{port}/{number}", trust_env=False, timeout=60).raise_for_status().text
        for number in range(times)
    }


def uvicorn_port(program: Program) -> str:
    """Once its first worker has started; the socket is there before."""
    port = program.says(r"running on http://127\.0\.0\.1:(\d+)")
    program.says("(Application startup complete)")
    return port


def gunicorn_port(program: Program) -> str:
    return program.says(r"Listening at: http://127\.0\.0\.1:(\d+)")


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_each_call_of_a_child_is_there(method: str, bare: Host) -> None:
    bare.run(*RUN, "children.py", method)
    assert len(bare.rows_at_last()) == 6


@pytest.mark.parametrize(
    "how",
    [
        ("-m", "gunicorn", "-w", "2"),
        ("--", str(BIN / "gunicorn"), "--preload", "-w", "2"),
        ("--", str(BIN / "gunicorn"), "-k", "gthread", "--threads", "4"),
    ],
    ids=["module", "preload", "threads"],
)
def test_gunicorns_workers(how: tuple[str, ...], bare: Host) -> None:
    with bare.running(*RUN, *how, "-b", "127.0.0.1:0", "--chdir", str(bare.folder), "wsgi:app") as program:
        port = gunicorn_port(program)
        assert get(port, 12)
        program.end()
    assert len(bare.rows_at_last()) == 12


def test_uvicorns_workers(bare: Host) -> None:
    with bare.running(*RUN, "-m", "uvicorn", "--port", "0", "--workers", "2", "asgi:app") as program:
        port = uvicorn_port(program)
        assert get(port, 8)
        program.end(code=None)
    assert len(bare.rows_at_last()) == 8


def test_a_server_that_reloads(bare: Host) -> None:
    with bare.running(*RUN, "-m", "uvicorn", "--port", "0", "--reload", "asgi:app") as program:
        port = uvicorn_port(program)
        before = get(port, 2)
        (bare.folder / "asgi.py").write_text(f"{ASGI}\n# changed\n")
        program.says("(Reloading)")
        assert eventually(lambda: get(port, 1) - before)
        asked = len(bare.provider.requests)
        assert asked >= 3
        assert eventually(
            lambda: len(bare.rows()) == asked
        )  # a worker of uvicorn's ends by the signal itself
        program.end(signal.SIGINT, code=None)


def test_the_dashboard_ends_with_a_server(bare: Host) -> None:
    options = ("--dashboard", "-m", "gunicorn", "-b", "127.0.0.1:0", "wsgi:app")
    with bare.running(*RUN, *options) as program:
        get(gunicorn_port(program), 1)
        address = program.says(r"miharu: the dashboard is at (http://127\.0\.0\.1:\d+/)")
        assert eventually(lambda: "gpt-4o-mini" in httpx.get(f"{address}calls", trust_env=False).text)
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(60) == 0

    def is_gone() -> bool:
        try:
            httpx.get(address, trust_env=False)
        except httpx.TransportError:
            return True
        return False

    assert eventually(is_gone)
