"""Hooks of mkdocs.yml: the pages that lie outside docs/, and no page that loads anything from elsewhere."""

import logging
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
PAGES = {
    "README.md": "index.md",
    "examples/fastapi_app/README.md": "example.md",
    "benchmarks/README.md": "benchmarks.md",
    "benchmarks/PAGES.md": "benchmarks/pages.md",
    "benchmarks/side_by_side/RESULTS.md": "benchmarks/side_by_side.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "reporting.md",
    "CHANGELOG.md": "changelog.md",
}
"""Files of the checkout, and their place in the site."""
LINK = re.compile(r"(\]\()(?!https?:|#)([^)#\s]+)")
LOADS = re.compile(r"<(?:link|script|img|iframe|source)\b[^>]*?\b(?:href|src)=\"((?:https?:)?//[^\"]+)")

log = logging.getLogger("mkdocs.hooks.docs")


def on_files(files: Files, *, config: Any) -> Files:
    """Add the pages, with links that fit their new places."""
    for name, place in PAGES.items():
        files.append(File.generated(config, place, content=moved((ROOT / name).read_text(), name, place)))
    return files


def moved(text: str, name: str, place: str) -> str:
    """The text of that file, with its links as they have to be in that place of the site."""

    def link(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(name), found[2]))
        there = PAGES.get(target, target.removeprefix("docs/"))
        return found[1] + posixpath.relpath(there, posixpath.dirname(place) or ".")

    return LINK.sub(link, text)


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """The page of docs/, with links that fit where the pages that lie outside it have their places."""
    place = page.file.src_uri
    return markdown if place in PAGES.values() else moved(markdown, f"docs/{place}", place)


def on_post_page(output: str, *, page: Any, **_: Any) -> str:
    """Warn, which ends a strict build, where a page loads anything from another host."""
    for address in LOADS.findall(output):
        log.warning("%s loads %s", page.file.src_uri, address)
    return output
