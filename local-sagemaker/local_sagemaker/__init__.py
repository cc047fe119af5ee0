"""The local service: speaks the AWS wire protocol on loopback and really executes pipelines, jobs and endpoints."""

__version__ = "0.1.0"
