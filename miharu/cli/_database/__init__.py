"""Opening a program's database: each with a message for every way in which that can fail.

reading.py    to read it, through the monitor that the dashboard has
writing.py    to change it
recording.py  to store what other programs send
"""
