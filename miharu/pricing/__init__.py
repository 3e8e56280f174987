"""What calls cost: ``base.py`` is the seam, ``genai.py`` the built-in prices, ``_measures.py`` the counts."""
