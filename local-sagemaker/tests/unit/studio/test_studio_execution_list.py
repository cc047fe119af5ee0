"""The list of a pipeline's executions at its largest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from local_sagemaker.config import Settings
from local_sagemaker.records import Records
from local_sagemaker.studio.local_data import StudioReads
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.execution_list import load_list

KIND, COUNT = "pipeline-execution", 10_000
ARN = "arn:aws:sagemaker:us-east-1:1:pipeline/many"


def test_row_10_000_is_reached(tmp_path: Path) -> None:
    """The last page has the oldest; a page behind it is it; its total is that of all."""
    settings = Settings(home=tmp_path)
    records = Records(settings.records_file)
    with records.transaction():
        for number in range(COUNT):
            body = {
                "PipelineExecutionArn": f"{ARN}/execution/{number:012}", "PipelineExecutionStatus": "Succeeded",
                "CreationTime": 1e6 + number, "LastModifiedTime": 1e6 + number, "PipelineVersionId": 1,
            }  # fmt: skip
            records.put(KIND, f"many/{number:012}", body)

    def call(name: str, request: dict[str, Any]) -> dict[str, Any]:
        key = f"many/{request['PipelineExecutionArn'].rpartition('/')[2]}"
        return dict(records.get(KIND, key) or {}) if name.endswith("DescribePipelineExecution") else {}

    reads = StudioReads(settings, records, dict)
    for page in (COUNT // 50, 9_999):
        visit = Visit({}, {"page": [str(page)]}, call, reads, "", 2e6)
        shown = load_list(visit, "many", ARN, [])
        assert (shown.total, shown.number, shown.pages, shown.first) == (COUNT, 200, 200, COUNT - 49)
        assert [int(row.identifier) for row in shown.rows] == list(range(49, -1, -1))
    records.close()
