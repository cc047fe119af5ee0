"""File names of log groups and streams: readable, one to one, never outside their folder.

A slash becomes a plus sign (``/aws/sagemaker/TrainingJobs`` is the folder ``+aws+sagemaker+TrainingJobs``). The true
name is kept in a side file, so a name need not be read back from its file name.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote

_LONGEST = 180  # Of the 255 bytes that file systems allow, with room for an extension.
_KEPT = re.compile(r"[^A-Za-z0-9_.#@=,\[\]()$ -]")


def escape(name: str) -> str:
    """The file name for a group or stream; different names give different file names."""
    text = _KEPT.sub(lambda match: "+" if match[0] == "/" else quote(match[0], safe=""), name)
    if text.startswith("."):  # Neither hidden nor "..".
        text = "%2E" + text[1:]
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}%{hashlib.sha256(name.encode()).hexdigest()[:16]}"
