"""What each tool costs the whole process of the program that it watches, side by side in one run.

environments.py  an environment of its own for each tool, made once
watchers.py      how each tool is started, flushed and recognised; runs in the tool's environment
program.py       the program that is watched: makes calls on command; runs in the tool's environment
sink.py          the receiver of the tools that export, on this machine
blocks.py        turns: a block in the watched program, the same calls in a bare one
figures.py       medians, intervals and the table
"""
