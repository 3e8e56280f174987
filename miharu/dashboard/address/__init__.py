"""The address is all the state of a page: which calls, of which time, in which order.

view.py    what a URL asks for, and the links to its neighbours
filters.py its filters: one value a field, and conditions
ranges.py  the time that it means
windows.py that time, cut into the steps of a chart
zones.py   the viewer's days
"""

__all__ = ()
