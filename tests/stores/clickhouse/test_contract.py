from miharu.testing.store_contract import StoreContract


class TestContract(StoreContract):
    """With the fixture ``store``."""
