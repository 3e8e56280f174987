"""What models wrote, as people read it: structure, and no more than that.

visible.py  characters that a page would hide, made visible
inline.py   emphasis, code and links within a line
table.py    a table
blocks.py   headings, lists, quotes, tables, code: the whole text
tree.py     JSON as a tree

Nothing of the text becomes markup of its own: every character is escaped, an address is shown as text and
leads nowhere, and the work is linear in the length of the text.
"""

from miharu.dashboard.markdown.blocks import markdown
from miharu.dashboard.markdown.tree import Tree, Trees
from miharu.dashboard.markdown.visible import seen, shown, visible

__all__ = ("Tree", "Trees", "markdown", "seen", "shown", "visible")
