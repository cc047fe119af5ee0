"""Records by region, look-ups without regard to case, pages by index, and state files of the first layout."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from local_sagemaker.records import Records
from local_sagemaker.records.query import Query
from local_sagemaker.records.store import GLOBAL

FIRST_LAYOUT = Path(__file__).with_name("first_layout.sql")
"""A dump of records.sqlite as the service of the first layout wrote it, in region eu-central-1."""


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path / "records.sqlite")


def model(name: str, created: float = 0.0) -> dict[str, object]:
    return {"ModelName": name, "CreationTime": created}


def test_each_region_has_records_of_its_own(records: Records) -> None:
    ireland = records.of("eu-west-1")
    records.insert("model", "m", {"in": "virginia"})
    ireland.insert("model", "m", {"in": "ireland"})
    assert records.get("model", "m") == {"in": "virginia"}
    assert ireland.list("model") == [{"in": "ireland"}]
    assert records.delete("model", "m")
    assert ireland.get("model", "m") == {"in": "ireland"}
    records.of(GLOBAL).put("role", "r", {})
    assert records.regions() == ["eu-west-1"]


def test_names_are_found_in_any_case_the_exact_one_first(records: Records) -> None:
    records.insert("model", "Wine", {"n": 1})
    records.insert("model", "wine", {"n": 2})
    assert records.find("model", "WINE") is not None
    assert records.find("model", "Wine") == ("Wine", {"n": 1})
    assert records.find("model", "wine") == ("wine", {"n": 2})
    assert records.find("model", "beer") is None


def test_prefixes_are_exact(records: Records) -> None:
    for key in ("a/1", "a/2", "a0", "A/3", "ab/1"):
        records.insert("step", key, {})
    assert [key for key, _ in records.items("step", "a/")] == ["a/1", "a/2"]
    assert records.has_any("step", "ab/")
    records.delete_all("step", "a/")
    assert [key for key, _ in records.items("step")] == ["a0", "A/3", "ab/1"]


@pytest.mark.parametrize("order", ["created", "name", "modified", "status"])
@pytest.mark.parametrize("descending", [True, False])
def test_pages_hold_everything_once_in_order(records: Records, order: str, descending: bool) -> None:
    for number in range(25):
        records.insert("model", f"m{number:02}", model(f"m{number:02}", created=number // 3))
    query, after, found = Query("model", parent="", order=order, descending=descending), None, []
    while page := records.page(query, 4, after):
        found += [body["ModelName"] for _, body in page]
        after = page[-1][0]
    assert found == sorted(found, reverse=descending)
    assert len(found) == 25


def test_what_is_added_between_pages_moves_nothing(records: Records) -> None:
    for number in range(4):
        records.insert("model", f"m{number}", model(f"m{number}", created=number))
    first = records.page(Query("model"), 2)
    records.insert("model", "m9", model("m9", created=9))
    assert [body["ModelName"] for _, body in records.page(Query("model"), 2, first[-1][0])] == ["m1", "m0"]


def test_pages_select(records: Records) -> None:
    for number, status in enumerate(("Failed", "Completed", "Completed")):
        body = {"TrainingJobName": f"Job-{number}", "CreationTime": number, "TrainingJobStatus": status}
        records.insert("training-job", f"Job-{number}", body)

    def names(**selection: object) -> list[str]:
        query = Query("training-job", **selection)  # type: ignore[arg-type]
        return [body["TrainingJobName"] for _, body in records.page(query, 10)]

    assert names(status="Completed") == ["Job-2", "Job-1"]
    assert names(created_after=0, created_before=2) == ["Job-1"]
    assert names(contains="job-0") == ["Job-0"]
    assert names(prefix="job") == []
    assert names(prefix="Job-1") == ["Job-1"]
    assert names(equals={"TrainingJobStatus": "Failed"}) == ["Job-0"]


def test_a_page_and_a_look_up_do_not_grow_with_what_is_there(records: Records) -> None:
    def seconds() -> float:
        best = 1.0
        for _ in range(20):
            began = time.perf_counter()
            records.page(Query("pipeline-execution", parent="p"), 10)
            records.find("pipeline-execution", "P/E1")
            records.items("step", "p/e1/")
            best = min(best, time.perf_counter() - began)
        return best

    def add(numbers: range) -> None:
        with records.transaction():
            for number in numbers:
                body = {"CreationTime": number, "Padding": "x" * 500}
                records.insert("pipeline-execution", f"p/e{number}", body)
                records.insert("step", f"p/e{number}/s", body)

    add(range(20))
    few = seconds()
    add(range(20, 4000))
    assert seconds() < 5 * few  # was 100 x


def test_a_state_file_of_the_first_layout_opens_with_its_records_in_their_region(tmp_path: Path) -> None:
    file = tmp_path / "records.sqlite"
    with sqlite3.connect(file) as connection:
        connection.executescript(FIRST_LAYOUT.read_text())
        before = connection.execute("SELECT kind, key, body FROM records ORDER BY sequence").fetchall()
    connection.close()
    for _ in range(2):  # the second time there is nothing to change
        records = Records(file, "us-east-1")
        assert records.regions() == ["eu-central-1"]
        assert records.list("pipeline") == []
        old = records.of("eu-central-1")
        assert old.find("model", "old-model") is not None
        assert [body["StepName"] for body in old.list("pipeline-step", "old-pipeline/")] == ["Stop"]
        [(_, execution)] = records.of("eu-central-1").page(Query("pipeline-execution", parent="old-pipeline"), 10)
        assert execution["PipelineExecutionStatus"] == "Failed"
        assert len(records.of(GLOBAL).list("neighbour-call")) == 1
        records.close()
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT kind, key, body FROM records ORDER BY sequence").fetchall() == before
    connection.close()


def test_repositories_of_codecommit_get_the_kind_that_they_have_today(tmp_path: Path) -> None:
    file = tmp_path / "records.sqlite"
    records = Records(file)
    records.put("code-repository", "r", {"repositoryName": "r"})
    records.put("code-repository", "s", {"CodeRepositoryName": "s"})
    records.close()
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 0")  # as a file of an earlier version has it
    connection.close()
    for _ in range(2):
        records = Records(file)
        assert records.list("git-repository") == [{"repositoryName": "r"}]
        assert records.list("code-repository") == [{"CodeRepositoryName": "s"}]
        records.close()
