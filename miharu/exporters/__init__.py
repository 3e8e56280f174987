"""Where calls go beside the store. None is built in yet; ``base.py`` is the seam."""
