"""One module for each page: which parts it has, what they ask, and which file can be made of it.

overview.py what it costs, who causes it, whether it is slow, what broke
live.py     what happens now
calls.py    the list of calls
routes.py   by route of the host's app
models.py   by model
sessions.py the sessions, and one of them or one trace
errors.py   what broke
compare.py  two periods
choices.py  what the filter form offers
find.py     the search
refused.py  a filter that is not understood
export.py   any page as a file
body.py     one body as a file
health.py   whether the calls can be read
"""

__all__ = ()
