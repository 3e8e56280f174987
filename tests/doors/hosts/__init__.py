"""The same small app, with the dashboard in it, in every framework and at every kind of door.

``/hello`` answers, ``/stream`` sends a line and waits with the next one for ``/release``, ``/ws`` echoes.
"""
