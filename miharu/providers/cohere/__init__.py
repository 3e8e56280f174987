"""The wire formats of Cohere, wherever they are served.

Sources: https://docs.cohere.com/reference and the types of its Python SDK.

    chat.py     POST …/v2/chat
    v1.py       POST …/v1/chat, …/v1/generate (legacy)
    embed.py    POST …/v1/embed, …/v2/embed
    classify.py POST …/v1/classify, …/v1/parse
    _common.py  what they share: usage, who is meant
    _conversation.py  the messages of a chat, for people

Reranking is in ``others/rerank.py``, because others speak the same.
"""
