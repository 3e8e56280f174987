"""Images, videos and sound.

images.py  POST …/images/generations, …/edits, …/variations
videos.py  POST …/videos; GET …/videos/{id}
audio.py   POST …/audio/transcriptions, …/translations, …/speech
_events.py what their streams share
"""
