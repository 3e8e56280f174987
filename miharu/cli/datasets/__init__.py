"""Calls as files for fine-tuning and for evaluations, one JSON object on each line.

conversation.py  what was said in a call, whole, whatever its format on the wire
tools.py         the definitions of the tools on offer
openai.py        as OpenAI's chat messages
anthropic.py     as Anthropic's messages
rows.py          a line for each format of the file
"""
