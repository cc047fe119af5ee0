"""State files of the first layout, which knew no regions: their records are moved to the region of their ARNs."""

from __future__ import annotations

import json
import re
from collections import Counter

from local_sagemaker.records.schema import COLUMNS, GLOBAL, TABLE, row
from local_sagemaker.records.sqlite import Database

_INSERT = f"INSERT INTO records (sequence, {COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ARN = re.compile(r'Arn": "arn:aws[a-z-]*:(?:sagemaker|lambda):([a-z0-9-]+):')
_WITHOUT_REGION = ("neighbour-call", "counter", "issued-key")
"""Kinds of moto's journal and of handed-out keys."""


def upgrade(database: Database, region: str) -> None:
    """Gives the records of the first layout a region; a file that has them already stays as it is.

    The service acted as one region then: the one that most of the ARNs name, else `region`.
    """
    columns = {column[1] for column in database.rows("PRAGMA table_info(records)")}
    if not columns or "region" in columns:
        return
    with database.transaction():
        matches = [_ARN.search(body) for (body,) in database.rows("SELECT body FROM records")]
        named = Counter(match[1] for match in matches if match)
        home = named.most_common(1)[0][0] if named else region
        database.execute("ALTER TABLE records RENAME TO first_records")
        database.execute(TABLE)
        for sequence, kind, key, body in database.rows("SELECT sequence, kind, key, body FROM first_records"):
            place = GLOBAL if kind in _WITHOUT_REGION else home
            database.execute(_INSERT, sequence, *row(place, kind, key, json.loads(body)))
        database.execute("DROP TABLE first_records")
