"""A share of the processor for a program, by a control group of Linux. Only root can make one."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ("can_limit", "limited")

_PERIOD_US = 100_000
_V1 = Path("/sys/fs/cgroup/cpu")
_V2 = Path("/sys/fs/cgroup")


def can_limit() -> bool:
    """Whether there are control groups that this user may make."""
    return os.access(_V1 if _V1.is_dir() else _V2, os.W_OK) and (_V1.is_dir() or _has_cpu())


def _has_cpu() -> bool:
    controlled = _V2 / "cgroup.subtree_control"
    return controlled.is_file() and "cpu" in controlled.read_text().split()


@contextmanager
def limited(share: float) -> Iterator[Callable[[], None]]:
    """A group that gets so many processors; what puts a new process into it, to be called in there."""
    group = Path(tempfile.mkdtemp(prefix="miharu-", dir=_V1 if _V1.is_dir() else _V2))
    try:
        quota = round(share * _PERIOD_US)
        if _V1.is_dir():
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (group / "cpu.max").write_text(f"{quota} {_PERIOD_US}")

        def enter() -> None:
            (group / "cgroup.procs").write_text(str(os.getpid()))

        yield enter
    finally:
        group.rmdir()
