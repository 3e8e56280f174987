"""A session or a trace as a tree: which rows are seen, and what is drawn in each.

outline.py  which nodes are rows: what is folded, what is open, alike ones in one row
guides.py   the lines that show depth, and how an error came up
part.py     a part of the time that is zoomed into, and the line by which it is chosen
lines.py    a row: its name, its bars, its figures
found.py    the errors of the run, one after the other
"""

__all__ = ()
