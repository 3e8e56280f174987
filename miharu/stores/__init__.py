"""Where calls are kept. The built-in stores, by URL scheme.

base/           the seam: a writer, and the questions
columns.py      the order of the columns
sqlite/         calls in a file
postgres/       calls of many machines
clickhouse/     calls of those who outgrow one machine
remote/         calls that another miharu keeps
nowhere.py      calls that are kept nowhere
sql/            the answers, in SQL that every engine understands
cover.py        which sums and which calls answer a question
rollups.py      which sums are kept
folding.py      adding calls to them
steps.py        sums of hours and days that are over
buckets.py      durations in buckets
words.py        what was said, as the words that are searched for
ever.py         counters of all time, those of calls that are gone included
bodies.py       prompts and answers, packed
changes.py      what of a call may change later: its end, and its price
copying.py      from one store to another
pace.py         how much a step takes on
tooling.py      tools that were asked for and that ran, from rows
blocking.py     a writer on a loop, as plain code
unbelievable.py what older versions stored and no call can be
"""

from miharu.config import public_url
from miharu.errors import ConfigError
from miharu.plugins import Loadable, built_in, installed

__all__ = ("BUILT_IN", "store_for")

BUILT_IN = built_in(
    "miharu.stores",
    {
        "sqlite": "miharu.stores.sqlite:SQLiteStore",
        "postgresql": "miharu.stores.postgres:PostgresStore",
        "clickhouse": "miharu.stores.clickhouse:ClickHouseStore",
        "clickhouses": "miharu.stores.clickhouse:ClickHouseStore",
        "miharu": "miharu.stores.remote:RemoteStore",
        "nowhere": "miharu.stores.nowhere:Nowhere",
    },
)


def store_for(url: str) -> Loadable:
    """The store for a URL's scheme. Only an unknown one has the installed packages searched.

    Raises:
        ConfigError: There is none.
    """
    scheme = url.partition(":")[0].partition("+")[0]
    known: dict[str, Loadable] = {point.name: point for point in BUILT_IN}
    if scheme not in known:
        known |= {point.name: point for point in installed("miharu.stores")}
    if scheme not in known:
        choices = ", ".join(sorted(known))
        raise ConfigError(
            f"database={public_url(url)!r}: there is no store for {scheme!r}; choose one of {choices}.",
            "database",
        )
    return known[scheme]
