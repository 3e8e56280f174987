"""Money, counts, durations and names as people read them: on pages, in the command line, in a test run."""

__all__ = ()
