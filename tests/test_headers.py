from collections.abc import Mapping

import httpx
import httpx2
import pytest

from miharu._headers import lowered


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [(b"X-Request-ID", b"r1"), (b"content-type", b"application/json")],
        [(b"Set-Cookie", b"a=1"), (b"x-between", b""), (b"set-cookie", b"b=2"), (b"SET-COOKIE", b"c=3")],
        [(b"x-name", "caf\xe9".encode("latin-1")), (b"X-Other", b"plain")],
        [(b"x-name", "\u3042".encode()), ("x-\xe9".encode(), b"plain")],
    ],
)
def test_headers_of_httpx_are_what_httpx_says(library: object, pairs: list[tuple[bytes, bytes]]) -> None:
    headers: Mapping[str, str] = library.Headers(pairs)  # type: ignore[attr-defined]
    found = lowered(headers)
    assert list(found.items()) == [(name.lower(), value) for name, value in headers.items()]


def test_other_mappings_are_taken_as_they_are() -> None:
    class Odd(dict[str, str]):
        raw = ("not", "pairs")

    assert lowered({"X-A": "1"}) == {"x-a": "1"}
    assert lowered(Odd({"X-A": "1"})) == {"x-a": "1"}
    odd = Odd({"X-A": "1"})
    odd.raw = ["no pair"]  # type: ignore[assignment]
    assert lowered(odd) == {"x-a": "1"}
