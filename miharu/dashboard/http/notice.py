"""A page of a few sentences: refusals, errors, and what is still to be done.

It may be shown to strangers and before anything else works, so it needs no other file: its style stands in
it, and the policy of all pages knows that style by its hash.
"""

from miharu.dashboard.http.headers import NOTICE_STYLE, make_page
from miharu.dashboard.http.page import Page

__all__ = ("notice",)

_MARK = (
    '<svg viewBox="0 0 24 24" width="30" height="30" fill="none" stroke="currentColor" stroke-width="1.9" '
    'stroke-linecap="round" aria-hidden="true"><path d="M2.5 13.5C5 8.6 8.3 6.2 12 6.2s7 2.4 9.5 7.3"/>'
    '<path d="M6.4 17.2c1.6-2.6 3.5-3.9 5.6-3.9s4 1.3 5.6 3.9" opacity=".45"/>'
    '<circle cx="12" cy="10.6" r="1.5" fill="currentColor" stroke="none"/></svg>'
)
_FORM = (
    '<form action="./" method="get"><label for="token">Token</label>'
    '<input id="token" name="token" type="password" autocomplete="off" required>'
    '<button type="submit">Enter</button></form>'
)


def notice(
    status: int,
    title: str,
    *paragraphs: str,
    headers: tuple[tuple[str, str], ...] = (),
    onward: str | None = None,
    again_s: int | None = None,
    asks_for_token: bool = False,
) -> Page:
    """The page. Its paragraphs are HTML: nothing of the request belongs in them.

    With ``onward``, a relative address, the browser goes there by itself; with ``again_s`` it asks again
    after so many seconds.
    """
    then = f"0; url={onward}" if onward else again_s
    refresh = f'<meta http-equiv="refresh" content="{then}">' if then else ""
    body = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        f"{refresh}<title>miharu: {title}</title><style>{NOTICE_STYLE}</style></head>"
        f"<body><main>{_MARK}<h1>{title}</h1>{_FORM if asks_for_token else ''}"
        + "".join(f"<p>{text}</p>" for text in paragraphs)
        + "</main></body></html>\n"
    )
    return make_page(body, status=status, extra=headers)
