"""``asgi()`` and ``MiharuMiddleware``: alone, driven as a server would, and in real hosts."""
