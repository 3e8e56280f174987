"""What miharu's threads need besides their work.

orders.py    what other threads want of the recorder
bell.py      what wakes it
endings.py   the ways in which a process ends that let it do something before
daemonic.py  whether this process may be ended without notice
patched.py   whether gevent has replaced what threads are made of
prefork.py   whether uWSGI is still to fork its workers
imports.py   what is being imported, so that a fork waits for its end
loop.py      an asyncio loop in a thread of its own, for exporters, queries and database servers
last_loop.py the same on the thread that waits, at the end of a program
"""
