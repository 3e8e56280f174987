"""The first call of a release, by its tag ``release``: a marker without a call of ``miharu.mark``."""

import logging
from collections.abc import Iterator
from hashlib import blake2b

from miharu.batch import Marker
from miharu.call import Call

__all__ = ("TAG", "Releases", "release_id")

logger = logging.getLogger("miharu")

TAG = "release"
MOST = 200
"""Releases of one process: a tag with more values names something else."""


class Releases:
    """Which releases this process has met. Used by the recorder alone."""

    def __init__(self) -> None:
        self._met: set[tuple[str | None, str]] = set()

    def begun(self, kept: object) -> Iterator[Marker]:
        """The marker of a release that was not met before.

        Other processes make the same one; by its id the store keeps the first.
        """
        tags = kept.tags if isinstance(kept, Call) else None
        release = tags.get(TAG) if tags else None
        if not release or not isinstance(kept, Call):
            return
        key = (kept.service, release)
        if key in self._met or len(self._met) > MOST:
            return
        self._met.add(key)
        if len(self._met) > MOST:
            logger.warning(
                "miharu: the tag %r has more than %d values in this process, so no more of them become "
                "markers on the charts; name what changes with a call otherwise.",
                TAG,
                MOST,
            )
            return
        yield Marker(
            id=release_id(*key), timestamp=kept.timestamp, name=release, kind="release", service=kept.service
        )


def release_id(service: str | None, release: str) -> str:
    """The id of the marker of a release of a service, the same in all processes."""
    said = "\0".join((service or "", release)).encode("utf-8", "replace")
    return f"release-{blake2b(said, digest_size=16).hexdigest()}"
