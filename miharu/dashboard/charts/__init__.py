"""What is drawn: SVG, axes, steps of time and colours."""

__all__ = ()
