"""``MiharuWsgiMiddleware``: alone, driven as a server would, and strictly."""
