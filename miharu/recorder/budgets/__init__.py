"""The budgets: what calls have cost, compared with their limits.

caller.py   to whom a call is charged, made or about to be made
account.py  one budget: what the store knows, and what this process has spent since
sums.py     what the store knows, queried so that it costs little
ledger.py   all budgets, kept up to date by the worker
refusals.py who is refused, for callers to look at
alarms.py   what is said, called and posted when one is used up
webhook.py  the one request that miharu makes
"""

from miharu.recorder.budgets.alarms import Alarms
from miharu.recorder.budgets.caller import Caller, current_caller
from miharu.recorder.budgets.ledger import Ledger
from miharu.recorder.budgets.webhook import Webhook

__all__ = ("Alarms", "Caller", "Ledger", "Webhook", "current_caller")
