"""The server, and how it is spoken to.

address.py   what a URL says
database.py  its client: statements, inserts
literals.py  values as they are written in a statement
refusals.py  why the server did not do it
"""

__all__ = ()
