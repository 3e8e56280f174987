"""Sessions over WebSockets with a model are refused: no file has one, and none goes out."""

from collections.abc import Callable
from typing import Any

from miharu.cassettes.answering import asked
from miharu.interceptor.wrapping import Wrappings

__all__ = ("patch",)


def patch(library: Any, wrappings: Wrappings) -> bool:
    """Patch ``websockets.sync.client`` or one of its siblings, once; whether that is possible."""
    connection = getattr(library, "ClientConnection", None)
    if not hasattr(connection, "handshake"):
        return False
    wrappings.wrap(connection, "handshake", _handshake)  # type: ignore[arg-type]
    return True


def _handshake(original: Callable[..., Any]) -> Callable[..., Any]:
    def handshake(self: Any, *args: Any, **kwargs: Any) -> Any:
        protocol = self.protocol
        uri = protocol.uri if hasattr(protocol, "uri") else protocol.wsuri  # before websockets 15
        refusal = asked.refusal(uri.host, uri.path)
        if refusal is not None:
            raise ConnectionRefusedError(refusal)
        return original(self, *args, **kwargs)

    return handshake
