"""What is kept.

schema.py      the tables, on one server or on a cluster
measures.py    the sums that are kept with the calls
counting.py    counters of all calls that there ever were
conditions.py  which calls a filter means
"""

__all__ = ()
