"""Which entry of a price list holds for a call.

names.py       under which names a model stands in a list
places.py      where it was answered
conditions.py  service tiers, batches, speed
"""
