"""Where calls are kept. The built-in stores, by URL scheme."""

from miharu.plugins import built_in

__all__ = ("BUILT_IN",)

BUILT_IN = built_in(
    "miharu.stores",
    {
        "sqlite": "miharu.stores.sqlite:SQLiteStore",
        "postgresql": "miharu.stores.postgres:PostgresStore",
        "nowhere": "miharu.stores.nowhere:Nowhere",
    },
)
