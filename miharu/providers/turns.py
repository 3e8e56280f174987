"""How the messages of a WebSocket session are divided into calls: plain data, without any of the formats.

The program's own thread looks at the start of each message, and in some formats at its end, with one regular
expression for each direction. The names of its groups say what a message is to a call:

asks      the program asks for an answer; a call begins
waits     the program has said all, or the provider has heard the end of speech: from then on the next call
          is waited for
knows     it tells of the session; the first and the last of them are kept, and go with each call
begins    the provider begins an answer
content   a part of an answer; the first is kept, because it came at a time worth knowing
tells     a part of an answer that is kept in any case, because the end does not repeat it
adds      the same, but an answer does not begin with it
ends      an answer has ended, or has failed
alone     a call of one message, such as the transcript of what was said
refuses   what was asked is refused, if something was

All other messages are dropped unread, which are most: sound, in both directions.
"""

from typing import NamedTuple

__all__ = ("BY_NAME", "GEMINI_LIVE", "OPENAI_REALTIME", "OPENAI_RESPONSES", "XAI_VOICE", "Turns")


class Turns(NamedTuple):
    """One way to divide."""

    sent: str
    """The expression for what the program sends, over bytes."""
    received: str
    """That for what the provider sends."""
    key: str = ""
    """An expression whose group is the id of the answer that a message belongs to, where several may run at a
    time; it needs not to find one while there is only one."""
    whole: bool = False
    """A message has no type in its head: all that is found in it counts, at its end as well."""
    content: int = 0
    """Bytes up to which all messages of content are kept, because the end does not repeat them."""
    total: bool = False
    """What a call has used is told as a running total of the session, so that the end before goes with it."""


_TYPE = r'\A\s*\{(?:\s*"(?!type")\w+"\s*:\s*(?:"[^"]*"|[\w.+-]+)\s*,)*\s*"type"\s*:\s*"'
"""That of the message itself: before it stand ids at most, and what is nested has types of its own."""
_RESPONSE_ID = (
    r'"response_id"\s*:\s*"([^"]{1,200})"|"response"\s*:\s*\{[^{}]{0,200}?"id"\s*:\s*"([^"]{1,200})"'
)
_REALTIME_SENT = rf'{_TYPE}(?:(?P<asks>response\.create")|(?P<waits>input_audio_buffer\.commit"))'
_REALTIME_RECEIVED = (
    rf"{_TYPE}(?:"
    r'(?P<content>response\.(?:\w+\.)?delta")'
    r'|(?P<begins>response\.created")'
    r'|(?P<ends>response\.done")'
    r'|(?P<knows>(?:transcription_)?session\.(?:created|updated)")'
    r'|(?P<waits>input_audio_buffer\.(?:speech_stopped|committed)")'
    r'|(?P<alone>conversation\.item\.input_audio_transcription\.(?:completed|failed)")'
    r'|(?P<refuses>error"))'
)
OPENAI_REALTIME = Turns(sent=_REALTIME_SENT, received=_REALTIME_RECEIVED, key=_RESPONSE_ID)
"""https://platform.openai.com/docs/api-reference/realtime-server-events: each event has a type."""
XAI_VOICE = OPENAI_REALTIME._replace(total=True)
"""https://docs.x.ai/docs/guides/voice: the same events; the seconds that are billed are counted on."""
OPENAI_RESPONSES = Turns(
    sent=rf'{_TYPE}(?P<asks>response\.create")',
    received=(
        rf"{_TYPE}(?:"
        r'(?P<content>response\.(?:\w+\.)?delta")'
        r'|(?P<begins>response\.created")'
        r'|(?P<ends>(?:response\.(?:completed|incomplete|failed)|error)"))'
    ),
    key=_RESPONSE_ID,
)
"""https://platform.openai.com/docs/guides/websocket-mode: the events of a stream, one a message."""
GEMINI_LIVE = Turns(
    sent=(
        r'(?P<knows>\A\s*\{\s*"setup")'
        r'|(?P<asks>"turn_?[cC]omplete"\s*:\s*true)'
        r'|(?P<waits>"(?:activity_?[eE]nd|audio_?[sS]tream_?[eE]nd|tool_?[rR]esponse)")'
        r'|"realtime_?[iI]nput"\s*:\s*\{\s*(?P<waits_>"text")'
    ),
    received=(
        r'(?P<ends>"turnComplete"\s*:\s*true)'
        r'|(?P<content>"modelTurn"|"outputTranscription")'
        r'|(?P<tells>"toolCall"|"usageMetadata"|"groundingMetadata")'
        r'|(?P<adds>"interrupted"|"inputTranscription")'
        r'|(?P<knows>"setupComplete")'
        r'|"voiceActivityType"\s*:\s*"(?P<waits>ACTIVITY_END)"'
    ),
    whole=True,
    content=4 << 10,
)
"""https://ai.google.dev/api/live: a message is an object with one of several fields, and usage beside it."""

BY_NAME = {name: value for name, value in dict(globals()).items() if isinstance(value, Turns)}
"""What ``known_rules.py`` calls them."""
