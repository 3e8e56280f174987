"""The fake provider as a program: ``python -m miharu.testing``, for tests in any language."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence

from miharu.errors import ConfigError
from miharu.testing._server import settings_of
from miharu.testing.fake_provider import FakeProvider

__all__ = ("main",)

_PORT = 8765


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until it is interrupted; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m miharu.testing",
        description="A provider on this machine that speaks the APIs of OpenAI, Azure OpenAI, Anthropic, "
        "Gemini, Vertex AI and Bedrock, and costs nothing.",
    )
    parser.add_argument("--port", type=int, default=_PORT, help=f"{_PORT} by default; 0 for any that is free")
    parser.add_argument("--answer", help="what it always says; sentences of its own by default")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before an answer begins")
    parser.add_argument("--chunk-latency", type=float, default=0.0, help="seconds between chunks of a stream")
    parser.add_argument("--retry-after", type=float, default=1.0, help="seconds that a 429, 503 or 529 names")
    given = parser.parse_args(arguments)
    stopped = threading.Event()
    try:
        provider = FakeProvider(
            port=given.port,
            answer=given.answer,
            latency=given.latency,
            chunk_latency=given.chunk_latency,
            retry_after=given.retry_after,
        )
        with provider:
            for name in (signal.SIGINT, signal.SIGTERM):
                signal.signal(name, lambda *_: stopped.set())
            sys.stdout.write(_told(provider))
            sys.stdout.flush()
            stopped.wait()
    except ConfigError as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"port {given.port}: {error.strerror}")
    return 0


def _told(provider: FakeProvider) -> str:
    lines = [f"export {name}={value}" for name, value in settings_of(provider.url).items()]
    return "\n".join([*lines, f"# realtime: {provider.websocket_url}/realtime", "# Ctrl-C ends it.", ""])


if __name__ == "__main__":
    raise SystemExit(main())
