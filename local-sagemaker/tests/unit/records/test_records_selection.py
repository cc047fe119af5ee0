"""Lists of executions by the index: any page, filters by parameters, sorted by them."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_sagemaker.records.selection import PairCondition, Selection
from local_sagemaker.records.store import Records

KIND = "pipeline-execution"


@pytest.fixture
def records(tmp_path: Path) -> Records:
    records = Records(tmp_path / "records.sqlite")
    for number in range(30):
        pairs = [{"Name": "Rate", "Value": str(number / 10)}, {"Name": "Data", "Value": f"s3://b/{number % 3}.csv"}]
        body = {
            "PipelineExecutionArn": f"arn:{number}", "PipelineExecutionStatus": "Failed" if number % 5 else "Succeeded",
            "PipelineExecutionDisplayName": f"Run {number}", "CreationTime": 100.0 + number,
            "LastModifiedTime": 100.0 + number + number % 7, "PipelineParameters": pairs if number != 9 else [],
            **({"_metrics": [{"Name": "Rate", "Value": repr(1 / (1 + number))}]} if number < 20 else {}),
        }  # fmt: skip
        records.insert(KIND, f"p/{number:02}", body)
    records.insert(KIND, "other/00", {"CreationTime": 500.0})
    return records


def choose(records: Records, **members: object) -> tuple[list[str], int]:
    selection = Selection(KIND, "p", pairs="PipelineParameters", texts=["PipelineExecutionDisplayName"], **members)  # type: ignore[arg-type]
    keys, total = records.select(selection, 5)
    return [key.partition("/")[2] for key in keys], total


def test_any_page_of_all(records: Records) -> None:
    selection = Selection(KIND, "p")
    assert records.select(selection, 2) == (["p/29", "p/28"], 30)
    assert records.select(selection, 2, 28) == (["p/01", "p/00"], 30)
    assert records.select(selection, 2, 99) == ([], 30)


def test_filters_and_their_totals(records: Records) -> None:
    assert choose(records, status="Succeeded", descending=False) == (["00", "05", "10", "15", "20"], 6)
    assert choose(records, since=127.0) == (["29", "28", "27"], 3)
    assert choose(records, text="run 2") == (["29", "28", "27", "26", "25"], 11)
    assert choose(records, text="p/03") == (["03"], 1)
    assert choose(records, conditions=[PairCondition("Data", "~", "/2.CSV")])[1] == 10
    assert choose(records, conditions=[PairCondition("Rate", "<", "0.25")]) == (["02", "01", "00"], 3)
    assert choose(records, conditions=[PairCondition("Rate", ">", "2.75")]) == (["29", "28"], 2)
    assert choose(records, conditions=[PairCondition("Rate", "=", "2.0")]) == (["20"], 1)
    both = [PairCondition("Rate", ">", "2"), PairCondition("Data", "=", "s3://b/0.csv")]
    assert choose(records, conditions=both) == (["27", "24", "21"], 3)
    assert choose(records, conditions=[PairCondition("Absent", "~", "x")]) == ([], 0)


def test_sorted_by_a_parameter_as_numbers_with_those_without_one_last(records: Records) -> None:
    assert choose(records, order="pair:Rate") == (["29", "28", "27", "26", "25"], 30)
    assert choose(records, order="pair:Rate", descending=False)[0][:2] == ["00", "01"]
    keys, _ = records.select(Selection(KIND, "p", pairs="PipelineParameters", order="pair:Rate"), 5, 25)
    assert keys[-1] == "p/09"
    assert choose(records, order="length")[0][0] == "27"


def test_hostile_text_is_a_value(records: Records) -> None:
    for text in ("' OR 1=1 --", '"', "%", "$.x"):
        assert choose(records, text=text) == ([], 0)
        assert choose(records, conditions=[PairCondition(text, "~", text)]) == ([], 0)
        assert choose(records, order=f"pair:{text}")[1] == 30


def test_by_pairs_of_another_member(records: Records) -> None:
    """Metrics are pairs, too, of names that parameters may have."""
    assert choose(records, order="pair:Rate", order_pairs="_metrics", descending=False)[0] == [
        "19",
        "18",
        "17",
        "16",
        "15",
    ]
    assert choose(records, conditions=[PairCondition("Rate", ">", "0.4", "_metrics")]) == (["01", "00"], 2)
    both = [PairCondition("Rate", ">", "0.2", "_metrics"), PairCondition("Rate", "<", "0.25")]
    assert choose(records, conditions=both) == (["02", "01", "00"], 3)
