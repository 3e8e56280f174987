"""What the recorder's thread imports, in small steps.

All of it takes some tenths of a second, in which a program may want to fork, and its event loop to go on.
"""

from collections.abc import Iterator

from miharu.config import is_remote

__all__ = ("FIRST", "steps")

FIRST = (
    "json",
    "miharu.batch",
    "miharu.attribution.belonging",
    "miharu.redaction.fields",
    "miharu.redaction.values",
    "miharu.recorder.spool",
)
"""With these what waits can be spooled unread: all the rest takes a while where the program is busy."""
_WORK = (
    "decimal",
    "miharu.providers.base",
    "miharu.providers.hosts",
    "miharu.wire.decoding",
    "miharu.recorder.estimate",
    "miharu.recorder.waste",
    "miharu.recorder.reader",
    "miharu.stores.base",
    "miharu.pricing.kept_plans",
    "miharu.recorder.pricer",
    "miharu.recorder.pipeline",
    "miharu.recorder.maintenance",
    "miharu.recorder.exports",
    "miharu.recorder.run",
    "miharu.monitor.recording",
    "miharu.redaction.shapes",
    "miharu.recorder.content",
    "miharu.recorder.redactor",
    "msgspec",
)
_SQLITE = (
    "sqlite3",
    "miharu.stores.columns",
    "miharu.stores.rollups",
    "miharu.stores.steps",
    "miharu.stores.sqlite.schema",
    "miharu.stores.sqlite.repair.damage",
    "miharu.stores.sqlite.repair.rescuer",
    "miharu.stores.sqlite.file",
    "miharu.stores.sqlite.writer",
)
_REMOTE = ("http.client", "ssl", "zlib", "miharu.wire.batches", "miharu.stores.remote.writer")


def steps(database: str) -> Iterator[str]:
    """Names of modules, what others need before them.

    Args:
        database: Its URL.
    """
    yield from _WORK
    if database.startswith("sqlite"):
        yield from _SQLITE
    elif is_remote(database):
        yield from _REMOTE
