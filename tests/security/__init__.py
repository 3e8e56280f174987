"""Each attack that we know of, tried over real sockets against every door that it could come through.

``docs/security.md`` tells threat by threat what is done, and which test here shows it.
"""
