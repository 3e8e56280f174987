"""What is fetched beside pages: files, figures for other programs, and what a page asks for later.

body.py    one body as a file
media.py   a picture or a sound of a body
export.py  any page as a file
choices.py what the filter form offers
health.py  whether the calls can be read
metrics.py counters for Prometheus
"""

__all__ = ()
