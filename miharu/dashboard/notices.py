"""A page of a few sentences: refusals, errors, and what is still to be done."""

from miharu.dashboard.headers import make_page
from miharu.dashboard.page import Page

__all__ = ("notice",)


def notice(
    status: int,
    title: str,
    *paragraphs: str,
    headers: tuple[tuple[str, str], ...] = (),
    onward: str | None = None,
) -> Page:
    """The page. Its paragraphs are HTML: nothing of the request belongs in them.

    With ``onward``, a relative address, the browser goes there by itself.
    """
    refresh = f'<meta http-equiv="refresh" content="0; url={onward}">' if onward else ""
    body = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        f"{refresh}<title>miharu: {title}</title></head><body><main><h1>{title}</h1>"
        + "".join(f"<p>{text}</p>" for text in paragraphs)
        + "</main></body></html>\n"
    )
    return make_page(body, status=status, extra=headers)
