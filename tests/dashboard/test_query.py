from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from miharu.dashboard.query import RANGES, View, steps

NOW = 1_795_443_630_000


def test_ends_with_the_running_minute() -> None:
    query = View().query(NOW)
    assert query.end - 60_000 <= NOW < query.end
    assert query.end - query.start == 86_400_000
    assert View().previous(NOW).end == query.start


@given(st.sampled_from(list(RANGES)), st.integers(0, 2 * 10**12))
def test_covers_the_window_with_steps(name: str, now: int) -> None:
    view = View.read({"range": name})
    query = view.query(now)
    starts = steps(query, view.range.step)
    assert starts[0] <= query.start < starts[0] + view.range.step
    assert starts[-1] < query.end <= starts[-1] + view.range.step
    assert view.range.length % view.range.step == view.range.tick % view.range.step == 0


@given(
    st.dictionaries(
        st.sampled_from(["range", "model", "route", "status", "measure", "by"]), st.text(max_size=40)
    )
)
def test_reads_back_the_links_it_writes(params: dict[str, str]) -> None:
    view = View.read({k: v.encode(errors="replace").decode() for k, v in params.items()})
    link = view.link("")
    assert View.read(dict(parse_qsl(link.partition("?")[2]))) == view
    assert link.startswith("./")


def test_leaves_out_what_is_usual_and_what_belongs_to_another_page() -> None:
    view = View.read(
        {"range": "24h", "measure": "tokens", "by": "model", "sel": "a", "before": "b", "route": "GET /"}
    )
    assert view.link("") == "./?route=GET+%2F&measure=tokens"
    assert view.link("calls") == "calls?route=GET+%2F&before=b&sel=a"
    assert view.link("calls", before=None, sel=None, route=None) == "calls"
