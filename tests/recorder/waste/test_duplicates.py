from miharu.call import Call, Outcome
from miharu.recorder.waste import duplicates
from miharu.recorder.waste.duplicates import Duplicates
from miharu.testing.store_contract import NOON, make_call


def asked(at: int = 0, **facts: object) -> Call:
    """A call that began so many milliseconds after noon and took 100."""
    call = make_call(
        timestamp=NOON + at, **({"body_hash": "same", "host": "h", "request_model": "m"} | facts)
    )
    return call if call.call_group else make_call(**{**_facts(call), "call_group": call.id})


def _facts(call: Call) -> dict[str, object]:
    return {name: getattr(call, name) for name in Call.__slots__}


def test_the_same_request_is_a_duplicate_of_the_first_answer() -> None:
    known = Duplicates()
    first = known.compare(asked(0))
    assert first.duplicate_of is None
    assert known.compare(asked(100)).duplicate_of == first.id
    assert known.compare(asked(5000)).duplicate_of == first.id


def test_requests_under_way_together_are_no_duplicates() -> None:
    """Several samples of one prompt are asked for at once, and none of them knew an answer."""
    known = Duplicates()
    known.compare(asked(0))
    assert known.compare(asked(99)).duplicate_of is None


def test_another_model_host_or_format_is_another_request() -> None:
    known = Duplicates()
    known.compare(asked(0))
    for facts in ({"request_model": "n"}, {"host": "i"}, {"api": "other"}, {"body_hash": "else"}):
        assert known.compare(asked(1000, **facts)).duplicate_of is None
    assert known.compare(asked(2000, body_hash=None)).duplicate_of is None


def test_failures_are_waste_of_another_kind() -> None:
    known = Duplicates()
    failed = Outcome(status="error", http_status=500)
    known.compare(asked(0, outcome=failed))
    assert known.compare(asked(1000)).duplicate_of is None
    assert known.compare(asked(2000, outcome=failed)).duplicate_of is None
    assert known.compare(asked(2000, outcome=Outcome(status="cancelled"))).duplicate_of is None


def test_the_tries_of_one_call_are_no_duplicates_of_each_other() -> None:
    known = Duplicates()
    known.compare(asked(0, call_group="one"))
    assert known.compare(asked(1000, call_group="one", attempt=2)).duplicate_of is None
    assert known.compare(asked(2000, call_group="two")).duplicate_of is not None


def test_a_day_later_it_is_a_new_question() -> None:
    known = Duplicates()
    known.compare(asked(0))
    late = duplicates.REMEMBERED_MS + 101
    new = asked(late)
    assert known.compare(new).duplicate_of is None
    assert known.compare(asked(late + 1000)).duplicate_of == new.id


def test_it_remembers_so_many_and_no_more() -> None:
    known = Duplicates()
    for number in range(duplicates.REMEMBERED + 1):
        known.compare(asked(number, body_hash=str(number)))
    assert known.compare(asked(10**6, body_hash="0")).duplicate_of is None
    assert known.compare(asked(10**6, body_hash=str(duplicates.REMEMBERED))).duplicate_of is not None
