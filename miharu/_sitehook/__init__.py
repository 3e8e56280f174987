"""What ``miharu run`` puts on the path of a program and of its children. Nothing else belongs in this folder.

sitecustomize.py  imported by each Python as it starts; recording begins with what may make calls
"""

from pathlib import Path

__all__ = ("FOLDER",)

FOLDER = Path(__file__).absolute().parent
"""The folder to put first in ``PYTHONPATH``."""
