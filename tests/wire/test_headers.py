from collections.abc import Mapping

import httpx
import httpx2
import pytest

from miharu.wire import headers
from miharu.wire.headers import lowered


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
    for value in (None, b"other", b"a\nb"):  # the second time the names are known
        some = [(name, value or content) for name, content in pairs]
        headers: Mapping[str, str] = library.Headers(some)  # type: ignore[attr-defined]
        found = lowered(headers)
        assert list(found.items()) == [(name.lower(), value) for name, value in headers.items()]


def test_names_of_headers_are_remembered_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[tuple[bytes, ...], tuple[str, ...]] = {}
    monkeypatch.setattr(headers, "_known", known)
    for number in range(1000):
        assert lowered(httpx.Headers({f"X-{number}": "1"})) == {f"x-{number}": "1"}
    assert 0 < len(known) <= 256
    known.clear()
    lowered(httpx.Headers({"x" * 65: "1"}))
    lowered(httpx.Headers({f"x-{number}": "1" for number in range(65)}))
    assert not known


def test_other_mappings_are_taken_as_they_are() -> None:
    class Odd(dict[str, str]):
        _list = ("not", "rows")

    assert lowered({"X-A": "1"}) == {"x-a": "1"}
    assert lowered(Odd({"X-A": "1"})) == {"x-a": "1"}
    odd = Odd({"X-A": "1"})
    odd._list = ["no row"]  # type: ignore[assignment]
    assert lowered(odd) == {"x-a": "1"}
