"""What every response says to the browser, those of the doors included.

The pages show what models and strangers wrote. So nothing runs, loads or frames that is not ours, and a
page is never kept by a cache.
"""

from miharu.dashboard.page import Page

__all__ = ("HTML", "IMMUTABLE", "SECURITY", "make_page")

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SECURITY = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
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
