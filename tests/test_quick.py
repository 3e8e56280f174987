import pickle
from dataclasses import FrozenInstanceError, dataclass, field, replace
from inspect import signature
from typing import Any

import pytest

from miharu._quick import quickly_made
from miharu.call import Call
from miharu.providers.base import Reading
from miharu.testing.store_contract import make_call
from miharu.wire.decoded import Wire


@quickly_made
@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 2
    marks: list[str] = field(default_factory=list, kw_only=True)


def test_it_is_made_as_before() -> None:
    assert (Point(1), Point(1, 3, marks=["a"])) == (Point(x=1, y=2, marks=[]), Point(y=3, x=1, marks=["a"]))
    assert Point(1).marks is not Point(1).marks
    assert type(Point(1)) is Point
    wrongs: list[dict[str, Any]] = [{}, {"x": 1, "z": 2}]
    for wrong in wrongs:
        with pytest.raises(TypeError):
            Point(**wrong)
    with pytest.raises(TypeError):
        Point(1, 2, [])  # type: ignore[call-arg]


@pytest.mark.parametrize("value", [Point(1), make_call(), Reading(terminated=True)])
def test_it_is_frozen(value: object) -> None:
    name = next(iter(value.__slots__))  # type: ignore[attr-defined]
    with pytest.raises(FrozenInstanceError):
        setattr(value, name, 3)
    with pytest.raises(FrozenInstanceError):
        delattr(value, name)


def test_it_can_be_copied_and_pickled() -> None:
    call = make_call()
    assert replace(call, model="other").model == "other"
    assert pickle.loads(pickle.dumps(call)) == call
    assert list(signature(Call).parameters) == list(Call.__dataclass_fields__)


def test_one_that_is_derived_is_of_its_own_class() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Longer(Wire):
        more: int = 0

    class Other(Point):
        pass

    facts: dict[str, Any] = {
        "method": "POST",
        "host": "h",
        "path": "/",
        "provider": None,
        "request_headers": {},
    }
    made = Longer(**facts, request_body=b"{}", status=200, headers={}, body=b"", end="eof", more=1)
    assert (type(made), made.more, made.asked) == (Longer, 1, {})
    assert type(Other(1)) is Other
    assert Other(1, marks=["a"]).marks == ["a"]
