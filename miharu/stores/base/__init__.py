"""The seam for stores: a writer, which the recorder has, and the questions, which pages ask.

Store        makes both, for one URL
Writer       keeps calls, sums them up, forgets what is too old
AsyncWriter  the same for a server: its methods are coroutines
SelfPruning  a writer whose engine forgets by itself
Erasing      a writer whose file can be written anew
Questions    answers what the dashboard asks

asked.py      what is asked
answered.py   what is answered
writers.py    the writer, and what it may have besides
questions.py  the questions

All names are imported from here. Money is summed in nano-dollars and is exact. A sum over no calls is zero;
what is not known is ``None`` and counted beside the sum (``unpriced``), never taken for zero.
"""

from collections.abc import Callable
from typing import Protocol

from miharu.stores.base.answered import (
    AskedTool,
    Counted,
    Extent,
    FailedSpans,
    Forgotten,
    Group,
    Latency,
    Point,
    Ranks,
    RanTool,
    Rated,
    ScoredCall,
    ScoreSum,
    Searched,
    Session,
    Tally,
    TimedCalls,
    Tools,
    Totals,
    Versions,
)
from miharu.stores.base.asked import (
    LONGEST_TAG,
    MOST_EXPENSIVE,
    MOST_MARKERS,
    MOST_RATED,
    MOST_SPANS,
    MOST_VERSIONS,
    NEWEST,
    RANKED,
    SCORE_NAMES,
    SCORES_LOOKED_THROUGH,
    SCORES_LOOKED_UP,
    SPANS_LOOKED_THROUGH,
    TOOL_STEPS,
    By,
    ByTag,
    Dimension,
    Kind,
    Order,
    Place,
    Query,
    RankedBy,
    Ranking,
    RankOrder,
    Timing,
    Whose,
    checked_order,
)
from miharu.stores.base.questions import Questions
from miharu.stores.base.writers import AsyncWriter, Erasing, SelfPruning, UsesTexts, Writer

__all__ = (
    "LONGEST_TAG",
    "MOST_EXPENSIVE",
    "MOST_MARKERS",
    "MOST_RATED",
    "MOST_SPANS",
    "MOST_VERSIONS",
    "NEWEST",
    "RANKED",
    "SCORES_LOOKED_THROUGH",
    "SCORES_LOOKED_UP",
    "SCORE_NAMES",
    "SPANS_LOOKED_THROUGH",
    "TOOL_STEPS",
    "AskedTool",
    "AsyncWriter",
    "By",
    "ByTag",
    "Counted",
    "Dimension",
    "Erasing",
    "Extent",
    "FailedSpans",
    "Forgotten",
    "Group",
    "Kind",
    "Latency",
    "Order",
    "Place",
    "Point",
    "Query",
    "Questions",
    "RanTool",
    "RankOrder",
    "RankedBy",
    "Ranking",
    "Ranks",
    "Rated",
    "ScoreSum",
    "ScoredCall",
    "Searched",
    "SelfPruning",
    "Session",
    "Store",
    "Tally",
    "TimedCalls",
    "Timing",
    "Tools",
    "Totals",
    "UsesTexts",
    "Versions",
    "Whose",
    "Writer",
    "checked_order",
)


class Store(Protocol):
    """Makes the two sides of one database; nothing is open before they are.

    Its entry point is called with the URL and ``read_only=``, which means: never make or change anything.
    """

    def writer(self, meanwhile: Callable[[], object] = bool) -> Writer | AsyncWriter:
        """The writer of the database.

        Args:
            meanwhile: To be called about ten times a second while a ``Writer`` waits for others.

        Raises:
            StoreError: It is for reading only, or a package is missing.
        """
        ...

    def questions(self) -> Questions:
        """The questions, which read the database."""
        ...
