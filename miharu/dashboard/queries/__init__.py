"""What pages ask the store.

together.py    several questions at once, and each of them once for a page
cache.py       answers that may be a minute old
lookback.py    how far back a page looks where no sums are kept
markers.py     the markers of a time, and the one that an address means
filters.py     what the filters offer
tag_names.py   which tags there are
first_seen.py  when each kind of error came for the first time
ahead.py       calls of the future
list_prices.py the list of prices, for pages that explain one
"""

__all__ = ()
