"""The error for a setting whose value is not valid."""

from miharu.errors import ConfigError

__all__ = ("refused",)


def refused(setting: str, value: object, remedy: str) -> ConfigError:
    """Names the setting, the value without secrets, and the remedy; to be raised."""
    from miharu.redaction.text import redacted

    return ConfigError(f"{setting}={redacted(repr(value))}: {remedy}.", setting)
