"""The budgets: what calls have cost, compared with their limits.

whose.py    to whom a call belongs, made or about to be made
account.py  one budget: what the store knows, and what this process has spent since
asking.py   what the store knows, asked so that it costs little
ledger.py   all budgets, kept up to date by the worker
refusals.py who is refused, for callers to look at
alarms.py   what is said, called and posted when one is used up
webhook.py  the one request that miharu makes
"""

from miharu.recorder.budgets.alarms import Alarms
from miharu.recorder.budgets.ledger import Ledger
from miharu.recorder.budgets.webhook import Webhook
from miharu.recorder.budgets.whose import Whose, here

__all__ = ("Alarms", "Ledger", "Webhook", "Whose", "here")
