"""httpx offers whatever codec it can import. So miharu brings none, and changes no request by being there."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CODECS = {"brotli", "brotlicffi", "brotlipy", "zstandard", "backports-zstd", "pyzstd"}

_OFFERED = """
import httpx, httpx2
before = [library.Client().headers["accept-encoding"] for library in (httpx, httpx2)]
import miharu, sys
miharu.init("sqlite://")
assert miharu.flush()
assert [library.Client().headers["accept-encoding"] for library in (httpx, httpx2)] == before
miharu.shutdown()
print(*before, sep="\\n")
"""


def _needed(name: str, extras: frozenset[str], found: dict[str, set[str]]) -> None:
    """Everything that installing this brings, each with its extras."""
    if extras <= found.get(name, {"unseen"}) and name in found:
        return
    found.setdefault(name, set()).update(extras)
    try:
        lines = requires(name) or []
    except PackageNotFoundError:
        return
    for line in lines:
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in (*extras, "")):
            _needed(canonicalize_name(requirement.name), frozenset(requirement.extras), found)


def test_it_brings_no_codec() -> None:
    found: dict[str, set[str]] = {}
    _needed("miharu", frozenset(), found)
    assert {"anyio", "httpx", "litestar"} <= set(found)
    assert not CODECS & set(found)


def test_it_changes_no_offer() -> None:
    pytest.importorskip("httpx2")
    done = subprocess.run(
        [sys.executable, "-c", _OFFERED], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert all(line.startswith("gzip, deflate") for line in done.stdout.splitlines())
