import pytest

from miharu.testing.store_contract import StoreContract


@pytest.mark.usefixtures("eager")
class TestContract(StoreContract):
    """With the fixture ``store``."""
