"""What the middlewares for ASGI and for WSGI have in common: their arguments, and how they start miharu."""

from typing import TYPE_CHECKING

from miharu.attribution.routes import sources
from miharu.errors import ConfigError

if TYPE_CHECKING:
    from miharu.monitor import Monitor

__all__ = ("Start", "checked_path", "current")


class Start:
    """Calls ``miharu.init()`` at the first request, unless the program has called it."""

    __slots__ = ("_done",)

    def __init__(self) -> None:
        self._done = False

    def __call__(self) -> None:
        """Start, if this is the first request."""
        if not self._done:
            self._done = True
            sources.serve()
            from miharu import monitor

            if monitor.current() is None:
                monitor.init()


def checked_path(app: object, path: object, kind: str, name: str) -> str:
    """The path of the dashboard, without a slash at its end.

    Args:
        app: What the middleware is given to wrap.
        path: Where it is to serve the dashboard.
        kind: What kind of app that has to be, such as ``an ASGI app``.
        name: The middleware.

    Raises:
        ConfigError: The app or the path is not valid.
    """
    if not callable(app):
        raise ConfigError(f"app={app!r}: give {kind}, such as {name}(app).", "app")
    if not (isinstance(path, str) and path.startswith("/") and path.strip("/")):
        raise ConfigError(
            f"path={path!r}: give the dashboard's path below your app, such as '/miharu'.", "path"
        )
    return path.rstrip("/")


def current() -> "Monitor | None":
    """What records in this process; ``None`` before ``miharu.init()``."""
    from miharu import monitor

    return monitor.current()
