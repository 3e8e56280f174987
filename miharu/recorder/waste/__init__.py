"""Which calls need not have been made, or need not have been read anew. Only hashes are remembered.

finder.py      both of these, for each call
duplicates.py  the same request again
prefixes.py    prompts that begin like an earlier one
prompts.py     what a model reads of a request, in order
"""
