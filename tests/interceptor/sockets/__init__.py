"""What the interceptor promises of WebSocket sessions: the program sees no difference, each call is seen.

server.py         a session with a model, or what may go wrong with one, by the name of a script
sync_world.py     scenarios: what programs do with the synchronous client of websockets,
async_world.py    with its asyncio client,
aiohttp_world.py  and with aiohttp's
test_same.py      runs every scenario with and without us, and compares
test_calls.py     which calls are cut out of a session
test_bounds.py    what a session may hold, and for how long
"""
