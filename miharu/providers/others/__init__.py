"""Wire formats of one module each.

Of text:

aleph_alpha.py  Aleph Alpha
huggingface.py  Text Generation Inference
watsonx.py      IBM watsonx, chat and generation
writer.py       Writer, which speaks OpenAI's format at an address of its own
rerank.py       reranking, as Cohere and others speak it

Of speech:

assemblyai.py   AssemblyAI
deepgram.py     Deepgram
elevenlabs.py   ElevenLabs
xai.py          xAI

Of any model:

fal.py          fal
replicate.py    Replicate
"""
