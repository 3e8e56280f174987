"""Refresh what other people wrote under ``web/``: htmx, the fonts, the icons and their licences.

    python scripts/vendor_assets.py                   # fetches with `npm pack`
    python scripts/vendor_assets.py --packed FOLDER   # uses packages packed earlier

Versions stand in the file names, so a new version is a new URL: change them here, run this, and change the
names in ``web/templates/base.html`` and ``web/static/app.css``.
"""

import argparse
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

WEB = Path(__file__).resolve().parents[1] / "web"
HTMX, LUCIDE, GEIST, GEIST_MONO = (
    ("htmx.org", "4.0.1"),
    ("lucide-static", "1.62.0"),
    ("@fontsource-variable/geist", "5.3.0"),
    ("@fontsource-variable/geist-mono", "5.3.0"),
)
FILES = (
    (HTMX, "dist/htmx.min.js", "htmx-{version}.min.js"),
    (HTMX, "dist/ext/hx-ptag.min.js", "hx-ptag-{version}.min.js"),
    (GEIST, "files/geist-latin-wght-normal.woff2", "geist-{version}.woff2"),
    (GEIST_MONO, "files/geist-mono-latin-wght-normal.woff2", "geist-mono-{version}.woff2"),
)
LICENSES = (
    ("htmx", "0BSD", HTMX),
    ("Lucide icons", "ISC", LUCIDE),
    ("Geist", "OFL-1.1", GEIST),
    ("Geist Mono", "OFL-1.1", GEIST_MONO),
)
ICONS = (
    "arrow-down",
    "arrow-up",
    "bookmark",
    "boxes",
    "calendar",
    "chevron-down",
    "chevron-right",
    "chevron-up",
    "circle-check",
    "copy",
    "download",
    "file",
    "funnel",
    "gauge",
    "git-compare-arrows",
    "image",
    "key-round",
    "keyboard",
    "list",
    "messages-square",
    "monitor",
    "moon",
    "radio",
    "route",
    "scroll-text",
    "search",
    "sun",
    "tag",
    "triangle-alert",
    "users",
    "wrench",
    "x",
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--packed", type=Path, help="a folder of .tgz files made by `npm pack`")
    given: Path | None = parser.parse_args().packed
    with tempfile.TemporaryDirectory() as scratch:
        refresh(given or pack(Path(scratch)))


def pack(folder: Path) -> Path:
    packages = [f"{name}@{version}" for name, version in (HTMX, LUCIDE, GEIST, GEIST_MONO)]
    subprocess.run(["npm", "pack", *packages], cwd=folder, check=True)
    return folder


def refresh(packed: Path) -> None:
    vendor, icons = WEB / "static" / "vendor", WEB / "templates" / "icons"
    for folder in (vendor, icons):
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
    for package, member, name in FILES:
        (vendor / name.format(version=package[1])).write_bytes(read(packed, package, member))
    texts = [
        f"{title} {package[1]} ({license_})\n\n{read(packed, package, 'LICENSE').decode().strip()}\n"
        for title, license_, package in LICENSES
    ]
    (vendor / "LICENSES.txt").write_text(f"\n{'-' * 78}\n\n".join(texts))
    for icon in ICONS:
        svg = read(packed, LUCIDE, f"icons/{icon}.svg").decode()
        shapes = re.findall(r"<(?!svg|/svg|!--)[^>]*>", svg)
        (icons / f"{icon}.svg").write_text("".join(" ".join(shape.split()) for shape in shapes) + "\n")


def read(packed: Path, package: tuple[str, str], member: str) -> bytes:
    name, version = package
    archive = packed / f"{name.removeprefix('@').replace('/', '-')}-{version}.tgz"
    with tarfile.open(archive) as tar:
        file = tar.extractfile(f"package/{member}")
        if file is None:
            raise FileNotFoundError(f"{archive} has no {member}")
        return file.read()


if __name__ == "__main__":
    main()
