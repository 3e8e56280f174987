"""Which part of the path lies below the mount, as each kind of host leaves it."""

from typing import Any

import pytest

from miharu.dashboard.door import inner_path

# (path, root_path, raw_path, what lies below)
HOSTS = {
    "alone": ("/calls", "", "/calls", "/calls"),
    "alone, at the top": ("/", "", "/", "/"),
    "Starlette mount": ("/miharu/calls", "/miharu", "/miharu/calls", "/calls"),
    "Starlette mount, at the top": ("/miharu/", "/miharu", "/miharu/", "/"),
    "Starlette mount, no slash": ("/miharu", "/miharu", "/miharu", "/"),
    "Starlette 0.27 mount": ("/static/app.css", "/miharu", "/miharu/static/app.css", "/static/app.css"),
    "a static file named like the mount": ("/miharu/miharu", "/miharu", "/miharu/miharu", "/miharu"),
    "the same, stripped": ("/miharu", "/miharu", "/miharu/miharu", "/miharu"),
    "nested mounts": ("/admin/miharu/calls", "/admin/miharu", "/admin/miharu/calls", "/calls"),
    "nested mounts, outer stripped": ("/miharu/calls", "/admin/miharu", "/admin/miharu/calls", "/calls"),
    "--root-path": ("/api/miharu/calls", "/api/miharu", "/api/miharu/calls", "/calls"),
    "stripping proxy, FastAPI(root_path=)": ("/miharu/calls", "/api/miharu", "/miharu/calls", "/calls"),
    "the same, at the top": ("/miharu/", "/api/miharu", "/miharu/", "/"),
    "Litestar mount": ("/calls/", "", "/miharu/calls", "/calls"),
    "Litestar mount, at the top": ("/", "", "/miharu/", "/"),
    "Litestar mount, no slash": ("/", "", "/miharu", "/"),
    "dispatcher": ("/calls", "", "/miharu/calls", "/calls"),
    "dispatcher that says root_path": ("/calls", "/miharu", "/miharu/calls", "/calls"),
    "a slash that was asked for": ("/miharu/calls/", "/miharu", "/miharu/calls/", "/calls/"),
    "root_path with a slash": ("/miharu/calls", "/miharu/", "/miharu/calls", "/calls"),
    "a longer name is not the mount": ("/miharus/calls", "/miharu", "/miharus/calls", "/miharus/calls"),
    "encoded mount": ("/m h/calls", "/m h", "/m%20h/calls", "/calls"),
    "no raw_path": ("/miharu/calls", "/miharu", None, "/calls"),
    "raw_path with the query": ("/miharu/calls", "/miharu", "/miharu/calls?a=/b", "/calls"),
}


@pytest.mark.parametrize("host", HOSTS)
def test_it_finds_what_lies_below(host: str) -> None:
    path, root, raw, below = HOSTS[host]
    scope: dict[str, Any] = {"path": path, "root_path": root}
    if raw is not None:
        scope["raw_path"] = raw.encode()
    assert inner_path(scope) == below


def test_it_believes_starlette_0_33() -> None:
    scope = {"path": "/api/miharu/calls", "root_path": "/api", "route_path": "/calls"}
    assert inner_path(scope) == "/calls"
    assert inner_path(scope | {"route_path": ""}) == "/"
