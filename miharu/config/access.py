"""Who may see the dashboard, as it is set."""

import os
from collections.abc import Mapping
from typing import Literal, cast, get_args

from miharu.config.refusal import refused

__all__ = ("AuthMode", "auth_mode")

AuthMode = Literal["auto", "token", "off"]


def auth_mode(given: str, environ: Mapping[str, str] = os.environ) -> AuthMode:
    """Who may see the dashboard; ``MIHARU_AUTH`` and ``MIHARU_TOKEN`` speak where the argument says ``auto``.

    Raises:
        ConfigError: It is not one of the modes.
    """
    where, mode = "auth", given
    if mode == "auto":
        where, mode = "MIHARU_AUTH", environ.get("MIHARU_AUTH") or "auto"
    if mode not in get_args(AuthMode):
        remedy = f"choose one of {', '.join(get_args(AuthMode))}"
        raise refused(
            where, mode, f"{remedy}, or give a function of the ASGI scope" if where == "auth" else remedy
        )
    if mode == "auto" and environ.get("MIHARU_TOKEN"):
        return "token"
    return cast("AuthMode", mode)
