"""What calls cost.

base.py         the seam
genai.py        the built-in prices
plan.py         what a token costs, of calls that are alike
plans.py        plans, compiled from the built-in prices
kept_plans.py   plans in a file, for the next program
explain.py      a cost, line by line
_tokens.py      the counts that are paid
_bill.py        what a call used, in the units of the lists
_fields.py      what each field of a usage object is to a price
_iterations.py  models that were asked beside the answer
_names.py       under which names a model stands in a list
_places.py      where it was answered
_conditions.py  service tiers, batches, speed
_fees.py        what is paid beside tokens
_cover.py       whether everything that was used has a price
_unbilled.py    what is not billed
_library.py     genai-prices, imported without its HTTP client
own.py          a table of the program's own prices
updates.py      newer data for the built-in prices
"""
