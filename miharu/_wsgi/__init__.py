"""The dashboard inside an app that is called by WSGI, and the routes of that app in the dashboard.

middleware.py  ``MiharuWsgiMiddleware``
answers.py     what the app answers, step by step in the context of its request
environ.py     a request of WSGI as a scope of ASGI, which is what the dashboard understands
"""

__all__ = ()
