"""Figures without HTML, for the pages, the JSON API and the command line.

cost_changes.py      why spending changed between two times
waste.py             what cost money and time for nothing
trees.py             calls and spans, as what ran inside of what
error_skeletons.py   error messages without their numbers and ids
rate_limits.py       how much more a provider would take
unpriced.py          models without a price, and how to give them one
prompt_changes.py    what is different between two versions of a prompt
chance.py            whether chance explains a difference
"""

__all__ = ()
