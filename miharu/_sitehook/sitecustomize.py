"""Begins to record in a program that ``miharu run`` has started, and in each Python that this starts.

Below ``miharu cassette replay FILE -- command`` it has the calls answered from that file instead.

Python imports ``sitecustomize`` from ``PYTHONPATH`` before any of the program's code. Any Python may do so
here: an old one, and one without miharu. So this file keeps to words that all of them know, needs nothing
but them, and says nothing. It takes itself out of ``sys.path`` and gives way to the ``sitecustomize`` that
would have been imported without it.

miharu itself is imported with the first library that may make calls. Most children of a program make none,
and should cost nothing; and a program that patches the standard library does so first (gevent).
"""

import os
import sys

__all__ = ("FIRST", "Finder", "leave")

FIRST = frozenset(
    ["miharu", "httpx", "httpx2", "aiohttp", "urllib3"]
    + ["websockets.client", "websockets.asyncio.client", "websockets.sync.client", "websockets.trio.client"]
    + ["celery.signals", "rq.job", "rq.worker", "arq.worker", "apscheduler.executors.base"]
)
"""What recording has to begin with: the program's own use of miharu, and all that the interceptor hooks."""


class Finder(object):
    """Lets the others find modules; it leaves when the first of those above has been imported."""

    def find_spec(self, name, path=None, target=None):
        """The spec that the others have, with a loader that tells when it has run."""
        if name in FIRST:
            for finder in sys.meta_path:
                find = None if finder is self else getattr(finder, "find_spec", None)
                spec = find(name, path, target) if find else None
                if spec is not None:
                    if hasattr(spec.loader, "exec_module"):
                        self._announce(spec.loader)
                    return spec
        return None

    def _announce(self, loader):
        execute = loader.exec_module

        def exec_module(module):
            if vars(loader).get("exec_module") is exec_module:
                del loader.exec_module  # the instance's; the class's shows again
            execute(module)
            self._begin()

        try:  # noqa: SIM105 - without an import
            loader.exec_module = exec_module
        except AttributeError:  # another kind of loader: this import is left alone, the next may tell
            pass

    def _begin(self):
        if self not in sys.meta_path:
            return  # it has begun
        # a new list: an import elsewhere that is half-way through the old one would skip a finder
        sys.meta_path = [finder for finder in sys.meta_path if finder is not self]
        cassette = os.environ.get("_MIHARU_REPLAY")
        if cassette:  # what it raises ends the import: rather no program than one whose calls go out
            from miharu.cassettes.implied import begin_implied as begin_replaying

            begin_replaying(cassette)
            return
        try:
            from miharu.monitor.process import begin_implied

            begin_implied()
        except Exception:  # noqa: BLE001, S110 - this Python has no miharu, or another one
            pass


def leave(folder):
    """Take that folder out of the path, as if it had never been in it."""
    sys.path[:] = [entry for entry in sys.path if entry != folder]
    sys.path_importer_cache.pop(folder, None)
    del sys.modules["sitecustomize"]


if __name__ == "sitecustomize":
    leave(os.path.dirname(__file__))
    if sys.version_info >= (3, 11):
        sys.meta_path.insert(0, Finder())
    # The one that is next in the path takes this one's place. Where there is none, `site` is to learn so.
    import sitecustomize  # noqa: F401
