"""What the recorder's thread imports, in small steps.

All of it takes some tenths of a second, in which a program may want to fork, and its event loop to go on.
"""

from collections.abc import Iterable, Iterator

from miharu.config import is_remote

__all__ = ("FIRST", "exporter_steps", "steps")

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
    "miharu.stores.sqlite.repair.rescue.rescuer",
    "miharu.stores.sqlite.file",
    "miharu.stores.sqlite.writer",
)
_REMOTE = ("http.client", "ssl", "zlib", "miharu.wire.batches", "miharu.stores.remote.writer")


_EXPORTERS = {
    "otlp": (
        "asyncio",
        "ssl",
        "http.client",
        "gzip",
        "email.utils",
        "encodings.idna",
        "google.protobuf.descriptor",
        "google.protobuf.internal.builder",
        "opentelemetry.proto.common.v1.common_pb2",
        "opentelemetry.proto.resource.v1.resource_pb2",
        "opentelemetry.proto.trace.v1.trace_pb2",
        "opentelemetry.proto.logs.v1.logs_pb2",
        "opentelemetry.proto.metrics.v1.metrics_pb2",
        "miharu.exporters.otlp.exporter",
    )
}


def exporter_steps(names: Iterable[str]) -> Iterator[str]:
    """The same for exporters, by their names."""
    for name in names:
        yield from _EXPORTERS.get(name, ())


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
