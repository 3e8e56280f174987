"""The real SDKs, each against a provider on this machine, in environments of their own.

provider/        speaks each format, and remembers what it told
network.py       every host name is this machine; nothing else can be reached
scene.py         what a driver is given: a provider, a colour, retries
drivers/         one small table of functions for each SDK
table.py         what was seen, as JSON (seen/), and from that docs/coverage.md
sessions.py      a provider of sessions over WebSockets
test_sessions.py each answer in a session is a row, with what the provider told
test_matrix.py   each row of the database against what the provider told
test_instrumentors.py  OpenTelemetry's instrumentors of urllib3, requests and botocore beside us
test_table.py    the page and `miharu doctor` say the same

    uv pip install --no-deps --require-hashes -r requirements/sdks.txt      (or requirements/sdks-httpx.txt)
    python -m pytest tests/sdks

Where an SDK is not installed, its tests are skipped.
"""
