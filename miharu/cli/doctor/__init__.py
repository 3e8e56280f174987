"""``miharu doctor``: what is installed, what is seen, how the database is; and its repair.

versions.py     miharu, Python, SQLite
libraries.py    what is installed
seen.py         the libraries, and whether their calls are seen
environment.py  the variables
alerts.py       the alerts of the environment, and those that fired in the database
database.py     the file and what is in it
beside.py       what lies beside the file: what waits, what was set aside
repair.py       setting a damaged file aside, and bringing back what can be read
finding.py      one line of the output
"""

import argparse
import textwrap
from collections.abc import Iterable

from miharu.cli._arguments import add_database
from miharu.cli._output import Style
from miharu.cli.doctor.finding import Finding, Mark

__all__ = ("DESCRIPTION", "HELP", "add_arguments", "run")

HELP = "check what is seen, and the database; repair it"
DESCRIPTION = (
    "Check which libraries are installed and seen, and the health of the database. "
    "Exit code 1 when something is wrong."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options for the database, the depth of the check and the repair."""
    add_database(parser)
    parser.add_argument("--deep", action="store_true", help="read the whole database and check its structure")
    parser.add_argument(
        "--repair",
        action="store_true",
        help="do that, set a damaged file aside, and bring back what can be read of it and of those that "
        "were set aside before; nothing is deleted",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the report; 1 when something is wrong."""
    from miharu.cli.doctor import alerts, database, environment, repair, seen, versions

    style, wrong, unseen = Style(), 0, list[str]()
    sections: list[tuple[str, Iterable[Finding]]] = [
        ("Versions", versions.findings()),
        ("Libraries", seen.findings()),
        ("Environment", environment.findings()),
        ("Database", database.findings(arguments.database, deep=arguments.deep and not arguments.repair)),
        ("Alerts", alerts.findings(arguments.database)),  # last: it opens the database
    ]
    if arguments.repair:
        sections.insert(3, ("Repair", repair.findings(arguments.database)))
    for title, findings in sections:
        heading = style.bold(title)
        for finding in findings:
            if heading:
                print(heading)
                heading = ""
            wrong += finding.mark == "wrong"
            unseen += filter(None, [finding.unseen])
            text = textwrap.indent(
                textwrap.fill(finding.text, 92, break_long_words=False, break_on_hyphens=False), " " * 8
            )
            print(f"  {_marked(finding.mark, style)} {text.lstrip()}", flush=True)
        if not heading:
            print()
    print(textwrap.fill(_verdict(wrong, unseen), 100, break_on_hyphens=False))
    return 1 if wrong else 0


def _verdict(wrong: int, unseen: list[str]) -> str:
    if wrong:
        return f"{wrong} of these must be looked at."
    if unseen:
        return f"Nothing is broken, but not all calls are seen. Not seen: {'; '.join(unseen)}."
    return "Nothing is wrong."


def _marked(mark: Mark, style: Style) -> str:
    word = f"{mark:<5}"
    paint = {"ok": style.good, "note": style.dim, "warn": style.warn, "wrong": style.bad}[mark]
    return paint(word)
