"""A file for a block, such as a test: its calls are answered from it, and none goes out."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from miharu.cassettes.answering import answering
from miharu.cassettes.file import load
from miharu.cassettes.question import ignored
from miharu.cassettes.replay import Replay
from miharu.errors import ConfigError

__all__ = ("playing",)


@contextmanager
def playing(
    path: Path,
    *,
    ignore: Sequence[str] = (),
    reuse: bool = False,
    paced: bool = False,
    record: bool = False,
    missing: str = "record it with `miharu cassette record`.",
) -> Iterator[Replay]:
    """Answer the calls of this process from that file.

    Args:
        path: The file.
        ignore: Places in a request's body that are not compared, such as ``messages.*.id``.
        reuse: Whether a recorded exchange may answer more than once.
        paced: Whether answers come when they came, or at once.
        record: Whether what is not in the file goes out, and into the file.
        missing: What to do where there is no file.

    Raises:
        ConfigError: There is no file, it cannot be read, or there is a replay already.
    """
    if not path.exists() and not record:
        raise ConfigError(f"there is no cassette {path}: {missing}")
    replay = Replay(
        load(path) if path.exists() else [],
        where=path.name,
        places=ignored(ignore),
        reuse=reuse,
        paced=paced,
        passes_on=record,
    )
    with _recording(replay, path) if record else nullcontext(), answering(replay):
        yield replay


def _recording(replay: Replay, path: Path) -> "nullcontext[None]":
    from miharu.cassettes.recording import recording

    return recording(replay, path)  # type: ignore[return-value] # both are contexts
