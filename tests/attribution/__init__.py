"""Whose a call is: what the program says, what runs, and what came over the web."""
