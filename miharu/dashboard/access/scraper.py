"""Whether a scraper shows the token that opens ``/metrics`` and nothing else."""

from collections.abc import Callable, Mapping

from miharu.dashboard.access.refusals import TOO_MANY
from miharu.dashboard.access.secret import is_short, same
from miharu.dashboard.access.throttle import Guesses
from miharu.dashboard.access.visit import Decision, Visit
from miharu.errors import ConfigError

__all__ = ("METRICS", "Scrapers")

METRICS = "/metrics"
_VARIABLE = "MIHARU_METRICS_TOKEN"


class Scrapers:
    """Checks that token.

    Args:
        given: The token; by default that in ``MIHARU_METRICS_TOKEN``.
        environ: Where that is.
        say: Warns, of each thing once.
        guesses: Wrong tokens in this process.

    Raises:
        ConfigError: ``given`` is not a text with something in it.
    """

    def __init__(
        self,
        given: str | None,
        environ: Mapping[str, str],
        say: Callable[[str, str], None],
        guesses: Guesses | None = None,
    ) -> None:
        asked: object = given
        if asked is not None and not (isinstance(asked, str) and asked.strip()):
            raise ConfigError(
                "metrics_token: give a text, such as secrets.token_urlsafe(32).", "metrics_token"
            )
        self._given = given
        self._environ = environ
        self._say = say
        self._guesses = guesses or Guesses()

    def decide(self, visit: Visit) -> Decision | None:
        """Let the scraper in, or say that it has tried too often; ``None`` where others decide."""
        token = (self._given or self._environ.get(_VARIABLE, "")).strip()
        shown = visit.bearer
        if visit.path != METRICS or not token or shown is None:
            return None
        if is_short(token):
            self._say(
                "short metrics token",
                f"{_VARIABLE} is so short that it can be guessed; take 16 characters or more.",
            )
        address = visit.client or ""
        if self._guesses.too_many(address):
            return Decision(page=TOO_MANY)
        if same(shown, token):
            return Decision(access="metrics token")
        self._guesses.note(address, shown)
        return None
