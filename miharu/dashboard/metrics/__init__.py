"""What ``/metrics`` says, as metric families of ``prometheus-client``.

series.py  which series there are: a bounded number, the rest under ``other``
calls.py   calls, tokens, cost, errors and durations, from the counters of the store
health.py  miharu itself: the queue, what was lost, the budgets

The counters come from the store alone, so every process that shares it says the same. The modules import the
library when the first scrape comes.
"""

__all__ = ()
