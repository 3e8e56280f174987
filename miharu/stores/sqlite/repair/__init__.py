"""When the file is damaged: it is set aside, recording goes on in a new one, and its rows are brought back.

file_guard.py  what is done for the file before it is opened, and when it proves damaged
damage.py      telling a damaged file from another program's, and from errors that pass
quarantine.py  the names of files that were set aside
layout.py      where the tables begin, kept beside the file for the day on which its first page is lost
sidecar.py     small files beside the database
salvage/       reading what a damaged file still holds
rescue/        bringing that into the new file
"""
