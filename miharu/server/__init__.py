"""The dashboard on its own, for ``miharu dashboard``: the same pages as in a host app, and a JSON API.

/                     the pages
/api/…                what they are made of, as JSON; /api/openapi.json says what it takes and gives
/metrics              figures for Prometheus; a scraper may have a token of its own
/healthz              whether the database can be read; asks for no token and tells nothing else

app.py      the application
api.py      the JSON API
asked.py    which calls a request of it means
serving.py  how it listens, and ends
"""

from miharu.server.app import create_app
from miharu.server.serving import PortInUse, run

__all__ = ("PortInUse", "create_app", "run")
