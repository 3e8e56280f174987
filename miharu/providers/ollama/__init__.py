"""Ollama's own API (https://docs.ollama.com/api).

api.py           POST …/api/chat, …/api/generate, …/api/embed
_conversation.py the messages of a chat, for people
"""

__all__ = ()
