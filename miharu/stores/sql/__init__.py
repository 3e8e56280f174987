"""The questions of the dashboard, in SQL that every engine understands. Plain functions over one snapshot.

conditions.py  the conditions of a query
source.py   the calls of a query: from roll-ups, from their edges, and from above the mark
snapshot.py what a snapshot says of the sums, asked once
selects.py  what a sum is added up from
wider.py    all, less what is not meant
less_users.py  all, less the users who are not meant
ranking.py  the values of a dimension, in an order
sums.py     totals, series, groups
times.py    percentiles and heat maps
ever.py     counters of all time
windows.py  where rare calls are
order.py    everything, from the oldest to the newest
rows.py     calls, sessions and scores themselves
scoring.py  scores, by the calls that they count for
prompts.py  which versions of a prompt were called when
markers.py  the moments that figures are compared around
traces.py   spans, and how long they and their calls lasted
tools.py    tools that were asked for, and tools that ran
ranks.py    the largest calls, and the smallest
largest.py  the largest of a user with many, without a look at all
answers.py  what a store of any engine has in common with all others
"""

from miharu.stores.sql.answers import Answers
from miharu.stores.sql.conditions import Dialect
from miharu.stores.sql.ever import ever
from miharu.stores.sql.order import batch_of, places_of
from miharu.stores.sql.ranking import keys
from miharu.stores.sql.ranks import looked_through, ranked
from miharu.stores.sql.rows import call, calls, scores, sessions
from miharu.stores.sql.source import Engine, Marks
from miharu.stores.sql.sums import groups, series, totals
from miharu.stores.sql.times import durations, latency
from miharu.stores.sql.traces import extent, failed_spans, spans

__all__ = (
    "Answers",
    "Dialect",
    "Engine",
    "Marks",
    "batch_of",
    "call",
    "calls",
    "durations",
    "ever",
    "extent",
    "failed_spans",
    "groups",
    "keys",
    "latency",
    "looked_through",
    "places_of",
    "ranked",
    "scores",
    "series",
    "sessions",
    "spans",
    "totals",
)
