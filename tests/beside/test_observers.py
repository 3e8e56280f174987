"""miharu and another observer: both orders of coming, both of going."""

import pytest

from tests.beside.conftest import Child, collect

collect()

ORDERS = [(installed, removed) for installed in ("first", "last") for removed in ("first", "last")]


@pytest.mark.parametrize(("installed", "removed"), ORDERS)
@pytest.mark.parametrize("other", ["opentelemetry", "logfire", "sentry", "ddtrace", "langfuse"])
def test_nobody_loses_or_doubles_a_call(other: str, installed: str, removed: str, child: Child) -> None:
    said = child("tests.beside.child", other, installed, removed)
    stays = other == "langfuse"  # it cannot be removed
    assert said["both"] == [4, 4]
    assert said["one"] == ([0, 4] if removed == "first" else [4, 4 if stays else 0])
    assert said["none"] == [0, 4 if stays else 0]
    assert said["again"] == [4, 4 if stays else 0]
    # ddtrace takes its wrapper off whatever is on top. With ours there it raises, and its own stays.
    blemish = other == "ddtrace" and installed == "last" and removed == "last"
    assert said["trouble"] == ("ddtrace: AttributeError" if blemish else None)
    # It is the only one at the same function: whoever goes while under the other stays there, and passes on.
    assert all(said["originals"]) == (other != "ddtrace" or installed != removed)
