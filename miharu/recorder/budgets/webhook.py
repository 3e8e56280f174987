"""The one request that miharu makes, where a budget or an alert names a URL: figures, no word of a prompt."""

import logging
from concurrent.futures import Future, wait
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from miharu._budget import BudgetState
from miharu._guard import swallowed
from miharu._version import __version__
from miharu.recorder.threads.loop import LoopEnded, LoopThread

__all__ = ("Webhook", "message")

logger = logging.getLogger("miharu")
_posting: ContextVar[bool] = ContextVar("miharu_posting", default=False)


def _is_not_ours(_: logging.LogRecord) -> bool:
    """The client logs the address of each request, and that of a webhook is a secret."""
    return not _posting.get()


TIMEOUT_S = 5.0
PAUSE_S = 1.0
"""Before the second and last try."""
CLOSE_S = 2.0
"""How long a program that ends waits for a post."""


class Webhook:
    """Posts in the background, from a loop."""

    def __init__(self, loop: LoopThread) -> None:
        """Prepare; it posts from that loop."""
        self._loop = loop
        self._posts: set[Future[None]] = set()
        self._failed: set[str] = set()

    def post(self, url: str, state: BudgetState) -> None:
        """Start to post the state, without waiting."""
        self.send(url, message(state), "budget alert")

    def send(self, url: str, content: dict[str, Any], what: str) -> None:
        """Start to post some figures, without waiting; ``what`` they are is for the log."""
        try:
            post = self._loop.start_soon(self._post, url, content, what)
        except LoopEnded:  # the program is ending
            swallowed("posting to a webhook")
            return
        self._posts.add(post)
        post.add_done_callback(self._posts.discard)

    def another(self) -> "Webhook":
        """A webhook on the same loop, with no posts on their way."""
        return Webhook(self._loop)

    def close(self) -> None:
        """Wait a little for posts on their way."""
        wait(list(self._posts), CLOSE_S)

    async def _post(self, url: str, content: dict[str, Any], what: str) -> None:
        import anyio
        import httpx

        logging.getLogger("httpx").addFilter(_is_not_ours)
        _posting.set(True)  # the task is ours alone
        trouble = ""
        for pause in (0, PAUSE_S):
            await anyio.sleep(pause)
            try:
                with anyio.fail_after(TIMEOUT_S):
                    async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
                        agent = {"user-agent": f"miharu/{__version__}"}
                        response = await client.post(url, json=content, headers=agent)
                trouble = "" if response.is_success else f"HTTP status {response.status_code}"
                is_final = response.status_code < 500
            except Exception as error:  # noqa: BLE001 - no failure may stop the recording
                trouble, is_final = type(error).__name__, False
            if is_final:
                break
        where = urlsplit(url).hostname or ""
        if trouble and where not in self._failed:
            self._failed.add(where)  # its path is left out, since that may be a secret
            logger.warning(
                "miharu: the webhook at %s rejected the %s (%s); this is said once.",
                where,
                what,
                trouble,
            )


def message(state: BudgetState) -> dict[str, Any]:
    """What is posted, as JSON."""
    return {
        "text": f"miharu: {state}. It ends at {state.ends_at}.",
        "budget": state.name,
        "key": state.key,
        "per": state.per,
        "limit_usd": state.limit_usd,
        "spent_usd": state.spent_usd,
        "unpriced": state.unpriced,
        "starts": _iso(state.starts),
        "ends": _iso(state.ends),
        "refuses": state.refuses,
    }


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds")
