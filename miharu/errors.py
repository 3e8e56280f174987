"""What miharu raises, all of it under one base.

MiharuError
├── ConfigError     (ValueError)    a setting is not valid
├── ConditionError  (ValueError)    a filter is not understood
├── BudgetExceeded  (RuntimeError)  a call was refused by a budget that says ``refuse=True``
└── StoreError      (RuntimeError)  the database cannot be used
    ├── NoDatabase                  there is no database to read yet
    └── NewerDatabase               a newer miharu wrote it: it can be read, not written to
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from miharu._budget_state import BudgetState
    from miharu.conditions.faults import Fault

__all__ = (
    "BudgetExceeded",
    "ConditionError",
    "ConfigError",
    "MiharuError",
    "NewerDatabase",
    "NoDatabase",
    "StoreError",
)


class MiharuError(Exception):
    """The base of every exception that miharu raises."""


class ConfigError(MiharuError, ValueError):
    """Names the setting, its value, the choices and the remedy."""

    def __init__(self, message: str, setting: str | None = None) -> None:
        super().__init__(message)
        self.setting = setting
        """The argument or environment variable that is wrong."""


class ConditionError(MiharuError, ValueError):
    """Says every place of a filter that is not understood, why, and what is possible there."""

    def __init__(self, text: str, faults: "tuple[Fault, ...]", mended: str | None = None) -> None:
        super().__init__(
            "; ".join(
                f"at {fault.start + 1}: {fault.reason}" + (f" Perhaps {fault.remedy}" if fault.remedy else "")
                for fault in faults
            )
        )
        self.text = text
        """The filter as it was given."""
        self.faults = faults
        self.mended = mended
        """The whole filter as it was probably meant, where that is plain."""

    def __reduce__(self) -> tuple[object, ...]:
        """With its parts, so that it can pass from one process to another."""
        return type(self), (self.text, self.faults, self.mended)


class BudgetExceeded(MiharuError, RuntimeError):  # noqa: N818 - a state of affairs, like StopIteration
    """Names the budget, its limit, what was spent, when it ends and how to lift it. Nothing was sent.

    Raised only where a budget says ``refuse=True``. SDKs may wrap it: look along ``__cause__``.
    """

    def __init__(self, message: str, state: "BudgetState") -> None:
        super().__init__(message)
        self.state = state
        """How the budget stood."""

    def __reduce__(self) -> tuple[object, ...]:
        """With its state, so that it can pass from one process to another."""
        return type(self), (str(self), self.state)


class StoreError(MiharuError, RuntimeError):
    """Names the database (never its password), what is wrong with it and the remedy."""


class NoDatabase(StoreError):  # noqa: N818 - a state of affairs too
    """There is no database where one was looked for."""


class NewerDatabase(StoreError):  # noqa: N818 - a state of affairs too
    """The database has a schema that this version does not know: it can be read, but not written to."""
