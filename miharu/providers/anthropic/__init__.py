"""The wire formats of Anthropic, which gateways, Azure Foundry, Vertex AI and Amazon Bedrock speak as well.

Sources: https://docs.claude.com/en/api/messages, its pages on streaming, errors and prompt caching, and the
types of the Python SDK 2.12.

    messages.py   POST …/v1/messages, and …:rawPredict of Vertex AI
    complete.py   POST …/v1/complete (legacy)
    batches.py    GET …/v1/messages/batches/{id}/results
    _stream.py    the events of a streamed message, in SSE or in frames of Bedrock's
    _usage.py     usage and errors
    _tools.py     tools that its servers ran
    _conversation.py  the messages, for people
"""
