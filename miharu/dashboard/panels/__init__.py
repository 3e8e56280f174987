"""The parts of a page. Each is a title, a question and a template.

screens.py     what a panel is, and a page of panels; it renews itself
tables.py      the order of rows, and the same rows for a file
figures.py     the key figures of the overview
spend.py       what was spent, when and on which model
latency.py     how long calls took
scores.py      what scores come to, over time and beside each row
sparks.py      the small lines beside figures and rows
groups.py      one row for each model, route, user, …
who.py         one row for each user, or each value of a tag, against the time before
months.py      the same by month, for chargeback
waste.py       what cost money and time for nothing
budgets.py     how the budgets stand
alerts.py      what fires, and what was over
scores.py      how good the answers were, by the scores of one name
since.py       what changed since the newest marker
errors/        errors by kind and by what they say, rate limits, failed work
differences.py the figures of two periods
bridge.py      why the cost changed, step by step
session.py     one session or trace, on an axis of time
running.py     calls that still run
"""

__all__ = ()
