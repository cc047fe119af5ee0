"""The table of records and its indexes."""

from __future__ import annotations

import json
from typing import Any

from local_sagemaker.records.kinds import KINDS

Body = dict[str, Any]
GLOBAL = ""
"""The region of what belongs to no region, say IAM's roles."""

TABLE = """
CREATE TABLE IF NOT EXISTS records (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  region TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, parent TEXT NOT NULL, name TEXT NOT NULL,
  status TEXT NOT NULL, created REAL NOT NULL, modified REAL NOT NULL, body TEXT NOT NULL,
  UNIQUE (region, kind, key))"""
INDEXES = """
CREATE INDEX IF NOT EXISTS records_any_case ON records (region, kind, key COLLATE NOCASE);
CREATE INDEX IF NOT EXISTS records_created ON records (region, kind, parent, created);
CREATE INDEX IF NOT EXISTS records_name ON records (region, kind, parent, name);
CREATE INDEX IF NOT EXISTS records_status ON records (region, kind, parent, status, created);
CREATE INDEX IF NOT EXISTS records_newest ON records (region, kind, created, status);
"""
COLUMNS = "region, kind, key, parent, name, status, created, modified, body"


def row(region: str, kind: str, key: str, body: Body) -> tuple[Any, ...]:
    """The values of a record's columns: the body, and what it is looked for, selected and sorted by."""
    known = KINDS.get(kind)
    name = body.get(known.name) if known else None
    status = body.get(known.status) if known else None
    times = body.get("CreationTime") or body.get("StartTime") or 0, body.get("LastModifiedTime") or 0
    return region, kind, key, key.rpartition("/")[0], name or key, status or "", *times, json.dumps(body)
