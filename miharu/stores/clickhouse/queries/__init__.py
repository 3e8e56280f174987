"""What is asked.

questions.py  all of it, as pages use it
sums.py       totals, series, groups
times.py      percentiles and heat maps
rows.py       calls, sessions and scores themselves
markers.py    the moments that figures are compared around
traces.py     spans
tools.py      tools that were asked for, and tools that ran
scoring.py    scores, by the calls that they count for
prompts.py    the versions of a prompt
order.py      everything, in its order
reach.py      how far back the newest calls are looked through
pieces.py     the window of a question: whole hours, and its edges
"""

__all__ = ()
