"""The variables that miharu reads."""

import os
from collections.abc import Iterator, Mapping

from miharu.cli._output import printable
from miharu.cli.doctor.finding import Finding
from miharu.config import MEMORY, Config, auth_mode, public_url
from miharu.dashboard.access.names import Hosts, hosts_from
from miharu.errors import MiharuError
from miharu.exporters import points_for
from miharu.redaction.text import redacted

__all__ = ("VARIABLES", "findings", "readable")

VARIABLES = (
    "MIHARU_DATABASE_URL",
    "MIHARU_SERVICE",
    "MIHARU_CAPTURE_CONTENT",
    "MIHARU_SEARCH",
    "MIHARU_ESTIMATE_USAGE",
    "MIHARU_RETENTION",
    "MIHARU_CONTENT_RETENTION",
    "MIHARU_BUDGET",
    "MIHARU_ALERTS",
    "MIHARU_ALERT_WEBHOOK",
    "MIHARU_IGNORE",
    "MIHARU_EXPORTERS",
    "MIHARU_TOKEN",
    "MIHARU_METRICS_TOKEN",
    "MIHARU_AUTH",
    "MIHARU_ALLOWED_HOSTS",
    "MIHARU_DISABLED",
)
_SECRETS = {"MIHARU_TOKEN", "MIHARU_METRICS_TOKEN", "MIHARU_ALERT_WEBHOOK"}


def findings() -> Iterator[Finding]:
    """The variables that are set, and whether each is valid."""
    names = [name for name in VARIABLES if name in os.environ]
    for name in names:
        value = os.environ[name]
        shown = public_url(value) if name == "MIHARU_DATABASE_URL" else redacted(value)
        shown = "set, not shown" if name in _SECRETS else shown
        yield Finding("note", f"{name}: {printable(shown)}")
    if not names:
        yield Finding("note", "no variable of miharu's is set")
    wrong = [finding for name in names for finding in _judged(name, {name: os.environ[name]})]
    yield from wrong
    if not wrong and Config.resolve(MEMORY).disabled:
        yield Finding("warn", "MIHARU_DISABLED is on: programs started from here record nothing")


def _judged(name: str, environ: Mapping[str, str]) -> Iterator[Finding]:
    """What is wrong with one variable, checked by itself so that one mistake does not hide another."""
    try:
        config = Config.resolve(None if name == "MIHARU_DATABASE_URL" else MEMORY, environ=environ)
        points_for(config.exporter_names, config.exporters_setting)
        auth_mode("auto", environ)
    except MiharuError as error:
        yield Finding("wrong", str(error))
    try:
        Hosts(hosts_from(environ))
    except MiharuError as error:
        yield Finding("wrong", f"{name}: {error}")


def readable() -> dict[str, str]:
    """The environment without miharu's other variables, so that a wrong flag does not hide the database."""
    judged = {*VARIABLES} - {"MIHARU_DATABASE_URL"}
    return {name: value for name, value in os.environ.items() if name not in judged}
