"""The dashboard: plain functions from a request and a store to a page, behind one route table.

door.py   from an ASGI scope to a request, and from a page to ASGI messages
routes.py which view answers which address
access/   who may see
pages/    one module for each page
metrics/  what monitoring systems read
panels/   the parts of pages
pair/     two calls side by side
call/     one call, as a row and in its drawer
charts/   what is drawn
queries/  what is asked of the store
http/     the response: headers, files, templates
markdown/ what models wrote, as structure and text
address/  what a URL asks for

Imports go down this list. No module here knows a framework or a socket; the doors (``_asgi``, ``server``)
call ``routes.respond``.
"""

__all__ = ()
