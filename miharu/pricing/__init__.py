"""What calls cost.

base.py      the seam
genai.py     the built-in prices
billing/     what a call used, in the units of the lists, and whether all of it has a price
matching/    which entry of a price list holds for a call
plans/       what a token costs, of calls that are alike: compiled from the built-in prices, and kept
explain.py   a cost, line by line
own.py       a table of the program's own prices
updates.py   newer data for the built-in prices
_library.py  the package with the built-in prices, imported without its HTTP client
"""
