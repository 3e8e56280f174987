"""Bringing the rows of a file that was set aside into the new one, step by step, beside the recording.

Each step is a short transaction of its own; what is there already is skipped. Should this process end, the
next one goes on where the last step was.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from miharu.errors import StoreError
from miharu.files.lock import unlock_file
from miharu.files.private import open_ours
from miharu.stores.sqlite.locks.queued_lock import take
from miharu.stores.sqlite.repair.damage import has_wal
from miharu.stores.sqlite.repair.layout import known_columns, layout_of
from miharu.stores.sqlite.repair.quarantine import SetAside, mark_done
from miharu.stores.sqlite.repair.rescue.pacing import RescuePace
from miharu.stores.sqlite.repair.rescue.report import Progress, Report, Tables, load, save
from miharu.stores.sqlite.repair.rescue.target import Target
from miharu.stores.sqlite.repair.salvage.gleaning import gleaned
from miharu.stores.sqlite.repair.salvage.mending import mended
from miharu.stores.sqlite.repair.salvage.pages import pages_of
from miharu.stores.sqlite.repair.salvage.rowids import Gap, readable
from miharu.stores.sqlite.repair.salvage.source import DamagedSource, Unreadable, opened

__all__ = ("bring_back",)

T = TypeVar("T")

ROWS = 200
"""In one transaction: others wait for it."""
BYTES = 1 << 20
_BACK_OFF_S = (0.1, 30.0)


def bring_back(aside: SetAside, database: Path, pace: RescuePace) -> tuple[SetAside, Report] | None:
    """Bring back all that can be read; ``None`` where another process is at it.

    Returns the file under its new name, and what was brought back.

    Raises:
        Stopped: By the pace.
        StoreError, sqlite3.Error, OSError: It cannot go on at the moment.
    """
    with _claimed(aside.path) as ours:
        if not ours:
            return None
        report = load(aside)
        report.attempts += 1
        save(aside, report)
        with closing(Target(database)) as target:
            _rescue(aside, report, target, pace)
        report.finished = True
        save(aside, report)
        return mark_done(aside), report


def _rescue(aside: SetAside, report: Report, target: Target, pace: RescuePace) -> None:
    wal = has_wal(aside.path)
    _read(aside, report, report.tables, target, pace, wal=wal)
    if _is_whole(report.tables):
        return
    if wal:
        _read(aside, report, report.again, target, pace, wal=False)
    _glean(aside, report, target, pace, wal=wal)


def _is_whole(tables: Tables) -> bool:
    return bool(tables) and not any(each.lost or each.open_end for each in tables.values())


def _read(
    aside: SetAside, report: Report, tables: Tables, target: Target, pace: RescuePace, *, wal: bool
) -> None:
    try:
        with opened(aside.path, wal=wal) as source:
            for name in source.layout.tables:
                for progress in _steps(source, target, name, tables.get(name, Progress()), pace):
                    tables[name], report.attempts = progress, 0
                    save(aside, report)
    except Unreadable as error:
        report.failure = str(error)


def _steps(
    source: DamagedSource, target: Target, name: str, progress: Progress, pace: RescuePace
) -> Iterator[Progress]:
    """Bring one table; how far that is after each step."""
    columns = _patiently(partial(target.columns, name), pace)
    names = known_columns(name, source.layout.tables[name].columns)
    if not names:
        return
    rows: list[tuple[Any, ...]] = []
    worked, size = _stopwatch(), 0

    def kept() -> Progress:
        new = _patiently(partial(target.add, name, columns, rows), pace) if rows else 0
        return replace(progress, new=progress.new + new)

    for item in readable(source.connection, name, names, progress.after, source.most_rows):
        if isinstance(item, Gap):
            progress = progress.with_gap(item)
            continue
        row = mended(dict(zip(names, item[1:], strict=True)), columns)
        progress = replace(
            progress, after=item[0], read=progress.read + 1, refused=progress.refused + (row is None)
        )
        if row is not None:
            rows.append(row)
            size += sum(len(value) for value in row if isinstance(value, bytes | str))
        if len(rows) >= ROWS or size >= BYTES:
            progress = kept()
            yield progress
            pace.rest(worked())
            rows, size, worked = [], 0, _stopwatch()
    yield kept()


def _glean(aside: SetAside, report: Report, target: Target, pace: RescuePace, *, wal: bool) -> None:
    """Bring what stands on leaves to which nothing leads any more."""
    layout = layout_of(aside.path)
    if layout is None:
        return
    gaps = {name: _missing(report.tables.get(name)) for name in layout.tables}
    gaps = {name: missing for name, missing in gaps.items() if missing}
    columns = {name: _patiently(partial(target.columns, name), pace) for name in gaps}
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in gaps}
    done = max((progress.after for progress in report.leaves.values()), default=0)
    worked, page = _stopwatch(), done

    def keep() -> None:
        for name, found in rows.items():
            new = _patiently(partial(target.add, name, columns[name], found), pace) if found else 0
            progress = report.leaves.get(name, Progress())
            report.leaves[name] = replace(
                progress, after=page, read=progress.read + len(found), new=progress.new + new
            )
            found.clear()
        report.attempts = 0
        save(aside, report)
        pace.rest(worked())

    with pages_of(aside.path, layout.page_size, wal=wal) as pages:
        for found in gleaned(pages, layout, columns, gaps, done):
            if found.page != page and sum(map(len, rows.values())) >= ROWS:
                keep()
                worked = _stopwatch()
            page = found.page
            rows[found.table].append(found.row)
        keep()


def _missing(progress: Progress | None) -> tuple[Gap, ...]:
    """All of it, where nothing of the table could be read."""
    return progress.gaps if progress else (Gap(0, None),)


def _stopwatch() -> Callable[[], float]:
    """The seconds of a processor that were used since; waiting counts for a fourth."""
    cpu, wall = time.thread_time(), time.monotonic()
    return lambda: max(time.thread_time() - cpu, (time.monotonic() - wall) / 4)


def _patiently(attempt: Callable[[], T], pace: RescuePace) -> T:
    wait = _BACK_OFF_S[0]
    while True:
        try:
            return attempt()
        except StoreError as error:
            pace.wait(wait, error)
            wait = min(wait * 2, _BACK_OFF_S[1])


@contextmanager
def _claimed(path: Path) -> Iterator[bool]:
    """Whether no other process is at that file, or was done with it; the lock on it ends with the process."""
    try:
        handle = open_ours(path)
    except FileNotFoundError:  # it has been given the name of a finished one
        yield False
        return
    try:
        ours = take(handle)
        try:
            yield ours and path.exists()
        finally:
            if ours:
                unlock_file(handle)
    finally:
        os.close(handle)
