"""The wire formats of OpenAI, which half the world's servers speak.

Sources: the API reference of OpenAI and the types of its Python SDK 3.54.

    chat.py         POST …/chat/completions
    responses.py    POST …/responses
    completions.py  POST …/completions (legacy)
    embeddings.py   POST …/embeddings
    _common.py      what they share: usage, errors, who is meant
"""
