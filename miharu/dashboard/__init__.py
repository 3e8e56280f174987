"""What is shown: plain functions from a request and a store to a page, behind one route table.

No module here knows a framework or a socket; the doors (``_asgi``, ``server``) call ``routes.respond``.
"""

__all__ = ()
