"""Mutated and hostile exchanges, by the thousand: none may raise, hang, grow, or be no row.

    python -m tests.corpus.fuzz --seconds 60 [--seed 1]             straight through every reader
    python -m tests.corpus.fuzz --doors --seconds 60 [--seed 1]     through real clients, over loopback

It starts from the project's own exchanges, from the recorded traffic where that is to be had, and from the
answers that are made to hurt. Each run is a process of its own with a limit on its memory.

    seeds.py      what exchanges were
    mutations.py  bytes, figures and content-encodings, changed at random
    drawing.py    one exchange, by its number
    readers.py    through the readers
    doors.py      through the clients
"""

from tests.corpus.fuzz.seeds import seeds

__all__ = ("seeds",)
