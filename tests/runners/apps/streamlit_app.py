"""A page of Streamlit: the whole script runs with each visit and each click, in a thread of its own."""

import streamlit as st

import miharu
from tests.frameworks.model import ask

miharu.init()
user = st.query_params.get("user", "ann")
with miharu.context(user=user, route="streamlit chat"):
    ask("within")
ask("outside")
miharu.context(user="left over")
st.write("done")
