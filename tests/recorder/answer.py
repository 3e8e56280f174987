"""An answer of a model, for programs that load as little as can be."""

ANSWER = {
    "object": "chat.completion",
    "model": "gpt-4o",
    "choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5},
}
