"""What every response says to the browser, those of the doors included.

The pages show what models and strangers wrote. So nothing runs, loads or frames that is not ours, and a
page is never kept by a cache.
"""

import hashlib
from base64 import b64encode
from dataclasses import replace

from miharu.dashboard.http.page import Page

__all__ = ("HTML", "IMMUTABLE", "NOTICE_STYLE", "SECURITY", "alone", "make_page")

NOTICE_STYLE = (
    ":root{color-scheme:light dark}"
    "body{margin:0;font:400 15px/1.6 ui-sans-serif,system-ui,sans-serif;"
    "color:light-dark(#18181b,#f1f1f3);background:light-dark(#fbfbfb,#09090b)}"
    "main{max-width:560px;margin:14vh auto 40px;padding:0 24px}"
    "h1{font-size:24px;line-height:1.25;font-weight:600;letter-spacing:-.02em;margin:10px 0 14px}"
    "p{margin:0 0 12px;color:light-dark(#55555e,#a6a6b0)}"
    "code{font:13px ui-monospace,Menlo,Consolas,monospace;color:light-dark(#18181b,#f1f1f3);"
    "background:light-dark(#f0f0f2,#1a1a1d);padding:1px 5px;border-radius:4px;overflow-wrap:anywhere}"
    "a{color:light-dark(#3358d4,#8ea6ff)}"
    "form{display:flex;gap:8px;align-items:center;margin:0 0 20px}"
    "input,button{font:inherit;height:36px;box-sizing:border-box;border-radius:8px;padding:0 12px;"
    "border:1px solid light-dark(#d2d2d7,#3a3a41);background:light-dark(#fff,#101012);color:inherit}"
    "input{flex:1;min-width:0}"
    "button{background:light-dark(#18181b,#f1f1f3);color:light-dark(#fff,#09090b);border-color:transparent;"
    "font-weight:500;cursor:pointer}"
    ":focus-visible{outline:2px solid light-dark(#3358d4,#8ea6ff);outline-offset:2px}"
)
"""The one style that stands in a page; see ``notices``."""
_NOTICE_HASH = b64encode(hashlib.sha256(NOTICE_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self' 'sha256-{_NOTICE_HASH}'; "
    "img-src 'self' data:; media-src 'self'; font-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'self'; "
    "frame-ancestors 'none'"
)
_ALONE = "default-src 'none'; frame-ancestors 'none'; sandbox"
SECURITY = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
HTML = "text/html; charset=utf-8"
IMMUTABLE = "private, max-age=31536000, immutable"


def make_page(
    body: bytes | str,
    *,
    status: int = 200,
    content_type: str = HTML,
    cache: str = "no-store",
    extra: tuple[tuple[str, str], ...] = (),
) -> Page:
    """A page with all its headers; a door adds none."""
    # A lone surrogate can be stored, but not sent.
    content = body.encode(errors="replace") if isinstance(body, str) else body
    kind = (
        () if status == 304 else (("Content-Type", content_type), ("Content-Length", str(len(content))))
    )  # RFC 9110, 15.4.5
    return Page(body=content, status=status, headers=(*kind, ("Cache-Control", cache), *SECURITY, *extra))


def alone(page: Page) -> Page:
    """The same, for what was not written by us: opened by itself it loads nothing and belongs to no site."""
    headers = ((name, _ALONE if name == "Content-Security-Policy" else value) for name, value in page.headers)
    return replace(page, headers=tuple(headers))
