"""Bytes to dict and back: which operation a request is, whose signature it carries, what its members are.

Everything is derived from botocore's service models; nothing here knows what an operation does. `gateway.py` reads
top to bottom as the way of one request.
"""
