"""Where calls are kept. The built-in stores, by URL scheme."""

from miharu.config import public_url
from miharu.errors import ConfigError
from miharu.plugins import Point, built_in, installed

__all__ = ("BUILT_IN", "store_for")

BUILT_IN = built_in(
    "miharu.stores",
    {
        "sqlite": "miharu.stores.sqlite:SQLiteStore",
        "postgresql": "miharu.stores.postgres:PostgresStore",
        "nowhere": "miharu.stores.nowhere:Nowhere",
    },
)


def store_for(url: str) -> Point:
    """The store for a URL's scheme. Only an unknown one has the installed packages searched.

    Raises:
        ConfigError: There is none.
    """
    scheme = url.partition(":")[0].partition("+")[0]
    known: dict[str, Point] = {point.name: point for point in BUILT_IN}
    if scheme not in known:
        known |= {point.name: point for point in installed("miharu.stores")}
    if scheme not in known:
        choices = ", ".join(sorted(known))
        raise ConfigError(
            f"database={public_url(url)!r}: there is no store for {scheme!r}; choose one of {choices}.",
            "database",
        )
    return known[scheme]
