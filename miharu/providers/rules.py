"""Which requests a wire format may be: plain data, which loads none of the formats."""

from typing import Literal, NamedTuple

from miharu.providers.turns import Turns

__all__ = ("Rule",)


class Rule(NamedTuple):
    """A request that may be a model call."""

    path: str = ""
    """The end of the path, such as ``/chat/completions`` or ``:generateContent``; any where it is empty."""
    host: str = ""
    """The end of the host name, such as ``.endpoints.huggingface.cloud``; any where it is empty."""
    method: Literal["POST", "GET", "WEBSOCKET"] = "POST"
    """With ``GET``, ``path`` ends before the last segment: ``/responses`` stands for ``/responses/{id}``.

    ``WEBSOCKET`` stands for a session, whose messages are many calls."""
    file: str = ""
    """With ``GET``, what follows that segment where a file of lines is fetched, which is read in parts:
    ``/content`` of ``/files/{id}/content``, ``:download`` of ``/files/{id}:download``."""
    turns: Turns | None = None
    """How the messages of a session are divided into calls."""

    @property
    def tail(self) -> str:
        """The last segment of ``path``, or what follows the last colon in it."""
        return self.path.rpartition("/")[2].rpartition(":")[2]

    def matches(self, method: str, host: str, path: str) -> bool:
        """Whether this request may be meant; the host comes without its port."""
        path = path.rstrip("/")
        if self.method == "GET":
            if not path.endswith(self.file):
                return False
            path = path.removesuffix(self.file).rpartition("/")[0]
        return method == self.method and path.endswith(self.path) and host.endswith(self.host)
