"""The wire formats of OpenAI, which half the world's servers speak, each in a dialect of its own.

Sources: the API reference of OpenAI and the types of its Python SDK 3.54; of the dialects, what is cited.

    completions/    POST …/chat/completions, …/completions (legacy), …/fim/completions (Mistral)
    responses.py    POST …/responses, …/responses/compact; GET …/responses/{id} of a background response
    realtime.py     WebSocket …/realtime
    embeddings.py   POST …/embeddings
    media/          images, videos and sound
    moderations.py  POST …/moderations
    decisions.py    POST …/decisions
    assistants.py   POST …/threads/{id}/runs
    batches.py      GET …/files/{id}/content of a batch's results
    _common.py      what all share: who is meant, what was asked, what an answer says
    _usage.py       usage and stated cost, in all dialects
    _errors.py      errors, in all shapes
    _responses_conversation.py, _realtime_conversation.py    the messages, for people
"""
