"""What happens when an alert begins to fire, or is over: a line in the log, a call, a post."""

import logging
from datetime import UTC, datetime
from typing import Any

from miharu._alert import Alert, AlertChange
from miharu._guard import swallowed
from miharu.recorder.budgets.webhook import Webhook

__all__ = ("Telling", "message")

logger = logging.getLogger("miharu")


class Telling:
    """Logs, calls back and posts, on the recorder's thread."""

    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook

    def tell(self, alert: Alert, change: AlertChange) -> None:
        """Tell of a change."""
        level = logging.WARNING if change.state == "firing" else logging.INFO
        logger.log(level, "miharu: %s.", change)
        if alert.on_change is not None:
            try:
                alert.on_change(change)
            except Exception:  # noqa: BLE001 - the program's own mistake is said, and stops nothing
                swallowed(f"on_change of the alert {alert.name!r}")
        if alert.webhook is not None:
            self._webhook.send(alert.webhook, message(change), "alert")

    def after_fork(self) -> None:
        """Forget the posts that the parent has on their way."""
        self._webhook = self._webhook.another()

    def close(self) -> None:
        """Wait for the posts that are on their way."""
        self._webhook.close()


def message(change: AlertChange) -> dict[str, Any]:
    """What is posted, as JSON."""
    return {
        "text": f"miharu: {change}.",
        "alert": change.name,
        "state": change.state,
        "when": change.when,
        "over": change.over,
        "value": change.value,
        "calls": change.calls,
        "at": datetime.fromtimestamp(change.at / 1000, UTC).isoformat(timespec="seconds"),
    }
