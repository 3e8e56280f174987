"""``python -m miharu`` is the command ``miharu``."""

import sys

from miharu.cli import main

sys.exit(main())
