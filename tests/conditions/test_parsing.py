import pickle
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from miharu.conditions.counts import of_calls
from miharu.conditions.faults import underlined
from miharu.conditions.fields import FIELDS, STATUSES, Field, is_text
from miharu.conditions.language import (
    LARGEST,
    LONGEST_TEXT,
    MOST_CONDITIONS,
    MOST_VALUES,
    MOST_WORDS,
    Condition,
    Conditions,
    Operator,
    checked,
)
from miharu.conditions.matching import leaves_out, meets
from miharu.conditions.parsing import conditions_in, has_conditions, parse
from miharu.conditions.writing import write, write_condition
from miharu.errors import ConditionError, MiharuError

ODD = st.text(
    st.one_of(
        st.sampled_from('"\\*,:=<>- \t\n%_\u3000\x1c\x85'),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    ),
    max_size=12,
)
TEXTS = st.one_of(st.sampled_from(["gpt-4o", "", "*", "a b", "POST /chat/{id}", "OR", "-x"]), ODD)
NAMES = ODD.filter(lambda text: bool(text.strip()))


def values_of(field: Field) -> st.SearchStrategy[Any]:
    if field.kind == "status":
        return st.sampled_from(STATUSES)
    if field.kind == "text":
        return TEXTS
    if field.kind == "number":
        return st.integers(-(10**15), 10**15).map(lambda number: number / 10**6)
    return st.one_of(st.integers(0, LARGEST), st.sampled_from([0, 1000, 60_000, 10**9, 3_600_000, 50_000]))


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    field = draw(st.sampled_from(list(FIELDS.values())))
    name = draw(NAMES) if field.named else None
    operators = ["in", "not in", "any", "none"]
    operator: Any = draw(st.sampled_from(operators if is_text(field) else [*operators, ">", ">=", "<", "<="]))
    if operator in {"any", "none"}:
        return Condition(field=field.column, operator=operator, name=name)
    if operator not in operators:
        return Condition(field=field.column, operator=operator, values=(draw(values_of(field)),), name=name)
    patterns = draw(
        st.lists(
            st.lists(TEXTS, min_size=2, max_size=3).map(tuple).filter(any),
            unique=True,
            max_size=2 if field.kind == "text" else 0,
        )
    )
    values = draw(st.lists(values_of(field), unique=True, min_size=0 if patterns else 1, max_size=4))
    return Condition(
        field=field.column, operator=operator, values=tuple(values), patterns=tuple(patterns), name=name
    )


@given(
    st.lists(conditions(), unique=True, max_size=6),
    st.lists(st.one_of(NAMES, st.sampled_from(["AND", "model:a", "-x", "refund"])), unique=True, max_size=3),
)
@settings(max_examples=400, deadline=None)
@example([Condition(field="tag", operator="in", values=("<", ">=a"), name="a!=b")], ["AND", "<"])
def test_what_is_written_is_read_again(some: list[Condition], words: list[str]) -> None:
    meant = Conditions(tuple(some), tuple(words))
    text = write(meant)
    if len(text) <= LONGEST_TEXT:
        assert parse(text) == meant, text
    checked(meant.conditions)


PIECES = st.sampled_from(
    [
        *("model", "cost", "tag", "score", "errors", "duration", "nothing", "-", ":", "=", ">", ">=", "<="),
        *("!=", "=>", '"', "\\", "*", ",", " ", "a", "0.01", "10s", "50k", "u_1", "\n", "\u3000", "¢", "٣"),
    ]
)


@given(st.one_of(st.text(), st.lists(PIECES, max_size=14).map("".join)))
@settings(max_examples=1500, deadline=None)
@example('model:"')
@example("-tag:a=*,b")
@example('score:"a"b>1')
@example('a"b"c')
@example('"a"b"')
@example("model:a,,b")
def test_any_text_is_understood_or_refused_with_every_place(text: str) -> None:
    has_conditions(text)
    error = None
    try:
        found = parse(text)
    except ConditionError as refused:
        error = refused
    if error is None:
        checked(found.conditions)
        assert parse(write(found)) == found
        return
    assert error.faults
    for fault in error.faults:
        assert 0 <= fault.start <= fault.end <= len(text)
        assert fault.reason.endswith(".")
    if error.mended is not None:
        parse(error.mended)
    assert underlined(text, error.faults).count("^") >= 1


def one(text: str) -> Condition:
    (condition,) = parse(text).conditions
    return condition


def test_conditions_say_what_is_meant() -> None:
    found = parse('model:gpt-4o,claude-x cost>0.01 -user:u_1001 "where is my" refund')
    assert found.words == ("where is my", "refund")
    assert found.conditions == (
        Condition(field="model", operator="in", values=("gpt-4o", "claude-x")),
        Condition(field="cost_nanousd", operator=">", values=(10_000_000,)),
        Condition(field="user_id", operator="not in", values=("u_1001",)),
    )
    assert one("model:gpt-*").patterns == (("gpt-", ""),)
    assert one('model:"gpt-*"').values == ("gpt-*",)
    assert one('route:"POST /chat/"*').patterns == (("POST /chat/", ""),)
    assert one("-user:*") == Condition(field="user_id", operator="none")
    assert one("tag:team=search,ads") == one("tag=team=search,ads")
    assert one("tag:team=search").name == "team"
    assert one("-tag:team") == Condition(field="tag", operator="none", name="team")
    assert one('tag:"my team"=a').name == "my team"
    assert one("score:ragas:faith<0.5") == Condition(
        field="score", operator="<", values=(0.5,), name="ragas:faith"
    )
    assert one("errors>0") == one("status:error")
    assert one("-errors>0") == one("errors:0") == one("-status:error")
    assert one("trace:a=b:c<d").values == ("a=b:c<d",)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("cost>0.01", 10_000_000),
        ("cost>$.5", 500_000_000),
        ("cost>=1ct", 10_000_000),
        ("cost<0.000000001", 1),
        ("duration>10s", 10_000),
        ("duration<500ms", 500),
        ("duration<1h30m", 5_400_000),
        ("duration<1.5min", 90_000),
        ("ttft>=2s", 2000),
        ("tokens>50k", 50_000),
        ("input<=1.5M", 1_500_000),
        ("attempt>1", 1),
        ("http>=500", 500),
        ("score:helpful<-0.5", -0.5),
    ],
)
def test_numbers_have_units(text: str, value: float) -> None:
    assert one(text).values == (value,)


@pytest.mark.parametrize(
    ("text", "where", "mended"),
    [
        ("costs>0.01", "costs", "cost>0.01"),
        ("duration>10m30", "10m30", "duration>10m30s"),
        ("duration>10", "10", "duration>10s"),
        ("model:a duration>10 sec", "10", "model:a duration>10s sec"),
        ('"refund', '"refund', '"refund"'),
        ('model:"a b', '"a b', 'model:"a b"'),
        ("cost>0,01", "0,01", "cost>0.01"),
        ("tokens>50,000", "50,000", "tokens>50000"),
        ("tokens>5m", "5m", "tokens>5M"),
        ("-cost>0.01", "-cost>0.01", "cost<=0.01"),
        ("model>gpt", ">", "model:gpt"),
        ("cost=>1", "=>", "cost>=1"),
        ("model!=a,b", "model!=", "-model:a,b"),
        ("tag:team!=a", "tag:team!=", "-tag:team=a"),
        ("status:failed", "failed", "status:error"),
        ("Model:a", "Model", "model:a"),
        ('user:a"b', 'a"b', 'user:"a\\"b"'),
        ("-refund", "-refund", '"-refund"'),
        ("model:a OR model:b", "OR", None),
        ("cost>much", "much", None),
        ("cost>0.0000000001", "0.0000000001", None),
        ("cost>99999999", "99999999", None),
        ("duration>0.1ms", "0.1ms", None),
        ("duration>1s1m", "1s1m", None),
        ("tokens>1.5", "1.5", None),
        ("model:a*b*c*d", "a*b*c*d", 'model:"a*b*c*d"'),
        ("status:err*", "err*", None),
        ("errors>5", "errors>5", None),
        ("model:", "", None),
        ("model:a,", "", None),
        ("cost>", "", None),
        ("tag:", "tag:", None),
        ("tag>3", "tag>3", None),
        ("weather:rain", "weather", None),
        ("user:**", "**", "user:*"),
    ],
)
def test_what_is_not_understood_is_shown_and_mended_where_that_is_plain(
    text: str, where: str, mended: str | None
) -> None:
    with pytest.raises(ConditionError) as refused:
        parse(text)
    (fault,) = refused.value.faults
    assert text[fault.start : fault.end] == where
    assert refused.value.mended == mended
    assert isinstance(refused.value, MiharuError)
    assert str(refused.value).startswith(f"at {fault.start + 1}: ")


def test_every_fault_is_said_at_once() -> None:
    text = 'model:gpt-6.1-sol costs>0.01 duration>10m30 "refund'
    with pytest.raises(ConditionError) as refused:
        parse(text)
    assert [text[f.start : f.end] for f in refused.value.faults] == ["costs", "10m30", '"refund']
    assert refused.value.mended == 'model:gpt-6.1-sol cost>0.01 duration>10m30s "refund"'
    assert underlined(text, refused.value.faults).splitlines()[1] == (
        "                  ^^^^^               ^^^^^ ^^^^^^^"
    )
    again = pickle.loads(pickle.dumps(refused.value))
    assert (again.faults, again.mended, str(again)) == (
        refused.value.faults,
        refused.value.mended,
        str(refused.value),
    )


@pytest.mark.parametrize(
    "text",
    [
        "x" * (LONGEST_TEXT + 1),
        " ".join(f"cost>{n}" for n in range(1, MOST_CONDITIONS + 2)),
        " ".join(f"word{n}" for n in range(MOST_WORDS + 1)),
        f"model:{','.join(f'm{n}' for n in range(MOST_VALUES + 1))}",
        f"model:{'m' * 501}",
        "model:a\0b",
        "tag:a\0b=c",
        "\ud800",
    ],
)
def test_a_text_is_bounded(text: str) -> None:
    with pytest.raises(ConditionError):
        parse(text)


def test_words_are_refused_where_they_cannot_be_searched_for() -> None:
    assert conditions_in("model:a") == (one("model:a"),)
    with pytest.raises(ConditionError) as refused:
        conditions_in('model:a refund "in full"')
    assert [(f.start, f.end) for f in refused.value.faults] == [(8, 14), (15, 24)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cost>1", True),
        ("costs>1", True),
        ("-user:x refund", True),
        ("modle:x", True),
        ("gpt-4o", False),
        ("ft:gpt-4o:acme", False),
        ("GET /chat", False),
        ("http://localhost", True),
        ("", False),
        ("cost>1 " + "x" * LONGEST_TEXT, False),
    ],
)
def test_a_find_box_knows_conditions_from_names(text: str, *, expected: bool) -> None:
    assert has_conditions(text) is expected


def test_what_a_condition_says_of_a_text() -> None:
    assert meets(one("-status:error"), "success")
    assert not meets(one("status:error,cancelled"), "success")
    assert meets(one("model:a*b*c"), "axbyc")
    assert not meets(one("model:ab*b"), "ab")
    assert not meets(one("model:*"), "")
    assert meets(one("-model:*"), "")
    assert leaves_out([one("cost>1"), one("error:*")], status="success", error_type="")
    assert not leaves_out([one("cost>1"), one("-error:x")], status="success", error_type="")


@pytest.mark.parametrize(
    ("text", "operator", "number"),
    [
        ("errors>0", ">", 0),
        ("errors>=5", ">=", 5),
        ("errors:3", "in", 3),
        ("errors<2k", "<", 2000),
        ("-errors>0", "<=", 0),
        ("-errors:0", "not in", 0),
    ],
)
def test_of_those_that_are_listed_any_number_of_errors_can_be_asked_for(
    text: str, operator: Operator, number: int
) -> None:
    condition = Condition(field="errors", operator=operator, values=(number,))
    assert parse(text, of_groups=True).conditions == (condition,)
    assert parse(write_condition(condition), of_groups=True).conditions == (condition,)
    with pytest.raises(ValueError, match="not a field of calls"):
        checked([condition])


@pytest.mark.parametrize("text", ["errors>x", "errors>", "errors:1.5", "errors>10s", "errors:*"])
def test_a_number_of_errors_is_a_whole_number(text: str) -> None:
    with pytest.raises(ConditionError):
        parse(text, of_groups=True)


@pytest.mark.parametrize(
    ("text", "failed", "others"),
    [("errors>0", 1, 0), ("errors:0", 0, 1), ("errors>5", 0, 0), ("errors<5", 1, 1), ("-errors:0", 1, 0)],
)
def test_of_a_single_call_it_says_whether_it_failed(text: str, failed: int, others: int) -> None:
    single = of_calls(parse(text, of_groups=True).conditions)
    met = [all(meets(one, status) for one in single) for status in ("error", "success")]
    assert met == [bool(failed), bool(others)]
