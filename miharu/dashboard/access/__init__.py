"""Who may see the dashboard: the facts of a request come in, a decision goes out.

decide.py        the decision; it asks all the others
interface.py     what differs between ASGI and WSGI
visit.py         the facts of a request, and what a decision is
names.py         by which name the dashboard was asked for
origin.py        whether a page of another site asks
clients.py       test clients, which are not strangers
proxy.py         whether a proxy stands in between
local_user.py    whether another user of this machine asks
socket_owners.py whose a connection is, by the kernel of Linux
login.py         whether the visitor has the token
secret.py        the token itself
scraper.py       whether a scraper has the token for metrics
throttle.py      wrong tokens, counted
refusals.py      what is said to those who are not let in
"""

__all__ = ()
