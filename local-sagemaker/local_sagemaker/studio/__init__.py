"""Studio: the service's web pages, made on the server from the responses of operations.

The way of a request is in `app.py`; the pages are listed in `registry.py`.
"""
