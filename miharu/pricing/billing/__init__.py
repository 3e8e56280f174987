"""What a call used, in the units of the price lists, and whether all of it has a price.

bill.py        all that was used
fields.py      what each field of a usage object is to a price
tokens.py      the counts that are paid
iterations.py  models that were asked beside the answer
fees.py        what is paid beside tokens
unbilled.py    what is not billed
cover.py       whether everything that was used has a price
"""
