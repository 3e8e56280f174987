"""What else people install in the same process: nobody loses a call, counts one twice or breaks.

others.py        the observers: how each is installed, removed, and asked how much it has seen
child.py         one of them and miharu in a process of their own, in a given order
test_observers.py, test_mocks.py, test_http2.py, test_codecs.py

    uv pip install --no-deps --require-hashes -r requirements/beside.txt
    python -m pytest tests/beside
"""
