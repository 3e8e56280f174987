"""What comes over the wire, read without knowing which provider sent it. The bytes are not trusted.

decoding.py      content-encodings, undone chunk by chunk
headers.py       headers, by their names in lower case
decoded.py       one exchange, as every reader gets it
json.py          quick and forgiving
exact.py         JSON with every number and name of its text
large.py         JSON of megabytes, without the binaries in it
sse.py           Server-Sent Events
eventstream.py   the binary frames of Amazon Web Services
streams.py       JSON objects one after another, in any frame
abridged.py      JSON cut short before it is parsed
indented.py      JSON indented for reading
batches.py       batches between miharus, and in spools
"""

__all__ = ()
