"""A page of Gradio: its functions run in threads, one event after another, in no request."""

import sys
from collections.abc import Iterator

import gradio as gr

import miharu
from tests.frameworks.model import ask

miharu.init()


def answer(text: str, request: gr.Request) -> str:
    with miharu.context(user=request.headers.get("x-user"), route="gradio answer"):
        ask("within")
    ask("outside")
    return text.upper()


def words(text: str) -> Iterator[str]:
    for word in text.split():
        ask(f"word-{word}")
        yield word


with gr.Blocks() as demo:
    text, out = gr.Textbox(), gr.Textbox()
    gr.Button().click(answer, text, out, api_name="answer")
    gr.Button().click(words, text, out, api_name="words")

if __name__ == "__main__":
    demo.launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), quiet=True)
