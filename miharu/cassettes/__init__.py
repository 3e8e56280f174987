"""Exchanges with models in a file, from which the real SDKs are answered again, offline.

recorded.py   one exchange, as it is recorded and played
bodies.py     a body in the file: JSON, text, events, a form or base64
file.py       the file: readable, diffable, with a version
stored.py     from a call of a database, whose content was kept
seen.py       from an exchange that the interceptor has just seen
question.py   what a program asks, in the form in which it is compared
nearest.py    the recorded request that is nearest, and how it differs
replay.py     which recorded exchange answers a request; each is used once
playing.py    a file for a block, such as a test
recording.py  what a program asks beyond the file goes out, and into the file
answering/    in the place of the network, below the clients of httpx, aiohttp and urllib3
implied.py    for a whole program: ``miharu cassette replay FILE -- command``
"""
