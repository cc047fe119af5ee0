"""What the analyses return: documents as AWS's analyzers write them."""

from __future__ import annotations

from typing import Any

Report = dict[str, Any]
"""``statistics.json``, ``constraints.json``, a list of violations, ``analysis.json``, or a part of one."""
