"""What the five checks of an execution found, for people: lines for the terminal, and one HTML page per check.

Reads what the containers wrote to S3, on AWS or on this machine, and adds nothing to it. The flow is ``checks`` (what
ran) -> ``evidence`` (its files) -> ``violations`` -> ``verdict`` (lines), or -> ``page`` and one module per kind of
check (HTML), written by ``writer``.
"""
