"""Bytes, figures and content-encodings, changed at random."""

import json
import random
import re

from tests.hostile import ENCODERS, FIGURES

__all__ = ("encoded", "mutated", "planted")

_NUMBER = re.compile(rb"(?<=[:\s\[])-?\d+(?:\.\d+)?(?=[,}\]\s])")
_SPLICED = (b"\n\n", b"\r", b"null", b"[[[[", b'"', b"-1", b"1e999", b"\xff\xfe", b"\\u0000", b"\\ud800")
_STACKED = ("gzip, gzip", "zstd, br", "deflate, gzip, br", "gzip, identity", "x-gzip", "Gzip")
_UNKNOWN = ("compress", "utf-8", "gzip;q=1", ",".join(["gzip"] * 7))


def mutated(body: bytes, rng: random.Random) -> bytes:
    """The body with a few of its bytes changed, lost, doubled or turned round."""
    data = bytearray(body)
    for _ in range(rng.randint(0, 6)):
        if not data:
            break
        here, there = sorted((rng.randrange(len(data)), rng.randrange(len(data))))
        match rng.randrange(7):
            case 0:
                data[here] = rng.randrange(256)
            case 1:
                del data[here:there]
            case 2:
                data[here:here] = data[here : min(there, here + 2000)]
            case 3:
                data = data[there:] + data[:there]
            case 4:
                data = data[:there]
            case 5:
                data[here:here] = rng.choice(_SPLICED)
            case _:
                data[here:there] = bytes(reversed(data[here:there]))[:4000]
    return bytes(data)


def planted(body: bytes, rng: random.Random) -> bytes:
    """The body with absurd figures in place of some of its numbers."""
    share = rng.choice((0.05, 0.3, 1.0))

    def figure(found: re.Match[bytes]) -> bytes:
        return json.dumps(rng.choice(FIGURES)).encode() if rng.random() < share else found.group()

    return _NUMBER.sub(figure, body)


def encoded(body: bytes, rng: random.Random) -> tuple[bytes, str]:
    """The body under some content-encoding, whole or broken, and its name."""
    name = rng.choice((*ENCODERS, *_STACKED))
    cuts = sorted(rng.randrange(len(body) + 1) for _ in range(rng.choice((0, 0, 1, 30))))
    parts = [body[start:end] for start, end in zip((0, *cuts), (*cuts, len(body)), strict=True)]
    data = b""
    for number, layer in enumerate(part.strip().lower() for part in name.split(",")):
        encoder = ENCODERS[layer.removeprefix("x-")]
        if number == 0 and layer in {"gzip", "x-gzip", "zstd"}:  # a member or a frame for each part
            data = b"".join(map(encoder, parts))
        else:
            data = encoder(data if number else body)
    match rng.randrange(8):
        case 0:
            data = data[: rng.randrange(len(data) + 1)]
        case 1:
            data += rng.randbytes(rng.randrange(40))
        case 2:
            data = mutated(data, rng)
        case 3:
            name = rng.choice((*ENCODERS, *_UNKNOWN))
        case _:
            pass
    return data, name
