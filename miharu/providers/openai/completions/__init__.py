"""Chat Completions and what came before them: both answer with choices, and stream them in chunks.

chat.py           POST …/chat/completions
legacy.py         POST …/completions (legacy), …/fim/completions (Mistral)
_choices.py       what the two share
_chunks.py        their streams, read from both ends
_conversation.py  the messages of a chat, for people
"""
