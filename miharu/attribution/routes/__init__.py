"""The name of what a call was made for: the route of a web request, or a script.

templates.py  the route of the host's app, as a template
wsgi.py       the same where the app is called by WSGI
patterns.py   how each framework writes a route
sources.py    the script or notebook, for work that no web request asked for
"""

__all__ = ()
