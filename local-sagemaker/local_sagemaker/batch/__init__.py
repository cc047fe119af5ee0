"""Batch transform inside its job: splitting, requests, data processing, captured data."""
