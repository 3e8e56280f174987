"""The real frameworks, servers and task queues: whose call it was, wherever it was made.

They have an environment of their own, ``requirements/frameworks.txt``; the queues need ``redis-server``.
"""
