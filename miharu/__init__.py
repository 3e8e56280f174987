"""Observability for LLM calls from inside a Python program.

    import miharu

    miharu.init()                              # every call to a model is recorded
    app.mount("/miharu", miharu.asgi())        # and shown inside your own app

The names resolve on first use, so ``import miharu`` loads no third-party module.
"""

from typing import TYPE_CHECKING

from miharu._version import __version__

if TYPE_CHECKING:
    from miharu._alert import Alert, AlertChange
    from miharu._asgi import MiharuMiddleware, asgi
    from miharu._budget import Budget, BudgetState
    from miharu._price import Price
    from miharu._wsgi.middleware import MiharuWsgiMiddleware
    from miharu.attribution.marks import mark
    from miharu.attribution.scoped import context
    from miharu.attribution.scores import score, trace_id
    from miharu.attribution.spans.observe import observe
    from miharu.attribution.spans.span import span
    from miharu.call import Call
    from miharu.errors import BudgetExceeded, ConfigError, MiharuError, StoreError
    from miharu.monitor import Stats, aflush, ashutdown, check_budget, flush, init, shutdown, stats
    from miharu.monitor.calls import Calls
    from miharu.monitor.capture import capture

__all__ = (
    "Alert",
    "AlertChange",
    "Budget",
    "BudgetExceeded",
    "BudgetState",
    "Call",
    "Calls",
    "ConfigError",
    "MiharuError",
    "MiharuMiddleware",
    "MiharuWsgiMiddleware",
    "Price",
    "Stats",
    "StoreError",
    "__version__",
    "aflush",
    "asgi",
    "ashutdown",
    "capture",
    "check_budget",
    "context",
    "flush",
    "init",
    "mark",
    "observe",
    "score",
    "shutdown",
    "span",
    "stats",
    "trace_id",
)

_HOMES = {
    "Alert": "miharu._alert",
    "AlertChange": "miharu._alert",
    "Budget": "miharu._budget",
    "BudgetExceeded": "miharu.errors",
    "BudgetState": "miharu._budget",
    "Call": "miharu.call",
    "Calls": "miharu.monitor.calls",
    "check_budget": "miharu.monitor",
    "ConfigError": "miharu.errors",
    "MiharuError": "miharu.errors",
    "Stats": "miharu.monitor",
    "StoreError": "miharu.errors",
    "MiharuMiddleware": "miharu._asgi",
    "MiharuWsgiMiddleware": "miharu._wsgi.middleware",
    "Price": "miharu._price",
    "asgi": "miharu._asgi",
    "capture": "miharu.monitor.capture",
    "context": "miharu.attribution.scoped",
    "observe": "miharu.attribution.spans.observe",
    "mark": "miharu.attribution.marks",
    "score": "miharu.attribution.scores",
    "span": "miharu.attribution.spans.span",
    "trace_id": "miharu.attribution.scores",
    "aflush": "miharu.monitor",
    "ashutdown": "miharu.monitor",
    "flush": "miharu.monitor",
    "init": "miharu.monitor",
    "shutdown": "miharu.monitor",
    "stats": "miharu.monitor",
}


if not TYPE_CHECKING:  # a checker would take any name for one of ours

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module 'miharu' has no attribute {name!r}")
        import importlib

        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
