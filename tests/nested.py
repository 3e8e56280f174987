"""JSON of any shape, as a broken or hostile server sends it."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

__all__ = ("LEAVES", "nested")

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)


def nested(
    names: Sequence[str],
    leaves: st.SearchStrategy[Any] = LEAVES,
    *,
    beside: st.SearchStrategy[Any] | None = None,
    most: int = 4,
) -> st.SearchStrategy[Any]:
    """Lists and objects with these names in them.

    Args:
        names: What an object's fields may be called.
        leaves: What stands in them.
        beside: What else a field may hold.
        most: Fields of an object.
    """
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(names), inner if beside is None else inner | beside, max_size=most
            )
        ),
        max_leaves=12,
    )
