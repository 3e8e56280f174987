"""The server of ``flask run``: ``python -m tests.doors.serving_werkzeug 8000 module:app``."""

import sys
from importlib import import_module

from werkzeug.serving import run_simple

if __name__ == "__main__":
    port, app = sys.argv[1:]
    module, _, name = app.partition(":")
    run_simple("127.0.0.1", int(port), getattr(import_module(module), name), threaded=True)
