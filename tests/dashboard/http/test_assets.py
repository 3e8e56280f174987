import re
from pathlib import Path

import pytest

from miharu.dashboard.http import assets
from miharu.dashboard.http.headers import IMMUTABLE
from miharu.dashboard.http.menu import MENU
from miharu.dashboard.http.page import PageRequest


def headers(name: str, **params: str) -> dict[str, str]:
    page = assets.asset(name, PageRequest(path=f"static/{name}", params=params))
    assert page is not None
    return dict(page.headers)


def test_says_what_to_do_when_the_files_are_missing(tmp_path: Path) -> None:
    with pytest.raises(assets.AssetsMissing, match="pip install --force-reinstall miharu"):
        assets._find((tmp_path / "_web", tmp_path / "web"))


def test_prefers_the_files_inside_the_package(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        for part in ("templates", "static"):
            (tmp_path / folder / part).mkdir(parents=True)
    assert assets._find((tmp_path / "one", tmp_path / "two")) == tmp_path / "one"
    assert assets._find((tmp_path / "none", tmp_path / "two")) == tmp_path / "two"


def test_keeps_for_ever_only_what_names_its_content() -> None:
    digest = assets.asset_url("app.css").partition("?v=")[2]
    assert headers("app.css", v=digest)["Cache-Control"] == IMMUTABLE
    assert headers("app.css", v="old")["Cache-Control"] == "private, no-cache"
    assert headers("app.css")["Cache-Control"] == "private, no-cache"
    assert headers("htmx-4.0.1.min.js")["Cache-Control"] == IMMUTABLE
    assert headers("geist-5.3.0.woff2")["Content-Type"] == "font/woff2"


def test_names_no_file_like_a_mount() -> None:
    assert not [name for name in assets._files() if name.startswith("miharu")]


def test_has_every_file_that_the_style_sheet_and_the_templates_name() -> None:
    css = (assets.web() / "static/app.css").read_text()
    named = set(re.findall(r"url\(([^)]+)\)", css))
    for template in (assets.web() / "templates").glob("*.html"):
        text = template.read_text()
        named |= set(re.findall(r"static/([\w.-]+)", text)) | set(re.findall(r'asset\("([\w.-]+)"\)', text))
        for icon in re.findall(r'icon\("([\w-]+)"\)', text):
            assert (assets.web() / "templates/icons" / f"{icon}.svg").is_file()
    assert named <= set(assets._files())


def test_has_no_icon_that_no_template_names() -> None:
    templates = assets.web() / "templates"
    text = "".join(path.read_text() for path in templates.rglob("*.html"))
    text += "".join(f'"{icon}"' for group in MENU for _, _, icon, _ in group)
    icons = {path.stem for path in (templates / "icons").glob("*.svg")}
    assert {icon for icon in icons if f'"{icon}"' not in text} == set()


def test_ships_the_licences_of_what_is_vendored() -> None:
    text = (assets.web() / "static/vendor/LICENSES.txt").read_text()
    for words in (
        "htmx 4.0.1 (0BSD)",
        "Lucide icons 1.62.0 (ISC)",
        "Geist 5.3.0 (OFL-1.1)",
        "Geist Mono 5.3.0 (OFL-1.1)",
    ):
        assert words in text


def test_holds_no_python() -> None:
    assert not list(assets.web().rglob("*.py"))
