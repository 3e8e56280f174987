"""Charts, their axes and their colours.

plot.py   what all plots share: their shape, lines and labels, as SVG paths
stack.py  stacked bars
heat.py   a map of durations
mean.py   a mean, over bars that say of how many it is
spark.py  a small line
mean.py   the mean of a score, and how many were scored
flags.py  where markers stand, and how much of their names there is room for
grid.py   points of a series, a place for each step of the window
axis.py   one axis of time for many bars
colors.py a hue for each maker, a shade for each model
"""

__all__ = ()
