"""The settings, from arguments and environment. Arguments win.

An argument that is not valid raises. An environment variable that is not valid logs one line and switches
miharu off, because the start-up of the host program comes first.

settings.py  everything that can be set, resolved
database.py  where calls are kept, as a URL
location.py  where that is when nothing is configured
lengths.py   lengths of time as people write them
ignore.py    which calls are left out
access.py    who may see the dashboard
platform.py  where no file lasts
refusal.py   the error for a value that is not valid
"""

from miharu.config.access import AuthMode, auth_mode
from miharu.config.database import (
    MEMORY,
    NOWHERE,
    REMOTE,
    database_file,
    is_remote,
    public_url,
    resolve_database,
)
from miharu.config.ignore import NOTHING_IGNORED, Ignore
from miharu.config.settings import UNSET, Config, Length, Unset

__all__ = (
    "MEMORY",
    "NOTHING_IGNORED",
    "NOWHERE",
    "REMOTE",
    "UNSET",
    "AuthMode",
    "Config",
    "Ignore",
    "Length",
    "Unset",
    "auth_mode",
    "database_file",
    "is_remote",
    "public_url",
    "resolve_database",
)
