"""Streamlit, Gradio and Prefect: what is recorded of their programs, and to whom it belongs.

They have an environment of their own, ``requirements/programs.txt``.
"""
