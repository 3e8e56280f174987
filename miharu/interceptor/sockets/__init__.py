"""Sessions with models over WebSockets: each of the calls in one is an exchange of its own.

session.py     the calls of one session, cut out of its messages
call.py        one of these calls, and what is kept of a message
websockets.py  the patch of websockets, whatever its client
aiohttp.py     the patch of aiohttp's own sessions
"""

__all__ = ()
