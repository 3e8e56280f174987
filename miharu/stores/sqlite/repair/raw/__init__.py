"""Reading the pages of a damaged file without the engine.

layout.py    where the tables begin, kept beside the file in case its first page is lost
pages.py     the pages of the file, with the changes beside it
leaves.py    rows on pages to which nothing leads any more
gleaning.py  those of them that were not found before
"""
