"""Captured bodies, read again as what was said: for the drawer of a call, and for exporters.

said.py     what was said in a call
texts.py    the same as texts, for search
formats.py  the format that lays it out; of a format that does not, one that the request looks like
plain.py    all others
objects.py  the JSON of an answer, whole or in pieces
"""
