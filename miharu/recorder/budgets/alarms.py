"""What happens when a budget is used up: a line in the log, a call of the program's, a post."""

import logging

from miharu._budget import Budget, BudgetState
from miharu._guard import swallowed
from miharu.recorder.budgets.webhook import Webhook

__all__ = ("Alarms",)

logger = logging.getLogger("miharu")


class Alarms:
    """Logs, calls back and posts, on the recorder's thread."""

    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook

    def tell(self, budget: Budget, state: BudgetState) -> None:
        """Tell of a budget that is used up, or soon will be."""
        if not state.exceeded:
            logger.warning("miharu: %s. It ends at %s.", state, state.ends_at)
            return
        fate = "Calls are refused until" if state.refuses else "Calls go on. It ends at"
        logger.warning("miharu: %s. %s %s.", state, fate, state.ends_at)
        if budget.on_exceeded is not None:
            try:
                budget.on_exceeded(state)
            except Exception:  # noqa: BLE001 - the program's own mistake is said, and stops nothing
                swallowed(f"on_exceeded of the budget {budget.label!r}")
        if budget.webhook is not None:
            self._webhook.post(budget.webhook, state)

    def after_fork(self) -> None:
        """Forget the posts that the parent has on their way."""
        self._webhook = self._webhook.another()

    def close(self) -> None:
        """Wait for the posts that are on their way."""
        self._webhook.close()
