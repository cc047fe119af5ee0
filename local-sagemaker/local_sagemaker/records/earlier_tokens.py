"""Idempotency tokens as earlier versions kept them: each service in its own way.

Those of CodePipeline were records of their own, those of CodeBuild stood in what was started. Only these two services
would start something twice; where a stack or a schedule is made again, its name is taken.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from local_sagemaker.clock import now
from local_sagemaker.records.kinds import BUILD
from local_sagemaker.records.schema import COLUMNS, Body, row
from local_sagemaker.records.sqlite import Database

_KIND = "request-token"
_ADD = f"INSERT OR IGNORE INTO records ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_RUNS = {BUILD.kind: ("StartBuild", "build"), "codebuild-batch": ("StartBuildBatch", "batch")}
"""Of each kind of run, what the tokens of clients and those of pipelines' actions stand under."""
_MINUTES, _WEEK = 300.0, 7 * 86400.0


def take_over(database: Database) -> None:
    """Writes them as records of today, with the times for which they still hold."""
    kinds = ("codepipeline-token", *_RUNS)
    marks = ", ".join("?" for _ in kinds)
    rows = database.rows(f"SELECT region, kind, key, body FROM records WHERE kind IN ({marks})", *kinds)
    for region, kind, key, body in rows:
        for token, kept in _tokens(kind, key, json.loads(body)):
            database.execute(_ADD, *row(region, _KIND, token, kept))
    database.execute("DELETE FROM records WHERE kind = 'codepipeline-token'")


def _tokens(kind: str, key: str, body: Body) -> Iterator[tuple[str, Body]]:
    """The key and the body of the record that an earlier one becomes, if it has a token."""
    if kind not in _RUNS:
        yield f"codepipeline/{key}", _record({"pipelineExecutionId": body["id"]}, now() + _WEEK)
    elif body.get("_token"):
        operation, action = _RUNS[kind]
        place = f"{key.rpartition('/')[0]}/{body['_token']}"
        if body.get("_order"):
            yield f"{action}/{place}", _record({"id": body["id"]}, now() + _WEEK)
        else:
            yield f"{operation}/{place}", _record({"id": body["id"]}, body["startTime"] + _MINUTES, body["_digest"])


def _record(response: Body, until: float, digest: str = "") -> Body:
    return {"digest": digest, "answer": response, "time": now(), "until": until}
