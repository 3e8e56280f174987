"""The one small grammar of filters: ``cost>0.01 model:gpt-4o -status:error "refund"``.

fields.py    what can be asked for, under which name and in which unit
language.py  conditions, and what is possible in them
units.py     money, durations and counts, as they are read and written
values.py    the values behind a field's name
parsing.py   a text as conditions
writing.py   conditions as a text
counts.py    how many errors those have that a page lists
matching.py  whether a value meets a condition
faults.py    where a text is not understood, why, and what mends it
"""

__all__ = ()
