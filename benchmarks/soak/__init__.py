"""A FastAPI app that is watched for half an hour while everything happens to its file."""
