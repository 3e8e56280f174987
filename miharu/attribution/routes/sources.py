"""The name of work that no web request asked for: the script or the notebook that this process runs.

Jobs of task queues bring names of their own (``interceptor/jobs``). A server outside of a request has none.
"""

import os
import sys
from functools import cache
from pathlib import Path

__all__ = ("process_source", "serve")

_HOSTS = {
    *("uvicorn", "gunicorn", "hypercorn", "granian", "daphne", "litestar", "fastapi", "quart", "flask"),
    *("waitress", "waitress-serve", "uwsgi", "celery", "rq", "rqworker", "arq", "dramatiq", "huey_consumer"),
    *("pytest", "py.test", "ipython", "jupyter", "django-admin", "miharu"),
}
"""Programs that run other people's code: their name would say nothing."""
_WITHOUT_FILE: tuple[list[str], ...] = ([], [""], ["-"], ["-c"])
"""What ``sys.argv`` begins with where no file is run."""

_serving = False


def serve() -> None:
    """Note that this process answers web requests, so that its other work is not named as a script."""
    global _serving  # noqa: PLW0603 - a fact about the process
    _serving = True


def process_source() -> str | None:
    """``script ingest.py``, ``notebook analysis.ipynb``, ``interactive``; ``None`` for servers."""
    return None if _serving else _name()


@cache
def _name() -> str | None:
    if "ipykernel" in sys.modules:
        return f"notebook {Path(os.environ.get('JPY_SESSION_NAME', '')).name}".strip()
    main = sys.modules.get("__main__")
    if hasattr(sys, "ps1"):
        return "interactive"
    spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    if file is None and sys.argv[:1] not in _WITHOUT_FILE:
        file = sys.argv[0]  # Python forgets the file with the script's last line, before what is done at exit
    if spec is not None and getattr(spec, "name", None):  # python -m
        name = spec.name.removesuffix(".__main__")
        return None if name.partition(".")[0] in _HOSTS else f"script {name}"
    if not isinstance(file, str):
        return None
    name = Path(file).name
    if name.removesuffix(".exe").removesuffix(".py") in _HOSTS:
        return None
    command = sys.argv[1:2] if name == "manage.py" else []
    return " ".join(["script", name, *command])
