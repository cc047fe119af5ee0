"""Durations as CacheConfig.ExpireAfter writes them: ISO-8601, read leniently.

AWS's own documentation shows ``p30d``, ``30d``, ``T12H``, ``30dT5h``, ``T16m`` and ``5y`` besides the strict form.
"""

from __future__ import annotations

import re

_DAY = 86400.0
_DATE = {"y": 365 * _DAY, "m": 30 * _DAY, "w": 7 * _DAY, "d": _DAY}
_TIME = {"h": 3600.0, "m": 60.0, "s": 1.0}
_FORM = re.compile(r"p?((?:\d+(?:\.\d+)?[ymwd])*)(?:t((?:\d+(?:\.\d+)?[hms])+))?", re.IGNORECASE)
_PART = re.compile(r"(\d+(?:\.\d+)?)([a-z])")


def seconds(text: str) -> float:
    """The length of a duration in seconds (a year is 365 days, a month 30). Raises ValueError if it is none."""
    form = _FORM.fullmatch(text.strip())
    if not form or not (form[1] or form[2]):
        raise ValueError(f"'{text}' is not an ISO-8601 duration such as 'P30D' or 'PT12H'.")
    date = sum(float(number) * _DATE[unit] for number, unit in _PART.findall(form[1].lower()))
    time = sum(float(number) * _TIME[unit] for number, unit in _PART.findall((form[2] or "").lower()))
    return date + time
