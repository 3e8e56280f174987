"""The manual as a site: navigation, links, reference, and (with ``--full``) the site that is built.

``scripts/docs`` makes the environment in which it is built.
"""

import ast
import os
import posixpath
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import miharu
from tests.docs.blocks import ROOT

TOOLS = ROOT / ".venv-docs" / "bin"
MODULES = (
    "miharu.testing",
    "miharu.testing.open_store",
    "miharu.exporters.base",
    "miharu.stores.base",
    "miharu.providers.base",
    "miharu.providers.messages",
    "miharu.pricing.base",
    "miharu.batch",
)


def _added() -> dict[str, str]:
    """The pages that lie outside docs/, as the hooks have them; importing these needs mkdocs."""
    tree = ast.parse((ROOT / "scripts" / "docs_hooks.py").read_text())
    [value] = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PAGES"
    ]
    pages: dict[str, str] = ast.literal_eval(value)
    return pages


ADDED = _added()
SOURCES = {
    **{path.relative_to(ROOT / "docs").as_posix(): path for path in (ROOT / "docs").rglob("*.md")},
    **{place: ROOT / name for name, place in ADDED.items()},
}
"""Each page by its place in the site."""


def test_each_page_is_in_the_navigation_once() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2].partition("\n\n")[0]
    assert Counter(re.findall(r": (\S+\.md)$", navigation, re.MULTILINE)) == Counter(list(SOURCES))


def _without_code(text: str) -> str:
    return re.sub(r"`[^`\n]+`", "``", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE))


def _anchors(page: Path) -> set[str]:
    """The ids of a page's headings, where GitHub and Python-Markdown agree on them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    found = set()
    for title in re.findall(r"^#+ (.*)", text, re.MULTILINE):
        slug = re.sub(r"[^\w\s-]", "", title).strip().lower()
        if not re.search(r"[\s-]{2}", slug):
            found.add(re.sub(r"\s", "-", slug))
    return found


@pytest.mark.parametrize("place", sorted(SOURCES))
def test_each_link_leads_to_a_page_of_the_site_and_to_a_heading(place: str) -> None:
    page = SOURCES[place]
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)", _without_code(page.read_text())):
        file, _, anchor = target.partition("#")
        there = page if not file else Path(posixpath.normpath(page.parent / file))
        is_copied = there.is_relative_to(ROOT / "docs") and there.suffix != ".md" and there.is_file()
        assert there in SOURCES.values() or is_copied, target
        assert not anchor or anchor in _anchors(there), target


def test_the_reference_has_each_public_name_once() -> None:
    pages = "".join(path.read_text() for path in (ROOT / "docs" / "reference").glob("*.md"))
    named = Counter(re.findall(r"^::: (\S+)$", pages, re.MULTILINE))
    for module in ("miharu", *MODULES):
        for name in set(import_module(module).__all__) - {"__version__"}:
            assert named[f"{module}.{name}"] == 1, f"{module}.{name}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly."""
    folder = tmp_path_factory.mktemp("site")
    done = _build(ROOT / "mkdocs.yml", folder)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def _build(configuration: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    if not (TOOLS / "mkdocs").exists():
        pytest.skip("scripts/docs makes the environment in which the manual is built")
    command = [TOOLS / "python", "-m", "mkdocs", "build", "--strict"]
    return subprocess.run(
        [*map(str, command), "--config-file", str(configuration), "--site-dir", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": f"{TOOLS}:{os.environ['PATH']}", "NO_MKDOCS_2_WARNING": "1"},
    )


def _files(folder: Path, suffix: str) -> Iterator[tuple[Path, str]]:
    return ((path, path.read_text()) for path in sorted(folder.rglob(f"*{suffix}")))


@pytest.mark.full
def test_it_is_built_without_a_warning_and_shows_what_the_docstrings_say(site: Path) -> None:
    page = (site / "reference" / "miharu.html").read_text()
    for name in set(miharu.__all__) - {"__version__"}:
        assert f'id="miharu.{name}"' in page
    assert "Watch every LLM call that this process makes" in page


@pytest.mark.full
def test_it_loads_nothing_from_elsewhere(site: Path) -> None:
    for path, text in _files(site, ".html"):
        for tag in re.findall(r"<(?:link|script|img|iframe|source)\b[^>]*>", text):
            assert not re.search(r"""(?:href|src|srcset)=["']?(?:https?:)?//""", tag), (path, tag)
        assert not re.search(r"""(?:@import|url\()\s*["']?(?:https?:)?//""", text), path
    for path, text in _files(site, ".css"):
        assert not re.search(r"""(?:@import|url\()\s*["']?(?:https?:)?//""", text), path


@pytest.mark.full
def test_a_page_that_loads_something_from_elsewhere_is_not_built(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text("![](https://pictures.example/1.png)\n")
    configuration = tmp_path / "mkdocs.yml"
    configuration.write_text(f"site_name: x\nplugins: []\nhooks: [{ROOT / 'scripts' / 'docs_hooks.py'}]\n")
    done = _build(configuration, tmp_path / "site")
    assert done.returncode == 1
    assert "page.md loads https://pictures.example/1.png" in done.stderr
