"""Random names in the forms that SageMaker uses."""

from __future__ import annotations

import random
import secrets
import string

_LOWER = string.ascii_lowercase + string.digits
_MIXED = string.ascii_letters + string.digits


def execution_id() -> str:
    """Twelve lower-case letters and digits, as in pipeline execution ARNs."""
    return "".join(secrets.choice(_LOWER) for _ in range(12))


def suffix(length: int = 10) -> str:
    """Letters and digits, as at the end of the job names that pipelines make."""
    return "".join(secrets.choice(_MIXED) for _ in range(length))


def instant(moment: float) -> str:
    """Sixteen digits for names that tell when they were made: milliseconds, and three at random.

    Two requests of one second, of one millisecond even, do not share a name.
    """
    return f"{int(moment * 1000)}{secrets.randbelow(1000):03d}"


def request_id() -> str:
    """A UUID, as in ``x-amzn-RequestId``. Every request has one, and nobody relies on its being hard to guess."""
    text = f"{random.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"
