"""The server of the standard library: ``python -m tests.doors.serving_wsgiref 8000 module:app``."""

import sys
from contextlib import suppress
from importlib import import_module
from wsgiref.simple_server import make_server

if __name__ == "__main__":
    port, app = sys.argv[1:]
    module, _, name = app.partition(":")
    served = getattr(import_module(module), name)
    with make_server("127.0.0.1", int(port), served) as server, suppress(KeyboardInterrupt):
        server.serve_forever()
