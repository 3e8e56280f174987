"""The parts of a page: each is a title, a question and a template."""

__all__ = ()
