"""uWSGI, which comes as a module: ``python -m tests.doors.serving_uwsgi --http … --module module:app``."""

import sys

if __name__ == "__main__":
    import pyuwsgi

    pyuwsgi.run(sys.argv[1:])
