"""Keeps credentials out of everything that miharu stores, spools, exports, captures and logs.

text.py         the one function that does it, for a text and for bytes of any size
names.py        what fields, headers and parameters of secrets are called
fields.py       the values under such names, in JSON, forms, queries, headers and plain text
objects.py      the values inside of an object that holds nothing but secrets
pieces.py       what comes in the pieces of a stream, put together
slices.py       where something stands, a slice at a time
strings.py      where a string ends, also one in a string of JSON
shapes.py       what keys and tokens look like
values.py       the values that a request has carried, however they are written
credentials.py  which values those are
urls.py         a database's address without user and password
logs.py         the log

It lies on the lowest floor and knows no call: bytes in, bytes out. The work is linear in their number, and
is done in slices between which the interpreter's lock is given up. Its patterns take a while to compile, so
it is imported where it is used for the first time: on the recorder's thread, or for a line of the log.
"""
