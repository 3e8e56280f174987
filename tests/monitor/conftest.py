import pytest


@pytest.fixture(autouse=True)
def host_loop(unblocked: None) -> None:
    """Our code waits for nothing on it."""
