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
choices.py  what the filter form offers
find.py     the search
refused.py  a filter that is not understood
export.py   any page as a file
body.py     one body as a file
media.py    a picture or a sound of a body
health.py   whether the calls can be read
"""

__all__ = ()
