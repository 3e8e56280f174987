"""What goes over HTTP, without a framework.

page.py        what goes into a view, and what comes out
headers.py     what every response says
etag.py        a part that has not changed is not made again
compression.py packed for browsers that can unpack it
assets.py      the files under ``web/``
templates.py   the one place that knows jinja2
menu.py        the side bar
reasons.py     why something is as it is, for a key and a finger too
highlight.py   JSON in colours
reasons.py     why something is a dash or a guess, opened by a button
notice.py      a page of a few sentences, which needs no other file
"""

__all__ = ()
