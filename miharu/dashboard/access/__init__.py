"""Who may see the dashboard: ``decide`` asks everything else here; ``refusals`` are its words."""

__all__ = ()
