"""The alerts: what calls have become, compared with limits, and told of once by one process of many.

readings.py what is measured, asked of the store
turns.py    when each alert began to fire and was over, as the store has it
watch.py    all alerts, looked at by the recorder's worker
telling.py  the line in the log, the function of the program, and the post
"""

from miharu.recorder.alerts.telling import Telling
from miharu.recorder.alerts.watch import AlertState, Watch

__all__ = ("AlertState", "Telling", "Watch")
