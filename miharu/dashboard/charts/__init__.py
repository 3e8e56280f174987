"""Charts, their axes and their colours.

svg.py    stacked bars, a heat map, a small line, as paths
grid.py   points of a series, a place for each step of the window
axis.py   one axis of time for many bars
colors.py a hue for each maker, a shade for each model
"""

__all__ = ()
