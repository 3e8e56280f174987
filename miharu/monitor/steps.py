"""What the recorder's thread imports, in small steps.

All of it takes some tenths of a second, in which a program may want to fork, and its event loop to go on.
"""

from collections.abc import Iterator

__all__ = ("FIRST", "steps")

FIRST = (
    "json",
    "miharu.batch",
    "miharu.attribution.resolve",
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
    "miharu.recorder.reading.estimate",
    "miharu.recorder.waste.finder",
    "miharu.recorder.reading.reader",
    "miharu.stores.base",
    "miharu.pricing.plans.kept_plans",
    "miharu.recorder.costing.pricer",
    "miharu.recorder.pipeline",
    "miharu.recorder.maintenance",
    "miharu.recorder.exports",
    "miharu.recorder.run",
    "miharu.monitor.recording",
    "miharu.redaction.shapes",
    "miharu.recorder.reading.content",
    "miharu.recorder.reading.redactor",
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


def steps(database: str) -> Iterator[str]:
    """Names of modules, what others need before them.

    Args:
        database: Its URL.
    """
    yield from _WORK
    if database.startswith("sqlite"):
        yield from _SQLITE
