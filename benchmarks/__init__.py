"""What miharu costs, beside what others cost. See README.md."""
