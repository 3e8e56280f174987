"""``miharu export``: calls as CSV or JSON Lines, for fine-tuning and for evaluations; the newest first."""

import argparse
import csv
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from miharu.cli._arguments import add_database, add_filters, query_of
from miharu.cli._database.reading import ask, reading
from miharu.cli._near import near_lines
from miharu.cli._range import range_ms
from miharu.errors import ConfigError

if TYPE_CHECKING:
    from miharu.batch import Score
    from miharu.call import Call
    from miharu.stores.base import Query, Questions

__all__ = ("DESCRIPTION", "HELP", "add_arguments", "run")

HELP = "write calls as CSV or JSON Lines, or as examples for fine-tuning and evaluations"
DESCRIPTION = (
    "Write calls as CSV or JSON Lines, the newest first, under the names of the columns; or what was said in "
    "them, where it was kept, as examples for fine-tuning (openai-jsonl, anthropic-jsonl) and as a dataset "
    "for evaluations. It goes page by page, so there may be any number of them."
)
FORMATS = ("csv", "jsonl", "openai-jsonl", "anthropic-jsonl", "dataset")
_PAGE = 100


_Write = Callable[["Call", "Sequence[Score]"], object]


class _Stream(Protocol):
    def write(self, text: str, /) -> int: ...


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options for the calls, the format and the file."""
    add_database(parser)
    parser.add_argument("--format", choices=FORMATS, required=True, help="one call a line, in each")
    parser.add_argument(
        "--range",
        type=range_ms,
        metavar="TIME",
        help="how far back: a number and s, m, h, d or w (default: everything)",
    )
    add_filters(parser)
    parser.add_argument(
        "--with-content", action="store_true", help="with prompts and answers, where they were kept"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="a new file, readable by you alone (default: standard output)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the calls; print how many where they go to a file."""
    now = time.time_ns() // 1_000_000
    query = query_of(arguments, 0 if arguments.range is None else now - arguments.range, now + 1)
    content = arguments.with_content or arguments.format not in {"csv", "jsonl"}
    with reading(arguments.database) as monitor, _destination(arguments.out) as stream:
        write, left_out = _writing(arguments.format, stream, content=content)
        written = ask(
            monitor,
            _written,
            query,
            write,
            content=content,
            scores=arguments.format == "dataset",
        )
        near = () if written else ask(monitor, near_lines, query)
    for text in near:
        print(f"miharu: {text}", file=sys.stderr)
    for reason, number in left_out.items():
        said = "1 call is" if number == 1 else f"{number:,} calls are"
        print(f"miharu: {said} left out, {reason}.", file=sys.stderr)
    if arguments.out is not None:
        print(f"{written - left_out.total():,} calls are in {arguments.out}.")
    return 0


async def _written(
    store: "Questions",
    query: "Query",
    write: "_Write",
    *,
    content: bool,
    scores: bool,
) -> int:
    number = 0
    async for call in _pages(store, query):
        rated: Sequence[Score] = ()
        if scores:
            found = await store.scores(call_id=call.id, trace_id=call.trace_id)
            rated = [score for score in found if score.call_id in {None, call.id}]
        whole = await store.call(call.id) if content else call
        if whole is not None:  # it may have been pruned meanwhile
            write(whole, rated)
            number += 1
    return number


async def _pages(store: "Questions", query: "Query") -> "AsyncIterator[Call]":
    before = None
    while page := await store.calls(query, limit=_PAGE, before=before):
        for call in page:
            yield call
        before = page[-1].id


class _Terminal:
    """Standard output, without what a terminal would obey: a stored name may come from a stranger."""

    def write(self, text: str) -> int:
        return sys.stdout.write("".join(c if c.isprintable() or c == "\n" else "?" for c in text))


def _writing(name: str, stream: _Stream, *, content: bool) -> "tuple[_Write, Counter[str]]":
    """What writes a call, and how many it leaves out, by the reason."""
    left_out = Counter[str]()
    if name in {"csv", "jsonl"}:
        return (_csv if name == "csv" else _jsonl)(stream, content=content), left_out
    from miharu.cli.datasets.conversation import REASONS, Unfit
    from miharu.cli.datasets.rows import FORMATS as ROWS

    row = ROWS[name]

    def write(call: "Call", scores: "Sequence[Score]") -> None:
        try:
            line = json.dumps(row(call, scores), ensure_ascii=False)
        except Unfit as unfit:
            left_out[REASONS[unfit.reason]] += 1
        except RecursionError:  # JSON that is made to be deeper than a program goes
            left_out[REASONS["cut"]] += 1
        else:  # half of a surrogate pair is possible in JSON, and in no file
            print(line.encode("utf-8", "replace").decode() if not line.isascii() else line, file=stream)

    return write, left_out


def _csv(stream: _Stream, *, content: bool) -> "_Write":
    from miharu.cli._flat import COLUMNS, CONTENT, cells

    # Every text in quotes, so that a separator of another locale begins no cell either.
    writer = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow((*COLUMNS, *CONTENT) if content else COLUMNS)
    return lambda call, _: writer.writerow(cells(call, content=content))


def _jsonl(stream: _Stream, *, content: bool) -> "_Write":
    from miharu.cli._flat import as_line

    return lambda call, _: print(as_line(call, content=content), file=stream)


@contextmanager
def _destination(out: Path | None) -> Iterator[_Stream]:
    """Standard output, or a file that is there once it is whole."""
    if out is None:
        if sys.stdout.isatty():
            yield _Terminal()
            return
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", newline="")
        yield sys.stdout
        return
    if out.exists():
        raise ConfigError(f"{out} exists already: name another file, or remove it first.")
    try:
        # 0600, whatever the umask: there may be prompts in it
        handle, name = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.absolute().parent)
    except OSError as error:
        raise ConfigError(f"{out} cannot be written: {error.strerror}.") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            yield stream
        Path(name).rename(out)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()
