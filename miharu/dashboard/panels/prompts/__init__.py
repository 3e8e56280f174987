"""The prompts: which there are, and of one of them the versions.

table.py      a row for each prompt
strip.py      when each version of a prompt was called
versions.py   the versions of a prompt that is opened
since.py      what is different since a version changed, and whether chance explains it
"""

__all__ = ()
