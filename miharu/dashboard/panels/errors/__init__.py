"""The errors: of calls by kind and by what they say, of rate limits, and of the program's own work.

over_time.py    when calls failed: how many, or which share
kinds.py        kinds of errors, at a glance for the overview and in full for their own page
rate_limits.py  calls that a rate limit turned away, and the limits that providers stated last
failed_work.py  spans that failed
"""

__all__ = ()
