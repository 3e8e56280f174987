"""What goes over HTTP: the response, its headers, files and templates."""

__all__ = ()
