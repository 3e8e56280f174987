"""The programs, as their users write them."""
