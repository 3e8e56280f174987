"""A table with pipes."""

import re
from collections.abc import Sequence

from miharu.dashboard.markdown.inline import inline

__all__ = ("begins_table", "table_of")

_RULE = re.compile(r"\s{0,3}+\|?(?:\s*+:?-+:?\s*+\|)*+\s*+(?::?-+:?)?\s*+\|?\s*+")
_CELL = re.compile(r"((?:[^|\\]|\\.?)*+)(?:\||$)")
"""It never fails behind its first character, so that a row is read once: a backslash may stand last."""
_COLUMNS = 30


def begins_table(head: str, rule: str) -> bool:
    """Whether these two lines are the head of a table, and the line below it."""
    if "|" not in rule or "-" not in rule or len(rule) > 1_000 or head.count("|") > _COLUMNS:
        return False
    return bool(_RULE.fullmatch(rule))


def table_of(rows: Sequence[str]) -> str:
    """The lines, without the second, as a table that scrolls by itself."""
    head, *body = (_cells(row) for row in rows)
    width = len(head)
    top = "".join(f'<th scope="col">{inline(cell) or "&nbsp;"}</th>' for cell in head)
    lines = "".join(
        f"<tr>{''.join(f'<td>{inline(cell)}</td>' for cell in _fitted(row, width))}{_rest(row, width)}</tr>"
        for row in body
    )
    return (
        f'<div class="md-t" tabindex="0" role="group" aria-label="Table"><table><thead><tr>{top}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def _cells(row: str) -> list[str]:
    row = row.strip().removeprefix("|")
    if row.endswith("|") and not row.endswith("\\|"):
        row = row[:-1]
    cells = [found[1].strip().replace("\\|", "|") for found in _CELL.finditer(row)]
    return cells[:-1] if len(cells) > 1 and not cells[-1] else cells


def _fitted(row: Sequence[str], width: int) -> Sequence[str]:
    """No more cells than the head has; what is too much stands in the last one."""
    if len(row) <= width:
        return row
    return (*row[: width - 1], " | ".join(row[width - 1 :]))


def _rest(row: Sequence[str], width: int) -> str:
    """The cells that a row lacks, as one: a short row is no reason for a long page."""
    missing = width - len(row)
    return "" if missing < 1 else "<td></td>" if missing == 1 else f'<td colspan="{missing}"></td>'
