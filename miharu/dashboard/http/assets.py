"""The files under ``web/``: inside the package once installed, beside it in a checkout."""

import hashlib
from functools import cache
from pathlib import Path

from miharu.dashboard.http.headers import IMMUTABLE, make_page
from miharu.dashboard.http.page import Page, PageRequest
from miharu.errors import MiharuError

__all__ = ("AssetsMissing", "asset", "asset_url", "web")

_PACKAGE = Path(__file__).parents[2]
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}


class AssetsMissing(MiharuError, FileNotFoundError):  # noqa: N818 - a state of affairs, like NoDatabase
    """The templates and static files are not where they belong."""


@cache
def web() -> Path:
    """The folder of templates and static files.

    Raises:
        AssetsMissing: Neither the package nor the checkout has it.
    """
    return _find((_PACKAGE / "_web", _PACKAGE.parent / "web"))


def asset_url(name: str) -> str:
    """A relative link that changes whenever the file does."""
    return f"static/{name}?v={_load(name)[1]}"


def asset(name: str, request: PageRequest) -> Page | None:
    """The file of that name, or ``None``.

    It may be kept for ever when the link names its content, by hash or by a version in the file name.
    """
    if name not in _files():
        return None
    content, digest = _load(name)
    vendored = _files()[name].parent.name == "vendor"
    lasting = request.params.get("v") == digest or (vendored and "v" not in request.params)
    return make_page(
        content,
        content_type=_TYPES[Path(name).suffix],
        cache=IMMUTABLE if lasting else "private, no-cache",
    )


def _find(candidates: tuple[Path, ...]) -> Path:
    for folder in candidates:
        if (folder / "templates").is_dir() and (folder / "static").is_dir():
            return folder
    raise AssetsMissing(
        f"The dashboard's templates are missing: looked in {' and in '.join(map(str, candidates))}. "
        "Install miharu again (pip install --force-reinstall miharu), or run it from a whole checkout."
    )


@cache
def _files() -> dict[str, Path]:
    # Only names found here are ever opened, so no name can lead out of the folder.
    return {path.name: path for path in (web() / "static").rglob("*") if path.suffix in _TYPES}


@cache
def _load(name: str) -> tuple[bytes, str]:
    content = _files()[name].read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:12]
