"""What Mistral does not share with OpenAI.

conversations.py  POST …/conversations
ocr.py            POST …/ocr
"""
