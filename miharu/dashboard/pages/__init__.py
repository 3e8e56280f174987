"""One module for each page: which parts it has, what they ask, and which file can be made of it.

overview.py what it costs, who causes it, whether it is slow, what broke
live.py     what happens now
calls.py    the list of calls
routes.py   by route of the host's app
models.py   by model
tools.py    the tools that models ask for, and that ran
users.py    the users, or one of them
tags.py     the values of a tag, or one of them
one.py      one user, or one value of a tag
prompts.py  by prompt, and the versions of one
sessions.py the sessions, and one of them or one trace
errors.py   what broke
alerts.py   all alerts, and what became of them
compare.py  two periods
pair.py     two calls
find.py     the search
refused.py  a filter that is not understood
"""

__all__ = ()
