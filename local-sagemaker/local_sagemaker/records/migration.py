"""State files of earlier layouts.

The first knew no regions. The second had CodeCommit's repositories under the kind of SageMaker's code repositories. The
third had idempotency tokens of several forms.
"""

from __future__ import annotations

import json
import re
from collections import Counter

from local_sagemaker.records import earlier_tokens
from local_sagemaker.records.schema import COLUMNS, GLOBAL, TABLE, row
from local_sagemaker.records.sqlite import Database

_INSERT = f"INSERT INTO records (sequence, {COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ARN = re.compile(r'Arn": "arn:aws[a-z-]*:(?:sagemaker|lambda):([a-z0-9-]+):')
_VERSION = 2
"""How many of the changes that are made once a file has seen."""
_RENAME = (
    "UPDATE records SET kind = 'git-repository' "
    "WHERE kind = 'code-repository' AND json_extract(body, '$.repositoryName') IS NOT NULL"
)
_WITHOUT_REGION = ("neighbour-call", "counter", "issued-key")
"""Kinds of moto's journal and of handed-out keys."""


def upgrade(database: Database, region: str) -> None:
    """Brings an existing file to the layout of today; one that has it already stays as it is.

    `region` is that of records that name no region.
    """
    columns = {column[1] for column in database.rows("PRAGMA table_info(records)")}
    [(version,)] = database.rows("PRAGMA user_version")
    with database.transaction():
        if columns and "region" not in columns:
            _add_regions(database, region)
        if columns and version < 1:
            database.execute(_RENAME)
        if columns and version < 2:
            earlier_tokens.take_over(database)
        if version < _VERSION:
            database.execute(f"PRAGMA user_version = {_VERSION}")


def _add_regions(database: Database, region: str) -> None:
    """The service acted as one region then: the one that most of the ARNs name, else `region`."""
    matches = [_ARN.search(body) for (body,) in database.rows("SELECT body FROM records")]
    named = Counter(match[1] for match in matches if match)
    home = named.most_common(1)[0][0] if named else region
    database.execute("ALTER TABLE records RENAME TO first_records")
    database.execute(TABLE)
    for sequence, kind, key, body in database.rows("SELECT sequence, kind, key, body FROM first_records"):
        place = GLOBAL if kind in _WITHOUT_REGION else home
        database.execute(_INSERT, sequence, *row(place, kind, key, json.loads(body)))
    database.execute("DROP TABLE first_records")
