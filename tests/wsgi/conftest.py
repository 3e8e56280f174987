"""Every test here meets a monitor that somebody has started."""

from tests.asgi.conftest import running

__all__ = ("running",)
