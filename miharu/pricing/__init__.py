"""What calls cost.

base.py         the seam
genai.py        the built-in prices
explain.py      a cost, line by line
_measures.py    what a call used, in the units of the lists
_conditions.py  what a price depends on beside model and date
"""
