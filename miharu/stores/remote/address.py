"""What the URL of another miharu says."""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from miharu.config import public_url
from miharu.redaction.values import keep

__all__ = ("Address", "address_of")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where another miharu is, and the token that it asks for."""

    name: str
    """As it is shown, without the token."""
    secure: bool
    host: str
    port: int | None
    base: str
    """The path of the dashboard, without a slash at the end."""
    token: str = field(repr=False)


def address_of(url: str) -> Address:
    """The parts of a resolved URL: ``miharu+https://token@host:port/path``."""
    parts = urlsplit(url.removeprefix("miharu+"))
    token = unquote(parts.password or parts.username or "")
    keep([token])  # the other one may repeat it
    return Address(
        name=public_url(url).removeprefix("miharu+"),
        secure=parts.scheme == "https",
        host=parts.hostname or "",
        port=parts.port,
        base=parts.path.rstrip("/"),
        token=token,
    )
