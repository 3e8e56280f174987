"""The wire formats of Google, at AI Studio (Gemini API) and at Vertex AI.

Sources: https://ai.google.dev/api, https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest and
the types of google-genai 3.4.

    generate.py      POST …:generateContent, …:streamGenerateContent
    embed.py         POST …:embedContent, …:batchEmbedContents, …:predict
    interactions.py  POST …/interactions, GET …/interactions/{id}
    videos.py        Veo
    batches.py       GET …/batches/{id}, …/files/{id}:download of a batch's results
    live.py          WebSocket …BidiGenerateContent
    _common.py       what they share: usage, errors, enums, who is meant
    _grounding.py    searches and maps behind an answer
    _conversation.py, _live_conversation.py    the messages, for people
"""
