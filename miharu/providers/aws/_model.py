"""Which model the path names. On Bedrock it stands nowhere else."""

import re
from urllib.parse import unquote

from miharu.providers.base import Wire

__all__ = ("model_of",)

_PATH = re.compile(r"/model/(.+)/(?:converse|invoke)(?:-stream|-with-response-stream)?$")
_ID = re.compile(r"(?:[a-z-]+\.)?[a-z0-9]+\.[a-z][\w.:-]+|arn:aws[\w-]*:[a-z]+:.+", re.ASCII)
"""An id such as ``us.anthropic.claude-sonnet-4-6``, or the ARN of a profile, an import or an endpoint.

https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html
"""


def model_of(wire: Wire) -> str | None:
    """The model's id or ARN, or ``None`` where the path is not one of Bedrock's.

    On an unknown host, a gateway say, the id has to look like one as well: ``/model/3/invoke`` may belong to
    any other service.
    """
    found = _PATH.search(wire.path.rstrip("/"))
    if found is None:
        return None
    model = unquote(found.group(1))
    return model if wire.provider == "aws.bedrock" or _ID.fullmatch(model) else None
