"""What is said of a value that makes no sense."""

from miharu.errors import ConfigError

__all__ = ("refused",)


def refused(setting: str, value: object, remedy: str) -> ConfigError:
    """Names the setting, the value and the remedy; to be raised."""
    return ConfigError(f"{setting}={value!r}: {remedy}.", setting)
