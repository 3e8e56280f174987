"""Observability for LLM calls from inside a Python program.

    import miharu

    miharu.init()                              # every call to a model is recorded
    app.mount("/miharu", miharu.asgi())        # and shown inside your own app

The names resolve on first use, so ``import miharu`` loads no third-party module.
"""

from typing import TYPE_CHECKING

from miharu._version import __version__

if TYPE_CHECKING:
    from miharu._asgi import MiharuMiddleware, asgi
    from miharu.errors import ConfigError, MiharuError, StoreError
    from miharu.monitor import aflush, ashutdown, flush, init, shutdown, stats

__all__ = (
    "ConfigError",
    "MiharuError",
    "MiharuMiddleware",
    "StoreError",
    "__version__",
    "aflush",
    "asgi",
    "ashutdown",
    "flush",
    "init",
    "shutdown",
    "stats",
)

_HOMES = {
    "ConfigError": "miharu.errors",
    "MiharuError": "miharu.errors",
    "StoreError": "miharu.errors",
    "MiharuMiddleware": "miharu._asgi",
    "asgi": "miharu._asgi",
    "aflush": "miharu.monitor",
    "ashutdown": "miharu.monitor",
    "flush": "miharu.monitor",
    "init": "miharu.monitor",
    "shutdown": "miharu.monitor",
    "stats": "miharu.monitor",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'miharu' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
