"""A provider on a port of this machine, for as long as a ``with`` lasts."""

from typing import Any, Self

__all__ = ("Served",)


class Served:
    """An ASGI app that serves itself."""

    _port: int = 0
    _thread: Any = None

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes as ``base_url``."""
        return f"{self.url}/v1"

    @property
    def url(self) -> str:
        """What all other clients take: Anthropic's, Google's, boto3's, and Azure's ``azure_endpoint``."""
        if self._thread is None:
            raise RuntimeError("The provider has no address yet: use it in a `with` statement.")
        return f"http://127.0.0.1:{self._thread.port}"

    def __enter__(self) -> Self:
        from miharu.testing._server import ServerThread

        self._thread = ServerThread(self, self._port)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.stop()
        self._thread = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, as an ASGI app does."""
        raise NotImplementedError
