"""When the file is damaged: it is set aside, recording goes on in a new one, and its rows are brought back.

file_guard.py  what is done for the file before it is opened, and when it proves damaged
damage.py      telling a damaged file from another program's, and from errors that pass
quarantine.py  the names of files that were set aside
layout.py      where the tables begin, kept beside the file for the day on which its first page is lost
source.py      opening a damaged file
salvage.py     reading around the damage
pages.py       the pages of the file, with the changes beside it
leaves.py      rows on pages to which nothing leads any more
gleaning.py    those of them that were not found before
mending.py     a row as it may be kept
target.py      the new file, written to beside the recording
rescue.py      bringing its rows into the new one
rescuer.py     the thread in which that takes its time
pacing.py      how much of the time it may take
report.py      how far that has come
sidecar.py     small files beside the database
"""
